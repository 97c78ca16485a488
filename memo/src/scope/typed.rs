//! Variants by the types of their function: what of them is compiled for each pair of types.

use std::any::Any;
use std::marker::PhantomData;

use super::any_variant::AnyVariant;
use super::choice::Choice;
use super::variants::{AnyUsed, InUse, Variants};

/// A record, and what keeps it for its namespace if it is a variant.
pub(crate) type Used<R> = (&'static R, Option<InUse>);

/// The record that a function has outside of all scopes, which knows its variants.
pub(crate) trait Origin: AnyVariant + Sized {
    fn variants(&'static self) -> &'static Variants;
}

/// The record as its own type.
fn typed<R: AnyVariant>((record, in_use): AnyUsed) -> Used<R> {
    let record: &'static dyn Any = record;
    (record.downcast_ref().expect("a variant has the types of its function"), in_use)
}

/// Records of one function.
pub(crate) struct Records<R>(std::vec::IntoIter<AnyUsed>, PhantomData<fn() -> R>);

impl<R: AnyVariant> Records<R> {
    fn new(records: Vec<AnyUsed>) -> Self {
        Records(records.into_iter(), PhantomData)
    }
}

impl<R: AnyVariant> Iterator for Records<R> {
    type Item = Used<R>;

    fn next(&mut self) -> Option<Used<R>> {
        self.0.next().map(typed)
    }
}

impl Choice {
    /// The record of the function `origin` for this choice.
    pub(crate) fn of<R: Origin>(&self, origin: &'static R) -> Used<R> {
        if !self.is_elsewhere() {
            return (origin, None);
        }
        typed(origin.variants().of(origin, self))
    }

    /// The records that hold results of the same namespace under other choices of engines.
    pub(crate) fn others<R: Origin>(&self, origin: &'static R) -> Records<R> {
        Records::new(origin.variants().others(origin, self))
    }

    /// The records that `clear` is about here: those of the namespace in force; outside of any, all that are not
    /// isolated.
    pub(crate) fn to_clear<R: Origin>(&self, origin: &'static R) -> Records<R> {
        Records::new(origin.variants().to_clear(origin, self))
    }
}
