//! Leases that could not be given back because the engine failed: the next call of this process that wants one takes it
//! again, and meanwhile it is tried again to give it back. Without that they would keep everybody, this process included,
//! until their time is over.

use std::sync::Arc;
use std::time::{Duration, Instant};

use memo_engines::{Engine, Key, Lease};

use super::{TIME, Work, beats, give_back};

/// How long after a failure it is tried again.
const AGAIN: Duration = Duration::from_millis(250);

/// One that is still held in the engine, as far as is known.
struct Left {
    engine: Arc<dyn Engine>,
    key: Key,
    lease: Lease,
    /// When its time is over in the engine.
    until: Instant,
    /// When to try again.
    again: Instant,
}

/// All of this process.
#[derive(Default)]
pub(super) struct AllLeft(Vec<Left>);

/// Notes a lease that could not be given back.
pub(super) fn behind(engine: Arc<dyn Engine>, key: Key, lease: Lease, until: Instant) {
    let again = Instant::now() + AGAIN;
    if again < until {
        beats().left.0.push(Left { engine, key, lease, until, again });
    }
}

/// When the time of a lease is over that is taken or renewed now.
pub(super) fn end() -> Instant {
    Instant::now() + TIME
}

impl AllLeft {
    /// The lease of a key, if it was left behind. It is the caller's from now on.
    pub(super) fn take(&mut self, engine: &Arc<dyn Engine>, key: &Key) -> Option<Lease> {
        let is_it = |left: &Left| left.key == *key && Arc::ptr_eq(&left.engine, engine);
        let place = self.0.iter().position(is_it)?;
        Some(self.0.swap_remove(place).lease)
    }

    /// What is to be given back now, and when to look again. What fails is left behind again.
    pub(super) fn due(&mut self, now: Instant, work: &mut Vec<Work>) -> Option<Instant> {
        for left in self.0.extract_if(.., |left| left.again <= now) {
            let Left { engine, key, lease, until, .. } = left;
            work.push(Box::pin(give_back(engine, key, lease, until)));
        }
        self.0.iter().map(|left| left.again).min()
    }
}
