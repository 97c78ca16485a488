//! Events and spans for [`tracing`], under the target `memo`.
//!
//! Whether a subscriber wants hits decides whether calls leave the fast path. A hit does not ask `tracing` for that:
//! [`Calls`] is a call site of our own, whose interest `tracing` tells it whenever subscribers change, and which is
//! [`Pending`] while there is any.

mod keys;

use std::future::Future;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::field::{DisplayValue, display};
use tracing::instrument::{Instrument, Instrumented};
use tracing_core::callsite::{Callsite, Identifier};
use tracing_core::field::FieldSet;
use tracing_core::subscriber::Interest;
use tracing_core::{Kind, Level, Metadata};

use crate::directive::pending::Pending;
use crate::event::kind::Event;

pub use keys::{Keys, Shown, log_keys, show};
pub(crate) use keys::{Show, are_shown};

const TARGET: &str = "memo";

/// A call site that stands for all events about calls: it has their level.
struct Calls {
    /// A subscriber is interested, so calls are asked to tell.
    wanted: AtomicBool,
}

static CALLS: Calls = Calls { wanted: AtomicBool::new(false) };

static METADATA: Metadata<'static> = Metadata::new(
    "calls",
    TARGET,
    Level::TRACE,
    None,
    None,
    Some(module_path!()),
    FieldSet::new(&[], Identifier(&CALLS)),
    Kind::EVENT,
);

impl Callsite for Calls {
    fn set_interest(&self, interest: Interest) {
        let wanted = !interest.is_never();
        if self.wanted.swap(wanted, Ordering::Relaxed) != wanted {
            if wanted { Pending::begin() } else { Pending::end() }
        }
    }

    fn metadata(&self) -> &Metadata<'_> {
        &METADATA
    }
}

/// Has subscribers asked from now on. To be called before the first call of a function.
pub(crate) fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing_core::callsite::register(&CALLS));
}

/// Whether a subscriber of this thread wants hits and misses.
pub(crate) fn hears_calls() -> bool {
    tracing::enabled!(target: TARGET, Level::TRACE)
}

/// Whether a subscriber of this thread wants anything that may have a key in it: a span, or an event about a call.
pub(crate) fn shows_keys() -> bool {
    tracing::enabled!(target: TARGET, Level::DEBUG)
}

/// Whether any subscriber of the process may want to be told that a result was stored.
#[inline]
pub(crate) fn may_hear() -> bool {
    tracing::level_filters::LevelFilter::current() >= Level::DEBUG
}

/// Tells subscribers of an event. What is for people as well goes through [`warn`] and [`error`].
pub(crate) fn tell(event: &Event<'_>, key: Option<&str>) {
    let key: Option<DisplayValue<&str>> = key.map(display);
    match *event {
        Event::Hit { function, engine, time, stale } => {
            // a field that is there where it says something
            let stale = stale.then_some(true);
            tracing::trace!(target: TARGET, function, engine, time = ?time, stale, key, "hit");
        }
        Event::Miss { function } => tracing::trace!(target: TARGET, function, key, "miss"),
        Event::Waited { function, time } => {
            tracing::trace!(target: TARGET, function, time = ?time, key, "waited");
        }
        Event::Computed { function, time } => {
            tracing::trace!(target: TARGET, function, time = ?time, key, "computed");
        }
        Event::Unfinished { function, time } => {
            tracing::trace!(target: TARGET, function, time = ?time, key, "unfinished");
        }
        Event::Stored { function } => tracing::debug!(target: TARGET, function, key, "stored"),
        Event::Renewed { function, time } => {
            tracing::debug!(target: TARGET, function, time = ?time, key, "renewed");
        }
        Event::RenewalFailed { function, failures, next } => {
            tracing::debug!(target: TARGET, function, failures, next = ?next, key, "renewal failed");
        }
        Event::RenewalRefused { function } => {
            tracing::debug!(target: TARGET, function, key, "renewal refused");
        }
        Event::StaleInstead { function } => tracing::debug!(target: TARGET, function, key, "stale instead"),
        Event::Misfit { function, engine, reason } => {
            tracing::debug!(target: TARGET, function, engine, reason, "misfit");
        }
        Event::EngineFailed { function, engine, error } => {
            tracing::debug!(target: TARGET, function, engine, error, "engine failed");
        }
        Event::CircuitOpened { .. } | Event::CircuitClosed { .. } => {}
    }
}

/// Gives a line at the level WARN to the subscriber, who decides about it. False if the process has none.
pub(crate) fn warn(engine: Option<&str>, message: &str) -> bool {
    let has_subscriber = tracing::dispatcher::has_been_set();
    if has_subscriber {
        tracing::warn!(target: TARGET, engine, "{message}");
    }
    has_subscriber
}

/// Gives a line at the level ERROR to the subscriber, who decides about it. False if the process has none.
#[cfg(feature = "config")]
pub(crate) fn error(message: &str) -> bool {
    let has_subscriber = tracing::dispatcher::has_been_set();
    if has_subscriber {
        tracing::error!(target: TARGET, "{message}");
    }
    has_subscriber
}

/// The span that a computation runs in.
pub(crate) struct Span(tracing::Span);

/// While it lives, what happens on this thread is within its span.
pub(crate) use tracing::span::EnteredSpan;

impl Span {
    /// The span of a computation of the function called `function`.
    pub(crate) fn of(function: &str, key: impl FnOnce() -> Option<String>) -> Self {
        if !shows_keys() {
            return Span(tracing::Span::none());
        }
        let key = key();
        Span(tracing::debug_span!(target: TARGET, "memo.compute", function, key = key.as_ref().map(display)))
    }

    /// The span of a renewal behind the call that runs now. It is no part of that call's span, and follows from it.
    pub(crate) fn of_renewal(function: &str, key: Option<&str>) -> Self {
        if !shows_keys() {
            return Span(tracing::Span::none());
        }
        let key = key.map(display);
        let span = tracing::debug_span!(target: TARGET, parent: None, "memo.renew", function, key);
        span.follows_from(tracing::Span::current());
        Span(span)
    }

    /// Enters it, until what this gives is dropped.
    pub(crate) fn enter(self) -> EnteredSpan {
        self.0.entered()
    }

    /// Enters it whenever `body` is polled.
    pub(crate) fn around<B: Future>(self, body: B) -> Instrumented<B> {
        body.instrument(self.0)
    }
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use super::*;
    use tracing_core::span::{Attributes, Id, Record};
    use tracing_core::{Dispatch, Event, Subscriber};

    /// Wants what is of this level or more important.
    struct Wants(Level);

    impl Subscriber for Wants {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            *metadata.level() <= self.0
        }
        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }
        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, _: &Event<'_>) {}
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    #[test]
    fn calls_are_asked_to_tell_only_while_a_subscriber_wants_them() {
        let wanted = || {
            tracing_core::callsite::rebuild_interest_cache();
            CALLS.wanted.load(Ordering::Relaxed)
        };
        register();
        assert!(!wanted());
        for (level, wants) in [(Level::TRACE, true), (Level::DEBUG, false), (Level::TRACE, true)] {
            let subscriber = Dispatch::new(Wants(level));
            tracing::dispatcher::with_default(&subscriber, || {
                assert_eq!((wanted(), hears_calls()), (wants, wants), "{level}");
            });
            drop(subscriber);
        }
        assert!(!wanted());
    }
}
