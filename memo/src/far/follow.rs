//! On what condition something may be kept near, while others may change it in the engines.

use memo_engines::Key;

use super::key::Hold;
use super::plane::Plane;

impl Plane {
    /// From now on `drop` is called for what others change where the function's results are: with the hash of a key, or
    /// for all.
    pub(crate) fn follow(&self, drop: impl Fn(Option<u64>) + Send + Sync + 'static) {
        let Some(follows) = &self.follows else { return };
        let watcher = follows.begin(drop);
        for tier in &self.tiers {
            tier.engine.watch(&self.space(), watcher.clone());
        }
    }

    /// Whether near entries follow what others change.
    #[cfg(feature = "config")]
    pub(crate) fn follows(&self) -> bool {
        self.follows.is_some()
    }

    /// What is looked up or computed from now on may be kept near on this condition.
    pub(crate) fn hold(&self, key: &Key, hash: u64) -> Hold {
        Hold(self.follows.as_ref().map(|follows| (*key, follows.note(key, hash))))
    }

    /// Whether what was put near may stay.
    pub(crate) fn holds(&self, hold: Hold) -> bool {
        match (&self.follows, hold.0) {
            (Some(follows), Some((key, ticket))) => follows.holds(&key, ticket),
            _ => true,
        }
    }
}
