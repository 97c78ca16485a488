//! Who renews results behind the calls: a few threads of ours, or what runs the program's futures.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard};
use std::time::{Duration, Instant};

use crate::background;
use crate::event::caught;
use crate::fork::{self, Locked, Part};
use crate::park::block_on;
use crate::per_process::PerProcess;

/// At most so many threads renew, if nothing else is said.
pub(crate) const THREADS: usize = 2;

/// At most so many threads renew.
static MOST: AtomicUsize = AtomicUsize::new(THREADS);

/// At most so many renewals wait for a thread.
const WAITING: usize = 1024;

/// A thread ends after it has had nothing to do for so long.
const IDLE: Duration = Duration::from_secs(10);

/// A renewal. It is called once: with true on a thread that renews; with false, and at once, if as many wait as may.
pub(crate) type Work = Box<dyn FnOnce(bool) + Send>;

/// A future that a spawner is given.
pub(crate) type Spawned = Pin<Box<dyn Future<Output = ()> + Send>>;

static POOL: PerProcess<Pool> = PerProcess::new();

struct Pool {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Work>,
    threads: usize,
    /// How many of the threads have nothing to do.
    idle: usize,
    /// How many renewals are under way, on these threads or as futures.
    running: usize,
    /// No renewal begins any more.
    stopped: bool,
}

fn pool() -> &'static Pool {
    POOL.get(|| Pool { state: Mutex::default(), changed: Condvar::new() })
}

impl Pool {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next piece of work; none if there was nothing to do for a while.
    fn next(&self) -> Option<Work> {
        let mut state = self.state();
        loop {
            if state.threads > MOST.load(Relaxed) {
                // fewer are to be by now, and the others do what waits
                state.threads -= 1;
                return None;
            }
            if let Some(work) = state.waiting.pop_front() {
                state.running += 1;
                return Some(work);
            }
            state.idle += 1;
            let waited = self.changed.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
            state = waited.0;
            state.idle -= 1;
            if waited.1.timed_out() && state.waiting.is_empty() {
                state.threads -= 1;
                return None;
            }
        }
    }

    /// A renewal has ended.
    fn ended(&self) {
        self.state().running -= 1;
        self.changed.notify_all();
    }

    /// Takes work in, unless as much waits as may; and whether it needs one more thread.
    fn take(&self, work: Work) -> Result<bool, Work> {
        let mut state = self.state();
        if state.stopped || state.waiting.len() >= WAITING {
            return Err(work);
        }
        state.waiting.push_back(work);
        let more = state.waiting.len() > state.idle && state.threads < MOST.load(Relaxed);
        state.threads += usize::from(more);
        self.changed.notify_all();
        Ok(more)
    }
}

/// At most so many threads renew from now on, at least one.
#[cfg(feature = "config")]
pub(crate) fn allow_threads(most: usize) {
    MOST.store(most.max(1), Relaxed);
}

/// What a thread does.
fn renew() {
    while let Some(work) = pool().next() {
        caught(|| work(true));
        pool().ended();
    }
}

/// Has a thread do the work, soon.
pub(crate) fn run(work: Work) {
    match pool().take(work) {
        Ok(false) => {}
        Ok(true) => {
            if !background::spawn("memo-renew", renew) {
                give_up();
            }
        }
        Err(work) => work(false),
    }
}

/// No thread could be started. If there is none at all, nobody would do what waits.
fn give_up() {
    let mut state = pool().state();
    state.threads -= 1;
    let waiting = match state.threads {
        0 => std::mem::take(&mut state.waiting),
        _ => VecDeque::new(),
    };
    drop(state);
    waiting.into_iter().for_each(|work| work(false));
}

/// What runs the program's futures.
type Spawner = dyn Fn(Spawned) + Send + Sync;

static SPAWNER: RwLock<Option<Arc<Spawner>>> = RwLock::new(None);

/// Says how the renewals of asynchronous functions are run behind the calls, in a program that does not run on tokio.
///
/// `spawn` is called on the thread of the call that finds a result in need of renewal, and returns at once: it hands the future
/// to the program's executor. A later spawner takes the place of an earlier one.
///
/// With the feature `tokio` there is nothing to do for programs on tokio: a renewal is spawned on the runtime of the call.
/// Without that feature and without a spawner, a call that finds a result in need of renewal computes itself.
///
/// ```
/// memo::set_spawner(|renewal| {
///     // an executor would be given it
///     std::thread::spawn(move || pollster_block_on(renewal));
/// });
/// # fn pollster_block_on(_: impl Future<Output = ()>) {}
/// ```
pub fn set_spawner(spawn: impl Fn(Pin<Box<dyn Future<Output = ()> + Send>>) + Send + Sync + 'static) {
    fork::attend(Part::Spawner, &Locked(spawner_lock));
    *spawner_lock() = Some(Arc::new(spawn));
}

fn spawner_lock() -> RwLockWriteGuard<'static, Option<Arc<Spawner>>> {
    SPAWNER.write().unwrap_or_else(PoisonError::into_inner)
}

fn spawner() -> Option<Arc<Spawner>> {
    SPAWNER.read().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Whether renewals of asynchronous functions can be run behind the calls.
pub(crate) fn can_spawn() -> bool {
    cfg!(feature = "tokio") || spawner().is_some()
}

/// A renewal that is a future, until that is dropped.
struct UnderWay(&'static Pool);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.ended();
    }
}

/// Lets no renewal begin any more, and waits for those that are under way, until the time `until`. How many have not ended by
/// then; and how many had not begun.
pub(crate) fn stop(until: Instant) -> (usize, usize) {
    let pool = pool();
    let mut state = pool.state();
    state.stopped = true;
    let waiting = std::mem::take(&mut state.waiting);
    drop(state);
    let dropped = waiting.len();
    waiting.into_iter().for_each(|work| caught(|| work(false)));
    let mut state = pool.state();
    while state.running > 0 {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        state = pool.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
    }
    (state.running, dropped)
}

/// Has the renewal of an asynchronous function run: by the program's spawner, on the tokio runtime of this thread, or else on
/// a thread of ours.
pub(crate) fn spawn(renewal: Spawned) {
    let pool = pool();
    let mut state = pool.state();
    if state.stopped {
        return;
    }
    state.running += 1;
    drop(state);
    let under_way = UnderWay(pool);
    let renewal = Box::pin(async move {
        let _under_way = under_way;
        renewal.await;
    });
    if let Some(spawner) = spawner() {
        return spawner(renewal);
    }
    #[cfg(feature = "tokio")]
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(renewal);
        return;
    }
    run(Box::new(|may_run| {
        if may_run {
            block_on(renewal);
        }
    }));
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// The threads are the process's, and so is what waits for them: one test at a time.
    fn alone() -> MutexGuard<'static, ()> {
        static ONE: Mutex<()> = Mutex::new(());
        ONE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[test]
    fn work_is_done_by_few_threads_and_refused_where_too_much_waits() {
        let _alone = alone();
        let (done, all_done) = mpsc::channel();
        let gate = Arc::new(Mutex::new(()));
        let held = gate.lock().expect("nobody panics with it");
        let total = THREADS + WAITING + 100;
        for _ in 0..total {
            let (done, gate) = (done.clone(), gate.clone());
            run(Box::new(move |may_run| {
                if may_run {
                    drop(gate.lock());
                }
                done.send((may_run, std::thread::current().id())).expect("the test listens");
            }));
        }
        drop(held);
        let all: Vec<_> = (0..total).map(|_| all_done.recv().expect("all is done or refused")).collect();
        let refused = all.iter().filter(|(may_run, _)| !may_run).count();
        assert!((100 - THREADS..=100 + THREADS).contains(&refused), "{refused}");
        let threads: std::collections::HashSet<_> =
            all.iter().filter(|(may_run, _)| *may_run).map(|(_, thread)| *thread).collect();
        assert!(threads.len() <= THREADS, "{threads:?}");
    }

    #[test]
    fn a_panic_ends_no_thread() {
        let _alone = alone();
        let (done, all_done) = mpsc::channel();
        for round in 0..10 {
            let done = done.clone();
            run(Box::new(move |_| {
                done.send(round).expect("the test listens");
                assert!(round % 2 == 0, "on purpose");
            }));
        }
        assert_eq!(all_done.iter().take(10).count(), 10);
    }
}
