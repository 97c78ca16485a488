//! The engine's methods, each passed through the guard.

use std::time::Duration;

use super::Guarded;
use super::circuit::Calls;
use crate::block_on::block_on;
use crate::engine::{Capability, Engine, EngineFuture, Entry, Key, Lease, Space, Watcher, Witness};

/// The budget of calls for which no result waits.
const LEISURE: Duration = Duration::from_secs(30);

/// Passes a method of [`Engine`] through the guard. `$copy` are the arguments that a helper thread needs
/// copies of.
macro_rules! guard {
    ($self:ident, $calls:ident, $budget:expr, |$engine:ident| $call:expr, copying { $($copy:ident = $of:expr),* }) => {
        $self.0.call(Calls::$calls, $budget, move |$engine| $call, move || {
            $(let $copy = $of;)*
            Box::new(move |$engine| {
                $(let $copy = &$copy;)*
                block_on($call)
            })
        })
    };
}

impl Engine for Guarded {
    fn name(&self) -> &str {
        &self.0.name
    }

    /// The engine's capability. A guarded engine never blocks: its calls may wait instead.
    fn capability(&self) -> Capability {
        Capability { blocking: false, hangs: false, ..self.0.capability }
    }

    fn get<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, Option<Entry>> {
        guard!(self, Reads, self.0.options.budget, |engine| engine.get(key), copying { key = *key })
    }

    fn put<'a>(&'a self, key: &'a Key, entry: &'a Entry) -> EngineFuture<'a, ()> {
        guard!(self, Writes, self.0.options.budget, |engine| engine.put(key, entry), copying {
            key = *key,
            entry = entry.clone()
        })
    }

    fn remove<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, bool> {
        guard!(self, Writes, self.0.options.budget, |engine| engine.remove(key), copying { key = *key })
    }

    fn clear<'a>(&'a self, space: &'a Space) -> EngineFuture<'a, ()> {
        guard!(self, Writes, self.0.options.budget, |engine| engine.clear(space), copying { space = *space })
    }

    fn look<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, (Option<Entry>, Witness)> {
        guard!(self, Reads, self.0.options.budget, |engine| engine.look(key), copying { key = *key })
    }

    fn put_if<'a>(&'a self, key: &'a Key, entry: &'a Entry, witness: Witness) -> EngineFuture<'a, bool> {
        guard!(self, Writes, self.0.options.budget, |engine| engine.put_if(key, entry, witness), copying {
            key = *key,
            entry = entry.clone()
        })
    }

    fn get_many<'a>(&'a self, keys: &'a [Key]) -> EngineFuture<'a, Vec<Option<Entry>>> {
        guard!(self, Reads, self.0.options.budget, |engine| engine.get_many(keys), copying { keys = keys.to_vec() })
    }

    fn put_many<'a>(&'a self, entries: &'a [(Key, Entry)]) -> EngineFuture<'a, ()> {
        guard!(self, Writes, self.0.options.budget, |engine| engine.put_many(entries), copying {
            entries = entries.to_vec()
        })
    }

    fn remove_many<'a>(&'a self, keys: &'a [Key]) -> EngineFuture<'a, usize> {
        guard!(self, Writes, self.0.options.budget, |engine| engine.remove_many(keys), copying { keys = keys.to_vec() })
    }

    fn keys<'a>(
        &'a self,
        space: &'a Space,
        after: Option<&'a Key>,
        limit: usize,
    ) -> EngineFuture<'a, Vec<Key>> {
        self.0.call(
            Calls::Reads,
            LEISURE,
            move |engine| engine.keys(space, after, limit),
            move || {
                let (space, after) = (*space, after.copied());
                Box::new(move |engine| block_on(engine.keys(&space, after.as_ref(), limit)))
            },
        )
    }

    fn lease<'a>(&'a self, key: &'a Key, ttl: Duration) -> EngineFuture<'a, Option<Lease>> {
        guard!(self, Writes, self.0.options.budget, |engine| engine.lease(key, ttl), copying { key = *key })
    }

    fn renew<'a>(&'a self, key: &'a Key, lease: &'a Lease, ttl: Duration) -> EngineFuture<'a, bool> {
        guard!(self, Writes, self.0.options.budget, |engine| engine.renew(key, lease, ttl), copying {
            key = *key,
            lease = *lease
        })
    }

    fn release<'a>(&'a self, key: &'a Key, lease: &'a Lease) -> EngineFuture<'a, bool> {
        guard!(self, Writes, self.0.options.budget, |engine| engine.release(key, lease), copying {
            key = *key,
            lease = *lease
        })
    }

    fn watch(&self, space: &Space, watcher: Watcher) {
        self.0.engine.watch(space, watcher);
    }

    fn flush(&self) -> EngineFuture<'_, ()> {
        guard!(self, Writes, LEISURE, |engine| engine.flush(), copying {})
    }

    fn unwritten(&self) -> Option<usize> {
        self.0.engine.get()?.engine.unwritten()
    }
}
