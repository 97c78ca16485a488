//! Keys: what of a call tells its result from others.
//!
//! A key exists in two forms. In the call it is **borrowed**: a [`Part`] (or a tuple of them) that only
//! points at the arguments; it can be hashed, compared with an owned key, and made owned. In a store it is
//! **owned**: [`Part::Owned`], made once, on a miss. `&str` is owned as `String`, `&[T]` as `Vec<T>`, `&Path`
//! as `PathBuf`, and `T` or `&T` as `T`.
//!
//! Only the borrowed form is ever hashed, and the hash travels with the owned key, so the two forms need
//! not agree about hashing; equality between them goes through [`Borrow`].
//!
//! Which form a type takes is found by [`Probe`]: generated code calls `(&&&&&Probe(&arg)).part()`, and method
//! resolution takes the first impl whose bounds hold.

use std::borrow::{Borrow, Cow};
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use crate::near::Lookup;

/// What an owned part of a key must be: comparable, and at home in any thread.
pub trait OwnedPart: Eq + Clone + Send + Sync + 'static {}
impl<T: Eq + Clone + Send + Sync + 'static> OwnedPart for T {}

/// A value that can stand in a key by itself: `Hash + Eq + ToOwned`, owned as something [`OwnedPart`].
pub trait KeyValue: Hash + Eq + ToOwned<Owned: OwnedPart> {}
impl<T: ?Sized + Hash + Eq + ToOwned<Owned: OwnedPart>> KeyValue for T {}

/// A value that can stand in a key that stays on its thread: `Hash + Eq + ToOwned`, owned as something `Eq + Clone`.
pub trait LocalKeyValue: Hash + Eq + ToOwned<Owned: Eq + Clone + 'static> {}
impl<T: ?Sized + Hash + Eq + ToOwned<Owned: Eq + Clone + 'static>> LocalKeyValue for T {}

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

/// Looks a store up by a borrowed key.
pub(crate) struct Query<P>(pub(crate) P);

impl<P: Part> Lookup<P::Owned> for Query<P> {
    const IS_CHEAP: bool = P::IS_CHEAP;

    #[inline(always)]
    fn matches(&self, key: &P::Owned) -> bool {
        self.0.matches(key)
    }
}

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

/// Types that are copied into the key at once, so that nothing has to remember where they were. They are the primitive ones.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the primitive type of that name",
    label = "a type of another name is needed here",
    note = "`#[memoize]` takes the names of primitive types for these types; give this one another name"
)]
pub trait Plain: Copy {
    /// What stands in the key.
    type Key: OwnedPart + Copy + Hash;
    /// Makes it.
    fn plain(self) -> Self::Key;
}

macro_rules! plain_keys {
    ($($plain:ty)*) => {$(
        impl Plain for $plain {
            type Key = Self;
            #[inline(always)]
            fn plain(self) -> Self {
                self
            }
        }
    )*};
}
plain_keys!(bool char u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);

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
pub fn copied<T: Plain>(value: &T) -> ByCopy<T::Key> {
    ByCopy(value.plain())
}

/// The part that a string is.
#[inline(always)]
pub fn text<'a>(text: &&'a str) -> ByValue<'a, str> {
    ByValue(text)
}

/// A float as it stands in an owned key: the bits of its canonical form.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Float<Bits>(Bits);

macro_rules! float_keys {
    ($($float:ident $bits:ident)*) => {$(
        impl Float<$bits> {
            #[inline(always)]
            fn canonical(value: $float) -> Self {
                // `-0.0 + 0.0` is `0.0`; every NaN becomes the one of the standard library
                let canonical = if value.is_nan() { $float::NAN } else { value + 0.0 };
                Self(canonical.to_bits())
            }

            /// The float: of all NaNs the one that the standard library names, of the two zeros the positive one.
            pub fn get(self) -> $float {
                $float::from_bits(self.0)
            }
        }

        impl std::fmt::Debug for Float<$bits> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.get().fmt(f)
            }
        }

        #[cfg(feature = "engines")]
        impl serde::Serialize for Float<$bits> {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.get().serialize(serializer)
            }
        }

        impl Plain for $float {
            type Key = Float<$bits>;
            #[inline(always)]
            fn plain(self) -> Self::Key {
                Float::<$bits>::canonical(self)
            }
        }

        impl Canonical for $float {
            type Owned = Float<$bits>;
            #[inline(always)]
            fn hash_canonical<H: Hasher>(&self, state: &mut H) {
                Float::<$bits>::canonical(*self).0.hash(state);
            }
            #[inline(always)]
            fn same_canonical(&self, owned: &Self::Owned) -> bool {
                Float::<$bits>::canonical(*self) == *owned
            }
            #[inline]
            fn own_canonical(&self) -> Self::Owned {
                Float::<$bits>::canonical(*self)
            }
        }
    )*};
}
float_keys!(f32 u32 f64 u64);

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

/// What generated code wraps a reference to an argument in, to find the [`Part`] that stands for it.
#[derive(Debug)]
pub struct Probe<'a, T: ?Sized>(pub &'a T);

/// What stands for an argument that can be no [`Part`]. It is one, so that the one error is about [`MadeFrom`].
#[derive(Debug)]
pub struct NotAKey<'a, T: ?Sized>(PhantomData<&'a T>);

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

/// The ways to parts that are compared by a value of the kind `$value`. What is in errors is not among them, so that these
/// show no macro of ours.
macro_rules! ways_by_value {
    ($value:ident) => {
        /// A reference: its target by value.
        pub trait Referenced {
            /// The part found.
            type Part;
            /// Finds it.
            fn part(self) -> Self::Part;
        }
        impl<'a, T: ?Sized + $value> Referenced for &&&&Probe<'_, &'a T> {
            type Part = ByValue<'a, T>;
            #[inline(always)]
            fn part(self) -> Self::Part {
                ByValue(self.0)
            }
        }

        /// A reference to a reference: the last target by value.
        pub trait TwiceReferenced {
            /// The part found.
            type Part;
            /// Finds it.
            fn part(self) -> Self::Part;
        }
        impl<'a, T: ?Sized + $value> TwiceReferenced for &&&&&Probe<'_, &&'a T> {
            type Part = ByValue<'a, T>;
            #[inline(always)]
            fn part(self) -> Self::Part {
                ByValue(*self.0)
            }
        }

        /// References within: `Cow` and optional references, also behind an alias.
        pub trait Within {
            /// The part found.
            type Part;
            /// Finds it.
            fn part(self) -> Self::Part;
        }
        impl<'a, T: ?Sized + $value> Within for &&&Probe<'a, Cow<'_, T>> {
            type Part = ByValue<'a, T>;
            #[inline(always)]
            fn part(self) -> Self::Part {
                ByValue(self.0)
            }
        }
        impl<'a, T: ?Sized + $value> Within for &&&Probe<'_, Option<&'a T>> {
            type Part = Option<ByValue<'a, T>>;
            #[inline(always)]
            fn part(self) -> Self::Part {
                self.0.map(ByValue)
            }
        }

        /// Anything else that has a value to compare.
        pub trait Valued {
            /// The part found.
            type Part;
            /// Finds it.
            fn part(self) -> Self::Part;
        }
        impl<'a, T: ?Sized + $value> Valued for &Probe<'a, T> {
            type Part = ByValue<'a, T>;
            #[inline(always)]
            fn part(self) -> Self::Part {
                ByValue(self.0)
            }
        }
    };
}

/// The ways to a [`Part`], first to last. Generated code imports these traits for one expression.
pub mod probe {
    use super::*;

    ways_by_value!(KeyValue);

    /// Nothing found.
    pub trait Unfit {
        /// What stands for the argument.
        type Part;
        /// The argument's type.
        type Of: ?Sized;
        /// Gives it; an error.
        fn part(self) -> Self::Part
        where
            Key: MadeFrom<Self::Of>;
    }
    impl<'a, T: ?Sized> Unfit for Probe<'a, T> {
        type Part = NotAKey<'a, T>;
        type Of = T;
        fn part(self) -> Self::Part
        where
            Key: MadeFrom<T>,
        {
            NotAKey(PhantomData)
        }
    }

    /// Numbers and the like.
    pub trait Copied {
        /// The part found.
        type Part;
        /// Finds it.
        fn part(self) -> Self::Part;
    }
    impl<T: Plain> Copied for &&&Probe<'_, T> {
        type Part = ByCopy<T::Key>;
        #[inline(always)]
        fn part(self) -> Self::Part {
            ByCopy(self.0.plain())
        }
    }

    /// What has a canonical form: floats and what is made of them, instance identities.
    pub trait ByItsCanon {
        /// The part found.
        type Part;
        /// Finds it.
        fn part(self) -> Self::Part;
    }
    impl<'a, T: ?Sized + Canonical> ByItsCanon for &&Probe<'a, T> {
        type Part = ByCanonical<'a, T>;
        #[inline(always)]
        fn part(self) -> Self::Part {
            ByCanonical(self.0)
        }
    }
}

/// The ways to a [`Part`] of a function whose keys stay on their thread, and need not be `Send`.
pub mod probe_here {
    use super::*;

    pub use super::probe::{ByItsCanon, Copied};

    ways_by_value!(LocalKeyValue);

    /// Nothing found.
    pub trait Unfit {
        /// What stands for the argument.
        type Part;
        /// The argument's type.
        type Of: ?Sized;
        /// Gives it; an error.
        fn part(self) -> Self::Part
        where
            Key: MadeHereFrom<Self::Of>;
    }
    impl<'a, T: ?Sized> Unfit for Probe<'a, T> {
        type Part = NotAKey<'a, T>;
        type Of = T;
        fn part(self) -> Self::Part
        where
            Key: MadeHereFrom<T>,
        {
            NotAKey(PhantomData)
        }
    }
}
