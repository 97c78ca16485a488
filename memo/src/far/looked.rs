//! What a look into the engines gives. Builds without engines have these types too, so that the path of a call is written
//! once.

#![cfg_attr(not(feature = "engines"), allow(dead_code, reason = "made where there are engines"))]

use std::time::Duration;

use super::key::{FarKey, Hold};

/// What the engines had.
pub(crate) enum FarLooked<V> {
    Found(FarFound<V>),
    /// Nothing. No key if the arguments have no encoding.
    Nothing(Option<Box<FarKey>>),
}

/// What an engine had.
pub(crate) struct FarFound<V> {
    /// In a box, so that futures that hold it stay small.
    pub(crate) value: Box<V>,
    /// How much of its lifetime is left.
    pub(crate) lives: Option<Duration>,
    /// How long it took to compute; zero if its entry does not say.
    pub(crate) cost: Duration,
    /// In bytes.
    pub(crate) size: usize,
    /// Whether another process was waited for.
    pub(crate) waited: bool,
    /// The name of the engine.
    pub(crate) engine: &'static str,
    /// On what condition the value may be kept near.
    pub(crate) hold: Hold,
}
