//! Fallback: engines in order of preference, the next one used while those before it are in trouble.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::engine::{
    Capability, Engine, EngineFuture, Entry, Key, Lease, Reach, Space, Watcher, Witness, utc_now,
};
use crate::entry::created;
use crate::error::{Error, ErrorKind};

/// Engines of which the first that works is used, call by call. Put a [guard](crate::Guarded) around each:
/// it is the guard that makes trouble cheap to notice, and that lets the preferred engine back in.
///
/// Reads and writes go to the first engine that does not fail.
///
/// # What an engine that stands in may give out
///
/// Only what was put there since all engines before it began to fail, by the moment that a
/// [sealed](crate::entry::Label::seal) entry says it was made. While the preferred engine works, others invalidate
/// entries there and know nothing of what lies in the engines behind it; what is left there from an earlier failure, or
/// from an earlier process, is never given out again. It takes room until the engine evicts it.
///
/// So a removal or clearing is done when the preferred engine has done it. While that fails, it goes to those that
/// stand in, and is an error all the same: the preferred engine has not been reached. From one that does not do it,
/// nothing that was put there before is given out any more.
pub struct Chain {
    name: String,
    engines: Vec<Link>,
}

/// An engine in its place.
struct Link {
    engine: Arc<dyn Engine>,
    /// Since when it stands in, in milliseconds since 1970 UTC, and so the oldest that it may give out. 0: it does not,
    /// because one before it works.
    since: AtomicU64,
    /// How many calls it has answered in the place of one before it.
    served: AtomicU64,
}

impl Chain {
    /// A chain of these engines, the preferred one first. Without any, every call is
    /// [`ErrorKind::Unavailable`].
    pub fn new(engines: Vec<Arc<dyn Engine>>) -> Self {
        let name = engines.iter().map(|engine| engine.name()).collect::<Vec<_>>().join(" or ");
        let link = |engine| Link { engine, since: AtomicU64::new(0), served: AtomicU64::new(0) };
        Self { name, engines: engines.into_iter().map(link).collect() }
    }

    /// The engines, the preferred one first.
    pub fn engines(&self) -> impl ExactSizeIterator<Item = &Arc<dyn Engine>> {
        self.engines.iter().map(|link| &link.engine)
    }

    /// How many calls each engine has answered in the place of those before it, in the order of the engines; so the
    /// first number is 0.
    pub fn served(&self) -> Vec<u64> {
        self.engines.iter().map(|link| link.served.load(Ordering::Relaxed)).collect()
    }

    /// Notes whether the engine at this place has answered, and gives the answer if it has.
    fn heard<T>(&self, at: usize, answer: Result<T, Error>) -> Result<Result<T, Error>, Error> {
        let behind = &self.engines[at + 1..];
        match answer {
            Err(error) if error.is_engine_failure() => {
                if let Some(next) = behind.first() {
                    // who comes second finds it set, and leaves it
                    let _ = next.since.compare_exchange(0, utc_now(), Ordering::Relaxed, Ordering::Relaxed);
                }
                Err(error)
            }
            answer => {
                for link in behind {
                    // mostly there is nothing to change, and so nothing is written
                    if link.since.load(Ordering::Relaxed) != 0 {
                        link.since.store(0, Ordering::Relaxed);
                    }
                }
                if at > 0 {
                    self.engines[at].served.fetch_add(1, Ordering::Relaxed);
                }
                Ok(answer)
            }
        }
    }

    /// The entry, if the engine at this place may give it out.
    fn current(&self, at: usize, entry: Option<Entry>) -> Option<Entry> {
        if at == 0 {
            return entry;
        }
        let since = self.engines[at].since.load(Ordering::Relaxed);
        entry.filter(|entry| since != 0 && created(&entry.bytes).is_some_and(|created| created >= since))
    }

    /// Nothing that the engine at this place has by now may be given out while it stands in.
    fn disown(&self, at: usize) {
        let now = utc_now();
        // 0 is what a recovery has set meanwhile
        let later = |since| (since != 0).then(|| u64::max(since, now + 1));
        let _ = self.engines[at].since.fetch_update(Ordering::Relaxed, Ordering::Relaxed, later);
    }

    /// Calls one engine after the other until one does not fail as an engine.
    fn first<'a, T: Send + 'a>(
        &'a self,
        call: impl Fn(usize, &'a dyn Engine) -> EngineFuture<'a, T> + Send + Sync + 'a,
    ) -> EngineFuture<'a, T> {
        let mut failed = self.none();
        for (at, link) in self.engines.iter().enumerate() {
            match call(at, &*link.engine).try_ready() {
                Ok(answer) => match self.heard(at, answer) {
                    Ok(answer) => return EngineFuture::ready(answer),
                    Err(error) => failed = error,
                },
                Err(pending) => {
                    return EngineFuture::new(async move {
                        let mut failed = match self.heard(at, pending.await) {
                            Ok(answer) => return answer,
                            Err(error) => error,
                        };
                        for (at, link) in self.engines.iter().enumerate().skip(at + 1) {
                            match self.heard(at, call(at, &*link.engine).await) {
                                Ok(answer) => return answer,
                                Err(error) => failed = error,
                            }
                        }
                        Err(failed)
                    });
                }
            }
        }
        EngineFuture::ready(Err(failed))
    }

    /// Has the engines drop something: the first that works, and those before it that do not, whose failure is told.
    fn drop_with<'a, T: Send + 'a>(
        &'a self,
        call: impl Fn(&'a dyn Engine) -> EngineFuture<'a, T> + Send + Sync + 'a,
    ) -> EngineFuture<'a, T> {
        EngineFuture::new(async move {
            let mut failed = None;
            for (at, link) in self.engines.iter().enumerate() {
                match self.heard(at, call(&*link.engine).await) {
                    Ok(Ok(answer)) => return failed.map_or(Ok(answer), Err),
                    Ok(Err(error)) => return Err(failed.unwrap_or(error)),
                    Err(error) => {
                        if at > 0 {
                            self.disown(at);
                        }
                        failed = failed.or(Some(error));
                    }
                }
            }
            Err(failed.unwrap_or_else(|| self.none()))
        })
    }

    /// The error where no engine works.
    fn none(&self) -> Error {
        Error::new(ErrorKind::Unavailable, "find an engine that works").of(&self.name)
    }
}

/// A witness is an engine's own counting: which engine's is kept in its highest bits.
const ENGINE_BITS: u32 = 4;

fn with_engine(at: usize, witness: Witness) -> Witness {
    let shift = u64::BITS - ENGINE_BITS;
    Witness((at as u64 + 1) << shift | witness.0 & ((1 << shift) - 1))
}

fn without_engine(witness: Witness) -> (usize, Witness) {
    let shift = u64::BITS - ENGINE_BITS;
    ((witness.0 >> shift) as usize, Witness(witness.0 & ((1 << shift) - 1)))
}

impl Engine for Chain {
    fn name(&self) -> &str {
        &self.name
    }

    /// What all of them can do, whichever is used.
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
            // with the preferred engine back, all may have changed: those that stand in need not tell
            watches: a.watches,
            largest: [a.largest, b.largest].into_iter().flatten().min(),
        });
        Capability { blocking: false, reach: both.reach.max(Reach::Process), ..both }
    }

    fn get<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, Option<Entry>> {
        self.first(move |at, engine| then(engine.get(key), move |entry| self.current(at, entry)))
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
                (self.current(at, entry), with_engine(at, witness))
            })
        })
    }

    /// Only the engine that gave the witness knows what has happened since: it alone is asked to store.
    fn put_if<'a>(&'a self, key: &'a Key, entry: &'a Entry, witness: Witness) -> EngineFuture<'a, bool> {
        let (from, witness) = without_engine(witness);
        match from.checked_sub(1).and_then(|at| self.engines.get(at)) {
            Some(link) => link.engine.put_if(key, entry, witness),
            None => self.first(move |_, engine| engine.put_if(key, entry, witness)),
        }
    }

    fn get_many<'a>(&'a self, keys: &'a [Key]) -> EngineFuture<'a, Vec<Option<Entry>>> {
        self.first(move |at, engine| {
            then(engine.get_many(keys), move |entries| {
                entries.into_iter().map(|entry| self.current(at, entry)).collect()
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
        for link in &self.engines {
            link.engine.watch(space, watcher.clone());
        }
    }

    fn flush(&self) -> EngineFuture<'_, ()> {
        EngineFuture::new(async move {
            let mut done = Ok(());
            for link in &self.engines {
                done = done.and(link.engine.flush().await);
            }
            done
        })
    }

    fn unwritten(&self) -> Option<usize> {
        self.engines.iter().filter_map(|link| link.engine.unwritten()).reduce(|all, some| all + some)
    }
}

/// What an engine gives, and then something else.
fn then<'a, T: Send + 'a, U: Send + 'a>(
    answer: EngineFuture<'a, T>,
    map: impl FnOnce(T) -> U + Send + 'a,
) -> EngineFuture<'a, U> {
    match answer.try_ready() {
        Ok(answer) => EngineFuture::ready(answer.map(map)),
        Err(pending) => EngineFuture::new(async move { pending.await.map(map) }),
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Chain").field(&self.name).finish()
    }
}

#[cfg(all(test, feature = "testing", feature = "conformance"))]
mod tests {
    use super::*;
    use crate::conformance::wait;
    use crate::entry::{Codec, Label};
    use crate::testing::{Double, Mood};

    fn chain() -> (Double, Double, Chain) {
        let (first, second) = (Double::new("first"), Double::new("second"));
        let chain = Chain::new(vec![Arc::new(first.clone()), Arc::new(second.clone())]);
        (first, second, chain)
    }

    const KEY: Key = Key { space: Space([1; 16]), digest: [2; 32] };

    /// An entry made now.
    fn entry() -> Entry {
        let label = Label {
            identity: [0; 16],
            key: KEY.digest,
            fingerprint: 0,
            created: utc_now(),
            expires: None,
            cost: 0,
            codec: Codec::RAW,
        };
        Entry::new(label.seal(b"result".to_vec()))
    }

    /// Waits for the clock of entries to go on.
    fn tick() {
        let now = utc_now();
        while utc_now() == now {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn the_next_one_is_used_while_the_first_fails_and_no_longer() {
        let (first, second, chain) = chain();
        first.set(Mood::Failing(ErrorKind::Unavailable));
        assert_eq!(wait(chain.get(&KEY)).unwrap(), None);
        let entry = entry();
        wait(chain.put(&KEY, &entry)).unwrap();
        assert_eq!((first.len(), second.len()), (0, 1));
        assert_eq!(wait(chain.get(&KEY)).unwrap(), Some(entry.clone()));
        assert_eq!(wait(chain.get_many(&[KEY])).unwrap(), [Some(entry.clone())]);
        assert_eq!(chain.served(), [0, 4]);
        first.set(Mood::Well);
        assert_eq!(wait(chain.get(&KEY)).unwrap(), None, "the first is back, and has nothing yet");
        wait(chain.put(&KEY, &entry)).unwrap();
        assert_eq!((first.len(), second.len()), (1, 1));
        assert_eq!(chain.served(), [0, 4]);
    }

    #[test]
    fn what_was_put_into_one_that_stood_in_before_is_never_given_out_again() {
        let (first, second, chain) = chain();
        wait(second.put(&KEY, &entry())).unwrap();
        tick();
        first.set(Mood::Failing(ErrorKind::Unavailable));
        assert_eq!(wait(chain.get(&KEY)).unwrap(), None, "an earlier process put it there");
        wait(chain.put(&KEY, &entry())).unwrap();
        assert!(wait(chain.look(&KEY)).unwrap().0.is_some());

        first.set(Mood::Well);
        // what another process does to the first one is not seen by the second
        wait(first.remove(&KEY)).unwrap();
        assert_eq!(wait(chain.get(&KEY)).unwrap(), None);
        tick();
        first.set(Mood::Failing(ErrorKind::Timeout));
        assert_eq!(wait(chain.look(&KEY)).unwrap().0, None);
        assert_eq!(wait(chain.get_many(&[KEY])).unwrap(), [None]);
        assert_eq!(second.len(), 1, "it lies there, and is not given out");
    }

    #[test]
    fn a_removal_is_done_where_it_counts_or_says_that_it_was_not() {
        let (first, second, chain) = chain();
        wait(first.put(&KEY, &entry())).unwrap();
        second.set(Mood::Failing(ErrorKind::Unavailable));
        assert!(wait(chain.remove(&KEY)).unwrap(), "the second does not count while the first works");
        assert_eq!(second.calls(), 0);
        second.set(Mood::Well);

        first.set(Mood::Failing(ErrorKind::Unavailable));
        wait(chain.get(&KEY)).unwrap();
        wait(chain.put(&KEY, &entry())).unwrap();
        wait(chain.remove(&KEY)).unwrap_err();
        assert!(second.is_empty(), "it went on behind the one that failed");
        wait(chain.put(&KEY, &entry())).unwrap();
        wait(chain.clear(&KEY.space)).unwrap_err();
        assert!(second.is_empty(), "it went on behind the one that failed");
    }

    #[test]
    fn what_a_removal_did_not_reach_is_not_given_out() {
        let (first, second, chain) = chain();
        first.set(Mood::Failing(ErrorKind::Unavailable));
        wait(chain.get(&KEY)).unwrap();
        wait(chain.put(&KEY, &entry())).unwrap();
        second.set(Mood::Failing(ErrorKind::Unavailable));
        wait(chain.remove(&KEY)).unwrap_err();
        second.set(Mood::Well);
        assert_eq!(second.len(), 1, "the removal did not reach it");
        assert_eq!(wait(chain.get(&KEY)).unwrap(), None);
        tick();
        wait(chain.put(&KEY, &entry())).unwrap();
        assert!(wait(chain.get(&KEY)).unwrap().is_some(), "it goes on standing in");
    }

    #[test]
    fn what_is_too_large_for_the_first_does_not_go_to_the_next() {
        let (first, second, chain) = chain();
        first.set(Mood::Failing(ErrorKind::TooLarge));
        wait(chain.put(&KEY, &Entry::new(vec![1]))).unwrap_err();
        assert!(second.is_empty());
    }

    #[test]
    fn one_engine_does_not_judge_by_the_witness_of_another() {
        let (first, second, chain) = chain();
        let (_, witness) = wait(chain.look(&KEY)).unwrap();
        first.set(Mood::Failing(ErrorKind::Unavailable));
        wait(chain.put_if(&KEY, &Entry::new(vec![1]), witness)).unwrap_err();
        assert!(second.is_empty());
        let (_, witness) = wait(chain.look(&KEY)).unwrap();
        assert!(wait(chain.put_if(&KEY, &Entry::new(vec![1]), witness)).unwrap());
        assert_eq!(second.len(), 1);
    }
}
