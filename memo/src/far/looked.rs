//! What a look into the engines gives. Builds without engines have these types too, so that the path of a call is written
//! once.

#![cfg_attr(not(feature = "engines"), allow(dead_code, reason = "made where there are engines"))]

use std::time::Duration;

use super::key::{FarKey, Hold};

/// What the engines had.
pub(crate) enum FarLooked<V> {
    Found(FarFound<V>),
    /// A result that is not fresh any more. No key if somebody else renews it.
    Stale(FarFound<V>, Option<Box<FarKey>>),
    /// Nothing. No key if the arguments have no encoding.
    Nothing(Option<Box<FarKey>>),
}

/// What the engines do not have: where to store it, and what they have in its place that is not fresh any more.
pub(crate) struct FarMissing<V> {
    pub(super) key: Box<FarKey>,
    pub(super) stale: Option<FarFound<V>>,
}

/// What an engine had.
pub(crate) struct FarFound<V> {
    /// In a box, so that futures that hold it stay small.
    pub(crate) value: Box<V>,
    /// How much of its lifetime is left; of a stale one, how long it is still kept.
    pub(crate) lives: Option<Duration>,
    /// How long it is kept after its lifetime.
    pub(crate) stale: Duration,
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

impl<V> FarFound<V> {
    /// Whether a stale one answers calls at once, where that goes for `served` after its lifetime.
    pub(crate) fn is_served(&self, served: Duration) -> bool {
        self.stale.saturating_sub(self.lives.unwrap_or_default()) < served
    }
}
