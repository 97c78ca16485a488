//! The engine's methods.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::Disk;
use super::failure::{NAME, failure};
use super::index;
use super::operation::Op;
use super::owner;
use crate::engine::{Capability, Engine, EngineFuture, Entry, Key, Lease, Space, Witness, utc_now};
use crate::error::ErrorKind;
use crate::random::token;

impl Engine for Disk {
    fn name(&self) -> &str {
        NAME
    }

    fn capability(&self) -> Capability {
        let stores = &self.shared.stores;
        Capability { hangs: stores.remote, ..Self::capability_with(&stores.options) }
    }

    fn get<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, Option<Entry>> {
        EngineFuture::ready(self.shared.get(key))
    }

    fn put<'a>(&'a self, key: &'a Key, entry: &'a Entry) -> EngineFuture<'a, ()> {
        EngineFuture::ready(self.shared.put(key, entry, None))
    }

    fn remove<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, bool> {
        let shared = &self.shared;
        EngineFuture::ready(shared.ask(shared.wait(), |reply| Op::Remove { key: *key, reply }))
    }

    fn clear<'a>(&'a self, space: &'a Space) -> EngineFuture<'a, ()> {
        let shared = &self.shared;
        EngineFuture::ready(shared.ask(shared.wait(), |reply| Op::Clear { space: *space, reply }))
    }

    fn look<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, (Option<Entry>, Witness)> {
        EngineFuture::ready(self.shared.look(key))
    }

    fn put_if<'a>(&'a self, key: &'a Key, entry: &'a Entry, witness: Witness) -> EngineFuture<'a, bool> {
        let shared = &self.shared;
        // The writer checks the witness again. It is checked here so that an outdated entry is not seen in
        // the queue.
        let stored =
            shared.read(|view, _| index::outdated(view.connection, key, witness)).and_then(|outdated| {
                match outdated {
                    true => Ok(false),
                    false => shared.put(key, entry, Some(witness)).map(|()| true),
                }
            });
        EngineFuture::ready(stored)
    }

    fn remove_many<'a>(&'a self, keys: &'a [Key]) -> EngineFuture<'a, usize> {
        // All removals are queued before the first is waited for, so they share transactions.
        let shared = &self.shared;
        let until = Instant::now() + shared.wait();
        let removed = keys
            .iter()
            .map(|key| {
                let (reply, answer) = mpsc::sync_channel(1);
                shared.push(Op::Remove { key: *key, reply }, shared.wait()).map(|()| answer)
            })
            .collect::<Result<Vec<_>, _>>()
            .and_then(|answers| {
                answers.into_iter().try_fold(0, |removed, answer| {
                    let left = until.saturating_duration_since(Instant::now());
                    let there = answer
                        .recv_timeout(left)
                        .map_err(|_| failure(ErrorKind::Timeout, "write to the index"))??;
                    Ok(removed + usize::from(there))
                })
            });
        EngineFuture::ready(removed)
    }

    fn keys<'a>(
        &'a self,
        space: &'a Space,
        after: Option<&'a Key>,
        limit: usize,
    ) -> EngineFuture<'a, Vec<Key>> {
        let shared = &self.shared;
        // Keys that wait in the queue have no place in the order yet.
        let keys = shared.ask(shared.wait(), |reply| Op::Flush { reply }).and_then(|()| {
            shared.read(|view, _| index::keys(view.connection, space, after, limit, utc_now()))
        });
        EngineFuture::ready(keys)
    }

    fn lease<'a>(&'a self, key: &'a Key, ttl: Duration) -> EngineFuture<'a, Option<Lease>> {
        let shared = &self.shared;
        // Callers that wait for another's lease ask often, and must not slow the writer down. If this look
        // fails, the writer reports why.
        let held = shared.read(|view, _| index::holder(view.connection, key, utc_now()));
        if held.is_ok_and(|holder| holder.is_some_and(|holder| owner::may_live(&holder))) {
            return EngineFuture::ready(Ok(None));
        }
        let token = token();
        let taken = shared.ask(shared.wait(), |reply| Op::Lease { key: *key, token, ttl, reply });
        EngineFuture::ready(taken.map(|taken| taken.then_some(Lease { token })))
    }

    fn renew<'a>(&'a self, key: &'a Key, lease: &'a Lease, ttl: Duration) -> EngineFuture<'a, bool> {
        let shared = &self.shared;
        let token = lease.token;
        EngineFuture::ready(shared.ask(shared.wait(), |reply| Op::Renew { key: *key, token, ttl, reply }))
    }

    fn release<'a>(&'a self, key: &'a Key, lease: &'a Lease) -> EngineFuture<'a, bool> {
        let shared = &self.shared;
        let token = lease.token;
        EngineFuture::ready(shared.ask(shared.wait(), |reply| Op::Release { key: *key, token, reply }))
    }

    fn flush(&self) -> EngineFuture<'_, ()> {
        EngineFuture::ready(self.shared.ask(Duration::from_secs(30), |reply| Op::Flush { reply }))
    }

    fn unwritten(&self) -> Option<usize> {
        Some(self.shared.queue.unwritten())
    }
}
