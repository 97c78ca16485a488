//! The shape of a type, as serde sees it: names, fields and their order, variants.
//!
//! A stored result is read back only into the shape that it was written from. The shape is found by asking the type's
//! `Deserialize` for a value, again and again, and noting what it asks for: the deserializer here has no data and makes
//! some up. An enum is given its variants in turn until each has been seen. A type that does not like what was made
//! up (a text that must be an address) ends that attempt; what it had asked for until then is its shape.
//!
//! The way of finding out is that of the crate serde-reflection; the outcome here is only a number.

mod asked;
mod probe;
#[cfg(test)]
mod tests;

use std::any::TypeId;
use std::collections::BTreeMap;
use std::hash::Hasher;
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;

use self::asked::Asked;
use self::probe::{Probe, Stop};

/// A type whose enums have not all been seen through after so many values is known well enough.
const MOST_VALUES: usize = 256;

/// What is known of a type by what it asks for as it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    /// A number: equal for equal shapes, and for others different but by a chance of 2⁻⁶⁴.
    pub(crate) fingerprint: u64,
    /// Somewhere it asks what is there, which only a codec can say that writes the kinds of values.
    pub(crate) asks: bool,
}

/// The shape of `T`, found out once.
pub(crate) fn shape<T: Deserialize<'static> + 'static>() -> Shape {
    static FOUND: Mutex<BTreeMap<TypeId, Shape>> = Mutex::new(BTreeMap::new());
    let found = || FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    let known = found().get(&TypeId::of::<T>()).copied();
    known.unwrap_or_else(|| {
        // the type's own code runs here, under no lock
        let shape = probe::<T>();
        found().insert(TypeId::of::<T>(), shape);
        shape
    })
}

fn probe<T: Deserialize<'static>>() -> Shape {
    let mut probe = Probe::default();
    for _ in 0..MOST_VALUES {
        probe.depth = 0;
        probe.steps = 0;
        probe.note("value");
        if let Err(Stop(reason)) = T::deserialize(Asked(&mut probe)) {
            probe.note(reason);
        }
        if probe.enums.values().all(|seen| seen.next >= seen.variants) {
            break;
        }
    }
    Shape { fingerprint: probe.hash.finish(), asks: probe.asks }
}
