//! Helper threads, on which calls are made that the caller must be able to leave.

use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use super::failure::panicked;
use crate::error::{Error, ErrorKind};
use crate::lock::lock;

/// How many calls may wait for a helper thread.
const WAITING: usize = 64;
/// How long an idle helper thread waits for the next call before it ends.
const IDLE: Duration = Duration::from_secs(10);

type Job = Box<dyn FnOnce() + Send>;

/// A pool of helper threads, started when needed.
#[derive(Clone)]
pub(super) struct Helpers(Arc<Pool>);

struct Pool {
    most: usize,
    state: Mutex<State>,
    work: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
}

impl Helpers {
    pub(super) fn new(most: usize) -> Self {
        Self(Arc::new(Pool { most: most.max(1), state: Mutex::default(), work: Condvar::new() }))
    }

    /// Runs `work` on a helper thread. If the answer is dropped before the work begins, it does not begin.
    pub(super) fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<Answer<T>, Error> {
        let answer = Arc::new(Mutex::new(Waiting { value: None, waker: None }));
        let weak = Arc::downgrade(&answer);
        let job = Box::new(move || {
            if weak.strong_count() == 0 {
                return;
            }
            let value = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(panicked()));
            if let Some(answer) = weak.upgrade() {
                let mut waiting = lock(&answer);
                waiting.value = Some(value);
                let waker = waiting.waker.take();
                drop(waiting);
                waker.into_iter().for_each(Waker::wake);
            }
        });
        self.0.push(job)?;
        Ok(Answer(answer))
    }
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn push(self: &Arc<Self>, job: Job) -> Result<(), Error> {
        let mut state = self.lock();
        if state.jobs.len() >= WAITING {
            return Err(Error::new(ErrorKind::Timeout, "call the engine: all helpers are busy"));
        }
        if state.idle <= state.jobs.len() && state.threads < self.most {
            let pool = Arc::clone(self);
            match thread::Builder::new().name("memo-helper".into()).spawn(move || pool.help()) {
                Ok(_) => state.threads += 1,
                Err(error) if state.threads == 0 => return Err(Error::io("start a helper", error)),
                Err(_) => {}
            }
        }
        state.jobs.push_back(job);
        drop(state);
        self.work.notify_one();
        Ok(())
    }

    fn help(&self) {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                drop(state);
                job();
                state = self.lock();
                continue;
            }
            state.idle += 1;
            let (back, waited) = self.work.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
            state = back;
            state.idle -= 1;
            if waited.timed_out() && state.jobs.is_empty() {
                state.threads -= 1;
                return;
            }
        }
    }
}

/// The future of a helper's answer.
pub(super) struct Answer<T>(Arc<Mutex<Waiting<T>>>);

struct Waiting<T> {
    value: Option<Result<T, Error>>,
    waker: Option<Waker>,
}

impl<T> Future for Answer<T> {
    type Output = Result<T, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut waiting = lock(&self.0);
        match waiting.value.take() {
            Some(value) => Poll::Ready(value),
            None => {
                waiting.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}
