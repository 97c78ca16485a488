//! The engines of the program, as it registers and asks them.

use std::sync::Arc;

use memo_engines::{Engine, Guarded};

use crate::error::Error;
use crate::far;
use crate::far::named::{named, names};
use crate::far::reported::tell;
use crate::registry;
use crate::stats::EngineStats;

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
        let former = named().insert(name, Arc::new(guarded));
        // runs code of the engine, so not under the lock
        drop(former);
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
        let all = registry::stats();
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
        far::flush()
    }

    /// The names under which engines are registered, in alphabetical order.
    pub fn names(&self) -> Vec<String> {
        names()
    }
}
