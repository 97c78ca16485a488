//! What a look into the engines comes to: the same where there are none, so that the path of a call has no two forms.

#![cfg_attr(not(feature = "engines"), allow(dead_code, reason = "made where there are engines"))]

use std::time::Duration;

use super::key::{FarKey, Hold};

/// What the engines had.
pub(crate) enum Looked<V> {
    Found(Found<V>),
    /// Nothing. No key if the arguments have no encoding.
    Nothing(Option<Box<FarKey>>),
}

/// What an engine had.
pub(crate) struct Found<V> {
    /// In a box, so that the futures on its way are not as large as it may be.
    pub(crate) value: Box<V>,
    /// For how long it lives yet.
    pub(crate) lives: Option<Duration>,
    /// How long it took to compute; nothing where its entry does not know.
    pub(crate) cost: Duration,
    /// In bytes.
    pub(crate) size: usize,
    /// Whether another process was waited for.
    pub(crate) waited: bool,
    /// Its name.
    pub(crate) engine: &'static str,
    /// On what condition the value may be kept near.
    pub(crate) hold: Hold,
}
