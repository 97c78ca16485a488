//! Scopes: how memoized functions behave for as long as a guard lives, a closure runs or a future is polled.
//!
//! A [`Scope`] is a list of [`Layer`]s, each with the fields that one builder has set. What is in force on a thread is a
//! [stack](stack) of them. A call [asks](Asked) what they say of its function, field by field, the innermost first; as
//! long as nobody in the process has a scope, that question is one relaxed load (see [`directive`](crate::directive)).

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::directive::kind::Directive;
use crate::names::EngineNames;
use crate::pattern::Pattern;

mod any_variant;
mod asked;
mod call;
mod choice;
mod entered;
mod layer;
mod lifetime;
mod options;
mod realm;
mod recording;
mod stack;
mod typed;
mod variants;

pub(crate) use any_variant::AnyVariant;
pub(crate) use asked::Asked;
pub(crate) use call::{Answered, Call, Failed};
pub use entered::{InScope, ScopeGuard};
pub use lifetime::{IntoLifetime, IntoRefreshAhead};
pub(crate) use options::OfCall;
pub use recording::{Answer, RecordedCall, Recording};
pub(crate) use stack::is_empty;
pub(crate) use typed::Origin;
pub(crate) use variants::Variants;

use layer::Layer;
use options::Names;
use realm::Realm;
use stack::{Installed, Open};

/// How memoized functions are to behave: made by [`scope()`](crate::scope()), then [entered](Scope::enter), or given a
/// closure ([`with`](Scope::with)) or a future ([`run`](Scope::run)).
///
/// What is not set stays as it is. Scopes nest: of each field, the innermost scope that sets it and is for the function
/// in question ([`only`](Scope::only)) says how it is. Threads and tasks that are spawned start without any; hand them
/// [`Scope::current()`].
///
/// What the companion of a function is told (`f::uncached`, `f::refresh`) counts for more than scopes.
#[derive(Clone, Default)]
#[must_use = "a scope does nothing until it is entered, or runs something"]
pub struct Scope {
    /// What was in force where it was [taken](Scope::current), outermost first.
    outer: Vec<Arc<Layer>>,
    own: Layer,
}

fn names(engines: impl EngineNames) -> Names {
    engines.into_names().into()
}

/// A scope in which everything is as it is, to be changed: see [`Scope`].
///
/// ```
/// #[memo::memoize]
/// fn square(n: u64) -> u64 {
///     n * n
/// }
///
/// let guard = memo::scope().bypass().enter();
/// square(3); // computed, and not stored
/// drop(guard);
/// assert_eq!(square::peek(3), None);
/// ```
pub fn scope() -> Scope {
    Scope::default()
}

impl Scope {
    /// All that is in force on this thread now, to be entered on another thread, in a task or in a job.
    ///
    /// ```
    /// #[memo::memoize]
    /// fn square(n: u64) -> u64 {
    ///     n * n
    /// }
    ///
    /// let _guard = memo::scope().namespace("tenant-42").enter();
    /// let scope = memo::Scope::current();
    /// std::thread::spawn(move || scope.with(|| square(3))).join().unwrap();
    /// assert_eq!(square::peek(3), Some(9));
    /// ```
    pub fn current() -> Scope {
        Scope { outer: stack::layers(), own: Layer::default() }
    }

    /// Only for functions whose name matches `pattern`, in which `*` stands for any run of characters, `::` included. The
    /// name is crate, module path, type and function, or what the option `name` says.
    ///
    /// It is about this scope's own fields; scopes around it, and in it, are as they were.
    ///
    /// ```
    /// let _guard = memo::scope().only("app::rates::*").ttl("10s").enter();
    /// ```
    pub fn only(mut self, pattern: &str) -> Self {
        self.own.only = Some(Pattern::new(pattern));
        self
    }

    /// Calls neither read nor write: each computes, waits for nobody, and nobody waits for it.
    pub fn bypass(self) -> Self {
        self.directed(Directive::Bypass)
    }

    /// Calls do not read: each computes, and replaces what is stored.
    pub fn refresh(self) -> Self {
        self.directed(Directive::Refresh)
    }

    /// Calls read and never write. What is found in a farther engine is not put into nearer ones either. Calls that
    /// miss one key at the same time share one computation, as ever.
    ///
    /// What the companion is told to do (`insert`, `invalidate`, `clear`) it does.
    pub fn read_only(self) -> Self {
        self.directed(Directive::ReadOnly)
    }

    fn directed(mut self, directive: Directive) -> Self {
        self.own.directive = Some(directive);
        self
    }

    /// In place of the option `ttl`: how long what is stored under this scope lives. What is stored already stays as
    /// it is. (A lifetime by `ttl_of`, or by `cache_err`, is another option, and counts for more than `ttl` here too.)
    ///
    /// A [`Duration`](std::time::Duration), or text as in the attribute: `"1h30m"`.
    ///
    /// # Panics
    ///
    /// If the text is no duration.
    #[track_caller]
    pub fn ttl(mut self, ttl: impl IntoLifetime) -> Self {
        self.own.of_call.ttl = Some(ttl.into_lifetime());
        self
    }

    /// In place of the option `stale`: for how long after its lifetime a result answers calls at once, while one computation
    /// renews it. It is about what calls under this scope accept: with `"0s"` no stale result answers, and the call computes. What
    /// is stored under it is kept so long as well, or for as long as the function says if that is longer; what is stored
    /// already stays as it is.
    ///
    /// ```
    /// # #[memo::memoize(ttl = "5m", stale = "1h")]
    /// # fn rate(currency: &str) -> f64 { 1.0 }
    /// // this call needs one that is fresh
    /// let rate = memo::scope().stale("0s").with(|| rate("EUR"));
    /// ```
    ///
    /// # Panics
    ///
    /// If the text is no duration.
    #[track_caller]
    pub fn stale(mut self, stale: impl IntoLifetime) -> Self {
        self.own.of_call.stale = Some(stale.into_lifetime());
        self
    }

    /// In place of the option `stale_if_error`: for how long after its lifetime a result answers calls whose computation
    /// fails. What [`stale`](Scope::stale) says of what is stored and what is accepted holds here too.
    ///
    /// # Panics
    ///
    /// If the text is no duration.
    #[track_caller]
    pub fn stale_if_error(mut self, stale: impl IntoLifetime) -> Self {
        self.own.of_call.stale_if_error = Some(stale.into_lifetime());
        self
    }

    /// In place of the option `refresh_ahead`: when hits have a result renewed that is still fresh. A part of its lifetime, such
    /// as `0.8`; `"auto"`: by chance; or `"none"`.
    ///
    /// # Panics
    ///
    /// If it is neither a part between 0 and 1 nor such a word.
    #[track_caller]
    pub fn refresh_ahead(mut self, ahead: impl IntoRefreshAhead) -> Self {
        self.own.of_call.refresh_ahead = Some(lifetime::refresh_ahead(&ahead.into_written()));
        self
    }

    /// In place of the option `jitter`: by how much lifetimes of what is stored under this scope are shorter at most, by chance,
    /// such as `"10%"`; or `"none"`.
    ///
    /// # Panics
    ///
    /// If it is no percentage below 100.
    #[track_caller]
    pub fn jitter(mut self, most: &str) -> Self {
        self.own.of_call.jitter = Some(lifetime::jitter(most));
        self
    }

    /// In place of the option `engine`: where results live, nearest first. They are looked for there and not elsewhere.
    /// `"auto"` leaves it to the strategy.
    ///
    /// An engine that is not registered is left out; that is said once. Results that cannot be written as bytes stay in
    /// memory.
    pub fn engine(mut self, engines: impl EngineNames) -> Self {
        self.own.of_record.engines = Some(names(engines));
        self
    }

    /// In place of the option `fallback`: what stands in while engines that outlive the process are unavailable. With
    /// `"none"`, calls compute meanwhile.
    pub fn fallback(mut self, engines: impl EngineNames) -> Self {
        self.own.of_record.fallback = Some(names(engines));
        self
    }

    /// A cache of its own, in every tier, shared by all who use this name.
    ///
    /// In memory, each function keeps those 256 namespaces that were used last, each with the capacity of the function.
    /// In engines that outlive the process they stay.
    ///
    /// The companion acts on the namespace in force. `clear` outside of any acts on them all.
    pub fn namespace(mut self, namespace: impl Into<Arc<str>>) -> Self {
        self.own.namespace = Some(namespace.into());
        self
    }

    /// A fresh cache that nobody else sees, in memory unless the scope says [`engine`](Scope::engine). It is dropped
    /// with the last guard, clone or [handle](Scope::current) of this scope. For tests.
    ///
    /// A [`namespace`](Scope::namespace) in it is one within the isolation, which it does not leave.
    pub fn isolated(mut self) -> Self {
        self.own.realm = Some(Realm::new());
        self
    }

    /// Writes down each call, in a [`Recording`] that [`recording`](Scope::recording) hands out. Recordings of scopes
    /// around this one go on.
    pub fn record(mut self) -> Self {
        self.own.recording = Some(Recording::default());
        self
    }

    /// What is recorded; always empty if this scope does not [record](Scope::record).
    pub fn recording(&self) -> Recording {
        self.own.recording.clone().unwrap_or_default()
    }

    fn open(self) -> Arc<Open> {
        let mut layers = self.outer;
        layers.push(Arc::new(self.own));
        Arc::new(Open::new(layers))
    }

    /// Puts the scope in force on this thread, until the guard is dropped.
    ///
    /// Guards may be dropped in any order. One that is never dropped (`mem::forget`) keeps its scope in force until its
    /// thread ends, or what it was entered in (see [`with`](Scope::with) and [`run`](Scope::run)); no other thread and
    /// no other guard notices.
    ///
    /// A guard stays on its thread. In an `async fn`, use [`run`](Scope::run): other tasks of the thread
    /// would run under a guard that is held across an `.await`, unless the task itself runs in a scope.
    ///
    /// ```compile_fail
    /// let guard = memo::scope().bypass().enter();
    /// std::thread::spawn(move || drop(guard));
    /// ```
    pub fn enter(self) -> ScopeGuard {
        let recording = self.own.recording.clone();
        let open = self.open();
        let guard = ScopeGuard { open: Arc::downgrade(&open), recording, _of_this_thread: PhantomData };
        stack::push(open);
        guard
    }

    /// Calls `work` in the scope. Scopes that are entered in it end with it.
    ///
    /// ```
    /// #[memo::memoize]
    /// fn square(n: u64) -> u64 {
    ///     n * n
    /// }
    ///
    /// assert_eq!(memo::scope().bypass().with(|| square(3)), 9);
    /// assert_eq!(square::peek(3), None);
    /// ```
    pub fn with<R>(self, work: impl FnOnce() -> R) -> R {
        let mut opens = vec![self.open()];
        let _installed = Installed::new(&mut opens);
        work()
    }

    /// The future, in the scope whenever it is polled, on whatever thread. Between polls the thread is as it was.
    /// Scopes that are entered in it stay with it, also across an `.await`, and end with it.
    ///
    /// ```
    /// # async fn handle(request: u32) -> u32 { request }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let request = 1;
    /// memo::scope().refresh().run(handle(request)).await;
    /// # }
    /// ```
    pub fn run<F: Future>(self, future: F) -> InScope<F> {
        InScope { future, opens: vec![self.open()] }
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").field("outer", &self.outer.len()).field("own", &self.own).finish()
    }
}
