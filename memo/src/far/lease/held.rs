//! A lease that this process holds.

use std::sync::Arc;

use memo_engines::{Engine, Key, Lease};

use super::renewer;
use crate::flight::graph::Node;
use crate::fork;
use crate::sync::Weak;

/// A lease that this process holds: renewed until this is dropped, then given back.
pub(in crate::far) struct HeldLease {
    number: u64,
    /// Of the process that holds it.
    generation: u64,
}

impl HeldLease {
    pub(super) fn new(engine: Arc<dyn Engine>, key: Key, lease: Lease, flight: Weak<dyn Node>) -> Self {
        let number = renewer::renew(engine, key, lease, flight);
        HeldLease { number, generation: fork::generation() }
    }
}

impl Drop for HeldLease {
    fn drop(&mut self) {
        // a forked child has a copy of what its parent holds
        if self.generation == fork::generation() {
            renewer::release(self.number);
        }
    }
}
