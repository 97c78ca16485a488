//! The trait of all engines, and the types of its methods.

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

/// Something that stores bytes under 32-byte keys: a disk, a server, or an engine of your own.
///
/// Four methods are required: `get`, `put`, `remove` and `clear`. An engine that does its work before it
/// returns answers with [`EngineFuture::ready`]. An engine that waits answers with [`EngineFuture::new`]
/// over an `async` block. That block must not need the caller's runtime.
///
/// # What is asked of an implementation
///
/// * `get` returns the last entry that was put under exactly this key, whole, or `None`. `None` is always
///   allowed: an engine may forget. It never returns another key's entry, half an entry, or an expired one.
/// * When `remove` or `clear` returns `Ok`, the entry is gone for everyone within
///   [`reach`](Capability::reach). A `put` that came before it does not bring it back.
/// * The engine bounds what it stores and how long it waits.
/// * The engine never panics. It is `Sync`: calls come from many threads at once.
///
/// The suite in `memo_engines::conformance` (feature `conformance`) tests all this.
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
    /// The engine's name in plans, statistics and messages.
    fn name(&self) -> &str;

    /// What the engine can do. This does not change while the engine lives.
    fn capability(&self) -> Capability;

    /// How to [guard](crate::Guarded) the engine where nobody has said so: above all, how long a call may
    /// take.
    fn guard_options(&self) -> GuardOptions {
        GuardOptions::default()
    }

    /// The entry under this key, or `None` if there is none or it has expired.
    fn get<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, Option<Entry>>;

    /// Stores an entry. It replaces the entry that was there.
    fn put<'a>(&'a self, key: &'a Key, entry: &'a Entry) -> EngineFuture<'a, ()>;

    /// Removes an entry. Returns whether there was one.
    fn remove<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, bool>;

    /// Removes all entries of a space, whoever stored them.
    fn clear<'a>(&'a self, space: &'a Space) -> EngineFuture<'a, ()>;

    /// Looks up an entry, as [`get`](Self::get) does, and also returns a witness. If there was no entry,
    /// the caller computes the value and hands the witness to [`put_if`](Self::put_if).
    fn look<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, (Option<Entry>, Witness)> {
        match self.get(key).try_ready() {
            Ok(answer) => EngineFuture::ready(answer.map(|entry| (entry, Witness::default()))),
            Err(pending) => EngineFuture::new(async { Ok((pending.await?, Witness::default())) }),
        }
    }

    /// Stores an entry unless its key was removed, or its space cleared, since `witness` was taken. Returns
    /// whether the entry was stored. An engine without [witnesses](Capability::witnesses) always stores.
    /// Where puts are [deferred](Capability::deferred), `true` means accepted: an invalidation that comes
    /// before the write still wins.
    fn put_if<'a>(&'a self, key: &'a Key, entry: &'a Entry, witness: Witness) -> EngineFuture<'a, bool> {
        let _ = witness;
        match self.put(key, entry).try_ready() {
            Ok(answer) => EngineFuture::ready(answer.map(|()| true)),
            Err(pending) => EngineFuture::new(async { pending.await.map(|()| true) }),
        }
    }

    /// The entries under these keys, in the order of the keys.
    fn get_many<'a>(&'a self, keys: &'a [Key]) -> EngineFuture<'a, Vec<Option<Entry>>> {
        EngineFuture::new(async move {
            let mut entries = Vec::with_capacity(keys.len());
            for key in keys {
                entries.push(self.get(key).await?);
            }
            Ok(entries)
        })
    }

    /// Stores all these entries. If it fails, some of them may have been stored.
    fn put_many<'a>(&'a self, entries: &'a [(Key, Entry)]) -> EngineFuture<'a, ()> {
        EngineFuture::new(async move {
            for (key, entry) in entries {
                self.put(key, entry).await?;
            }
            Ok(())
        })
    }

    /// Removes all these entries. Returns how many there were. If it fails, some of them may have been
    /// removed.
    fn remove_many<'a>(&'a self, keys: &'a [Key]) -> EngineFuture<'a, usize> {
        EngineFuture::new(async move {
            let mut removed = 0;
            for key in keys {
                removed += usize::from(self.remove(key).await?);
            }
            Ok(removed)
        })
    }

    /// Lists up to `limit` keys of a space, in an order of the engine's own. The list begins at the start
    /// where `after` is `None`, else behind that key. A key that is stored or removed meanwhile may or may
    /// not be listed; every other key is listed once.
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

    /// Takes the lease of `key`: the right to compute it while others wait. Returns `None` while another
    /// holder has it. The lease ends after `ttl` unless it is renewed, so a holder that died keeps it no
    /// longer than that. A lease is advice: `put` works without one.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind) unless [`Capability::leases`].
    fn lease<'a>(&'a self, key: &'a Key, ttl: Duration) -> EngineFuture<'a, Option<Lease>> {
        let _ = (key, ttl);
        EngineFuture::ready(Err(Error::unsupported("lease a key").of(self.name())))
    }

    /// Extends a lease to `ttl` from now. Returns `false` if the lease was lost; another may hold it then.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind) unless [`Capability::leases`].
    fn renew<'a>(&'a self, key: &'a Key, lease: &'a Lease, ttl: Duration) -> EngineFuture<'a, bool> {
        let _ = (key, lease, ttl);
        EngineFuture::ready(Err(Error::unsupported("renew a lease").of(self.name())))
    }

    /// Gives a lease back. Returns `false` if it was lost before. The next holder sees what this process
    /// put before, even where puts are [deferred](Capability::deferred).
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind) unless [`Capability::leases`].
    fn release<'a>(&'a self, key: &'a Key, lease: &'a Lease) -> EngineFuture<'a, bool> {
        let _ = (key, lease);
        EngineFuture::ready(Err(Error::unsupported("release a lease").of(self.name())))
    }

    /// Calls `watcher` soon after others change something in `space`. Others are those who have opened the
    /// same store elsewhere; this engine's own changes are not reported. While the engine cannot hear of
    /// changes, it reports none. [`Change::Unknown`] is reported when it begins to hear of them, at first
    /// and after each interruption; every change after that is reported.
    fn watch(&self, space: &Space, watcher: Watcher) {
        let _ = (space, watcher);
    }

    /// Waits until everyone within [`reach`](Capability::reach) sees what this process put, and until it is
    /// as durable as the engine was asked to make it.
    fn flush(&self) -> EngineFuture<'_, ()> {
        EngineFuture::ready(Ok(()))
    }

    /// How many entries of this process are not written yet, if the engine knows. It is asked as the
    /// process ends, to report what was lost, and must not wait.
    fn unwritten(&self) -> Option<usize> {
        None
    }
}
