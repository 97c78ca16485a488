//! The threads that this crate starts. Each has a name that begins with `memo-`, is started when it is first needed, and
//! belongs to one process: a forked child starts its own.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::fork;

/// After a thread could not be started, this long passes before it is tried again, in nanoseconds.
const PAUSE: u64 = 1_000_000_000;

/// Has a thread called `name` do `work`; false where the system gives none.
pub(crate) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> bool {
    // where forks cannot be noticed, it works as well in a process that never forks
    fork::watch();
    thread::Builder::new().name(name.to_owned()).spawn(work).is_ok()
}

/// A thread of which each process has at most one.
pub(crate) struct Background {
    name: &'static str,
    /// The process in which it runs, by its [generation](fork::generation); 0 where it runs in none.
    runs_in: AtomicU64,
    /// No attempt to start it before this time, since the last one failed.
    retry: AtomicU64,
}

impl Background {
    pub(crate) const fn new(name: &'static str) -> Self {
        Background { name, runs_in: AtomicU64::new(0), retry: AtomicU64::new(0) }
    }

    /// Starts it with `run`, unless this process has it. Gives whether it has it then. `now` is the time in nanoseconds: for
    /// a second after a failure nothing is tried.
    pub(crate) fn start(&self, now: u64, run: fn()) -> bool {
        let running = self.runs_in.load(Ordering::Acquire);
        let this = fork::generation();
        if running == this {
            return true;
        }
        if now < self.retry.load(Ordering::Relaxed) {
            return false;
        }
        if self.runs_in.compare_exchange(running, this, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            // another thread is starting it
            return true;
        }
        let started = spawn(self.name, run);
        if !started {
            self.retry.store(now.saturating_add(PAUSE), Ordering::Relaxed);
            self.ends();
        }
        started
    }

    /// Says that it is about to end: whoever needs it from now on starts another.
    pub(crate) fn ends(&self) {
        self.runs_in.store(0, Ordering::Release);
    }
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;
    use std::time::{Duration, Instant};

    static THREAD: Background = Background::new("memo-test");
    static RUNS: AtomicUsize = AtomicUsize::new(0);

    fn run() {
        assert_eq!(thread::current().name(), Some("memo-test"));
        RUNS.fetch_add(1, Ordering::Relaxed);
    }

    fn soon(runs: usize) {
        let until = Instant::now() + Duration::from_secs(20);
        while RUNS.load(Ordering::Relaxed) != runs {
            assert!(Instant::now() < until, "{} runs", RUNS.load(Ordering::Relaxed));
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn a_thread_is_started_once_until_it_ends() {
        assert!(THREAD.start(0, run));
        soon(1);
        assert!(THREAD.start(0, run));
        THREAD.ends();
        assert!(THREAD.start(0, run));
        soon(2);
    }
}
