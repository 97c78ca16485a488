//! The engines that need no registration, and what each engine can do.

use std::sync::Arc;

#[cfg(feature = "disk")]
use memo_engines::Reach;
use memo_engines::{Capability, Engine, Guarded};

use super::exit;
use super::named::named;
#[cfg(any(feature = "disk", feature = "redis"))]
use super::reported::tell;
use crate::strategy::EngineProfile;

/// The engine called `name`.
pub(super) fn open(name: &str) -> Option<Arc<Guarded>> {
    let registered = named().get(name).cloned();
    let engine = registered.or_else(|| built_in(name))?;
    exit::uses(name, &engine);
    Some(engine)
}

/// What a plan may name beside memory, in alphabetical order.
pub(super) fn profiles() -> Vec<EngineProfile> {
    // with no lock held, since reading the configuration may ask for engines
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

/// An engine that needs no registration. It is registered when it is first named.
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

/// The engine `disk` as it is configured, unless the program has registered another one of that name. If it cannot be
/// opened, that is tried again later.
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

/// The engine `redis` at the address that is configured, unless the program has registered another one of that name.
/// Without an address it is as if the server were away.
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
