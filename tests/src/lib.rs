//! What the tests of the public API share.
//!
//! A body under test says [`ran()`]; [`calls!`] then tells hits from misses. What may block runs [`watched`].
//! Panics that are part of a test are [thrown](throw), past the panic hook, whose backtraces cost a second each.

pub mod counting;
pub mod skipped;
#[cfg(unix)]
pub mod strace;

use std::any::Any;
use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

/// Whether the tests run in their large sizes: `MEMO_TEST_NIGHTLY=1`.
pub fn nightly() -> bool {
    std::env::var_os("MEMO_TEST_NIGHTLY").is_some_and(|value| value != "0")
}

/// The size of a test: `small` in the suite, `large` at night.
pub fn size(small: usize, large: usize) -> usize {
    if nightly() { large } else { small }
}

/// Aborts the process if it lives longer than a minute (ten at night): a test that hangs must say so.
#[must_use]
pub struct Watchdog(#[allow(dead_code)] Sender<()>);

impl std::fmt::Debug for Watchdog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watchdog")
    }
}

impl Watchdog {
    /// Starts it, for the test that this thread runs.
    pub fn start() -> Self {
        let limit = Duration::from_secs(if nightly() { 600 } else { 60 });
        let test = thread::current().name().unwrap_or("a test").to_owned();
        let (alive, ended) = channel();
        thread::spawn(move || {
            if ended.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                eprintln!("{test} hangs: it has not ended within {limit:?}");
                std::process::abort();
            }
        });
        Watchdog(alive)
    }
}

/// Runs `test` under a [`Watchdog`].
pub fn watched<R>(test: impl FnOnce() -> R) -> R {
    let _watchdog = Watchdog::start();
    test()
}

thread_local! {
    static RUNS: Cell<usize> = const { Cell::new(0) };
}

/// Said by a body under test: it runs.
pub fn ran() {
    RUNS.set(RUNS.get() + 1);
}

/// How many bodies `call` has run on this thread, and its result.
pub fn runs_in<R>(call: impl FnOnce() -> R) -> (usize, R) {
    let before = RUNS.get();
    let result = call();
    (RUNS.get() - before, result)
}

/// Asserts which calls are hits and which are misses, in order, and what they give:
/// `calls! { miss: square(3) => 9; hit: square(3) => 9; }`.
#[macro_export]
macro_rules! calls {
    ($($kind:ident: $call:expr $(=> $expected:expr)?;)*) => {$(
        let (runs, _result) = $crate::runs_in(|| $call);
        let text = stringify!($call);
        assert_eq!(runs, $crate::calls!(@$kind), "`{text}` should be a {}", stringify!($kind));
        $(assert_eq!(_result, $expected, "`{text}`");)?
    )*};
    (@miss) => { 1 };
    (@hit) => { 0 };
}

/// Panics without a word.
pub fn throw(message: &'static str) -> ! {
    resume_unwind(Box::new(message))
}

/// What `call` returns, or the message that it [threw](throw).
pub fn caught<R>(call: impl FnOnce() -> R) -> Result<R, &'static str> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| thrown(&*panic))
}

/// The message of a panic that was [thrown](throw).
pub fn thrown(panic: &(dyn Any + Send)) -> &'static str {
    panic.downcast_ref::<&'static str>().copied().unwrap_or_else(|| match panic.downcast_ref::<String>() {
        Some(message) => message.clone().leak(),
        None => "a panic without a message",
    })
}

/// A gate for threads: shut at first, and once [opened](Gate::open) open for good.
#[derive(Debug, Default)]
pub struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    /// A gate that is shut.
    pub const fn new() -> Self {
        Gate { open: Mutex::new(false), opened: Condvar::new() }
    }

    /// Lets all pass.
    pub fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.opened.notify_all();
    }

    /// Waits until it is open.
    pub fn pass(&self) {
        let _open = self.opened.wait_while(self.open.lock().unwrap(), |open| !*open).unwrap();
    }
}

/// A key that counts how often it is compared. A caller compares keys with a flight that it is about to join, and
/// from then on is bound to it: so a leader can know how many follow, without a clock.
#[derive(Debug, Clone)]
pub struct Followed {
    id: u64,
    followers: Arc<AtomicUsize>,
}

impl Followed {
    /// A key of its own.
    pub fn new(id: u64) -> Self {
        Followed { id, followers: Arc::default() }
    }

    /// Which key.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// How many callers have joined the flight of this key.
    pub fn followers(&self) -> usize {
        self.followers.load(Ordering::SeqCst)
    }

    /// Waits until so many callers have joined the flight of this key.
    pub fn wait_for(&self, followers: usize) {
        while self.followers.load(Ordering::SeqCst) < followers {
            thread::yield_now();
        }
    }
}

impl PartialEq for Followed {
    fn eq(&self, other: &Self) -> bool {
        let same = self.id == other.id;
        if same {
            self.followers.fetch_add(1, Ordering::SeqCst);
        }
        same
    }
}

impl Eq for Followed {}

impl std::hash::Hash for Followed {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

/// Notes whether it has been woken.
#[derive(Debug, Default)]
struct Flag(AtomicUsize);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A task polled by hand: it runs exactly when it is told to.
pub struct Task<F> {
    future: Pin<Box<F>>,
    flag: Arc<Flag>,
}

impl<F> std::fmt::Debug for Task<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Task").field("flag", &self.flag).finish_non_exhaustive()
    }
}

impl<F: Future> Task<F> {
    /// A task that has not been polled.
    pub fn new(future: F) -> Self {
        Task { future: Box::pin(future), flag: Arc::default() }
    }

    /// A task that has been polled once, and is pending.
    pub fn started(future: F) -> Self {
        let mut task = Task::new(future);
        task.pending();
        task
    }

    /// Polls it once.
    pub fn poll(&mut self) -> Poll<F::Output> {
        self.flag.0.store(0, Ordering::SeqCst);
        self.future.as_mut().poll(&mut Context::from_waker(&Waker::from(self.flag.clone())))
    }

    /// Polls it once, which does not end it.
    #[track_caller]
    pub fn pending(&mut self) {
        assert!(self.poll().is_pending(), "it should be pending");
    }

    /// Polls it once, which ends it.
    #[track_caller]
    pub fn ready(&mut self) -> F::Output {
        match self.poll() {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("it should be ready"),
        }
    }

    /// Whether it has been woken since its last poll.
    pub fn is_woken(&self) -> bool {
        self.flag.0.load(Ordering::SeqCst) > 0
    }
}

/// A gate for tasks.
#[derive(Debug, Default)]
pub struct AsyncGate(Mutex<(bool, Vec<Waker>)>);

impl AsyncGate {
    /// A gate that is shut.
    pub const fn new() -> Self {
        AsyncGate(Mutex::new((false, Vec::new())))
    }

    /// Lets all pass.
    pub fn open(&self) {
        let wakers = {
            let mut gate = self.0.lock().unwrap();
            gate.0 = true;
            std::mem::take(&mut gate.1)
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Shuts it again.
    pub fn shut(&self) {
        self.0.lock().unwrap().0 = false;
    }

    /// Waits until it is open.
    pub async fn pass(&self) {
        std::future::poll_fn(|context| {
            let mut gate = self.0.lock().unwrap();
            if gate.0 {
                return Poll::Ready(());
            }
            gate.1.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}
