//! Parts that are compared by the value of the argument itself: `&T` owned as `T::Owned`.

use std::borrow::Borrow;
use std::hash::{Hash, Hasher};

use super::{OwnedPart, Part};

/// A value that can stand in a key by itself: `Hash + Eq + ToOwned`, owned as something [`OwnedPart`].
pub trait KeyValue: Hash + Eq + ToOwned<Owned: OwnedPart> {}
impl<T: ?Sized + Hash + Eq + ToOwned<Owned: OwnedPart>> KeyValue for T {}

/// A value that can stand in a key that stays on its thread: `Hash + Eq + ToOwned`, owned as something `Eq + Clone`.
pub trait LocalKeyValue: Hash + Eq + ToOwned<Owned: Eq + Clone + 'static> {}
impl<T: ?Sized + Hash + Eq + ToOwned<Owned: Eq + Clone + 'static>> LocalKeyValue for T {}

/// A part that is compared by its value: `&T` owned as `T::Owned`.
#[derive(Debug)]
pub struct ByValue<'a, T: ?Sized>(pub &'a T);

impl<T: ?Sized> Clone for ByValue<'_, T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}
impl<T: ?Sized> Copy for ByValue<'_, T> {}

impl<T: ?Sized + LocalKeyValue> Part for ByValue<'_, T> {
    type Owned = T::Owned;
    #[inline(always)]
    fn hash_part<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
    #[inline(always)]
    fn matches(&self, owned: &T::Owned) -> bool {
        *self.0 == *owned.borrow()
    }
    #[inline]
    fn to_owned_part(&self) -> T::Owned {
        self.0.to_owned()
    }
}

/// The part that a string is.
#[inline(always)]
pub fn text<'a>(text: &&'a str) -> ByValue<'a, str> {
    ByValue(text)
}
