//! The one thread that renews all leases of this process, and gives them back. It runs no code of functions: a body that
//! hangs keeps its lease, as it keeps its flight.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use memo_engines::{Engine, Key, Lease};

use super::left::{AllLeft, Left};
use crate::background::Background;
use crate::clock::exact;
use crate::flight::given_up::on_give_up;
use crate::flight::graph::Node;
use crate::park::block_on;
use crate::per_process::PerProcess;
use crate::sync::{self, Weak};

/// How long a lease outlives its holder, where the engine cannot see that it is dead.
pub(super) const TIME: Duration = Duration::from_secs(10);
/// How often it is renewed: some of these may be late or fail.
const RENEWED_EVERY: Duration = Duration::from_millis(2500);

/// When the time of a lease is over that is taken or renewed now.
pub(super) fn end() -> Instant {
    Instant::now() + TIME
}

/// Something that the thread is to do.
type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// All leases of this process, and what is to be done about them.
#[derive(Default)]
struct Renewer {
    leases: HashMap<u64, Leased>,
    /// The number of the next lease.
    next: u64,
    work: Vec<Work>,
    left: AllLeft,
}

/// A lease that is held.
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
static RENEWER: PerProcess<Mutex<Renewer>> = PerProcess::new();
/// There is something new in [`RENEWER`].
static CHANGED: PerProcess<Condvar> = PerProcess::new();
static THREAD: Background = Background::new("memo-lease");

fn renewer() -> MutexGuard<'static, Renewer> {
    RENEWER.get(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

fn changed() -> &'static Condvar {
    CHANGED.get(Condvar::new)
}

/// Has a lease renewed from now on, under which `flight` is computed. Gives its number.
pub(super) fn renew(engine: Arc<dyn Engine>, key: Key, lease: Lease, flight: Weak<dyn Node>) -> u64 {
    // a flight that nobody waits for any longer gives its lease back
    on_give_up(give_up);
    let renew = Some(Instant::now() + RENEWED_EVERY);
    let mut renewer = renewer();
    let number = renewer.next;
    renewer.next += 1;
    renewer.leases.insert(number, Leased { engine, key, lease, flight, renew });
    drop(renewer);
    THREAD.start(exact(), run);
    changed().notify_one();
    number
}

/// Gives back the lease of this number, if it is held.
pub(super) fn release(number: u64) {
    let released = renewer().leases.remove(&number);
    if let Some(Leased { engine, key, lease, .. }) = released {
        hand_over(give_back(engine, key, lease, end()));
    }
}

/// Gives back all leases that are held. How many these are; `done` is told of each that has been given back.
pub(super) fn release_all(done: &Sender<()>) -> usize {
    let all = std::mem::take(&mut renewer().leases);
    let many = all.len();
    for Leased { engine, key, lease, .. } in all.into_values() {
        let done = done.clone();
        hand_over(async move {
            if engine.release(&key, &lease).await.is_ok() {
                let _ = done.send(());
            }
        });
    }
    many
}

/// Gives a lease back whose time is over at `until`. If that fails, the lease is left behind.
pub(super) async fn give_back(engine: Arc<dyn Engine>, key: Key, lease: Lease, until: Instant) {
    if engine.release(&key, &lease).await.is_err() {
        renewer().left.add(engine, key, lease, until);
    }
}

/// The lease of a key, if this process has left it behind. It is the caller's from now on.
pub(super) fn take_left(engine: &Arc<dyn Engine>, key: &Key) -> Option<Lease> {
    renewer().left.take(engine, key)
}

/// Gives back what is held for the flight `id`, which others are not to wait for any more.
fn give_up(id: usize) {
    let flights: Vec<_> =
        renewer().leases.iter().map(|(&number, leased)| (number, leased.flight.clone())).collect();
    // without the lock: these may be the last to know a flight, with values of the user's in it
    for (number, flight) in flights {
        if flight.upgrade().is_some_and(|flight| flight.id() == id) {
            release(number);
        }
    }
}

/// The flights that are computed under a lease.
pub(super) fn holders() -> Vec<sync::Arc<dyn Node>> {
    renewer().leases.values().filter_map(|leased| leased.flight.upgrade()).collect()
}

/// Has the thread do `work`; it is given up where there can be no thread.
pub(super) fn hand_over(work: impl Future<Output = ()> + Send + 'static) {
    if THREAD.start(exact(), run) {
        renewer().work.push(Box::pin(work));
        changed().notify_one();
    }
}

impl Renewer {
    /// What is to be done now, and when to look again.
    fn due(&mut self) -> (Vec<Work>, Option<Instant>) {
        let now = Instant::now();
        let mut work = std::mem::take(&mut self.work);
        let (left, mut next) = self.left.due(now);
        for Left { engine, key, lease, until, .. } in left {
            work.push(Box::pin(give_back(engine, key, lease, until)));
        }
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
        && let Some(lost) = renewer().leases.get_mut(&number)
    {
        lost.renew = None;
    }
}

fn run() {
    loop {
        let mut renewer = renewer();
        let (mut work, next) = renewer.due();
        if work.is_empty() {
            let wait = next.map(|next| next.saturating_duration_since(Instant::now()));
            let waited = match wait {
                Some(wait) => changed().wait_timeout(renewer, wait).map(drop).map_err(drop),
                None => changed().wait(renewer).map(drop).map_err(drop),
            };
            // nothing is broken by a panic under this lock
            waited.unwrap_or_default();
            continue;
        }
        drop(renewer);
        // all at once: a server that is slow to answer one does not cost the others their time
        block_on(std::future::poll_fn(|context| {
            work.retain_mut(|work| work.as_mut().poll(context).is_pending());
            if work.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        }));
    }
}
