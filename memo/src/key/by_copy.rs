//! Parts that are copied into the key: numbers and the other primitive types.

use std::hash::{Hash, Hasher};

use super::{OwnedPart, Part};

/// Types whose values are copied into the key at once, so that no reference to them is kept: the primitive types.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the primitive type of that name",
    label = "a type of another name is needed here",
    note = "`#[memoize]` takes the names of primitive types for these types; give this one another name"
)]
pub trait Primitive: Copy {
    /// What stands in the key.
    type Key: OwnedPart + Copy + Hash;
    /// Makes it.
    fn to_key(self) -> Self::Key;
}

macro_rules! primitive_keys {
    ($($primitive:ty)*) => {$(
        impl Primitive for $primitive {
            type Key = Self;
            #[inline(always)]
            fn to_key(self) -> Self {
                self
            }
        }
    )*};
}
primitive_keys!(bool char u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);

/// A part that is its own owned form.
#[derive(Debug, Clone, Copy)]
pub struct ByCopy<K>(pub K);

impl<K: OwnedPart + Copy + Hash> Part for ByCopy<K> {
    type Owned = K;
    const IS_CHEAP: bool = true;
    #[inline(always)]
    fn hash_part<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
    #[inline(always)]
    fn matches(&self, owned: &K) -> bool {
        self.0 == *owned
    }
    #[inline(always)]
    fn to_owned_part(&self) -> K {
        self.0
    }
}

/// The part that a number is, or the like.
#[inline(always)]
pub fn copied<T: Primitive>(value: &T) -> ByCopy<T::Key> {
    ByCopy(value.to_key())
}
