//! Keys: what of a call tells its result from others.
//!
//! A key exists in two forms. In the call it is **borrowed**: a [`Part`] (or a tuple of them) that only
//! points at the arguments; it can be hashed, compared with an owned key, and made owned. In a store it is
//! **owned**: [`Part::Owned`], made once, on a miss. `&str` is owned as `String`, `&[T]` as `Vec<T>`, `&Path`
//! as `PathBuf`, and `T` or `&T` as `T`.
//!
//! Only the borrowed form is ever hashed, and the hash travels with the owned key, so the two forms need
//! not agree about hashing; equality between them goes through [`Borrow`](std::borrow::Borrow).
//!
//! Which form a type takes is found by [`probes`].

use std::hash::Hasher;

pub(crate) mod by_copy;
pub(crate) mod by_value;
pub(crate) mod canonical;
pub(crate) mod composed;
mod float;
pub(crate) mod probes;
pub(crate) mod query;
mod refused;

/// What an owned part of a key must be: comparable, and at home in any thread.
pub trait OwnedPart: Eq + Clone + Send + Sync + 'static {}
impl<T: Eq + Clone + Send + Sync + 'static> OwnedPart for T {}

/// A key, or one part of it, as it stands in the call: borrowed.
pub trait Part: Copy {
    /// The form that a store keeps.
    type Owned: Eq + Clone + 'static;
    /// It is made of primitive types, which are their own owned form. Comparing costs as little as comparing a hash does, and runs
    /// no code of the user's.
    const IS_CHEAP: bool = false;
    /// Feeds this part to `state`. Parts delimit themselves, as in [`Hash`].
    fn hash_part<H: Hasher>(&self, state: &mut H);
    /// Whether `owned` is the owned form of this very key.
    fn matches(&self, owned: &Self::Owned) -> bool;
    /// Makes the owned form.
    fn to_owned_part(&self) -> Self::Owned;
}

/// One whose owned form is at home in any thread.
pub trait SharedPart: Part<Owned: OwnedPart> {}
impl<P: Part<Owned: OwnedPart>> SharedPart for P {}

/// A float as it stands in an owned key: the bits of its canonical form ([`float`]).
//
// It stands here since its path is part of the name of a function's results in engines: moved, it would have another.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Float<Bits>(Bits);
