//! The end of the process: what was handed to engines is written before it, as far as each engine's time budget goes.
//!
//! A handler of `atexit` does that. It runs when `main` returns or panics and when `exit` is called, on the thread that
//! ends the process, while the other threads still run. The thread locals of that thread may be gone, and it may hold
//! any lock. So the work is done on threads of its own, and the thread that ends the process only waits for them, no
//! longer than the largest budget.

#![allow(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError, Weak};
use std::time::{Duration, Instant};

use memo_engines::{Engine as _, Error, ErrorKind, Guarded};

use super::later;
use crate::background;
use crate::fork::{self, Locked, Part};
use crate::park::block_on;

/// An engine that a function has.
#[derive(Clone)]
struct Opened {
    name: String,
    engine: Weak<Guarded>,
    /// How many results are being handed to it. Engines of one name share the counter.
    waiting: &'static AtomicUsize,
}

static OPENED: Mutex<Vec<Opened>> = Mutex::new(Vec::new());

fn opened() -> MutexGuard<'static, Vec<Opened>> {
    fork::attend(Part::Exit, &Locked(lock));
    lock()
}

fn lock() -> MutexGuard<'static, Vec<Opened>> {
    OPENED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes an engine that functions are going to use.
pub(super) fn uses(name: &str, engine: &Arc<Guarded>) {
    let mut opened = opened();
    let waiting = match opened.iter().find(|known| known.name == name) {
        Some(known) => known.waiting,
        // leaked once for each name
        None => Box::leak(Box::default()),
    };
    if opened.iter().all(|known| known.name != name || !std::ptr::eq(known.engine.as_ptr(), &**engine)) {
        // the last engine of a name stays in the list, which keeps its counter
        opened.retain(|known| known.name != name || known.engine.strong_count() > 0);
        opened.push(Opened { name: name.to_owned(), engine: Arc::downgrade(engine), waiting });
    }
}

/// The number of results that are being handed to the engine called `name`.
pub(super) fn waiting(name: &str) -> &'static AtomicUsize {
    static UNKNOWN: AtomicUsize = AtomicUsize::new(0);
    opened().iter().find(|known| known.name == name).map_or(&UNKNOWN, |known| known.waiting)
}

/// A result on its way to an engine.
pub(super) struct OnItsWay(&'static AtomicUsize);

impl OnItsWay {
    /// From now on the end of the process waits for it.
    pub(super) fn new(waiting: &'static AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        watch();
        Self(waiting)
    }
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The process that has handed over a result, by its generation; 0 while none has. A forked child has none to wait for until
/// it hands over one itself.
static PROCESS: AtomicU64 = AtomicU64::new(0);

fn watch() {
    static REGISTERED: Once = Once::new();
    fork::watch();
    let process = fork::generation();
    if PROCESS.load(Ordering::Relaxed) != process {
        PROCESS.store(process, Ordering::Relaxed);
        REGISTERED.call_once(register);
    }
}

#[cfg(unix)]
fn register() {
    extern "C" fn at_exit() {
        // a panic must not leave a function that C calls
        let _ = catch_unwind(finish);
    }
    // SAFETY: the handler is a function of this program that does not unwind. Where the system refuses, the process ends
    // as it would without.
    unsafe { libc::atexit(at_exit) };
}

/// Elsewhere the end of a process runs no handlers. Programs call `flush` there.
#[cfg(not(unix))]
fn register() {
    let _ = finish;
}

/// An engine that is being flushed.
struct Ending {
    name: String,
    engine: Arc<Guarded>,
    waiting: &'static AtomicUsize,
    done: std::sync::mpsc::Receiver<Result<(), Error>>,
}

impl Ending {
    fn begin(Opened { name, engine, waiting }: &Opened) -> Option<Self> {
        let engine = engine.upgrade()?;
        // an engine that does not write later has written all that it has taken
        if !engine.capability().deferred && waiting.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let (tell, done) = sync_channel(1);
        let ending = Self { name: name.clone(), engine, waiting, done };
        let (engine, waiting) = (ending.engine.clone(), *waiting);
        let work = move || {
            let mut flushed = block_on(engine.flush());
            if waiting.load(Ordering::Relaxed) > 0 {
                later::drain();
                flushed = block_on(engine.flush());
            }
            let _ = tell.send(flushed);
        };
        // without a thread `done` is disconnected at once, as after a panic
        background::spawn("memo-exit", work);
        Some(ending)
    }

    /// Waits for it as long as its budget goes. Gives what to say if not all was written.
    fn end(self, begun: Instant) -> Option<String> {
        let budget = self.engine.options().budget;
        let left = budget.saturating_sub(begun.elapsed());
        let (refused, why) = match self.done.recv_timeout(left) {
            Ok(Ok(())) => return None,
            Ok(Err(error)) => (error.kind() == ErrorKind::Unavailable, format!("it failed to {error}")),
            Err(RecvTimeoutError::Timeout) => (false, late(budget)),
            Err(RecvTimeoutError::Disconnected) => (false, "nothing could wait for it".to_owned()),
        };
        let taken = self.engine.unwritten();
        let count = taken.unwrap_or(0) + self.waiting.load(Ordering::Relaxed);
        let results = match count {
            // its guard has said that it is unavailable
            0 if taken.is_some() && refused => return None,
            0 => "results".to_owned(),
            1 => "1 result".to_owned(),
            count => format!("{count} results"),
        };
        let name = self.name;
        Some(format!(
            "memo: warning: {results} of the engine \"{name}\" may not have been written before the program ended: {why}\n"
        ))
    }
}

fn late(budget: Duration) -> String {
    format!("its time budget of {budget:?} is over; a longer `budget` of the engine gives it more")
}

fn finish() {
    if PROCESS.load(Ordering::Relaxed) != fork::generation() {
        return;
    }
    let begun = Instant::now();
    // a copy, so that no method of an engine runs under the lock
    let opened = opened().clone();
    let endings: Vec<_> = opened.iter().filter_map(Ending::begin).collect();
    for ending in endings {
        // an engine may panic
        let said = catch_unwind(AssertUnwindSafe(|| ending.end(begun)));
        said.into_iter().flatten().for_each(|line| say(&line));
    }
}

/// Writes to the standard error without its lock, which another thread may hold for good.
#[cfg(unix)]
fn say(line: &str) {
    // SAFETY: the bytes are those of a string that outlives the call.
    unsafe { libc::write(libc::STDERR_FILENO, line.as_ptr().cast(), line.len()) };
}

#[cfg(not(unix))]
fn say(line: &str) {
    eprint!("{line}");
}
