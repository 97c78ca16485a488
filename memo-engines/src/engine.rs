//! The seam of the far plane: bytes under 32-byte keys, in whatever outlives or surrounds this process.

use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use crate::error::Error;
use crate::guarded::GuardOptions;

/// The keys of one function in one namespace: what [`Engine::clear`] drops together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Space(pub [u8; 16]);

/// The name under which an engine keeps an entry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The group it belongs to.
    pub space: Space,
    /// The digest of everything that tells this key from others, its space included. Two keys with the same
    /// digest are the same key.
    pub digest: [u8; 32],
}

impl fmt::Debug for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(f, &self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}/", self.space)?;
        hex(f, &self.digest)
    }
}

fn hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// Bytes that several engines may hold at once, made from a `Vec` and given back as one without a copy where
/// nobody else holds them.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Bytes(Arc<Vec<u8>>);

impl Bytes {
    /// The vector; a copy only while another clone is alive.
    pub fn into_vec(self) -> Vec<u8> {
        Arc::try_unwrap(self.0).unwrap_or_else(|shared| shared.to_vec())
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Arc::new(bytes))
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        bytes.to_vec().into()
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.len())
    }
}

/// What an engine keeps under a key: bytes whose meaning is not its business, and when to let go of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The stored entry, as [`Label::seal`](crate::entry::Label::seal) makes it. Whoever reads it checks it:
    /// an engine need not guard against flipped bits, only against mixing up keys.
    pub bytes: Bytes,
    /// The first moment at which it must no longer be given out, in milliseconds since 1970 UTC; `None` lives
    /// until it is removed or evicted.
    pub expires: Option<u64>,
}

impl Entry {
    /// An entry without an end.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self { bytes: bytes.into(), expires: None }
    }

    /// With the first moment at which it must no longer be given out, in milliseconds since 1970 UTC.
    #[must_use]
    pub fn expires_at(mut self, expires: u64) -> Self {
        self.expires = Some(expires);
        self
    }

    /// Whether it must no longer be given out at `now`, in milliseconds since 1970 UTC.
    pub fn is_expired(&self, now: u64) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

/// Now, in milliseconds since 1970 UTC: the clock of [`Entry::expires`]. A clock before 1970 reads 0.
///
/// With the feature `testing`, tests can move it, for this process.
pub fn utc_now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let now = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    #[cfg(feature = "testing")]
    let now = now.saturating_add_signed(crate::testing::clock_moved());
    now
}

/// What had happened to a key when it was looked up, in the engine's own counting. Handed back with
/// [`Engine::put_if`] it keeps a result from being stored that was computed from what has since been
/// invalidated, here or by another process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Witness(pub u64);

/// The right to compute one key while others wait: see [`Engine::lease`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    /// Tells this holder from every other, past and to come.
    pub token: [u8; 16],
}

/// What another's hand has changed in an engine: see [`Engine::watch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Change {
    /// This entry was put or removed.
    Entry(Key),
    /// This space was cleared.
    Space(Space),
    /// Anything may have been changed: for a while nothing was heard.
    Unknown,
}

/// Told of changes, on a thread of the engine's that has nothing else to do, for as long as it lives: whoever wants to
/// be told keeps the [`Arc`].
pub type Watcher = Weak<dyn Fn(Change) + Send + Sync>;

/// Who else sees what is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[non_exhaustive]
pub enum Reach {
    /// This process only.
    #[default]
    Process,
    /// The processes of this machine.
    Machine,
    /// Other machines too.
    Fleet,
}

/// What an engine can do, as plain data: it decides what is asked of it and what the conformance suite tests.
///
/// More will come: end yours with `..Capability::default()`, which promises nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Capability {
    /// Who else sees what is stored.
    pub reach: Reach,
    /// What is stored is still there when every process has ended.
    pub persistent: bool,
    /// Its calls do their work before they return, and so may block the thread: their futures are ready at
    /// the first poll. Otherwise they wait without blocking, on a runtime that is the engine's own.
    pub blocking: bool,
    /// A call may hang for longer than anyone would wait, and cannot be interrupted: a network file system. A
    /// [guard](crate::Guarded) then makes it on a thread that can be left behind.
    pub hangs: bool,
    /// [`Engine::put`] may return before other processes see the entry; [`Engine::flush`] waits for that. The
    /// process that put it sees it at once in either case.
    pub deferred: bool,
    /// Entries whose time is over leave by themselves, without anyone touching them. (None is given out
    /// again in either case.)
    pub expires: bool,
    /// [`Engine::keys`] works.
    pub iterates: bool,
    /// [`Engine::clear`] costs the same however much is stored.
    pub clears_cheaply: bool,
    /// [`Engine::put_if`] keeps its promise; otherwise it is [`Engine::put`].
    pub witnesses: bool,
    /// [`Engine::lease`], [`renew`](Engine::renew) and [`release`](Engine::release) work, for all within
    /// [`reach`](Self::reach).
    pub leases: bool,
    /// [`Engine::watch`] keeps its promise; otherwise nobody is told anything.
    pub watches: bool,
    /// The largest entry it takes, in bytes; larger ones are [`ErrorKind::TooLarge`](crate::ErrorKind).
    pub largest: Option<u64>,
}

/// What a call to an engine gives, now or later. Any executor can poll it, and so can a thread that parks in
/// between: an engine that needs a reactor brings its own.
#[must_use = "nothing happens until it is awaited"]
pub struct EngineFuture<'a, T>(State<'a, T>);

enum State<'a, T> {
    Ready(Option<Result<T, Error>>),
    Pending(Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>),
}

impl<'a, T> EngineFuture<'a, T> {
    /// An answer that is there already: no allocation, ready at the first poll.
    pub fn ready(answer: Result<T, Error>) -> Self {
        Self(State::Ready(Some(answer)))
    }

    /// An answer that is still to come.
    pub fn new(future: impl Future<Output = Result<T, Error>> + Send + 'a) -> Self {
        Self(State::Pending(Box::pin(future)))
    }

    /// The answer if it is there already, else the future again.
    ///
    /// # Errors
    /// The future itself, where the answer is still to come.
    pub fn try_ready(self) -> Result<Result<T, Error>, Self> {
        match self.0 {
            State::Ready(Some(answer)) => Ok(answer),
            state => Err(Self(state)),
        }
    }
}

// Nothing in it is pinned in place: the answer is moved out, the future has a box of its own.
impl<T> Unpin for EngineFuture<'_, T> {}

impl<T> Future for EngineFuture<'_, T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Ready(answer) => Poll::Ready(answer.take().expect("polled after it was ready")),
            State::Pending(future) => future.as_mut().poll(context),
        }
    }
}

impl<T> fmt::Debug for EngineFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            State::Ready(_) => "EngineFuture::ready(..)",
            State::Pending(_) => "EngineFuture::new(..)",
        })
    }
}

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

/// An engine that another holds, passed through whole: every method, so that no default stands in for what
/// the engine does better.
macro_rules! pass_through {
    ($($target:ty: <$($parameter:ident)?>),*) => {$(
        impl<$($parameter: Engine + ?Sized)?> Engine for $target {
            fn name(&self) -> &str {
                (**self).name()
            }
            fn capability(&self) -> Capability {
                (**self).capability()
            }
            fn guard_options(&self) -> GuardOptions {
                (**self).guard_options()
            }
            fn get<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, Option<Entry>> {
                (**self).get(key)
            }
            fn put<'a>(&'a self, key: &'a Key, entry: &'a Entry) -> EngineFuture<'a, ()> {
                (**self).put(key, entry)
            }
            fn remove<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, bool> {
                (**self).remove(key)
            }
            fn clear<'a>(&'a self, space: &'a Space) -> EngineFuture<'a, ()> {
                (**self).clear(space)
            }
            fn look<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, (Option<Entry>, Witness)> {
                (**self).look(key)
            }
            fn put_if<'a>(&'a self, key: &'a Key, entry: &'a Entry, witness: Witness) -> EngineFuture<'a, bool> {
                (**self).put_if(key, entry, witness)
            }
            fn get_many<'a>(&'a self, keys: &'a [Key]) -> EngineFuture<'a, Vec<Option<Entry>>> {
                (**self).get_many(keys)
            }
            fn put_many<'a>(&'a self, entries: &'a [(Key, Entry)]) -> EngineFuture<'a, ()> {
                (**self).put_many(entries)
            }
            fn remove_many<'a>(&'a self, keys: &'a [Key]) -> EngineFuture<'a, usize> {
                (**self).remove_many(keys)
            }
            fn keys<'a>(
                &'a self,
                space: &'a Space,
                after: Option<&'a Key>,
                limit: usize,
            ) -> EngineFuture<'a, Vec<Key>> {
                (**self).keys(space, after, limit)
            }
            fn lease<'a>(&'a self, key: &'a Key, ttl: Duration) -> EngineFuture<'a, Option<Lease>> {
                (**self).lease(key, ttl)
            }
            fn renew<'a>(&'a self, key: &'a Key, lease: &'a Lease, ttl: Duration) -> EngineFuture<'a, bool> {
                (**self).renew(key, lease, ttl)
            }
            fn release<'a>(&'a self, key: &'a Key, lease: &'a Lease) -> EngineFuture<'a, bool> {
                (**self).release(key, lease)
            }
            fn watch(&self, space: &Space, watcher: Watcher) {
                (**self).watch(space, watcher);
            }
            fn flush(&self) -> EngineFuture<'_, ()> {
                (**self).flush()
            }
            fn unwritten(&self) -> Option<usize> {
                (**self).unwritten()
            }
        }
    )*};
}

pass_through!(Arc<E>: <E>, Box<dyn Engine>: <>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_without_a_copy_unless_they_are_shared() {
        let vector = vec![1, 2, 3];
        let place = vector.as_ptr();
        let bytes = Bytes::from(vector);
        let shared = bytes.clone();
        let copied = shared.into_vec();
        assert_ne!(copied.as_ptr(), place, "shared: a copy");
        let owned = bytes.into_vec();
        assert_eq!(owned.as_ptr(), place, "sole owner: the same vector");
    }

    #[test]
    fn an_entry_is_expired_from_its_last_moment_on() {
        let entry = Entry::new(vec![1]).expires_at(100);
        assert!(!entry.is_expired(99));
        assert!(entry.is_expired(100));
        assert!(!Entry::new(vec![1]).is_expired(u64::MAX));
    }

    #[test]
    fn engines_are_objects() {
        fn takes(_: &dyn Engine) {}
        let _: fn(&Arc<dyn Engine>) = |engine| takes(engine);
    }
}
