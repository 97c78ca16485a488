//! The engine's methods.

use std::time::Duration;

use ::redis::Cmd;
use futures_util::future::join_all;

use super::Redis;
use super::failure::{Failure, NAME};
use super::leases;
use super::look::{Look, unexpired};
use super::scripts;
use super::stored;
use crate::clock::millis;
use crate::engine::{
    Capability, Engine, EngineFuture, Entry, GuardOptions, Key, Lease, Space, Watcher, Witness,
};
use crate::lock::lock;

impl Engine for Redis {
    fn name(&self) -> &str {
        NAME
    }

    fn capability(&self) -> Capability {
        Self::capability_with(&self.options)
    }

    fn guard_options(&self) -> GuardOptions {
        Self::guard()
    }

    fn get<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, Option<Entry>> {
        EngineFuture::new(async move { Ok(unexpired(self.find(key).await?.found)) })
    }

    fn put<'a>(&'a self, key: &'a Key, entry: &'a Entry) -> EngineFuture<'a, ()> {
        EngineFuture::new(async move { self.store(key, entry, None).await.map(drop) })
    }

    fn remove<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, bool> {
        EngineFuture::new(self.drop_entry(key))
    }

    fn clear<'a>(&'a self, space: &'a Space) -> EngineFuture<'a, ()> {
        EngineFuture::new(self.drop_all(space))
    }

    fn look<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, (Option<Entry>, Witness)> {
        EngineFuture::new(async move {
            let Look { found, generation, minute } = self.find(key).await?;
            let witness = stored::with_minute(found.witness(generation), minute);
            Ok((unexpired(found), witness))
        })
    }

    fn put_if<'a>(&'a self, key: &'a Key, entry: &'a Entry, witness: Witness) -> EngineFuture<'a, bool> {
        EngineFuture::new(self.store(key, entry, Some(witness)))
    }

    fn get_many<'a>(&'a self, keys: &'a [Key]) -> EngineFuture<'a, Vec<Option<Entry>>> {
        EngineFuture::new(self.find_many(keys))
    }

    fn put_many<'a>(&'a self, entries: &'a [(Key, Entry)]) -> EngineFuture<'a, ()> {
        EngineFuture::new(async move {
            let put = join_all(entries.iter().map(|(key, entry)| self.store(key, entry, None)));
            put.await.into_iter().try_for_each(|stored| stored.map(drop))
        })
    }

    fn remove_many<'a>(&'a self, keys: &'a [Key]) -> EngineFuture<'a, usize> {
        EngineFuture::new(async move {
            let removed = join_all(keys.iter().map(|key| self.drop_entry(key))).await;
            removed.into_iter().try_fold(0, |count, there| Ok(count + usize::from(there?)))
        })
    }

    fn lease<'a>(&'a self, key: &'a Key, ttl: Duration) -> EngineFuture<'a, Option<Lease>> {
        EngineFuture::new(async move {
            let place = self.names.place(key);
            let token = leases::take(&self.client().link, &place, ttl).await.map_err(Failure::named)?;
            Ok(token.map(|token| Lease { token }))
        })
    }

    fn renew<'a>(&'a self, key: &'a Key, lease: &'a Lease, ttl: Duration) -> EngineFuture<'a, bool> {
        EngineFuture::new(async move {
            let name = self.names.place(key).lease();
            let rest = |command: &mut Cmd| {
                command.arg(&lease.token[..]).arg(millis(ttl).max(1));
            };
            self.run(&scripts::RENEW, &[&name], rest, "renew a lease").await
        })
    }

    fn release<'a>(&'a self, key: &'a Key, lease: &'a Lease) -> EngineFuture<'a, bool> {
        EngineFuture::new(async move {
            let name = self.names.place(key).lease();
            let rest = |command: &mut Cmd| {
                command.arg(&lease.token[..]);
            };
            self.run(&scripts::RELEASE, &[&name], rest, "release a lease").await
        })
    }

    fn watch(&self, space: &Space, watcher: Watcher) {
        if self.capability().watches {
            let client = self.client();
            let mut watchers = lock(&self.watchers);
            watchers.retain(|(_, watcher)| watcher.strong_count() > 0);
            watchers.push((*space, watcher.clone()));
            drop(watchers);
            client.watch.add_watcher(*space, watcher, &client.link);
        }
    }
}
