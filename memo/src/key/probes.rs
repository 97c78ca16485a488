//! The probes by which the [`Part`](super::Part) of an argument is found from its type.
//!
//! Generated code writes `(&&&&&Probe(&arg)).part()` with the traits of [`probe`] or [`probe_here`] in scope. Method resolution
//! tries the most references first, and takes the first impl whose bounds hold.

use std::borrow::Cow;
use std::marker::PhantomData;

use super::by_copy::{ByCopy, Primitive};
use super::by_value::{ByValue, KeyValue, LocalKeyValue};
use super::canonical::{ByCanonical, Canonical};
use super::refused::{Key, MadeFrom, MadeHereFrom, NotAKey};

/// What generated code wraps a reference to an argument in, to find the [`Part`](super::Part) that stands for it.
#[derive(Debug)]
pub struct Probe<'a, T: ?Sized>(pub &'a T);

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

/// The ways to a [`Part`](crate::key::Part), first to last. Generated code imports these traits for one expression.
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
    impl<T: Primitive> Copied for &&&Probe<'_, T> {
        type Part = ByCopy<T::Key>;
        #[inline(always)]
        fn part(self) -> Self::Part {
            ByCopy(self.0.to_key())
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

/// The ways to a [`Part`](crate::key::Part) of a function whose keys stay on their thread, and need not be `Send`.
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
