//! One computation per key among processes: the leader of a flight takes a lease from an engine that all of them use
//! before it computes. Who does not get it looks again, ever less often, until there is a value or the lease is free.

mod asking;
pub(super) mod held;
mod left;
mod renewer;

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use memo_engines::{Engine, Error, ErrorKind, Key, sleep};

use self::asking::Asking;
use self::held::HeldLease;
use self::renewer::{TIME, holders, release_all, take_left};
use super::looked::{FarFound, FarLooked, FarMissing};
use super::typed::Far;
use crate::flight::Lead;
use crate::flight::graph::{BlocksThread, Node};
use crate::key::OwnedPart;
use crate::outcome::Value;
use crate::sync::Weak;

/// The first pause of one who waits, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(50));
/// How long a call waits that keeps back a holder of another lease, who may be what its own wait is for.
const PATIENCE: Duration = Duration::from_secs(1);

impl<K: OwnedPart, V: Value> Far<K, V> {
    /// Asks the engines for what `lead` is to compute. Where that is not there and processes share computations, takes
    /// the lease, or waits for whoever has it, if it `may_wait`. A call that `writes` nothing takes none.
    pub(crate) async fn look<F: Value>(
        &'static self,
        lead: &Lead<'_, K, V, F>,
        may_wait: Option<BlocksThread>,
        writes: bool,
    ) -> FarLooked<V> {
        let Some(key) = self.key_of(lead.key(), lead.hash()) else { return FarLooked::Nothing(None) };
        match (self.ask((key, lead.hash()), writes, false).await, self.lessor, may_wait.filter(|_| writes)) {
            (Ok(found), ..) => FarLooked::Found(found),
            (Err(missing), Some(lessor), Some(blocks)) if !missing.key.failed => {
                Box::pin(self.lease(missing, lessor, lead, blocks)).await
            }
            (Err(missing), ..) => missing.looked(),
        }
    }

    async fn lease<F: Value>(
        &'static self,
        mut missing: FarMissing<V>,
        lessor: usize,
        lead: &Lead<'_, K, V, F>,
        blocks: BlocksThread,
    ) -> FarLooked<V> {
        let key = missing.key.key;
        let begun = Instant::now();
        let mut pause = PAUSES.0;
        for waited in std::iter::once(false).chain(std::iter::repeat(true)) {
            let engine = &self.tiers[lessor].engine;
            let lease = match Asking::new(engine.clone(), key).await {
                Ok(Some(lease)) => Ok(Some(HeldLease::new(engine.clone(), key, lease, lead.node()))),
                Ok(None) => take_again(engine, key, lead.node()).await,
                Err(error) => Err(error),
            };
            let lease = match lease {
                Ok(lease) => lease,
                // a cache problem neither fails a call nor delays it
                Err(error) => {
                    warn(&self.tiers[lessor].name, &error);
                    break;
                }
            };
            if lease.is_none() {
                if let Some(stale) = missing.stale.take_if(|stale| stale.is_served(self.served)) {
                    // who has the lease renews it
                    return FarLooked::Stale(stale, None);
                }
                if begun.elapsed() >= PATIENCE && lead.keeps_back(blocks, &holders()) {
                    break;
                }
                sleep(shortened(pause)).await;
                pause = (pause * 2).min(PAUSES.1);
            }
            // also once the lease is taken: whoever had it may have stored a value since the last look
            match self.ask((key, lead.hash()), true, true).await {
                Ok(found) => {
                    let waited = waited || lease.is_none();
                    return FarLooked::Found(FarFound { waited, ..found });
                }
                Err(nothing) => missing = nothing,
            }
            if lease.is_some() {
                missing.key.lease = lease;
                break;
            }
            if missing.key.failed {
                break;
            }
        }
        missing.looked()
    }
}

impl<V> FarMissing<V> {
    fn looked(self) -> FarLooked<V> {
        match self.stale {
            Some(stale) => FarLooked::Stale(stale, Some(self.key)),
            None => FarLooked::Nothing(Some(self.key)),
        }
    }
}

/// Gives back all leases of this process, and waits for the engines until the time `until`. How many may still be held.
pub(crate) fn give_all_back(until: Instant) -> usize {
    let (done, ended) = channel();
    let released = release_all(&done);
    drop(done);
    let left = || until.saturating_duration_since(Instant::now());
    let given = std::iter::from_fn(|| ended.recv_timeout(left()).ok()).count();
    released - given
}

/// The lease of a key that this process has left behind, if the engine still holds it as ours.
async fn take_again(
    engine: &Arc<dyn Engine>,
    key: Key,
    flight: Weak<dyn Node>,
) -> Result<Option<HeldLease>, Error> {
    let Some(lease) = take_left(engine, &key) else { return Ok(None) };
    // from here on it is given back, whatever happens
    let held = HeldLease::new(engine.clone(), key, lease, flight);
    let is_ours = engine.renew(&key, &lease, TIME).await?;
    Ok(is_ours.then_some(held))
}

/// Says once for each engine why it gives no leases, if that is no failure that its guard reports.
fn warn(engine: &str, error: &Error) {
    static TOLD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    if error.kind() != ErrorKind::Other || error.is_engine_failure() {
        // the engine's guard says what is wrong with the engine
        return;
    }
    let is_new = TOLD.lock().unwrap_or_else(PoisonError::into_inner).insert(engine.to_owned());
    if is_new {
        let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
        let message = format!(
            "the engine \"{engine}\" failed to {error}{cause}; what it is for is computed without a lease"
        );
        crate::warn::warn_of(engine, &message);
    }
}

/// Between half of it and all: those who began to wait together do not go on in step.
fn shortened(pause: Duration) -> Duration {
    let random = RandomState::new().hash_one(());
    pause.mul_f64(0.5 + (random >> 11) as f64 / (1_u64 << 54) as f64)
}
