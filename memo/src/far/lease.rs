//! One computation per key among processes: the leader of a flight takes a lease from an engine that all of them use
//! before it computes. Who does not get it looks again, ever less often, until there is a value or the lease is free.
//!
//! One thread renews all leases of this process, and gives them back. It runs no code of functions: a body that hangs
//! keeps its lease, as it keeps its flight.

mod left;

use std::collections::{BTreeSet, HashMap};
use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use memo_engines::{Capability, Engine, Error, ErrorKind, Key, Lease, Reach, sleep};

use super::{Far, FarKey, Found, Looked, engines};
use crate::flight::graph::Node;
use crate::flight::{Blocks, Lead};
use crate::fork::{self, PerProcess};
use crate::function::{Settings, SingleFlight};
use crate::key::OwnedPart;
use crate::outcome::Value;
use crate::park::block_on;
use crate::sync::{self, Weak};

/// How long a lease outlives its holder, where the engine cannot see that it is dead.
const TIME: Duration = Duration::from_secs(10);
/// How often it is renewed: some of these may be late or fail.
const RENEWED_EVERY: Duration = Duration::from_millis(2500);

/// The first pause of one who waits, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(50));
/// How long a call waits that keeps back a holder of another lease, who may be what its own wait is for.
const PATIENCE: Duration = Duration::from_secs(1);

/// The place of the engine that gives the leases: of those that reach so far, the one that reaches farthest.
pub(super) fn lessor(reach: Reach, engines: impl Iterator<Item = Capability>) -> Option<usize> {
    let able = engines.enumerate().filter(|(_, engine)| engine.leases && engine.reach >= reach);
    able.max_by_key(|(_, engine)| engine.reach).map(|(place, _)| place)
}

/// How far leases are to reach, if any are asked for.
pub(super) fn reach(settings: &Settings) -> Option<Reach> {
    match settings.single_flight.unwrap_or_default() {
        SingleFlight::Off | SingleFlight::Process => None,
        SingleFlight::Machine => Some(Reach::Machine),
        SingleFlight::Fleet => Some(Reach::Fleet),
    }
}

/// What a function with results in the engines `far` does if it asks for leases, for its plan.
pub(crate) fn flight_reason(settings: &Settings, far: &[String]) -> Option<String> {
    let reach = reach(settings)?;
    let known: Vec<_> =
        far.iter().filter_map(|name| Some((name.as_str(), engines::capability(name)?))).collect();
    Some(match lessor(reach, known.iter().map(|(_, capability)| *capability)) {
        Some(place) => {
            format!("one computation per key and {}, by leases of \"{}\"", word(reach), known[place].0)
        }
        None => no_lessor(reach),
    })
}

/// What is missing, and what that means.
pub(super) fn no_lessor(reach: Reach) -> String {
    let word = word(reach);
    format!(
        "`single_flight = \"{word}\"` is asked for, but no engine of the function gives leases that reach so far: \
         one computation per key and process"
    )
}

fn word(reach: Reach) -> &'static str {
    if reach >= Reach::Fleet { "fleet" } else { "machine" }
}

impl<K: OwnedPart, V: Value> Far<K, V> {
    /// Asks the engines for what `lead` is to compute. Where that is not there and processes share computations, takes
    /// the lease, or waits for whoever has it, if it `may_wait`. A call that `writes` nothing takes none.
    pub(crate) async fn look<F: Value>(
        &'static self,
        lead: &Lead<'_, K, V, F>,
        may_wait: Option<Blocks>,
        writes: bool,
    ) -> Looked<V> {
        let Some(key) = self.key_of(lead.key(), lead.hash()) else { return Looked::Nothing(None) };
        match (self.ask((key, lead.hash()), writes, false).await, self.lessor, may_wait.filter(|_| writes)) {
            (Ok(found), ..) => Looked::Found(found),
            (Err(unseen), Some(place), Some(blocks)) if !unseen.failed => {
                Box::pin(self.lease(unseen, place, lead, blocks)).await
            }
            (Err(unseen), ..) => Looked::Nothing(Some(unseen)),
        }
    }

    async fn lease<F: Value>(
        &'static self,
        mut unseen: Box<FarKey>,
        place: usize,
        lead: &Lead<'_, K, V, F>,
        blocks: Blocks,
    ) -> Looked<V> {
        let key = unseen.key;
        let begun = Instant::now();
        let mut pause = PAUSES.0;
        for waited in std::iter::once(false).chain(std::iter::repeat(true)) {
            let engine = &self.tiers[place].engine;
            let lease = match Asking::new(engine.clone(), key).await {
                Ok(Some(lease)) => Ok(Some(Held::new(engine.clone(), key, lease, lead.node()))),
                Ok(None) => take_again(engine, key, lead.node()).await,
                Err(error) => Err(error),
            };
            let lease = match lease {
                Ok(lease) => lease,
                // a cache problem neither fails a call nor keeps it
                Err(error) => {
                    warn(&self.tiers[place].name, &error);
                    break;
                }
            };
            if lease.is_none() {
                if begun.elapsed() >= PATIENCE && lead.keeps_back(blocks, &holders()) {
                    break;
                }
                sleep(shortened(pause)).await;
                pause = (pause * 2).min(PAUSES.1);
            }
            // with the lease as well: whoever had it may have stored a value since we looked
            match self.ask((key, lead.hash()), true, true).await {
                Ok(found) => {
                    let waited = waited || lease.is_none();
                    return Looked::Found(Found { waited, ..found });
                }
                Err(nothing) => unseen = nothing,
            }
            if lease.is_some() {
                unseen.lease = lease;
                break;
            }
            if unseen.failed {
                break;
            }
        }
        Looked::Nothing(Some(unseen))
    }
}

/// The lease of a key that this process has left behind, if the engine still holds it as ours.
async fn take_again(
    engine: &Arc<dyn Engine>,
    key: Key,
    flight: Weak<dyn Node>,
) -> Result<Option<Held>, Error> {
    let Some(lease) = beats().left.take(engine, &key) else { return Ok(None) };
    // from here on it is given back, whatever happens
    let held = Held::new(engine.clone(), key, lease, flight);
    let is_ours = engine.renew(&key, &lease, TIME).await?;
    Ok(is_ours.then_some(held))
}

/// Says once for each engine that something is in the way of a lease that is none.
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

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;
type Asked = Pin<Box<dyn Future<Output = Result<Option<Lease>, Error>> + Send>>;

/// A lease that is being asked for. If nobody waits for the answer any more, it is given back when it comes.
struct Asking {
    engine: Arc<dyn Engine>,
    key: Key,
    asked: Option<Asked>,
}

impl Asking {
    fn new(engine: Arc<dyn Engine>, key: Key) -> Self {
        let asked = engine.clone();
        Asking { engine, key, asked: Some(Box::pin(async move { asked.lease(&key, TIME).await })) }
    }
}

impl Future for Asking {
    type Output = Result<Option<Lease>, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(asked) = &mut self.asked else { return Poll::Ready(Ok(None)) };
        let answer = asked.as_mut().poll(context);
        if answer.is_ready() {
            self.asked = None;
        }
        answer
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        let Some(asked) = self.asked.take() else { return };
        let (engine, key) = (self.engine.clone(), self.key);
        hand_over(Box::pin(async move {
            if let Ok(Some(lease)) = asked.await {
                give_back(engine, key, lease, left::end()).await;
            }
        }));
    }
}

/// A lease that this process holds: renewed until this is dropped, then given back.
pub(super) struct Held {
    number: u64,
    /// Of the process that holds it.
    generation: u64,
}

impl Held {
    fn new(engine: Arc<dyn Engine>, key: Key, lease: Lease, flight: Weak<dyn Node>) -> Self {
        let renew = Instant::now() + RENEWED_EVERY;
        let mut beats = beats();
        let number = beats.next;
        beats.next += 1;
        beats.leases.insert(number, Leased { engine, key, lease, flight, renew: Some(renew) });
        beats.start();
        drop(beats);
        changed().notify_one();
        Held { number, generation: fork::generation() }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.generation != fork::generation() {
            // it is the parent's
            return;
        }
        let Some(Leased { engine, key, lease, .. }) = beats().leases.remove(&self.number) else { return };
        hand_over(Box::pin(give_back(engine, key, lease, left::end())));
    }
}

/// Gives a lease back whose time is over then. Where that fails it is left behind.
async fn give_back(engine: Arc<dyn Engine>, key: Key, lease: Lease, until: Instant) {
    if engine.release(&key, &lease).await.is_err() {
        left::behind(engine, key, lease, until);
    }
}

/// All leases of this process, and what is to be done about them.
#[derive(Default)]
struct Beats {
    leases: HashMap<u64, Leased>,
    next: u64,
    work: Vec<Work>,
    left: left::AllLeft,
    /// Whether a thread takes care of all this.
    runs: bool,
}

struct Leased {
    engine: Arc<dyn Engine>,
    key: Key,
    lease: Lease,
    /// What is being computed under it.
    flight: Weak<dyn Node>,
    /// When to renew it; not once it is lost.
    renew: Option<Instant>,
}

/// A forked child begins with none: the leases are its parent's.
static BEATS: PerProcess<Mutex<Beats>> = PerProcess::new();
/// There is something new in [`BEATS`].
static CHANGED: PerProcess<Condvar> = PerProcess::new();

fn beats() -> MutexGuard<'static, Beats> {
    BEATS.get(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

fn changed() -> &'static Condvar {
    CHANGED.get(Condvar::new)
}

/// Gives back what is held for the flight `id`, which others are not to wait for any more.
pub(crate) fn give_up(id: usize) {
    let flights: Vec<_> =
        beats().leases.iter().map(|(&number, leased)| (number, leased.flight.clone())).collect();
    // without the lock: these may be the last to know a flight, with values of the user's in it
    for (number, flight) in flights {
        if flight.upgrade().is_some_and(|flight| flight.id() == id) {
            drop(Held { number, generation: fork::generation() });
        }
    }
}

/// The flights that are computed under a lease.
fn holders() -> Vec<sync::Arc<dyn Node>> {
    beats().leases.values().filter_map(|leased| leased.flight.upgrade()).collect()
}

/// Has the thread do `work`; it is given up where there can be no thread.
fn hand_over(work: Work) {
    let mut beats = beats();
    if beats.start() {
        beats.work.push(work);
        drop(beats);
        changed().notify_one();
    }
}

impl Beats {
    /// Whether there is a thread.
    fn start(&mut self) -> bool {
        if !self.runs {
            self.runs = std::thread::Builder::new().name("memo-lease".into()).spawn(run).is_ok();
        }
        self.runs
    }

    /// What is to be done now, and when to look again.
    fn due(&mut self) -> (Vec<Work>, Option<Instant>) {
        let now = Instant::now();
        let mut work = std::mem::take(&mut self.work);
        let mut next = self.left.due(now, &mut work);
        for (&number, leased) in &mut self.leases {
            let Some(renew) = &mut leased.renew else { continue };
            if *renew <= now {
                *renew = now + RENEWED_EVERY;
                let (engine, key, lease) = (leased.engine.clone(), leased.key, leased.lease);
                work.push(Box::pin(renew_one(number, engine, key, lease)));
            }
            next = [next, leased.renew].into_iter().flatten().min();
        }
        (work, next)
    }
}

async fn renew_one(number: u64, engine: Arc<dyn Engine>, key: Key, lease: Lease) {
    // after an error it is tried again: its time is not over yet
    if let Ok(false) = engine.renew(&key, &lease, TIME).await
        && let Some(lost) = beats().leases.get_mut(&number)
    {
        lost.renew = None;
    }
}

fn run() {
    loop {
        let mut beats = beats();
        let (mut work, next) = beats.due();
        if work.is_empty() {
            let wait = next.map(|next| next.saturating_duration_since(Instant::now()));
            let waited = match wait {
                Some(wait) => changed().wait_timeout(beats, wait).map(drop).map_err(drop),
                None => changed().wait(beats).map(drop).map_err(drop),
            };
            // nothing is broken by a panic under this lock
            waited.unwrap_or_default();
            continue;
        }
        drop(beats);
        // all at once: a server that is slow to answer one does not cost the others their time
        block_on(std::future::poll_fn(|context| {
            work.retain_mut(|work| work.as_mut().poll(context).is_pending());
            if work.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        }));
    }
}
