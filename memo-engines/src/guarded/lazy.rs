//! An engine that is built when it is first needed.

use std::sync::{Arc, Mutex, OnceLock};

use crate::engine::{Engine, Space, Watcher};
use crate::error::Error;
use crate::lock::lock;
use crate::per_process::PerProcess;

/// Builds the engine. It is called again after it failed.
pub(super) type Build = Box<dyn Fn() -> Result<Arc<dyn Engine>, Error> + Send + Sync>;

/// An engine that is built when it is first needed.
pub(super) struct Lazy {
    engine: OnceLock<Built>,
    /// Held while the engine is built. Two builds at once would waste one; callers that wait are served by
    /// the first.
    building: PerProcess<Mutex<()>>,
    build: Build,
    /// Watchers that are passed to the engine when it is built.
    watchers: Mutex<Vec<(Space, Watcher)>>,
}

/// A built engine, and whether its calls may hang. That may not be known before: a directory may turn out
/// to be on a server.
pub(super) struct Built {
    pub(super) engine: Arc<dyn Engine>,
    pub(super) hangs: bool,
}

impl Built {
    fn new(engine: Arc<dyn Engine>) -> Self {
        Self { hangs: engine.capability().hangs, engine }
    }
}

impl Lazy {
    pub(super) fn new(build: Build) -> Self {
        Self { engine: OnceLock::new(), building: PerProcess::new(), build, watchers: Mutex::default() }
    }

    /// Wraps an engine that exists already.
    pub(super) fn with(engine: Arc<dyn Engine>) -> Self {
        let build = {
            let engine = Arc::clone(&engine);
            move || Ok(Arc::clone(&engine))
        };
        let lazy = Self::new(Box::new(build));
        let _ = lazy.engine.set(Built::new(engine));
        lazy
    }

    pub(super) fn get(&self) -> Option<&Built> {
        self.engine.get()
    }

    pub(super) fn build(&self) -> Result<&dyn Engine, Error> {
        if let Some(built) = self.get() {
            return Ok(&*built.engine);
        }
        let building = lock(self.building.get(Mutex::default));
        if let Some(built) = self.get() {
            return Ok(&*built.engine);
        }
        let built = Built::new((self.build)()?);
        let engine = &*self.engine.get_or_init(|| built).engine;
        drop(building);
        let watchers = std::mem::take(&mut *lock(&self.watchers));
        watchers.into_iter().for_each(|(space, watcher)| engine.watch(&space, watcher));
        Ok(engine)
    }

    pub(super) fn watch(&self, space: &Space, watcher: Watcher) {
        let mut watchers = lock(&self.watchers);
        match self.get() {
            // the builder takes the list after that
            None => watchers.push((*space, watcher)),
            Some(Built { engine, .. }) => {
                drop(watchers);
                engine.watch(space, watcher);
            }
        }
    }
}
