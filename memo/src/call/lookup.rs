//! What the parts of a call share: their record, and from which size on results go another way.

use crate::hooks::Hooks;
use crate::key::Part;
use crate::memo::Memo;
use crate::outcome::Outcome;

/// Results of more bytes are looked up out of line, and stand in as few frames as can be: inlined code would make a frame of
/// many times their size, which unoptimized code does not share between its steps.
const LARGE: usize = 2048;

/// Whether results of the type `R` are large.
pub const fn is_large<R>() -> bool {
    size_of::<R>() > LARGE
}

/// The record of a function with keys `P` and results `R` stored as `O` says.
pub(crate) type MemoBy<P, R, O> =
    Memo<<P as Part>::Owned, <O as Outcome<R>>::Stored, <O as Outcome<R>>::Failure>;

/// Adds to the hooks of a function with keys `P` and results `R` stored as `O` says.
pub(crate) type AddHooks<P, R, O> = fn(
    Hooks<<P as Part>::Owned, <O as Outcome<R>>::Stored>,
) -> Hooks<<P as Part>::Owned, <O as Outcome<R>>::Stored>;
