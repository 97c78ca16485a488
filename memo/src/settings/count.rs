//! Integers that can say how many, or how heavy.

/// Integers that can say how many.
#[diagnostic::on_unimplemented(
    message = "a capacity or weight must be an unsigned integer, not `{Self}`",
    label = "expected `u64`, `usize` or another unsigned integer"
)]
pub trait Count {
    /// How many, at most `u64::MAX`.
    fn count(self) -> u64;
}

macro_rules! counts {
    ($($int:ty)*) => {$(
        impl Count for $int {
            fn count(self) -> u64 {
                u64::try_from(self).unwrap_or(u64::MAX)
            }
        }
    )*};
}
counts!(u8 u16 u32 u64 usize u128);
