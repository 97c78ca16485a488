//! What the path of a call carries for the engines: the key to store under, and a result as bytes.

use memo_engines::{Key, Witness};

use super::lease::held::HeldLease;
use super::watch::Ticket;

/// Where to store a result, and what each engine said when the result was looked for there.
pub(crate) struct FarKey {
    /// Every engine failed, so the result is kept in the fallback.
    pub(crate) failed: bool,
    pub(super) key: Key,
    /// On what condition it may be kept near.
    pub(super) hold: Hold,
    /// Nobody has looked for it, so it is stored whatever happened before.
    pub(super) unseen: bool,
    /// Of each engine, what it gave as it was asked; `None` if it failed.
    pub(super) witnesses: Vec<Option<Witness>>,
    /// Held while other processes wait for the result.
    pub(super) lease: Option<HeldLease>,
}

impl FarKey {
    pub(super) fn new(key: Key, hold: Hold, witnesses: Vec<Option<Witness>>) -> Self {
        FarKey { failed: false, key, hold, unseen: false, witnesses, lease: None }
    }

    /// The key, if nobody knows what is stored under it now.
    pub(crate) fn over(&self) -> Option<&Key> {
        self.unseen.then_some(&self.key)
    }

    /// On what condition the result may be kept near.
    pub(crate) fn hold(&self) -> Hold {
        self.hold
    }
}

/// On what condition something may be kept near.
#[derive(Clone, Copy)]
pub(crate) struct Hold(pub(super) Option<(Key, Ticket)>);

/// A result as it goes to the engines.
pub(crate) struct FarValue(pub(super) Vec<u8>);

impl FarValue {
    /// Its size in bytes.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
