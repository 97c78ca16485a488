//! What the compiler says of an argument that can be no part of a key.

use std::hash::Hasher;
use std::marker::PhantomData;

use super::Part;

/// What stands for an argument that can be no [`Part`]. It is one, so that the one error is about [`MadeFrom`].
#[derive(Debug)]
pub struct NotAKey<'a, T: ?Sized>(pub(super) PhantomData<&'a T>);

impl<T: ?Sized> Clone for NotAKey<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T: ?Sized> Copy for NotAKey<'_, T> {}

impl<T: ?Sized> Part for NotAKey<'_, T> {
    type Owned = ();
    fn hash_part<H: Hasher>(&self, _: &mut H) {}
    fn matches(&self, _: &()) -> bool {
        false
    }
    fn to_owned_part(&self) {}
}

/// Says to the compiler what is wrong with an argument: no key is made from `T`, for there is no impl.
#[diagnostic::on_unimplemented(
    message = "`{T}` cannot be part of the memoization key",
    label = "needs `Hash + Eq + Clone + Send + Sync`, and to own what it holds",
    note = "derive `Hash`, `PartialEq`, `Eq` and `Clone` for the type, or give a type parameter the bounds `Hash + Eq + Clone + Send + Sync + 'static`; or leave the argument out with `skip(..)`, or say with `key = ..` what counts of it",
    note = "references and floats are seen in tuples, slices, `Vec` and `Option` that are written out; behind an alias or in a struct they are not: write the type out, or name what counts, as in `key = (point.x, point.y)`"
)]
pub trait MadeFrom<T: ?Sized> {}

/// The key of a call, in errors.
#[derive(Debug)]
pub struct Key;

/// Says to the compiler what is wrong with an argument of a function whose results stay on their thread.
#[diagnostic::on_unimplemented(
    message = "`{T}` cannot be part of the memoization key",
    label = "needs `Hash + Eq + Clone`, and to own what it holds",
    note = "derive `Hash`, `PartialEq`, `Eq` and `Clone` for the type, or give a type parameter the bounds `Hash + Eq + Clone + 'static`; or leave the argument out with `skip(..)`, or say with `key = ..` what counts of it",
    note = "references and floats are seen in tuples, slices, `Vec` and `Option` that are written out; behind an alias or in a struct they are not: write the type out, or name what counts, as in `key = (point.x, point.y)`"
)]
pub trait MadeHereFrom<T: ?Sized> {}
