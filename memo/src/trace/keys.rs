//! Keys in words, for functions that show them: whether a type of keys is `Debug` is found from it, as what else types
//! can is.

use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};

/// How a key is written in words.
pub(crate) type Show<K> = fn(&K) -> String;

static ALL: AtomicBool = AtomicBool::new(false);

/// Whether keys are shown in events and spans, by their `Debug`. At first they are not: they may be secrets.
///
/// It is about all functions for which the configuration does not say (`log_keys`). Keys that are not `Debug` are never
/// shown.
///
/// ```
/// memo::log_keys(true);
/// ```
pub fn log_keys(show: bool) {
    ALL.store(show, Ordering::Relaxed);
}

/// Whether they are, where nothing else is said.
pub(crate) fn are_shown() -> bool {
    ALL.load(Ordering::Relaxed)
}

/// The type of a function's keys, to be asked.
pub struct Keys<K>(PhantomData<fn() -> K>);

impl<K> Keys<K> {
    pub(crate) const NEW: Self = Keys(PhantomData);
}

impl<K> Clone for Keys<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Keys<K> {}

impl<K> Debug for Keys<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}

/// An answer: how keys are shown, if they can be.
pub struct Shown<K>(pub(crate) Option<Show<K>>);

impl<K> Debug for Shown<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Shown").field(&self.0.is_some()).finish()
    }
}

/// The ways to the answer, in order. Generated code imports these traits for one expression.
pub mod show {
    use super::{Debug, Keys, Shown};

    /// Keys that can be shown.
    pub trait Can<K> {
        /// How.
        fn shown(self) -> Shown<K>;
    }
    impl<K: Debug> Can<K> for &Keys<K> {
        fn shown(self) -> Shown<K> {
            Shown(Some(|key| format!("{key:?}")))
        }
    }

    /// Other keys.
    pub trait Cannot<K> {
        /// Says so.
        fn shown(self) -> Shown<K>;
    }
    impl<K> Cannot<K> for Keys<K> {
        fn shown(self) -> Shown<K> {
            Shown(None)
        }
    }
}
