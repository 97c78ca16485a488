//! Engines by name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, ErrorKind};
use crate::event::{self, Event};
use crate::park::block_on;
use crate::stats::EngineStats;
use memo_engines::Engine;
#[cfg(feature = "disk")]
use memo_engines::Reach;
use memo_engines::guarded::Event as Happened;
use memo_engines::{Calls, Capability, Guarded};

use crate::strategy::EngineProfile;
type Named = BTreeMap<String, Arc<Guarded>>;

static NAMED: Mutex<Named> = Mutex::new(BTreeMap::new());

fn named() -> std::sync::MutexGuard<'static, Named> {
    NAMED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The engine called `name`.
pub(super) fn open(name: &str) -> Option<Arc<Guarded>> {
    let registered = named().get(name).cloned();
    let engine = registered.or_else(|| built_in(name))?;
    super::exit::uses(name, &engine);
    Some(engine)
}

/// What a plan may name beside memory, in alphabetical order.
pub(super) fn profiles() -> Vec<EngineProfile> {
    // before anything is locked: reading the configuration may ask for engines
    let built_in: Vec<(&str, Capability)> = Vec::from([
        #[cfg(feature = "disk")]
        ("disk", DISK),
        #[cfg(feature = "redis")]
        ("redis", redis_capability(crate::config::redis().0.as_ref())),
    ]);
    let named = named();
    let registered = named.iter().map(|(name, engine)| (name.clone(), engine.capability()));
    let built_in = built_in.into_iter().filter(|(name, _)| !named.contains_key(*name));
    let built_in = built_in.map(|(name, capability)| (name.to_owned(), capability));
    let mut profiles: Vec<_> =
        registered.chain(built_in).map(|(name, capability)| EngineProfile { name, capability }).collect();
    profiles.sort_by(|a, b| a.name.cmp(&b.name));
    profiles
}

/// An engine that needs no registration, registered as it is first named.
fn built_in(name: &str) -> Option<Arc<Guarded>> {
    let engine = match name {
        #[cfg(feature = "disk")]
        "disk" => Some(disk()),
        #[cfg(feature = "redis")]
        "redis" => Some(redis()),
        _ => None,
    }?;
    // another thread may have been faster
    Some(named().entry(name.to_owned()).or_insert_with(|| Arc::new(engine)).clone())
}

/// The engine `disk` where nobody has registered another one of that name, as it is configured. One that cannot be
/// opened is tried again later.
#[cfg(feature = "disk")]
fn disk() -> Guarded {
    let (mut options, guard) = crate::config::disk();
    options.warn = Some(Arc::new(crate::warn::warn));
    let build = move || -> Result<Arc<dyn Engine>, memo_engines::Error> {
        Ok(Arc::new(memo_engines::Disk::open(options.clone())?))
    };
    Guarded::build("disk", DISK, build, guard).on_event(tell)
}

/// What the engine called `name` can do, whether or not it has been used.
pub(super) fn capability(name: &str) -> Option<Capability> {
    profiles().into_iter().find(|engine| engine.name == name).map(|engine| engine.capability)
}

/// What the engine `disk` can do, also before it is opened.
#[cfg(feature = "disk")]
const DISK: Capability = Capability {
    reach: Reach::Machine,
    persistent: true,
    blocking: true,
    hangs: false,
    deferred: true,
    expires: true,
    iterates: true,
    clears_cheaply: true,
    witnesses: true,
    leases: true,
    watches: false,
    largest: None,
};

/// The engine `redis` where nobody has registered another one of that name: at the address that is configured. Without
/// one it is as if the server were away.
#[cfg(feature = "redis")]
fn redis() -> Guarded {
    use memo_engines::Redis;
    let (options, guard) = crate::config::redis();
    let capability = redis_capability(options.as_ref());
    let build = move || -> Result<Arc<dyn Engine>, memo_engines::Error> {
        let options = options.clone().ok_or_else(|| {
            let context = "find the address of the server: set MEMO_ENGINES__REDIS__URL, or register an engine \
                           of this name";
            memo_engines::Error::new(memo_engines::ErrorKind::Unavailable, context)
        })?;
        Ok(Arc::new(Redis::open(options)?))
    };
    Guarded::build("redis", capability, build, guard).on_event(tell)
}

/// What the engine `redis` can do, also before it is opened.
#[cfg(feature = "redis")]
fn redis_capability(options: Option<&memo_engines::RedisOptions>) -> Capability {
    let usual = memo_engines::RedisOptions::default();
    memo_engines::Redis::capability_with(options.unwrap_or(&usual))
}

/// Says that the engine called `name` is in trouble, once for each cause and then now and then, and what that means.
fn tell(name: &str, happened: &Happened<'_>) {
    let engine = name.to_owned();
    match *happened {
        Happened::Opened { calls, error, times, .. } => {
            let cause =
                std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
            let error = format!("{error}{cause}");
            event::tell_soon(move || {
                let writes = calls == Calls::Writes;
                if let Some(times) = times {
                    let then = match writes {
                        false => "functions do without it until it is back",
                        true => "nothing more is kept there until it can be written again",
                    };
                    let often = if times > 1 {
                        format!(" ({times} times since this was said)")
                    } else {
                        String::new()
                    };
                    let message = format!("the engine \"{engine}\" failed to {error}; {then}{often}");
                    crate::warn::warn_of(&engine, &message);
                }
                event::tell(&Event::CircuitOpened { engine: &engine, writes, error: &error });
            });
        }
        Happened::Closed { calls, after, reported, .. } => event::tell_soon(move || {
            let writes = calls == Calls::Writes;
            if reported {
                let back = if writes { "can be written again" } else { "is back" };
                let message = format!("the engine \"{engine}\" {back} after {after:.1?}");
                crate::warn::warn_of(&engine, &message);
            }
            event::tell(&Event::CircuitClosed { engine: &engine, writes, after });
        }),
        _ => {}
    }
}

/// Whether there is an engine of this name.
pub(crate) fn is_registered(name: &str) -> bool {
    (cfg!(feature = "disk") && name == "disk")
        || (cfg!(feature = "redis") && name == "redis")
        || named().contains_key(name)
}

/// The names of those that are in use or registered.
#[cfg(feature = "config")]
pub(crate) fn names() -> Vec<String> {
    engines().names()
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
    /// A guard is put around it, with the options that the engine [asks for](Engine::guard_options): a time budget for
    /// each call, and a circuit breaker, so that an engine which fails or hangs costs the functions that name it next to
    /// nothing.
    pub fn register(&self, name: impl Into<String>, engine: impl Engine) {
        let name = name.into();
        // people know it by this name, which need not be its own
        let known = name.clone();
        let options = engine.guard_options();
        let guarded = Guarded::new(engine, options).on_event(move |_, happened| tell(&known, happened));
        named().insert(name, Arc::new(guarded));
    }

    /// The engine registered under `name`.
    pub fn get(&self, name: &str) -> Option<Arc<dyn Engine>> {
        let engine = named().get(name).cloned()?;
        Some(engine)
    }

    /// What each engine has answered to all functions together, whether calls go through to it, and how those went.
    ///
    /// ```
    /// for engine in memo::engines().stats() {
    ///     println!("{}: {:?}, {} hits", engine.name, engine.circuit, engine.functions.hits);
    /// }
    /// ```
    pub fn stats(&self) -> Vec<EngineStats> {
        let all = crate::registry::stats();
        let engines: Vec<_> = named().iter().map(|(name, engine)| (name.clone(), engine.clone())).collect();
        let stats = engines.into_iter().map(|(name, engine)| {
            let functions = all.tiers.iter().find(|tier| tier.engine == name).cloned().unwrap_or_default();
            EngineStats { name, circuit: engine.circuit(), calls: engine.stats(), functions }
        });
        stats.collect()
    }

    /// Waits until the results that functions have handed to their engines are written there. They are written soon in
    /// any case, and a program that ends waits for them (on Unix): each engine has its time budget for that, and a line
    /// on the standard error says what was left. A program that is ended by `abort` or by a signal does not wait, and
    /// neither does one on another system: it calls this first.
    ///
    /// # Errors
    ///
    /// If engines could not write, with the name of each. The others have all the same.
    ///
    /// One whose circuit is open is not asked, and is such an engine: what it was handed before may not be written, and
    /// what functions have computed since was not handed to it. Calls found no fault in that, and a program that is about
    /// to end need not either: what is not written is computed again.
    pub fn flush(&self) -> Result<(), Error> {
        super::later::drain();
        let engines: Vec<_> = named().iter().map(|(name, engine)| (name.clone(), engine.clone())).collect();
        let failed = engines.into_iter().filter_map(|(name, engine)| {
            let error = block_on(engine.flush()).err()?;
            Some(format!("engine \"{name}\": failed to {error}"))
        });
        let failed: Vec<_> = failed.collect();
        if failed.is_empty() { Ok(()) } else { Err(Error::new(ErrorKind::Engine, failed.join("; "))) }
    }

    /// The names under which engines are registered, in alphabetical order.
    pub fn names(&self) -> Vec<String> {
        named().keys().cloned().collect()
    }
}
