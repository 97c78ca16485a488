//! Parts that are compared by a canonical form, since their types have no equality that a key could go by.

use std::hash::{Hash, Hasher};

use super::{OwnedPart, Part};

/// Types that are keyed by a canonical form, not by themselves: floats and what is made of them (Rust gives
/// them neither `Eq` nor `Hash`; here all NaNs are one, and `-0.0` is `0.0`), and [`InstanceId`](crate::InstanceId),
/// whose clone is another.
pub trait Canonical {
    /// The form that a store keeps.
    type Owned: OwnedPart;
    /// Hashes the canonical form, as the owned one hashes. It serves [`Part::hash_part`].
    fn hash_canonical<H: Hasher>(&self, state: &mut H);
    /// Whether `owned` is the canonical form of this. It serves [`Part::matches`].
    fn same_canonical(&self, owned: &Self::Owned) -> bool;
    /// The canonical form. It serves [`Part::to_owned_part`].
    fn own_canonical(&self) -> Self::Owned;
}

impl<T: Canonical> Canonical for [T] {
    type Owned = Vec<T::Owned>;
    #[inline]
    fn hash_canonical<H: Hasher>(&self, state: &mut H) {
        self.len().hash(state);
        self.iter().for_each(|part| part.hash_canonical(state));
    }
    #[inline]
    fn same_canonical(&self, owned: &Self::Owned) -> bool {
        self.len() == owned.len() && self.iter().zip(owned).all(|(part, owned)| part.same_canonical(owned))
    }
    fn own_canonical(&self) -> Self::Owned {
        self.iter().map(T::own_canonical).collect()
    }
}

/// Containers that are keyed as what they lead to.
macro_rules! canonical_by_deref {
    ($(($($generics:tt)*) $container:ty => $target:ty;)*) => {$(
        impl<$($generics)*> Canonical for $container {
            type Owned = <$target as Canonical>::Owned;
            #[inline]
            fn hash_canonical<H: Hasher>(&self, state: &mut H) {
                <$target as Canonical>::hash_canonical(self, state);
            }
            #[inline]
            fn same_canonical(&self, owned: &Self::Owned) -> bool {
                <$target as Canonical>::same_canonical(self, owned)
            }
            fn own_canonical(&self) -> Self::Owned {
                <$target as Canonical>::own_canonical(self)
            }
        }
    )*};
}
canonical_by_deref! {
    (T: Canonical) Vec<T> => [T];
    (T: Canonical, const N: usize) [T; N] => [T];
    (T: Canonical + ?Sized) &T => T;
    (T: Canonical + ?Sized) Box<T> => T;
    (T: Canonical + ?Sized) std::sync::Arc<T> => T;
}

impl<T: Canonical> Canonical for Option<T> {
    type Owned = Option<T::Owned>;
    #[inline]
    fn hash_canonical<H: Hasher>(&self, state: &mut H) {
        self.is_some().hash(state);
        if let Some(part) = self {
            part.hash_canonical(state);
        }
    }
    #[inline]
    fn same_canonical(&self, owned: &Self::Owned) -> bool {
        match (self, owned) {
            (Some(part), Some(owned)) => part.same_canonical(owned),
            (None, None) => true,
            _ => false,
        }
    }
    fn own_canonical(&self) -> Self::Owned {
        self.as_ref().map(T::own_canonical)
    }
}

/// A part that is compared by its canonical form.
#[derive(Debug)]
pub struct ByCanonical<'a, T: ?Sized>(pub &'a T);

impl<T: ?Sized> Clone for ByCanonical<'_, T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}
impl<T: ?Sized> Copy for ByCanonical<'_, T> {}

impl<T: ?Sized + Canonical> Part for ByCanonical<'_, T> {
    type Owned = T::Owned;
    #[inline(always)]
    fn hash_part<H: Hasher>(&self, state: &mut H) {
        self.0.hash_canonical(state);
    }
    #[inline(always)]
    fn matches(&self, owned: &T::Owned) -> bool {
        self.0.same_canonical(owned)
    }
    #[inline]
    fn to_owned_part(&self) -> T::Owned {
        self.0.own_canonical()
    }
}
