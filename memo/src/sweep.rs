//! Expired entries leave without being touched.
//!
//! A store drops an expired entry that it comes across; what nobody asks for again would stay. So one
//! thread for all stores, `memo-sweep`, started by the first entry with a lifetime, visits each when it
//! is [due](Sweep::due): not before the first of its entries has expired, and not more often than a
//! quarter of its shortest lifetime, within 250 ms and 30 s. When no store holds anything that can expire,
//! it sleeps until an insert wakes it.
//!
//! # Fork
//!
//! A forked child has no such thread, and its next insert with a lifetime starts it. Since the user may not even know of
//! this thread, a fork must not catch it holding the lock of a store, which would then stay locked in the child for good:
//! the thread [holds off](crate::fork::hold_off) forks while it is in a store (never while user code runs). The locks that
//! other threads hold, the thread that forks takes first ([`Sweep::hold`]).

mod schedule;
mod stores;
mod thread;

pub(crate) use schedule::Schedule;
pub(crate) use stores::Sweep;
pub use thread::sweep_now;
pub(crate) use thread::{hold_off_for_sweeper, register, wish};

#[cfg(test)]
#[allow(unsafe_code)]
mod tests {
    use super::*;
    use crate::clock::{self, NEVER, exact};
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
    use std::thread;
    use std::time::{Duration, Instant};

    /// A store with one entry at a time, whose drop panics if asked to.
    struct One {
        schedule: Schedule,
        ends: AtomicU64,
        swept: AtomicUsize,
        panics: bool,
    }

    impl One {
        fn leak(panics: bool) -> &'static One {
            let one = One {
                schedule: Schedule::new(),
                ends: AtomicU64::new(NEVER),
                swept: AtomicUsize::new(0),
                panics,
            };
            let one = Box::leak(Box::new(one));
            register(one);
            one
        }

        fn put(&self, lifetime: Duration) {
            let now = exact();
            let ends = now + clock::nanos(lifetime);
            self.ends.store(ends, Relaxed);
            self.schedule.stored(now, ends);
        }

        fn swept(&self) -> usize {
            self.swept.load(Relaxed)
        }
    }

    impl Sweep for One {
        fn sweep(&self) {
            let now = exact();
            if self.schedule.begin(now) {
                let ends = self.ends.load(Relaxed);
                if ends <= now {
                    self.ends.store(NEVER, Relaxed);
                    self.swept.fetch_add(1, Relaxed);
                    assert!(!self.panics, "a panic in a drop, on purpose");
                } else {
                    self.schedule.ends_at(ends);
                }
            }
        }

        fn due(&self) -> Option<u64> {
            self.schedule.due()
        }

        fn watch(&self) {
            self.schedule.watch();
        }
    }

    fn soon(what: &str, mut done: impl FnMut() -> bool) {
        let until = Instant::now() + Duration::from_secs(20);
        while !done() {
            assert!(Instant::now() < until, "{what}");
            thread::sleep(Duration::from_millis(2));
        }
    }

    #[test]
    fn the_thread_sweeps_what_has_expired_and_outlives_panics() {
        let _alone = clock::alone();
        let bad = One::leak(true);
        let good = One::leak(false);
        for times in 1..=3 {
            bad.put(Duration::from_secs(3600));
            good.put(Duration::from_secs(3600));
            assert_eq!((bad.swept(), good.swept()), (times - 1, times - 1));
            clock::advance(Duration::from_secs(7200));
            soon("both swept", || (bad.swept(), good.swept()) == (times, times));
        }
    }

    #[test]
    fn an_insert_with_a_shorter_lifetime_wakes_the_thread_early() {
        let _alone = clock::alone();
        let long = One::leak(false);
        long.put(Duration::from_secs(24 * 3600));
        let short = One::leak(false);
        short.put(Duration::from_millis(300));
        soon("swept long before the other", || short.swept() == 1);
        assert_eq!(long.swept(), 0);
    }

    #[test]
    fn sweeping_on_demand_does_not_wait_for_the_thread() {
        let _alone = clock::alone();
        let (bad, good) = (One::leak(true), One::leak(false));
        // Not announced to the thread: only to be found by looking.
        for one in [bad, good] {
            let ends = exact();
            one.ends.store(ends, Relaxed);
            one.schedule.ends_at(ends);
        }
        sweep_now();
        assert_eq!((bad.swept(), good.swept()), (1, 1));
    }

    #[cfg(unix)]
    #[test]
    fn a_forked_child_sweeps_with_a_thread_of_its_own() {
        let _alone = clock::alone();
        let one = One::leak(false);
        one.put(Duration::from_secs(3600));
        // SAFETY: the child takes no lock that another thread of the parent could hold but that of the
        // allocator (which the C library keeps right across a fork), and leaves by `_exit`, running
        // nothing of the parent's.
        let child = unsafe { libc::fork() };
        if child == 0 {
            one.put(Duration::from_millis(1));
            let until = Instant::now() + Duration::from_secs(20);
            while one.swept() == 0 && Instant::now() < until {
                thread::sleep(Duration::from_millis(2));
            }
            // SAFETY: the child ends at once, and runs nothing of the parent's on the way.
            unsafe { libc::_exit(if one.swept() == 1 { 0 } else { 1 }) }
        }
        assert!(child > 0);
        let mut status = 0;
        // SAFETY: `child` is our child and `status` a place to write.
        assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
        assert!(libc::WIFEXITED(status), "{status:#x}");
        assert_eq!(libc::WEXITSTATUS(status), 0);
        assert_eq!(one.swept(), 0, "the child's entry was its own");
        clock::advance(Duration::from_secs(7200));
        soon("the parent's thread goes on", || one.swept() == 1);
    }
}
