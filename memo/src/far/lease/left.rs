//! Leases that could not be given back because the engine failed: the next call of this process that wants one takes it
//! again, and meanwhile it is tried again to give it back. Without that they would keep everybody, this process included,
//! until their time is over.

use std::sync::Arc;
use std::time::{Duration, Instant};

use memo_engines::{Engine, Key, Lease};

/// How long after a failure it is tried again.
const AGAIN: Duration = Duration::from_millis(250);

/// One that is still held in the engine, as far as is known.
pub(super) struct Left {
    pub(super) engine: Arc<dyn Engine>,
    pub(super) key: Key,
    pub(super) lease: Lease,
    /// When its time is over in the engine.
    pub(super) until: Instant,
    /// When to try again.
    again: Instant,
}

/// All of this process.
#[derive(Default)]
pub(super) struct AllLeft(Vec<Left>);

impl AllLeft {
    /// Adds a lease that could not be given back, unless its time is over before that is tried again.
    pub(super) fn add(&mut self, engine: Arc<dyn Engine>, key: Key, lease: Lease, until: Instant) {
        let again = Instant::now() + AGAIN;
        if again < until {
            self.0.push(Left { engine, key, lease, until, again });
        }
    }

    /// The lease of a key, if it was left behind. It is the caller's from now on.
    pub(super) fn take(&mut self, engine: &Arc<dyn Engine>, key: &Key) -> Option<Lease> {
        let is_it = |left: &Left| left.key == *key && Arc::ptr_eq(&left.engine, engine);
        let at = self.0.iter().position(is_it)?;
        Some(self.0.swap_remove(at).lease)
    }

    /// Takes out those that are to be given back by `now`; when to look again.
    pub(super) fn due(&mut self, now: Instant) -> (Vec<Left>, Option<Instant>) {
        let due = self.0.extract_if(.., |left| left.again <= now).collect();
        (due, self.0.iter().map(|left| left.again).min())
    }
}
