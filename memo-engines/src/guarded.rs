//! A guard around an engine: a time budget per call, a circuit breaker, counters, and one word to people when
//! trouble begins and one when it is over.
//!
//! # The budget
//!
//! An engine that waits without blocking is raced against a timer. One that blocks its thread cannot be
//! interrupted, so there are two ways to call it. While it answers it is called *directly*, on the caller's
//! thread, which costs next to nothing. Once a call has taken longer than its budget, or where the engine says
//! that it may [hang](crate::Capability::hangs), calls are made on a few *helper* threads, and the caller
//! leaves when its budget is over. After a second of good answers calls are direct again.
//!
//! So a disk that begins to hang without warning keeps those who are inside at that moment, or come within
//! one budget, and nobody who comes later. A network file system, of which hanging is to be expected, is
//! called on helpers from the start and keeps nobody. So is any engine that blocks if its guard is
//! [`strict`](GuardOptions::strict).
//!
//! # The circuit
//!
//! Closed, every call goes through. After [`failures`](GuardOptions::failures) in a row it opens, and calls
//! fail at once, for [`backoff`](GuardOptions::backoff), which doubles up to
//! [`max_backoff`](GuardOptions::max_backoff). Then one caller's call is let through as a probe: if it
//! succeeds the circuit closes, else it stays open. An engine that could not be built is an open circuit whose
//! probe builds it.
//!
//! Calls that read have a circuit, and calls that write have another: a disk that is full, or a server whose user
//! may only read, still gives out what it has. An entry for which there was no room just now, in a queue that is
//! full, is [dropped](GuardStats::dropped): neither circuit counts it.

mod circuit;
mod deadline;
mod helper;
mod told;

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use self::circuit::{Circuit, Permit, Turn};
pub use self::deadline::sleep;
use self::deadline::within;
use self::helper::{Helpers, panicked};
use self::told::Told;
use crate::block_on::block_on;
pub use crate::engine::GuardOptions;
use crate::engine::{Capability, Engine, EngineFuture, Entry, Key, Lease, Space, Watcher, Witness};
use crate::error::{Error, ErrorKind};
use crate::fork::PerProcess;

/// Makes the engine, at first and whenever that failed before.
type Build = Box<dyn Fn() -> Result<Arc<dyn Engine>, Error> + Send + Sync>;

/// Which calls of an engine: each kind has a circuit of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Calls {
    /// Those that look for entries.
    Reads,
    /// Those that change something, leases among them, or wait for that.
    Writes,
}

/// What happened to an engine.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A circuit opened. Told once, until it has closed again.
    #[non_exhaustive]
    Opened {
        /// The circuit of which calls.
        calls: Calls,
        /// Why.
        error: &'a Error,
        /// How often this cause opened a circuit since people were last told of it. `None`: they need not hear of it
        /// again yet. They should the first time, and then at intervals that grow up to an hour.
        times: Option<u64>,
    },
    /// A circuit closed.
    #[non_exhaustive]
    Closed {
        /// The circuit of which calls.
        calls: Calls,
        /// How long it was open.
        after: Duration,
        /// Whether people should hear of it: they did when it opened.
        told: bool,
    },
}

/// Told what happens to an engine, by name.
type Hook = Arc<dyn Fn(&str, &Event<'_>) + Send + Sync>;

/// Whether calls go through to an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CircuitState {
    /// They do.
    Closed,
    /// They fail at once.
    Open,
    /// One does, to see whether the engine is back; the others fail at once.
    HalfOpen,
}

/// What happened to the calls of a [`Guarded`] engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GuardStats {
    /// Calls that were made of the engine.
    pub calls: u64,
    /// Those that failed, whatever the reason.
    pub failures: u64,
    /// Those among the failures that took longer than their budget.
    pub timeouts: u64,
    /// Calls that were not made because the circuit was open.
    pub refused: u64,
    /// How often a circuit opened.
    pub opened: u64,
    /// Entries for which the engine had no room just now: its queue, or its memory, was full. No failures.
    pub dropped: u64,
}

/// An engine with a guard around it: see the [module](self). Its clones share one guard.
#[derive(Clone)]
pub struct Guarded(Arc<Inner>);

struct Inner {
    name: String,
    capability: Capability,
    options: GuardOptions,
    hook: Option<Hook>,
    engine: Arc<Lazy>,
    running: PerProcess<Running>,
    calls: AtomicU64,
    failures: AtomicU64,
    timeouts: AtomicU64,
    refused: AtomicU64,
    dropped: AtomicU64,
}

/// What a forked child begins anew: the calls of its parent do not end there.
struct Running {
    reads: Circuit,
    writes: Circuit,
    told: Told,
    helpers: Helpers,
    flow: Flow,
}

impl Running {
    fn new(options: &GuardOptions) -> Self {
        Self {
            reads: Circuit::new(Calls::Reads, options),
            writes: Circuit::new(Calls::Writes, options),
            told: Told::default(),
            helpers: Helpers::new(options.helpers),
            flow: Flow {
                begun: Instant::now(),
                inside: AtomicUsize::new(0),
                moved: AtomicU64::new(0),
                aside: AtomicBool::new(false),
                slow: AtomicU64::new(0),
            },
        }
    }
}

/// An engine that is built when it is first needed.
struct Lazy {
    engine: OnceLock<Built>,
    /// Held while it is built: what a second build at the same time makes would have to be torn down again, and those
    /// who come meanwhile are served by the first.
    building: PerProcess<Mutex<()>>,
    build: Build,
    /// Who is to be told of changes as soon as it is built.
    watchers: Mutex<Vec<(Space, Watcher)>>,
}

/// An engine, and whether its calls may hang, which may not be known before it is there: a directory may turn out to be a
/// server's.
struct Built {
    engine: Arc<dyn Engine>,
    hangs: bool,
}

impl Built {
    fn new(engine: Arc<dyn Engine>) -> Self {
        Self { hangs: engine.capability().hangs, engine }
    }
}

impl Lazy {
    fn get(&self) -> Option<&Built> {
        self.engine.get()
    }

    fn build(&self) -> Result<&dyn Engine, Error> {
        if let Some(built) = self.get() {
            return Ok(&*built.engine);
        }
        let building = self.building.get(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(built) = self.get() {
            return Ok(&*built.engine);
        }
        let built = Built::new((self.build)()?);
        let engine = &*self.engine.get_or_init(|| built).engine;
        drop(building);
        let watchers = std::mem::take(&mut *self.watchers.lock().unwrap_or_else(PoisonError::into_inner));
        watchers.into_iter().for_each(|(space, watcher)| engine.watch(&space, watcher));
        Ok(engine)
    }

    fn watch(&self, space: &Space, watcher: Watcher) {
        let mut watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        match self.get() {
            // whoever builds it takes the list after that
            None => watchers.push((*space, watcher)),
            Some(Built { engine, .. }) => {
                drop(watchers);
                engine.watch(space, watcher);
            }
        }
    }
}

/// How direct calls are getting on: whether the next should go to a helper.
struct Flow {
    begun: Instant,
    inside: AtomicUsize,
    /// When a direct call last began with nobody inside, or ended: in milliseconds.
    moved: AtomicU64,
    aside: AtomicBool,
    /// When a call last took too long, in milliseconds.
    slow: AtomicU64,
}

/// How long all must go well before calls are direct again.
const CALM: Duration = Duration::from_secs(1);

impl Flow {
    fn now(&self) -> u64 {
        self.at(Instant::now())
    }

    fn at(&self, moment: Instant) -> u64 {
        moment.saturating_duration_since(self.begun).as_millis() as u64
    }

    /// Whether a call may be direct; if so it has begun.
    fn begin(&self, moment: Instant, budget: Duration) -> bool {
        let now = self.at(moment);
        if self.aside.load(Ordering::Relaxed) {
            let calm = now.saturating_sub(self.slow.load(Ordering::Relaxed)) > CALM.as_millis() as u64;
            if !calm || self.inside.load(Ordering::Relaxed) != 0 {
                return false;
            }
            self.aside.store(false, Ordering::Relaxed);
        }
        if self.inside.fetch_add(1, Ordering::Relaxed) == 0 {
            self.moved.store(now, Ordering::Relaxed);
        } else if now.saturating_sub(self.moved.load(Ordering::Relaxed)) > budget.as_millis() as u64 {
            // Somebody is inside, and nobody has come out for as long as one may take.
            self.inside.fetch_sub(1, Ordering::Relaxed);
            self.was_slow(now);
            return false;
        }
        true
    }

    fn end(&self, moment: Instant) {
        self.moved.store(self.at(moment), Ordering::Relaxed);
        self.inside.fetch_sub(1, Ordering::Relaxed);
    }

    fn was_slow(&self, now: u64) {
        self.slow.store(now, Ordering::Relaxed);
        self.aside.store(true, Ordering::Relaxed);
    }
}

impl Guarded {
    /// A guard around an engine that is there.
    pub fn new(engine: impl Engine, options: GuardOptions) -> Self {
        let engine: Arc<dyn Engine> = Arc::new(engine);
        let (name, capability) = (engine.name().to_owned(), engine.capability());
        let build = {
            let engine = Arc::clone(&engine);
            move || Ok(Arc::clone(&engine))
        };
        let guarded = Self::build(name, capability, build, options);
        let _ = guarded.0.engine.engine.set(Built::new(engine));
        guarded
    }

    /// A guard around an engine that is built when it is first needed, and again later where that fails.
    /// `capability` is what it will be able to do.
    pub fn build(
        name: impl Into<String>,
        capability: Capability,
        build: impl Fn() -> Result<Arc<dyn Engine>, Error> + Send + Sync + 'static,
        options: GuardOptions,
    ) -> Self {
        Self(Arc::new(Inner {
            name: name.into(),
            capability,
            hook: None,
            engine: Arc::new(Lazy {
                engine: OnceLock::new(),
                building: PerProcess::new(),
                build: Box::new(build),
                watchers: Mutex::default(),
            }),
            running: PerProcess::new(),
            options,
            calls: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            timeouts: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
        }))
    }

    /// With someone who is told when a circuit opens and closes. It is called on the thread of whoever's
    /// call it was, and must not call the engine. Set it before the first clone is made.
    #[must_use]
    pub fn on_event(mut self, hook: impl Fn(&str, &Event<'_>) + Send + Sync + 'static) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.hook = Some(Arc::new(hook));
        }
        self
    }

    /// Whether calls go through: the state of the circuit that is worse off.
    pub fn circuit(&self) -> CircuitState {
        match (self.circuit_of(Calls::Reads), self.circuit_of(Calls::Writes)) {
            (CircuitState::Open, _) | (_, CircuitState::Open) => CircuitState::Open,
            (CircuitState::Closed, CircuitState::Closed) => CircuitState::Closed,
            _ => CircuitState::HalfOpen,
        }
    }

    /// Whether calls of this kind go through.
    pub fn circuit_of(&self, calls: Calls) -> CircuitState {
        self.0.circuit(calls).state()
    }

    /// With what it was made.
    pub fn options(&self) -> &GuardOptions {
        &self.0.options
    }

    /// What happened to its calls so far.
    pub fn stats(&self) -> GuardStats {
        let Inner { calls, failures, timeouts, refused, dropped, .. } = &*self.0;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        GuardStats {
            calls: read(calls),
            failures: read(failures),
            timeouts: read(timeouts),
            refused: read(refused),
            opened: self.0.running().reads.opened() + self.0.running().writes.opened(),
            dropped: read(dropped),
        }
    }
}

/// A call on copies, for a thread that the caller may leave.
type Aside<T> = Box<dyn Fn(&dyn Engine) -> Result<T, Error> + Send>;

/// How often a call is made again where its error says that this helps.
const RETRIES: u32 = 2;

impl Inner {
    fn circuit(&self, calls: Calls) -> &Circuit {
        let running = self.running();
        match calls {
            Calls::Reads => &running.reads,
            Calls::Writes => &running.writes,
        }
    }

    fn running(&self) -> &Running {
        self.running.get(|| Running::new(&self.options))
    }

    fn call<'a, T: Send + 'static>(
        &'a self,
        calls: Calls,
        budget: Duration,
        call: impl Fn(&'a dyn Engine) -> EngineFuture<'a, T> + Send + Sync + 'a,
        aside: impl FnOnce() -> Aside<T>,
    ) -> EngineFuture<'a, T> {
        let Some(permit) = self.circuit(calls).admit() else {
            self.refused.fetch_add(1, Ordering::Relaxed);
            let context = "call the engine: it failed, and its circuit is open";
            return EngineFuture::ready(Err(Error::new(ErrorKind::Unavailable, context).of(&self.name)));
        };
        self.calls.fetch_add(1, Ordering::Relaxed);
        let built = self.engine.get();
        if let Some(Built { engine, .. }) = built
            && !self.capability.blocking
        {
            return EngineFuture::new(self.waited(permit, budget, &**engine, call));
        }
        // To read the clock costs a tenth of what a small entry on disk does: once before a call and once after.
        let begun = Instant::now();
        match built {
            Some(Built { engine, hangs: false })
                if self.may_be_direct() && self.running().flow.begin(begun, budget) =>
            {
                let mut tries = 0;
                let made = loop {
                    let made = catch_unwind(AssertUnwindSafe(|| call(engine).try_ready()))
                        .unwrap_or_else(|_| Ok(Err(panicked())));
                    match made {
                        Ok(Err(error))
                            if error.retry_helps() && tries < RETRIES && begun.elapsed() < budget / 2 =>
                        {
                            tries += 1;
                        }
                        made => break made,
                    }
                };
                let ended = Instant::now();
                let took = ended.saturating_duration_since(begun);
                self.running().flow.end(ended);
                match made {
                    Ok(answer) => EngineFuture::ready(self.direct(permit, budget, took, answer)),
                    // It said that it blocks and does not: so be it.
                    Err(pending) => EngineFuture::new(async move {
                        let answer = within(Caught(pending), budget).await.unwrap_or_else(|| Err(late()));
                        self.settle(permit, answer)
                    }),
                }
            }
            _ => {
                let work = aside();
                let engine = Arc::clone(&self.engine);
                let answer = self.running().helpers.run(move || {
                    let engine = engine.build()?;
                    let mut tries = 0;
                    loop {
                        match work(engine) {
                            Err(error) if error.retry_helps() && tries < RETRIES => tries += 1,
                            answer => break answer,
                        }
                    }
                });
                EngineFuture::new(async move {
                    let answer = match answer {
                        Ok(answer) => within(answer, budget).await.unwrap_or_else(|| Err(late())),
                        Err(error) => Err(error),
                    };
                    self.settle(permit, answer)
                })
            }
        }
    }

    /// Whether a call that blocks may be made on the caller's thread.
    fn may_be_direct(&self) -> bool {
        !self.capability.hangs && !self.options.strict
    }

    async fn waited<'a, T>(
        &'a self,
        permit: Permit<'a>,
        budget: Duration,
        engine: &'a dyn Engine,
        call: impl Fn(&'a dyn Engine) -> EngineFuture<'a, T>,
    ) -> Result<T, Error> {
        let all = pin!(async {
            let mut tries = 0;
            loop {
                let made = catch_unwind(AssertUnwindSafe(|| call(engine)));
                let made = made.unwrap_or_else(|_| EngineFuture::ready(Err(panicked())));
                match Caught(made).await {
                    Err(error) if error.retry_helps() && tries < RETRIES => tries += 1,
                    answer => break answer,
                }
            }
        });
        let answer = within(all, budget).await.unwrap_or_else(|| Err(late()));
        self.settle(permit, answer)
    }

    /// A direct call that came back late is as good an answer as any, but the circuit hears of it.
    fn direct<T>(
        &self,
        permit: Permit<'_>,
        budget: Duration,
        took: Duration,
        answer: Result<T, Error>,
    ) -> Result<T, Error> {
        if took <= budget {
            return self.settle(permit, answer);
        }
        self.running().flow.was_slow(self.running().flow.now());
        match answer {
            Ok(value) => {
                let _ = self.settle(permit, Err::<(), _>(late()));
                Ok(value)
            }
            error => self.settle(permit, error),
        }
    }

    /// Counts an answer, moves the circuit, and tells whoever should know.
    fn settle<T>(&self, permit: Permit<'_>, answer: Result<T, Error>) -> Result<T, Error> {
        let answer =
            answer.map_err(|error| if error.engine().is_empty() { error.of(&self.name) } else { error });
        if let Err(error) = &answer {
            let dropped = error.kind() == ErrorKind::Full && !error.is_engine_failure();
            let counter = if dropped { &self.dropped } else { &self.failures };
            counter.fetch_add(1, Ordering::Relaxed);
            if error.kind() == ErrorKind::Timeout {
                self.timeouts.fetch_add(1, Ordering::Relaxed);
                if self.capability.blocking {
                    self.running().flow.was_slow(self.running().flow.now());
                }
            }
        }
        let (calls, turn) = (permit.calls(), permit.settle(answer.as_ref().err()));
        match (turn, &answer) {
            (Turn::Opened, Err(error)) => {
                let times = self.running().told.hear(error, Instant::now());
                self.circuit(calls).tell(times.is_some());
                self.happened(&Event::Opened { calls, error, times });
            }
            (Turn::Closed { after, told }, _) => self.happened(&Event::Closed { calls, after, told }),
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

fn late() -> Error {
    Error::new(ErrorKind::Timeout, "call the engine: its time budget is over")
}

/// A future whose panic is an error.
struct Caught<'a, T>(EngineFuture<'a, T>);

impl<T> Future for Caught<'_, T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        catch_unwind(AssertUnwindSafe(|| Pin::new(&mut self.0).poll(context)))
            .unwrap_or_else(|_| Poll::Ready(Err(panicked())))
    }
}

impl fmt::Debug for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guarded")
            .field("name", &self.0.name)
            .field("circuit", &self.circuit())
            .field("stats", &self.stats())
            .finish()
    }
}

/// A method of [`Engine`] through the guard: `$copy` are what the helper thread needs copies of.
macro_rules! guard {
    ($self:ident, $calls:ident, $budget:expr, |$engine:ident| $call:expr, copying { $($copy:ident = $of:expr),* }) => {
        $self.0.call(Calls::$calls, $budget, move |$engine| $call, move || {
            $(let $copy = $of;)*
            Box::new(move |$engine| {
                $(let $copy = &$copy;)*
                block_on($call)
            })
        })
    };
}

impl Engine for Guarded {
    fn name(&self) -> &str {
        &self.0.name
    }

    /// That of the engine, but that it may wait where the engine blocks.
    fn capability(&self) -> Capability {
        Capability { blocking: false, hangs: false, ..self.0.capability }
    }

    fn get<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, Option<Entry>> {
        guard!(self, Reads, self.0.options.budget, |engine| engine.get(key), copying { key = *key })
    }

    fn put<'a>(&'a self, key: &'a Key, entry: &'a Entry) -> EngineFuture<'a, ()> {
        guard!(self, Writes, self.0.options.budget, |engine| engine.put(key, entry), copying {
            key = *key,
            entry = entry.clone()
        })
    }

    fn remove<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, bool> {
        guard!(self, Writes, self.0.options.budget, |engine| engine.remove(key), copying { key = *key })
    }

    fn clear<'a>(&'a self, space: &'a Space) -> EngineFuture<'a, ()> {
        guard!(self, Writes, self.0.options.budget, |engine| engine.clear(space), copying { space = *space })
    }

    fn look<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, (Option<Entry>, Witness)> {
        guard!(self, Reads, self.0.options.budget, |engine| engine.look(key), copying { key = *key })
    }

    fn put_if<'a>(&'a self, key: &'a Key, entry: &'a Entry, witness: Witness) -> EngineFuture<'a, bool> {
        guard!(self, Writes, self.0.options.budget, |engine| engine.put_if(key, entry, witness), copying {
            key = *key,
            entry = entry.clone()
        })
    }

    fn get_many<'a>(&'a self, keys: &'a [Key]) -> EngineFuture<'a, Vec<Option<Entry>>> {
        guard!(self, Reads, self.0.options.budget, |engine| engine.get_many(keys), copying { keys = keys.to_vec() })
    }

    fn put_many<'a>(&'a self, entries: &'a [(Key, Entry)]) -> EngineFuture<'a, ()> {
        guard!(self, Writes, self.0.options.budget, |engine| engine.put_many(entries), copying {
            entries = entries.to_vec()
        })
    }

    fn remove_many<'a>(&'a self, keys: &'a [Key]) -> EngineFuture<'a, usize> {
        guard!(self, Writes, self.0.options.budget, |engine| engine.remove_many(keys), copying { keys = keys.to_vec() })
    }

    fn keys<'a>(
        &'a self,
        space: &'a Space,
        after: Option<&'a Key>,
        limit: usize,
    ) -> EngineFuture<'a, Vec<Key>> {
        self.0.call(
            Calls::Reads,
            LEISURE,
            move |engine| engine.keys(space, after, limit),
            move || {
                let (space, after) = (*space, after.copied());
                Box::new(move |engine| block_on(engine.keys(&space, after.as_ref(), limit)))
            },
        )
    }

    fn lease<'a>(&'a self, key: &'a Key, ttl: Duration) -> EngineFuture<'a, Option<Lease>> {
        guard!(self, Writes, self.0.options.budget, |engine| engine.lease(key, ttl), copying { key = *key })
    }

    fn renew<'a>(&'a self, key: &'a Key, lease: &'a Lease, ttl: Duration) -> EngineFuture<'a, bool> {
        guard!(self, Writes, self.0.options.budget, |engine| engine.renew(key, lease, ttl), copying {
            key = *key,
            lease = *lease
        })
    }

    fn release<'a>(&'a self, key: &'a Key, lease: &'a Lease) -> EngineFuture<'a, bool> {
        guard!(self, Writes, self.0.options.budget, |engine| engine.release(key, lease), copying {
            key = *key,
            lease = *lease
        })
    }

    fn watch(&self, space: &Space, watcher: Watcher) {
        self.0.engine.watch(space, watcher);
    }

    fn flush(&self) -> EngineFuture<'_, ()> {
        guard!(self, Writes, LEISURE, |engine| engine.flush(), copying {})
    }

    fn unwritten(&self) -> Option<usize> {
        self.0.engine.get()?.engine.unwritten()
    }
}

/// The budget of what nobody does on the way to a result.
const LEISURE: Duration = Duration::from_secs(30);

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::*;
    use crate::testing::{Double, Mood};
    use std::sync::Mutex;

    fn key(number: u8) -> Key {
        Key { space: Space([1; 16]), digest: [number; 32] }
    }

    fn quick() -> GuardOptions {
        GuardOptions {
            budget: Duration::from_millis(40),
            backoff: Duration::from_millis(30),
            max_backoff: Duration::from_millis(60),
            ..GuardOptions::default()
        }
    }

    #[test]
    fn failures_in_a_row_open_the_circuit_and_a_probe_closes_it() {
        let double = Double::new("double");
        let told = Arc::new(Mutex::new(Vec::new()));
        let hook = {
            let told = Arc::clone(&told);
            move |name: &str, event: &Event<'_>| {
                let what = match event {
                    Event::Opened { error, times, .. } => format!("opened: {error}, {times:?}"),
                    Event::Closed { told, .. } => format!("closed, {told}"),
                };
                told.lock().unwrap().push(format!("{name} {what}"));
            }
        };
        let guarded = Guarded::new(double.clone(), quick()).on_event(hook);
        double.set(Mood::Failing(ErrorKind::Io));
        for _ in 0..3 {
            assert_eq!(block_on(guarded.get(&key(0))).unwrap_err().kind(), ErrorKind::Io);
        }
        assert_eq!(guarded.circuit(), CircuitState::Open);
        let calls = double.calls();
        for _ in 0..100 {
            assert_eq!(block_on(guarded.get(&key(0))).unwrap_err().kind(), ErrorKind::Unavailable);
        }
        assert_eq!(double.calls(), calls, "an open circuit lets nobody through");

        std::thread::sleep(Duration::from_millis(35));
        assert_eq!(guarded.circuit(), CircuitState::HalfOpen);
        block_on(guarded.get(&key(0))).unwrap_err();
        assert_eq!(double.calls(), calls + 1, "one probe");
        double.set(Mood::Well);
        std::thread::sleep(Duration::from_millis(65));
        block_on(guarded.get(&key(0))).unwrap();
        assert_eq!(guarded.circuit(), CircuitState::Closed);
        assert_eq!(
            *told.lock().unwrap(),
            ["double opened: do as it was told (double: i/o), Some(1)", "double closed, true"]
        );
        assert_eq!(guarded.stats().opened, 1);
    }

    #[test]
    fn a_probe_that_is_given_up_lets_another_try() {
        let double = Double::new("double").claiming(Capability {
            blocking: true,
            hangs: true,
            ..Capability::default()
        });
        let guarded = Guarded::new(double.clone(), quick());
        double.set(Mood::Failing(ErrorKind::Unavailable));
        block_on(guarded.get(&key(0))).unwrap_err();
        std::thread::sleep(Duration::from_millis(35));
        double.set(Mood::Well);
        drop(guarded.get(&key(0)));
        std::thread::sleep(Duration::from_millis(65));
        block_on(guarded.get(&key(0))).unwrap();
        assert_eq!(guarded.circuit(), CircuitState::Closed);
    }

    #[test]
    fn who_comes_after_an_engine_has_begun_to_hang_is_out_within_the_budget() {
        let double = Double::new("double");
        let guarded = Guarded::new(double.clone(), quick());
        block_on(guarded.get(&key(0))).unwrap();
        double.set(Mood::Hanging);
        let inside = {
            let guarded = guarded.clone();
            std::thread::spawn(move || drop(block_on(guarded.get(&key(0)))))
        };
        std::thread::sleep(Duration::from_millis(100));
        for _ in 0..10 {
            let begun = Instant::now();
            block_on(guarded.get(&key(0))).unwrap_err();
            assert!(begun.elapsed() < Duration::from_millis(400), "{:?}", begun.elapsed());
        }
        assert_ne!(guarded.circuit(), CircuitState::Closed);
        double.set(Mood::Well);
        inside.join().unwrap();
        let until = Instant::now() + Duration::from_secs(2);
        while block_on(guarded.get(&key(0))).is_err() {
            assert!(Instant::now() < until, "it is back, and not used");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn an_engine_of_which_hanging_is_expected_keeps_nobody() {
        let hangs = Capability { blocking: true, hangs: true, ..Capability::default() };
        let double = Double::new("double").claiming(hangs);
        keeps_nobody(&double, &Guarded::new(double.clone(), quick()));
    }

    #[test]
    fn what_turns_out_to_hang_when_it_is_built_keeps_nobody() {
        let double = Double::new("double").claiming(Capability {
            blocking: true,
            hangs: true,
            ..Capability::default()
        });
        let build = {
            let double = double.clone();
            move || Ok(Arc::new(double.clone()) as Arc<dyn Engine>)
        };
        let expected = Capability { blocking: true, ..Capability::default() };
        keeps_nobody(&double, &Guarded::build("double", expected, build, quick()));
    }

    #[test]
    fn a_strict_guard_has_no_engine_keep_anybody() {
        let blocks = Capability { blocking: true, ..Capability::default() };
        let double = Double::new("double").claiming(blocks);
        let options = GuardOptions { strict: true, ..quick() };
        keeps_nobody(&double, &Guarded::new(double.clone(), options));
    }

    /// Not even those who come as it begins to hang.
    fn keeps_nobody(double: &Double, guarded: &Guarded) {
        block_on(guarded.put(&key(0), &Entry::new(vec![1]))).unwrap();
        double.set(Mood::Hanging);
        for _ in 0..20 {
            let begun = Instant::now();
            block_on(guarded.get(&key(0))).unwrap_err();
            assert!(begun.elapsed() < Duration::from_millis(400), "{:?}", begun.elapsed());
        }
        double.set(Mood::Well);
    }

    #[test]
    fn an_engine_that_cannot_be_built_is_built_later() {
        let there = Arc::new(AtomicBool::new(false));
        let build = {
            let there = Arc::clone(&there);
            move || match there.load(Ordering::Relaxed) {
                true => Ok(Arc::new(Double::new("late")) as Arc<dyn Engine>),
                false => Err(Error::new(ErrorKind::Unavailable, "open the archive")),
            }
        };
        let capability = Capability { blocking: true, ..Capability::default() };
        let guarded = Guarded::build("late", capability, build, quick());
        assert_eq!(block_on(guarded.get(&key(0))).unwrap_err().engine(), "late");
        assert_eq!(guarded.circuit(), CircuitState::Open, "believed at once");
        there.store(true, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(35));
        block_on(guarded.put(&key(0), &Entry::new(vec![1]))).unwrap();
        assert!(block_on(guarded.get(&key(0))).unwrap().is_some());
    }

    #[test]
    fn a_panic_in_an_engine_is_an_error() {
        let double = Double::new("double");
        let guarded = Guarded::new(double.clone(), quick());
        double.set(Mood::Panicking);
        assert_eq!(block_on(guarded.get(&key(0))).unwrap_err().kind(), ErrorKind::Other);
    }

    #[test]
    fn promise_18_an_engine_that_is_not_written_is_still_read_and_people_hear_of_it_once() {
        let double = Double::new("double");
        let told = Arc::new(Mutex::new(Vec::new()));
        let hook = {
            let told = Arc::clone(&told);
            move |_: &str, event: &Event<'_>| {
                told.lock().unwrap().push(match event {
                    Event::Opened { calls, times, .. } => (*calls, "opened", times.is_some()),
                    Event::Closed { calls, told, .. } => (*calls, "closed", *told),
                });
            }
        };
        let guarded = Guarded::new(double.clone(), quick()).on_event(hook);
        let entry = Entry::new(vec![1]);
        block_on(guarded.put(&key(0), &entry)).unwrap();
        for _ in 0..3 {
            double.set(Mood::NotWriting(ErrorKind::Full));
            for _ in 0..100 {
                block_on(guarded.put(&key(1), &entry)).unwrap_err();
                block_on(guarded.lease(&key(1), Duration::from_secs(1))).unwrap_err();
                assert_eq!(block_on(guarded.get(&key(0))).unwrap().as_ref(), Some(&entry));
            }
            assert_eq!(guarded.circuit_of(Calls::Writes), CircuitState::Open);
            assert_eq!(guarded.circuit_of(Calls::Reads), CircuitState::Closed);
            assert_eq!(guarded.circuit(), CircuitState::Open);
            double.set(Mood::Well);
            std::thread::sleep(Duration::from_millis(70));
            block_on(guarded.put(&key(1), &entry)).unwrap();
        }
        assert_eq!(guarded.circuit(), CircuitState::Closed);
        assert_eq!(guarded.stats().opened, 3);
        let silent = [(Calls::Writes, "opened", false), (Calls::Writes, "closed", false)];
        let first = [(Calls::Writes, "opened", true), (Calls::Writes, "closed", true)];
        assert_eq!(*told.lock().unwrap(), [first, silent, silent].concat());
    }

    #[test]
    fn one_entry_that_is_too_large_opens_nothing() {
        let double = Double::new("double");
        let guarded = Guarded::new(double.clone(), quick());
        double.set(Mood::Failing(ErrorKind::TooLarge));
        for _ in 0..10 {
            block_on(guarded.put(&key(0), &Entry::new(vec![1]))).unwrap_err();
        }
        assert_eq!(guarded.circuit(), CircuitState::Closed);
    }
}
