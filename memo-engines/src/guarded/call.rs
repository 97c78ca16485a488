//! How a call goes through the guard. A circuit admits it, it is made on the thread that suits it and
//! within its budget, and its answer is counted.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::attempts::Attempts;
use super::causes::Causes;
use super::circuit::{Calls, Circuit, Permit, Turn};
use super::deadline::within;
use super::direct::DirectCalls;
use super::events::{Event, Hook};
use super::failure::{late, refused};
use super::helpers::Helpers;
use super::lazy::{Built, Lazy};
use super::stats::Counters;
use crate::block_on::block_on;
use crate::engine::{Capability, Engine, EngineFuture, GuardOptions};
use crate::error::{Error, ErrorKind};
use crate::per_process::PerProcess;

/// What the clones of a guard share.
pub(super) struct Inner {
    pub(super) name: String,
    pub(super) capability: Capability,
    pub(super) options: GuardOptions,
    pub(super) hook: Option<Hook>,
    pub(super) engine: Arc<Lazy>,
    pub(super) counters: Counters,
    running: PerProcess<Running>,
}

/// The state that a forked child begins anew, because its parent's calls do not end in it.
struct Running {
    reads: Circuit,
    writes: Circuit,
    causes: Causes,
    helpers: Helpers,
    direct_calls: DirectCalls,
}

impl Running {
    fn new(options: &GuardOptions) -> Self {
        Self {
            reads: Circuit::new(Calls::Reads, options),
            writes: Circuit::new(Calls::Writes, options),
            causes: Causes::default(),
            helpers: Helpers::new(options.helpers),
            direct_calls: DirectCalls::new(),
        }
    }
}

/// A call that owns copies of its arguments. A helper thread makes it, and the caller may leave before it
/// ends.
pub(super) type HelperCall<T> = Box<dyn Fn(&dyn Engine) -> Result<T, Error> + Send>;

impl Inner {
    pub(super) fn new(name: String, capability: Capability, engine: Lazy, options: GuardOptions) -> Self {
        let engine = Arc::new(engine);
        let counters = Counters::default();
        Self { name, capability, options, hook: None, engine, counters, running: PerProcess::new() }
    }

    pub(super) fn circuit(&self, calls: Calls) -> &Circuit {
        let running = self.running();
        match calls {
            Calls::Reads => &running.reads,
            Calls::Writes => &running.writes,
        }
    }

    fn running(&self) -> &Running {
        self.running.get(|| Running::new(&self.options))
    }

    /// Makes a call. `for_helper` gives the same call for a helper thread.
    pub(super) fn call<'a, T: Send + 'static>(
        &'a self,
        calls: Calls,
        budget: Duration,
        call: impl Fn(&'a dyn Engine) -> EngineFuture<'a, T> + Send + Sync + 'a,
        for_helper: impl FnOnce() -> HelperCall<T>,
    ) -> EngineFuture<'a, T> {
        let Some(permit) = self.circuit(calls).admit() else {
            self.counters.refused.fetch_add(1, Ordering::Relaxed);
            return EngineFuture::ready(Err(refused().of(&self.name)));
        };
        self.counters.calls.fetch_add(1, Ordering::Relaxed);
        match self.engine.get() {
            Some(Built { engine, .. }) if !self.capability.blocking => {
                let attempts = Attempts::new(move || call(&**engine));
                EngineFuture::new(self.in_time(permit, budget, attempts))
            }
            Some(Built { engine, hangs: false }) if self.may_be_direct() => {
                // The clock is read once before a direct call and once after. Each time costs a tenth of a
                // look-up of a small entry on disk.
                let begun = Instant::now();
                if self.running().direct_calls.begin(begun, budget) {
                    self.on_caller(permit, budget, begun, move || call(&**engine))
                } else {
                    self.on_helper(permit, budget, for_helper())
                }
            }
            _ => self.on_helper(permit, budget, for_helper()),
        }
    }

    /// Whether a call that blocks may be made on the caller's thread.
    fn may_be_direct(&self) -> bool {
        !self.capability.hangs && !self.options.strict
    }

    /// Makes a direct call.
    fn on_caller<'a, T: Send + 'a>(
        &'a self,
        permit: Permit<'a>,
        budget: Duration,
        begun: Instant,
        call: impl Fn() -> EngineFuture<'a, T> + Send + 'a,
    ) -> EngineFuture<'a, T> {
        // A direct call keeps its caller until the engine answers. So there is no retry once half of the
        // budget is over.
        let mut attempts = Attempts::new(call).until(begun + budget / 2);
        let polled = Pin::new(&mut attempts).poll(&mut Context::from_waker(Waker::noop()));
        let ended = Instant::now();
        self.running().direct_calls.end(ended);
        match polled {
            Poll::Ready(answer) => {
                let took = ended.saturating_duration_since(begun);
                EngineFuture::ready(self.settle_direct(permit, budget, took, answer))
            }
            // The engine said that it blocks, and does not. Then its future is awaited.
            Poll::Pending => EngineFuture::new(self.in_time(permit, budget, attempts)),
        }
    }

    /// Makes a call on a helper thread. The engine is built there if it does not exist yet.
    fn on_helper<'a, T: Send + 'static>(
        &'a self,
        permit: Permit<'a>,
        budget: Duration,
        work: HelperCall<T>,
    ) -> EngineFuture<'a, T> {
        let engine = Arc::clone(&self.engine);
        let answer = self.running().helpers.run(move || {
            let engine = engine.build()?;
            block_on(Attempts::new(|| EngineFuture::ready(work(engine))))
        });
        match answer {
            Ok(answer) => EngineFuture::new(self.in_time(permit, budget, answer)),
            Err(error) => EngineFuture::ready(self.settle(permit, Err(error))),
        }
    }

    /// Waits for an answer for as long as the budget allows.
    async fn in_time<T>(
        &self,
        permit: Permit<'_>,
        budget: Duration,
        answer: impl Future<Output = Result<T, Error>> + Unpin,
    ) -> Result<T, Error> {
        let answer = within(answer, budget).await.unwrap_or_else(|| Err(late()));
        self.settle(permit, answer)
    }

    /// Settles a direct call. A late answer is given out like any other, but the circuit counts it as a
    /// timeout.
    fn settle_direct<T>(
        &self,
        permit: Permit<'_>,
        budget: Duration,
        took: Duration,
        answer: Result<T, Error>,
    ) -> Result<T, Error> {
        if took <= budget {
            return self.settle(permit, answer);
        }
        self.running().direct_calls.was_slow();
        match answer {
            Ok(value) => {
                let _ = self.settle(permit, Err::<(), _>(late()));
                Ok(value)
            }
            error => self.settle(permit, error),
        }
    }

    /// Counts an answer, passes it to the circuit, and reports what that changed.
    fn settle<T>(&self, permit: Permit<'_>, answer: Result<T, Error>) -> Result<T, Error> {
        let answer =
            answer.map_err(|error| if error.engine().is_empty() { error.of(&self.name) } else { error });
        if let Err(error) = &answer {
            let dropped = error.kind() == ErrorKind::Full && !error.is_engine_failure();
            let counter = if dropped { &self.counters.dropped } else { &self.counters.failures };
            counter.fetch_add(1, Ordering::Relaxed);
            if error.kind() == ErrorKind::Timeout {
                self.counters.timeouts.fetch_add(1, Ordering::Relaxed);
                if self.capability.blocking {
                    self.running().direct_calls.was_slow();
                }
            }
        }
        let (calls, turn) = (permit.calls(), permit.settle(answer.as_ref().err()));
        match (turn, &answer) {
            (Turn::Opened, Err(error)) => {
                let times = self.running().causes.report(error, Instant::now());
                self.circuit(calls).set_reported(times.is_some());
                self.happened(&Event::Opened { calls, error, times });
            }
            (Turn::Closed { after, reported }, _) => self.happened(&Event::Closed { calls, after, reported }),
            _ => {}
        }
        answer
    }

    fn happened(&self, event: &Event<'_>) {
        if let Some(hook) = &self.hook {
            hook(&self.name, event);
        }
    }
}
