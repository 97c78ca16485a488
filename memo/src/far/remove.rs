//! Results that leave the engines.

use std::sync::Arc;

use memo_engines::Key;

use super::later;
use super::plane::Plane;
use super::tier::Tier;
use super::typed::Far;
use crate::error::{Error, ErrorKind};
use crate::memoized::Clearing;

impl<K, V: 'static> Far<K, V> {
    /// Removes what was just stored, without waiting for it.
    pub(crate) fn forget(&self, key: &K) {
        let Some(key) = self.key(key) else { return };
        self.forget_key(key);
    }
}

impl Plane {
    /// Removes an entry without waiting for it.
    pub(super) fn forget_key(&self, key: Key) {
        for tier in &self.tiers {
            let engine = tier.engine.clone();
            later::run(async move {
                let _ = engine.remove(&key).await;
            });
        }
    }

    /// Removes all results of the function, without waiting for it.
    pub(crate) fn abandon(&self) {
        let space = self.space();
        for tier in &self.tiers {
            let engine = tier.engine.clone();
            later::run(async move {
                // the engine's guard has counted a failure, and nobody waits for the answer
                let _ = engine.clear(&space).await;
            });
        }
    }

    /// Removes an entry from all engines.
    ///
    /// # Errors
    ///
    /// If an engine failed: the first failure.
    pub(crate) async fn remove(&'static self, key: Key) -> Result<(), Error> {
        let mut done = Ok(());
        for tier in &self.tiers {
            done = self.all(done, tier, tier.engine.remove(&key).await.map(drop));
        }
        done
    }

    /// Removes what the function has in all engines, whatever its type parameters.
    pub(crate) fn clear(&'static self) -> Vec<Clearing> {
        let space = self.space();
        let clear = |tier: &'static Tier| Clearing {
            of: (Arc::as_ptr(&tier.engine).cast::<()>().addr(), space.0),
            work: Box::pin(async move { self.all(Ok(()), tier, tier.engine.clear(&space).await) }),
        };
        self.tiers.iter().map(clear).collect()
    }

    /// Counts a failure of `tier`, and gives the first failure of all: `done` is what the tiers before it came to.
    pub(super) fn all(
        &'static self,
        done: Result<(), Error>,
        tier: &'static Tier,
        next: Result<(), memo_engines::Error>,
    ) -> Result<(), Error> {
        if let Err(error) = &next {
            tier.failed(&self.name, error);
        }
        done.and(
            next.map_err(|error| Error::new(ErrorKind::Engine, format!("{}: failed to {error}", self.name))),
        )
    }
}
