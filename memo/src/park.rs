//! Runs a future on the calling thread, which sleeps while it is pending: how synchronous functions enter the one
//! path that is written as `async`.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::OnceLock;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{thread, thread_local};

/// How long a wait watches before its thread sleeps. Sleeping and waking cost tens of microseconds, which is more than many
/// computations take.
const WATCH: Duration = Duration::from_micros(50);
/// How many threads watch. One core is left for those who compute.
static WATCHING: AtomicUsize = AtomicUsize::new(0);

fn most_watching() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    if cfg!(memo_shuttle) {
        return 0;
    }
    *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from)) - 1
}

const EMPTY: usize = 0;
const NOTIFIED: usize = 1;
const PARKED: usize = 2;

struct Parker {
    state: AtomicUsize,
    thread: thread::Thread,
}

impl Wake for Parker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.swap(NOTIFIED, Ordering::AcqRel) == PARKED {
            self.thread.unpark();
        }
    }
}

impl Parker {
    fn new() -> Arc<Self> {
        Arc::new(Parker { state: AtomicUsize::new(EMPTY), thread: thread::current() })
    }

    fn take(&self) -> bool {
        self.state.compare_exchange(NOTIFIED, EMPTY, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    fn watch(&self) -> bool {
        let most = most_watching();
        if most == 0 {
            return false;
        }
        if WATCHING.fetch_add(1, Ordering::Relaxed) >= most {
            WATCHING.fetch_sub(1, Ordering::Relaxed);
            return false;
        }
        let end = Instant::now() + WATCH;
        let notified = loop {
            if (0..64).any(|_| {
                std::hint::spin_loop();
                self.state.load(Ordering::Relaxed) == NOTIFIED
            }) {
                break self.take();
            }
            if Instant::now() >= end {
                break false;
            }
        };
        WATCHING.fetch_sub(1, Ordering::Relaxed);
        notified
    }

    fn park(&self) {
        if self.take() || self.watch() {
            return;
        }
        if self.state.compare_exchange(EMPTY, PARKED, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            self.state.store(EMPTY, Ordering::Release);
            return;
        }
        while self.state.load(Ordering::Acquire) == PARKED {
            thread::park();
        }
        self.state.store(EMPTY, Ordering::Release);
    }
}

thread_local! {
    static THIS: (Arc<Parker>, Waker) = {
        let parker = Parker::new();
        (parker.clone(), Waker::from(parker))
    };
}

/// Runs `future` to its end on this thread.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut run = |parker: &Parker, waker: &Waker| {
        let mut context = Context::from_waker(waker);
        loop {
            match future.as_mut().poll(&mut context) {
                Poll::Ready(output) => return output,
                Poll::Pending => parker.park(),
            }
        }
    };
    // at the end of a thread its locals may be gone
    match THIS.try_with(|(parker, waker)| run(parker, waker)) {
        Ok(output) => output,
        Err(_) => {
            let parker = Parker::new();
            run(&parker, &Waker::from(parker.clone()))
        }
    }
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn a_future_woken_from_another_thread_ends() {
        let mut polls = 0;
        let output = block_on(std::future::poll_fn(|context| {
            polls += 1;
            if polls == 3 {
                return Poll::Ready(polls);
            }
            let waker = context.waker().clone();
            std::thread::spawn(move || waker.wake());
            Poll::Pending
        }));
        assert_eq!(output, 3);
    }

    #[test]
    fn one_wait_within_another_loses_no_wake() {
        // the inner wait may take the outer one's notification: it only ever costs a poll, since a future that is
        // being polled looks at its state after it
        let mut polled = false;
        block_on(std::future::poll_fn(|context| {
            if polled {
                return Poll::Ready(());
            }
            polled = true;
            context.waker().wake_by_ref();
            Poll::Pending
        }));
    }
}
