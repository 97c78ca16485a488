//! The seam of the far plane: bytes under 32-byte keys, in whatever outlives or surrounds this process.

mod bytes;
mod capability;
mod change;
mod entry;
mod future;
mod guard_options;
mod key;
mod pass_through;
mod tokens;

use std::time::Duration;

pub use self::bytes::Bytes;
pub use self::capability::{Capability, Reach};
pub use self::change::{Change, Watcher};
pub use self::entry::Entry;
pub use self::future::EngineFuture;
pub use self::guard_options::GuardOptions;
pub use self::key::{Key, Space};
pub use self::tokens::{Lease, Witness};
pub use crate::clock::utc_now;
use crate::error::Error;

/// Something that keeps bytes under 32-byte keys: a disk, a server, whatever you bring.
///
/// Four methods are needed: `get`, `put`, `remove` and `clear`. An engine whose calls return when they are
/// done answers with [`EngineFuture::ready`]; one that waits answers with [`EngineFuture::new`] over an
/// `async` block, and must not need the caller's runtime for it.
///
/// # What is asked of an implementation
///
/// * `get` gives the last entry put under exactly this key, whole, or none. None is always allowed: an engine
///   may forget. It never gives another key's entry, half an entry, or one whose time is over.
/// * What is removed or cleared is gone for everyone in [`reach`](Capability::reach) when the call returns
///   `Ok`, and a `put` that came before it does not bring it back.
/// * It bounds what it keeps, and how long it waits.
/// * It never panics, and is `Sync`: calls come from many threads at once.
///
/// `memo_engines::conformance` (feature `conformance`) tests all this.
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::Mutex;
/// use memo_engines::{Capability, Engine, EngineFuture, Entry, Key, Space, utc_now};
///
/// #[derive(Default)]
/// struct Shelf(Mutex<HashMap<Key, Entry>>);
///
/// impl Engine for Shelf {
///     fn name(&self) -> &str {
///         "shelf"
///     }
///     fn capability(&self) -> Capability {
///         Capability { blocking: true, ..Capability::default() }
///     }
///     fn get<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, Option<Entry>> {
///         let found = self.0.lock().unwrap().get(key).cloned();
///         EngineFuture::ready(Ok(found.filter(|entry| !entry.is_expired(utc_now()))))
///     }
///     fn put<'a>(&'a self, key: &'a Key, entry: &'a Entry) -> EngineFuture<'a, ()> {
///         self.0.lock().unwrap().insert(*key, entry.clone());
///         EngineFuture::ready(Ok(()))
///     }
///     fn remove<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, bool> {
///         EngineFuture::ready(Ok(self.0.lock().unwrap().remove(key).is_some()))
///     }
///     fn clear<'a>(&'a self, space: &'a Space) -> EngineFuture<'a, ()> {
///         self.0.lock().unwrap().retain(|key, _| key.space != *space);
///         EngineFuture::ready(Ok(()))
///     }
/// }
/// ```
pub trait Engine: Send + Sync + 'static {
    /// Its name in plans, statistics and messages.
    fn name(&self) -> &str;

    /// What it can do. The same for as long as it lives.
    fn capability(&self) -> Capability;

    /// How it is to be [guarded](crate::Guarded) by whoever knows nothing more about it: the budget of a call above all.
    fn guard_options(&self) -> GuardOptions {
        GuardOptions::default()
    }

    /// The entry under this key, unless there is none or its time is over.
    fn get<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, Option<Entry>>;

    /// Stores an entry, in place of what was there.
    fn put<'a>(&'a self, key: &'a Key, entry: &'a Entry) -> EngineFuture<'a, ()>;

    /// Drops an entry; tells whether there was one.
    fn remove<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, bool>;

    /// Drops all entries of a space, stored by whomever.
    fn clear<'a>(&'a self, space: &'a Space) -> EngineFuture<'a, ()>;

    /// [`get`](Self::get), and what to hand to [`put_if`](Self::put_if) after having computed the value
    /// because there was none.
    fn look<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, (Option<Entry>, Witness)> {
        match self.get(key).try_ready() {
            Ok(answer) => EngineFuture::ready(answer.map(|entry| (entry, Witness::default()))),
            Err(pending) => EngineFuture::new(async { Ok((pending.await?, Witness::default())) }),
        }
    }

    /// Stores an entry unless its key was removed or its space cleared since `witness` was taken; tells
    /// whether it was stored. Where the engine cannot know ([`Capability::witnesses`]), it stores. Where puts
    /// are deferred, `true` means accepted: it may still lose to an invalidation that comes first.
    fn put_if<'a>(&'a self, key: &'a Key, entry: &'a Entry, witness: Witness) -> EngineFuture<'a, bool> {
        let _ = witness;
        match self.put(key, entry).try_ready() {
            Ok(answer) => EngineFuture::ready(answer.map(|()| true)),
            Err(pending) => EngineFuture::new(async { pending.await.map(|()| true) }),
        }
    }

    /// The entries under these keys, in their order.
    fn get_many<'a>(&'a self, keys: &'a [Key]) -> EngineFuture<'a, Vec<Option<Entry>>> {
        EngineFuture::new(async move {
            let mut entries = Vec::with_capacity(keys.len());
            for key in keys {
                entries.push(self.get(key).await?);
            }
            Ok(entries)
        })
    }

    /// Stores all these entries. After an error some may have been stored.
    fn put_many<'a>(&'a self, entries: &'a [(Key, Entry)]) -> EngineFuture<'a, ()> {
        EngineFuture::new(async move {
            for (key, entry) in entries {
                self.put(key, entry).await?;
            }
            Ok(())
        })
    }

    /// Drops all these entries; tells how many there were. After an error some may have been dropped.
    fn remove_many<'a>(&'a self, keys: &'a [Key]) -> EngineFuture<'a, usize> {
        EngineFuture::new(async move {
            let mut removed = 0;
            for key in keys {
                removed += usize::from(self.remove(key).await?);
            }
            Ok(removed)
        })
    }

    /// At most `limit` keys of a space, in an order of the engine's own that starts over where `after` is
    /// `None` and goes on behind `after` otherwise. What is stored or dropped meanwhile may or may not appear;
    /// what stays appears once.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind) unless [`Capability::iterates`].
    fn keys<'a>(
        &'a self,
        space: &'a Space,
        after: Option<&'a Key>,
        limit: usize,
    ) -> EngineFuture<'a, Vec<Key>> {
        let _ = (space, after, limit);
        EngineFuture::ready(Err(Error::unsupported("list keys").of(self.name())))
    }

    /// Takes the right to compute `key`, for `ttl` unless it is renewed; `None` while another holds it. It is
    /// advice to those who ask: `put` works without it. A holder that died loses it after `ttl` at the latest.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind) unless [`Capability::leases`].
    fn lease<'a>(&'a self, key: &'a Key, ttl: Duration) -> EngineFuture<'a, Option<Lease>> {
        let _ = (key, ttl);
        EngineFuture::ready(Err(Error::unsupported("lease a key").of(self.name())))
    }

    /// Holds a lease for `ttl` from now; `false` if it was lost, and another may hold it by now.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind) unless [`Capability::leases`].
    fn renew<'a>(&'a self, key: &'a Key, lease: &'a Lease, ttl: Duration) -> EngineFuture<'a, bool> {
        let _ = (key, lease, ttl);
        EngineFuture::ready(Err(Error::unsupported("renew a lease").of(self.name())))
    }

    /// Gives a lease back; `false` if it was lost before. Whoever takes it next sees what this process put before,
    /// also where puts are [deferred](Capability::deferred).
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind) unless [`Capability::leases`].
    fn release<'a>(&'a self, key: &'a Key, lease: &'a Lease) -> EngineFuture<'a, bool> {
        let _ = (key, lease);
        EngineFuture::ready(Err(Error::unsupported("release a lease").of(self.name())))
    }

    /// From now on tells `watcher`, soon after, what others change in `space`: those who have opened the store
    /// elsewhere, not this engine itself. While nothing can be heard nothing is told;
    /// [`Change::Unknown`] comes as soon as changes are heard of again, and at first. What changes after that is told.
    fn watch(&self, space: &Space, watcher: Watcher) {
        let _ = (space, watcher);
    }

    /// Waits until what this process put is seen by all within [`reach`](Capability::reach), and is as
    /// durable as the engine was asked to make it.
    fn flush(&self) -> EngineFuture<'_, ()> {
        EngineFuture::ready(Ok(()))
    }

    /// How many entries that this process put are not written yet, where the engine knows. It is asked as the process
    /// ends, to say what was lost, and must not wait for anything.
    fn unwritten(&self) -> Option<usize> {
        None
    }
}
