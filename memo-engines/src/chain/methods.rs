//! The engine's methods. Each calls the first engine that works.

use std::time::Duration;

use super::Chain;
use super::origin::{with_engine, without_engine};
use crate::engine::{Capability, Engine, EngineFuture, Entry, Key, Lease, Reach, Space, Watcher, Witness};

impl Engine for Chain {
    fn name(&self) -> &str {
        &self.name
    }

    /// What all engines of the chain can do.
    fn capability(&self) -> Capability {
        let mut all = self.engines().map(|engine| engine.capability());
        let Some(first) = all.next() else { return Capability::default() };
        let both = all.fold(first, |a, b| Capability {
            reach: a.reach.min(b.reach),
            persistent: a.persistent && b.persistent,
            blocking: false,
            hangs: a.hangs || b.hangs,
            deferred: a.deferred || b.deferred,
            expires: a.expires && b.expires,
            iterates: a.iterates && b.iterates,
            clears_cheaply: a.clears_cheaply && b.clears_cheaply,
            witnesses: a.witnesses && b.witnesses,
            leases: a.leases && b.leases,
            // a fallback need not report changes: when the preferred engine is back, it reports that all
            // may have changed
            watches: a.watches,
            largest: [a.largest, b.largest].into_iter().flatten().min(),
        });
        Capability { blocking: false, reach: both.reach.max(Reach::Process), ..both }
    }

    fn get<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, Option<Entry>> {
        self.first(move |at, engine| then(engine.get(key), move |entry| self.unless_outdated(at, entry)))
    }

    fn put<'a>(&'a self, key: &'a Key, entry: &'a Entry) -> EngineFuture<'a, ()> {
        self.first(move |_, engine| engine.put(key, entry))
    }

    fn remove<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, bool> {
        self.drop_with(move |engine| engine.remove(key))
    }

    fn clear<'a>(&'a self, space: &'a Space) -> EngineFuture<'a, ()> {
        self.drop_with(move |engine| engine.clear(space))
    }

    fn look<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, (Option<Entry>, Witness)> {
        self.first(move |at, engine| {
            then(engine.look(key), move |(entry, witness)| {
                (self.unless_outdated(at, entry), with_engine(at, witness))
            })
        })
    }

    /// Asks the engine that gave the witness. Only that engine knows what happened since.
    fn put_if<'a>(&'a self, key: &'a Key, entry: &'a Entry, witness: Witness) -> EngineFuture<'a, bool> {
        let (from, witness) = without_engine(witness);
        match from.checked_sub(1).and_then(|at| self.engines.get(at)) {
            Some(member) => member.engine.put_if(key, entry, witness),
            None => self.first(move |_, engine| engine.put_if(key, entry, witness)),
        }
    }

    fn get_many<'a>(&'a self, keys: &'a [Key]) -> EngineFuture<'a, Vec<Option<Entry>>> {
        self.first(move |at, engine| {
            then(engine.get_many(keys), move |entries| {
                entries.into_iter().map(|entry| self.unless_outdated(at, entry)).collect()
            })
        })
    }

    fn put_many<'a>(&'a self, entries: &'a [(Key, Entry)]) -> EngineFuture<'a, ()> {
        self.first(move |_, engine| engine.put_many(entries))
    }

    fn remove_many<'a>(&'a self, keys: &'a [Key]) -> EngineFuture<'a, usize> {
        self.drop_with(move |engine| engine.remove_many(keys))
    }

    fn keys<'a>(
        &'a self,
        space: &'a Space,
        after: Option<&'a Key>,
        limit: usize,
    ) -> EngineFuture<'a, Vec<Key>> {
        self.first(move |_, engine| engine.keys(space, after, limit))
    }

    fn lease<'a>(&'a self, key: &'a Key, ttl: Duration) -> EngineFuture<'a, Option<Lease>> {
        self.first(move |_, engine| engine.lease(key, ttl))
    }

    fn renew<'a>(&'a self, key: &'a Key, lease: &'a Lease, ttl: Duration) -> EngineFuture<'a, bool> {
        self.first(move |_, engine| engine.renew(key, lease, ttl))
    }

    fn release<'a>(&'a self, key: &'a Key, lease: &'a Lease) -> EngineFuture<'a, bool> {
        self.first(move |_, engine| engine.release(key, lease))
    }

    fn watch(&self, space: &Space, watcher: Watcher) {
        for member in &self.engines {
            member.engine.watch(space, watcher.clone());
        }
    }

    fn flush(&self) -> EngineFuture<'_, ()> {
        EngineFuture::new(async move {
            let mut done = Ok(());
            for member in &self.engines {
                done = done.and(member.engine.flush().await);
            }
            done
        })
    }

    fn unwritten(&self) -> Option<usize> {
        self.engines.iter().filter_map(|member| member.engine.unwritten()).reduce(|all, some| all + some)
    }
}

/// Maps an answer.
fn then<'a, T: Send + 'a, U: Send + 'a>(
    answer: EngineFuture<'a, T>,
    map: impl FnOnce(T) -> U + Send + 'a,
) -> EngineFuture<'a, U> {
    match answer.try_ready() {
        Ok(answer) => EngineFuture::ready(answer.map(map)),
        Err(pending) => EngineFuture::new(async move { pending.await.map(map) }),
    }
}
