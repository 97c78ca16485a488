//! Which types may run code of the user when they are compared or cloned.

use std::any::TypeId;
use std::mem::needs_drop;
use std::time::Duration;

/// Whether comparing or cloning a `T` can run code of the user's. The commonest types of the standard library run none, and
/// that is known as this is compiled.
#[inline(always)]
pub(crate) fn runs_user_code<T: 'static>() -> bool {
    macro_rules! is_one_of {
        ($($known:ty)*) => { $(TypeId::of::<T>() == TypeId::of::<$known>())||* };
    }
    !is_one_of!(() std::convert::Infallible bool char u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64 String std::path::PathBuf Duration)
}

/// As [`runs_user_code`], and looks into tuples: not for hot paths.
pub(crate) fn may_run_user_code<T: 'static>() -> bool {
    // Only a type of the language's own has a name without a path.
    runs_user_code::<T>() && (needs_drop::<T>() || std::any::type_name::<T>().contains(':'))
}
