//! Engines by name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, ErrorKind};
use crate::park::block_on;
use memo_engines::Engine;
use memo_engines::guarded::Event;
#[cfg(feature = "disk")]
use memo_engines::{Capability, Reach};
use memo_engines::{GuardOptions, Guarded};

type Named = BTreeMap<String, Arc<dyn Engine>>;

static NAMED: Mutex<Named> = Mutex::new(BTreeMap::new());

fn named() -> std::sync::MutexGuard<'static, Named> {
    NAMED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The engine called `name`, for `function`. One that is not there is said once for each function that names it.
pub(super) fn open(name: &str, function: &str) -> Option<Arc<dyn Engine>> {
    let found = engines().get(name).or_else(|| built_in(name));
    if found.is_none() {
        crate::warn::warn(&format!(
            "`{function}` names the engine \"{name}\", which is not registered: its results are kept in memory only; \
             call `memo::engines().register(\"{name}\", ..)` before the function is first called"
        ));
    }
    found
}

/// An engine that needs no registration, registered as it is first named.
fn built_in(name: &str) -> Option<Arc<dyn Engine>> {
    #[cfg(feature = "disk")]
    if name == "disk" {
        let mut named = named();
        let disk = named.entry(name.to_owned()).or_insert_with(|| Arc::new(disk()));
        return Some(disk.clone());
    }
    #[cfg(feature = "redis")]
    if name == "redis" {
        let mut named = named();
        let redis = named.entry(name.to_owned()).or_insert_with(|| Arc::new(redis()));
        return Some(redis.clone());
    }
    let _ = name;
    None
}

/// The engine `disk` where nobody has registered another one of that name: at the place that the environment says, or
/// at the platform's. One that cannot be opened is tried again later.
#[cfg(feature = "disk")]
fn disk() -> Guarded {
    use memo_engines::{Disk, DiskOptions};
    let build = || -> Result<Arc<dyn Engine>, memo_engines::Error> {
        let mut options =
            std::env::var_os("MEMO_ENGINES__DISK__PATH").map_or_else(DiskOptions::default, DiskOptions::at);
        options.warn = Some(Arc::new(crate::warn::warn));
        Ok(Arc::new(Disk::open(options)?))
    };
    let capability = Capability {
        reach: Reach::Machine,
        persistent: true,
        blocking: true,
        deferred: true,
        expires: true,
        witnesses: true,
        ..Capability::default()
    };
    Guarded::build("disk", capability, build, GuardOptions::default()).on_event(tell)
}

/// The time budget of a call to a server near by: beyond it, computing is the better bet.
#[cfg(feature = "redis")]
const REDIS_BUDGET: std::time::Duration = std::time::Duration::from_millis(20);

/// The engine `redis` where nobody has registered another one of that name: at the address that the environment says.
/// Without one it is as if the server were away.
#[cfg(feature = "redis")]
fn redis() -> Guarded {
    use memo_engines::{Redis, RedisOptions};
    let build = || -> Result<Arc<dyn Engine>, memo_engines::Error> {
        let url = std::env::var("MEMO_ENGINES__REDIS__URL").map_err(|_| {
            let context = "find the address of the server: set MEMO_ENGINES__REDIS__URL, or register an engine \
                           of this name";
            memo_engines::Error::new(memo_engines::ErrorKind::Unavailable, context)
        })?;
        Ok(Arc::new(Redis::open(RedisOptions::at(url))?))
    };
    let capability = Redis::capability_with(&RedisOptions::default());
    let options = GuardOptions { budget: REDIS_BUDGET, ..GuardOptions::default() };
    Guarded::build("redis", capability, build, options).on_event(tell)
}

/// Says once that an engine is in trouble, and what that means.
fn tell(name: &str, event: &Event<'_>) {
    match event {
        Event::Opened(error) => {
            let cause =
                std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
            crate::warn::warn(&format!(
                "the engine \"{name}\" failed to {error}{cause}; functions do without it until it is back"
            ));
        }
        Event::Closed(after) => {
            crate::warn::warn(&format!("the engine \"{name}\" is back after {after:.1?}"))
        }
        _ => {}
    }
}

/// Whether there is an engine of this name.
pub(crate) fn is_registered(name: &str) -> bool {
    (cfg!(feature = "disk") && name == "disk")
        || (cfg!(feature = "redis") && name == "redis")
        || named().contains_key(name)
}

/// The engines that functions may name: see [`engines`].
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Engines;

/// The engines of this process that outlive it, by name.
pub fn engines() -> Engines {
    Engines
}

impl Engines {
    /// Registers `engine` under `name`, to be used by functions with `engine = "name"` that have not been called yet.
    /// One registered before under the same name stays with those that use it.
    ///
    /// A guard is put around it: a time budget for each call, and a circuit breaker, so that an engine which fails or
    /// hangs costs the functions that name it next to nothing.
    pub fn register(&self, name: impl Into<String>, engine: impl Engine) {
        let guarded = Guarded::new(engine, GuardOptions::default()).on_event(tell);
        named().insert(name.into(), Arc::new(guarded));
    }

    /// The engine registered under `name`.
    pub fn get(&self, name: &str) -> Option<Arc<dyn Engine>> {
        named().get(name).cloned()
    }

    /// Waits until the results that functions have handed to their engines are written there. They are written soon in
    /// any case; a program that ends sooner calls this first.
    ///
    /// # Errors
    ///
    /// If an engine could not write. The others have all the same.
    pub fn flush(&self) -> Result<(), Error> {
        super::later::drain();
        let engines: Vec<_> = named().iter().map(|(name, engine)| (name.clone(), engine.clone())).collect();
        let mut done = Ok(());
        for (name, engine) in engines {
            let flushed = block_on(engine.flush());
            done = done.and(flushed.map_err(|error| {
                Error::new(ErrorKind::Engine, format!("engine \"{name}\": failed to {error}"))
            }));
        }
        done
    }

    /// The names under which engines are registered, in alphabetical order.
    pub fn names(&self) -> Vec<String> {
        named().keys().cloned().collect()
    }
}
