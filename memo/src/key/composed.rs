//! Parts that are made of parts: optional ones, slices and tuples.

use std::hash::{Hash, Hasher};

use super::Part;

impl<P: Part> Part for Option<P> {
    type Owned = Option<P::Owned>;
    #[inline]
    fn hash_part<H: Hasher>(&self, state: &mut H) {
        self.is_some().hash(state);
        if let Some(part) = self {
            part.hash_part(state);
        }
    }
    #[inline]
    fn matches(&self, owned: &Self::Owned) -> bool {
        match (self, owned) {
            (Some(part), Some(owned)) => part.matches(owned),
            (None, None) => true,
            _ => false,
        }
    }
    fn to_owned_part(&self) -> Self::Owned {
        self.as_ref().map(P::to_owned_part)
    }
}

/// A slice whose elements are parts: `part_of` borrows the part of one element.
pub struct Each<'a, T, F> {
    elements: &'a [T],
    part_of: F,
}

impl<T, F: Copy> Clone for Each<'_, T, F> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T, F: Copy> Copy for Each<'_, T, F> {}

impl<T, F> std::fmt::Debug for Each<'_, T, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Each").field("len", &self.elements.len()).finish_non_exhaustive()
    }
}

impl<'a, T, P: Part, F: Fn(&'a T) -> P + Copy> Each<'a, T, F> {
    /// The part for `elements`, whose elements' parts `part_of` finds.
    pub fn new(elements: &'a [T], part_of: F) -> Self {
        Each { elements, part_of }
    }
}

impl<'a, T, P: Part, F: Fn(&'a T) -> P + Copy> Part for Each<'a, T, F> {
    type Owned = Vec<P::Owned>;
    fn hash_part<H: Hasher>(&self, state: &mut H) {
        self.elements.len().hash(state);
        self.elements.iter().for_each(|element| (self.part_of)(element).hash_part(state));
    }
    fn matches(&self, owned: &Self::Owned) -> bool {
        self.elements.len() == owned.len()
            && self.elements.iter().zip(owned).all(|(element, owned)| (self.part_of)(element).matches(owned))
    }
    fn to_owned_part(&self) -> Self::Owned {
        self.elements.iter().map(|element| (self.part_of)(element).to_owned_part()).collect()
    }
}

macro_rules! tuple_parts {
    ($($name:ident $index:tt),*) => {
        impl<$($name: Part),*> Part for ($($name,)*) {
            type Owned = ($($name::Owned,)*);
            const IS_CHEAP: bool = true $(&& $name::IS_CHEAP)*;
            #[inline(always)]
            #[allow(unused_variables)]
            fn hash_part<Hash: Hasher>(&self, state: &mut Hash) {
                $(self.$index.hash_part(state);)*
            }
            #[inline(always)]
            #[allow(unused_variables)]
            fn matches(&self, owned: &Self::Owned) -> bool {
                true $(&& self.$index.matches(&owned.$index))*
            }
            #[inline]
            #[allow(clippy::unused_unit)]
            fn to_owned_part(&self) -> Self::Owned {
                ($(self.$index.to_owned_part(),)*)
            }
        }
    };
}
tuple_parts!();
tuple_parts!(A 0);
tuple_parts!(A 0, B 1);
tuple_parts!(A 0, B 1, C 2);
tuple_parts!(A 0, B 1, C 2, D 3);
tuple_parts!(A 0, B 1, C 2, D 3, E 4);
tuple_parts!(A 0, B 1, C 2, D 3, E 4, F 5);
tuple_parts!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple_parts!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
