//! Memoize functions with one attribute.
//!
//! ```
//! use memo::memoize;
//!
//! #[memoize(capacity = 1_000, ttl = "5m")]
//! fn length(text: &str) -> usize {
//!     text.chars().count() // runs once for each text, as long as its result is kept
//! }
//!
//! assert_eq!(length("memo"), 4);
//! assert_eq!(length("memo"), 4);
//! assert_eq!(length::stats().hits, 1);
//! ```
//!
//! [`#[memoize]`](macro@memoize) goes on functions, `async` or not, and methods, generic or not. Callers see the
//! signature that is written. Its options are listed [there](macro@memoize).
//!
//! # What is kept
//!
//! The key is all the arguments, compared whole: anything that is `Hash + Eq` and can be cloned, and floats.
//! Borrowed arguments are looked up as they are: a hit makes no copy of them. `skip(a)` leaves an argument out,
//! `key = expression` replaces them all. Type parameters are part of the key. How `self` is, [`Instance`] says.
//!
//! A result is kept in memory, among at most 10,000 of its function unless `capacity` or `max_weight` says
//! otherwise, until it makes room for another or its lifetime ends. It needs to be
//! `Clone + Send + Sync + 'static`, and each hit clones it: return an [`Arc`](std::sync::Arc) where that is dear. Of
//! a `Result` only an `Ok` is kept, unless `cache_err` is set.
//!
//! ```
//! use memo::memoize;
//! use std::{fs, io, path::Path, sync::Arc};
//!
//! #[memoize]
//! fn read(path: &Path) -> io::Result<Arc<str>> {
//!     Ok(fs::read_to_string(path)?.into())
//! }
//!
//! assert!(read(Path::new("no such file")).is_err()); // not kept: the next call tries again
//! assert!(read::peek(Path::new("no such file")).is_none());
//! ```
//!
//! # Control
//!
//! Beside a memoized `fn f` stands a type `f`, its companion. Functions and types have separate namespaces:
//! `f(4)` calls, and `f::peek(4)` looks. Of a generic function, type parameters that no argument tells are given
//! as usual: `f::plan::<u32>()`. Methods have the same as `<method>_memo()`, which returns a [`MethodControl`].
//!
//! ```
//! use memo::memoize;
//!
//! #[memoize]
//! fn square(n: u64) -> u64 {
//!     n * n
//! }
//!
//! square::warm(0..10); // compute what is missing
//! assert_eq!(square::peek(3), Some(9)); // look, compute nothing
//! square::insert(100, 10_000)?; // put a result in
//! assert_eq!(square::uncached(4), 16); // run the body, whatever is stored
//! assert_eq!(square::refresh(4), 16); // run it, replace what is stored
//! square::invalidate(3)?; // drop one entry
//! square::clear()?; // drop them all
//! println!("{}\n{}", square::stats(), square::plan());
//! # Ok::<(), memo::Error>(())
//! ```
//!
//! [`functions()`], [`function()`] and [`report()`] are for all memoized functions together; [`on_event`] tells a
//! callback what happens as it happens.
//!
//! # Scopes
//!
//! A [`scope()`] changes how memoized functions behave on this thread, in a closure, or in a future: without the cache,
//! with fresh results, in a cache of its own.
//!
//! ```
//! # #[memo::memoize]
//! # fn square(n: u64) -> u64 {
//! #     n * n
//! # }
//! let guard = memo::scope().isolated().record().enter(); // as a test would
//! square(5);
//! assert_eq!(guard.recording().computes("*::square"), 1);
//! drop(guard);
//! assert_eq!(square::peek(5), None);
//! ```
//!
//! # What you can rely on
//!
//! * Calls that miss one key at the same time share one computation, threads and tasks alike. If it panics, or its
//!   future is dropped, one of those who wait takes over. A wait that would close a cycle is not begun: that call
//!   computes.
//! * An invalidation wins over a computation that is under way.
//! * A cache problem never changes what a function returns.
//! * Entries are bounded, expired ones are never returned, and leave without being asked for.
//! * `async` functions need no particular executor.
//!
//! What it cannot do for you: know that a result depends on something outside of its key; find cycles through
//! waits that it cannot see (join handles, channels, latches of thread pools); go on with a future that you keep
//! and do not poll.
//!
//! # Features
//!
//! | cargo feature | default | what it adds |
//! |---|---|---|
//! | `moka` | off | `engine = "moka"`: the moka crate as the store |
//! | `engines` | off | engines that outlive the process: your own, and tiers of them behind memory |
//! | `disk` | off | `engine = "disk"`: results in a directory of this machine that processes share |
//! | `redis` | off | `engine = "redis"`: results in Redis or Valkey that machines share |
//! | `config` | off | settings from a file, from the environment and from code: `memo::init` |
//! | `tracing` | off | events and spans for the crate `tracing` |
//! | `testing` | off | `memo::testing`: for the tests of your program |
//! | `messagepack`, `json` | off | the codecs of these names for stored results |
#![warn(missing_docs)]

mod background;
mod body;
mod by_thread;
mod call;
mod callee;
mod clock;
mod companion;
#[cfg(feature = "config")]
pub mod config;
#[cfg(not(feature = "config"))]
#[path = "config/absent.rs"]
mod config;
mod control;
mod counters;
mod directive;
#[cfg(feature = "engines")]
mod engines;
mod error;
mod event;
#[cfg_attr(not(feature = "engines"), path = "far/absent.rs")]
mod far;
mod flight;
mod fork;
mod function;
mod functions;
mod hooks;
mod instance;
mod key;
#[cfg_attr(not(feature = "engines"), path = "lasting/absent.rs")]
mod lasting;
mod memo;
mod memoized;
mod names;
mod near;
mod outcome;
mod park;
#[cfg_attr(not(feature = "config"), allow(dead_code, reason = "the configuration asks for more"))]
mod pattern;
mod per_process;
mod plan;
mod pool;
mod record;
mod registry;
mod renewals;
mod renewed;
mod report;
mod route;
mod scope;
mod settings;
mod shutdown;
mod signpost;
mod single;
mod site;
mod stats;
mod stored;
#[cfg(feature = "engines")]
mod strategy;
mod sweep;
mod sync;
#[cfg(feature = "testing")]
pub mod testing;
mod thrash;
#[cfg_attr(not(feature = "tracing"), path = "trace/absent.rs")]
mod trace;
mod units;
mod versions;
mod warn;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use memo_macros::{Instance, memoize};

pub use companion::Companion;
#[cfg(feature = "config")]
pub use config::{Config, config, init, reload};
pub use control::{AsyncMethodControl, MethodControl};
#[cfg(feature = "engines")]
pub use engines::{Engines, engines};
pub use error::{Error, ErrorKind};
pub use event::{Event, Listening, on_event};
pub use functions::{FunctionHandle, function, functions, report};
pub use instance::{Instance, InstanceId};
#[cfg(feature = "engines")]
pub use lasting::Codec;
#[cfg(feature = "engines")]
pub use memo_engines::{self as engine, Engine};
pub use names::EngineNames;
pub use plan::Plan;
pub use renewals::set_spawner;
pub use report::Report;
pub use scope::{
    Answer, InScope, IntoLifetime, IntoRefreshAhead, RecordedCall, Recording, Scope, ScopeGuard, scope,
};
pub use shutdown::{Shutdown, shutdown};
#[cfg(feature = "engines")]
pub use stats::EngineStats;
pub use stats::{Stats, TierStats};
pub use stored::Stored;
#[cfg(feature = "engines")]
pub use strategy::{
    DefaultStrategy, EngineProfile, FunctionProfile, Strategy, TypeProfile, TypeStrategy, set_strategy,
};

#[cfg(feature = "tracing")]
pub use trace::log_keys;

/// The snippets of the README and the guide, compiled and run as tests.
#[cfg(doctest)]
mod snippets {
    #[cfg(feature = "disk")]
    #[doc = include_str!("../../README.md")]
    struct Readme;
    #[doc = include_str!("../../docs/guide/first-steps.md")]
    struct FirstSteps;
    #[doc = include_str!("../../docs/guide/keys.md")]
    struct Keys;
    #[doc = include_str!("../../docs/guide/methods.md")]
    struct Methods;
    #[doc = include_str!("../../docs/guide/results.md")]
    struct Results;
    #[doc = include_str!("../../docs/guide/async.md")]
    struct Async;
    #[doc = include_str!("../../docs/guide/freshness.md")]
    struct Freshness;
    #[doc = include_str!("../../docs/guide/control.md")]
    struct Control;
    #[cfg(feature = "moka")]
    #[doc = include_str!("../../docs/guide/memory.md")]
    struct Memory;
    #[cfg(feature = "engines")]
    #[doc = include_str!("../../docs/guide/engines.md")]
    struct Engines;
    #[doc = include_str!("../../docs/guide/cost.md")]
    struct Cost;
    #[cfg(feature = "config")]
    #[doc = include_str!("../../docs/guide/configuration.md")]
    struct Configuration;
    #[cfg(feature = "redis")]
    #[doc = include_str!("../../docs/guide/redis.md")]
    struct Redis;
    #[cfg(feature = "engines")]
    #[doc = include_str!("../../docs/guide/writing-an-engine.md")]
    struct WritingAnEngine;
    #[cfg(feature = "disk")]
    #[doc = include_str!("../../docs/guide/strategy.md")]
    struct Strategy;
    #[cfg(feature = "disk")]
    #[doc = include_str!("../../docs/guide/persistence.md")]
    struct Persistence;
    #[doc = include_str!("../../docs/guide/recursion.md")]
    struct Recursion;
    #[doc = include_str!("../../docs/guide/upgrading.md")]
    struct Upgrading;
    #[doc = include_str!("../../docs/guide/scopes.md")]
    struct Scopes;
    #[doc = include_str!("../../docs/guide/observing.md")]
    struct Observing;
    #[cfg(feature = "testing")]
    #[doc = include_str!("../../docs/guide/testing.md")]
    struct Testing;
    #[doc = include_str!("../../docs/guide/pitfalls.md")]
    struct Pitfalls;
}
