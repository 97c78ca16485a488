//! What the path of a call carries for the engines: the key to store under, and a result as bytes.

use memo_engines::{Key, Witness};

use super::lease::held::HeldLease;
use super::watch::Ticket;

/// Where to store a result, with what each engine said when it was looked for there; none from one that said nothing.
pub(crate) struct FarKey {
    /// Every engine failed: what is computed is kept in memory meanwhile.
    pub(crate) failed: bool,
    pub(super) key: Key,
    pub(super) hold: Hold,
    /// It was not looked for: what is stored counts whatever happened before.
    pub(super) unseen: bool,
    pub(super) witnesses: Vec<Option<Witness>>,
    /// While others wait for what is computed.
    pub(super) lease: Option<HeldLease>,
}

impl FarKey {
    pub(super) fn new(key: Key, hold: Hold, witnesses: Vec<Option<Witness>>) -> Self {
        FarKey { failed: false, key, hold, unseen: false, witnesses, lease: None }
    }

    /// The key, where what is stored under it now is not known.
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
