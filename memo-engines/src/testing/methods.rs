//! The engine's methods, each as the mood demands.

use std::time::{Duration, Instant};

use super::Double;
use crate::clock::utc_now;
use crate::engine::{Capability, Engine, EngineFuture, Entry, Key, Lease, Space, Witness};
use crate::lock::lock;

impl Engine for Double {
    fn name(&self) -> &str {
        &self.0.name
    }

    fn capability(&self) -> Capability {
        let own = Capability {
            blocking: true,
            iterates: true,
            witnesses: true,
            leases: true,
            largest: Some(1 << 30),
            ..Capability::default()
        };
        lock(&self.0.capability).unwrap_or(own)
    }

    fn get<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, Option<Entry>> {
        self.call(|state| state.get(key))
    }

    fn put<'a>(&'a self, key: &'a Key, entry: &'a Entry) -> EngineFuture<'a, ()> {
        self.change(|state| drop(state.entries.insert(*key, entry.clone())))
    }

    fn remove<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, bool> {
        self.change(|state| {
            state.seq += 1;
            state.removed.insert(key.digest, state.seq);
            state.entries.remove(key).is_some_and(|entry| !entry.is_expired(utc_now()))
        })
    }

    fn clear<'a>(&'a self, space: &'a Space) -> EngineFuture<'a, ()> {
        self.change(|state| {
            state.seq += 1;
            state.cleared.insert(*space, state.seq);
            state.entries.retain(|key, _| key.space != *space);
        })
    }

    fn look<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, (Option<Entry>, Witness)> {
        self.call(|state| (state.get(key), Witness(state.seq)))
    }

    fn put_if<'a>(&'a self, key: &'a Key, entry: &'a Entry, witness: Witness) -> EngineFuture<'a, bool> {
        self.change(|state| {
            let since = |seq: Option<&u64>| seq.is_some_and(|seq| *seq > witness.0);
            if since(state.removed.get(&key.digest)) || since(state.cleared.get(&key.space)) {
                return false;
            }
            state.entries.insert(*key, entry.clone());
            true
        })
    }

    fn keys<'a>(
        &'a self,
        space: &'a Space,
        after: Option<&'a Key>,
        limit: usize,
    ) -> EngineFuture<'a, Vec<Key>> {
        self.call(|state| {
            let now = utc_now();
            let keys = state.entries.iter().filter(|(_, entry)| !entry.is_expired(now)).map(|(key, _)| *key);
            let keys = keys.filter(|key| key.space == *space && after.is_none_or(|after| key > after));
            keys.take(limit).collect()
        })
    }

    fn lease<'a>(&'a self, key: &'a Key, ttl: Duration) -> EngineFuture<'a, Option<Lease>> {
        self.change(|state| {
            if state.leases.get(key).is_some_and(|(_, until)| *until > Instant::now()) {
                return None;
            }
            state.seq += 1;
            let lease = Lease { token: u128::from(state.seq).to_le_bytes() };
            state.leases.insert(*key, (lease, Instant::now() + ttl));
            Some(lease)
        })
    }

    fn renew<'a>(&'a self, key: &'a Key, lease: &'a Lease, ttl: Duration) -> EngineFuture<'a, bool> {
        self.change(|state| {
            let held = state.holds(key, lease);
            if held {
                state.leases.insert(*key, (*lease, Instant::now() + ttl));
            }
            held
        })
    }

    fn release<'a>(&'a self, key: &'a Key, lease: &'a Lease) -> EngineFuture<'a, bool> {
        self.change(|state| {
            let held = state.holds(key, lease);
            if held {
                state.leases.remove(key);
            }
            held
        })
    }

    fn flush(&self) -> EngineFuture<'_, ()> {
        self.change(|_| ())
    }
}
