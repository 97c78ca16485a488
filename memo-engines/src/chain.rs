//! Fallback: engines in order of preference, the next one used while those before it are in trouble.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::{Capability, Engine, EngineFuture, Entry, Key, Lease, Reach, Space, Watcher, Witness};
use crate::error::{Error, ErrorKind};

/// Engines of which the first that works is used, call by call. Put a [guard](crate::Guarded) around each:
/// it is the guard that makes trouble cheap to notice, and that lets the preferred engine back in.
///
/// Reads and writes go to the first engine that does not fail. Removals and clearings go to all, since an
/// entry may lie in any, and succeed only if all did.
pub struct Chain {
    name: String,
    engines: Vec<Arc<dyn Engine>>,
}

impl Chain {
    /// A chain of these engines, the preferred one first. Without any, every call is
    /// [`ErrorKind::Unavailable`].
    pub fn new(engines: Vec<Arc<dyn Engine>>) -> Self {
        let name = engines.iter().map(|engine| engine.name()).collect::<Vec<_>>().join(" or ");
        Self { name, engines }
    }

    /// The engines, the preferred one first.
    pub fn engines(&self) -> &[Arc<dyn Engine>] {
        &self.engines
    }

    /// Calls one engine after the other until one does not fail as an engine.
    fn first<'a, T: Send + 'a>(
        &'a self,
        call: impl Fn(usize, &'a dyn Engine) -> EngineFuture<'a, T> + Send + Sync + 'a,
    ) -> EngineFuture<'a, T> {
        let mut failed = Error::new(ErrorKind::Unavailable, "find an engine that works").of(&self.name);
        for (at, engine) in self.engines.iter().enumerate() {
            match call(at, &**engine).try_ready() {
                Ok(Err(error)) if error.is_engine_failure() => failed = error,
                Ok(answer) => return EngineFuture::ready(answer),
                Err(pending) => {
                    return EngineFuture::new(async move {
                        let mut answer = pending.await;
                        for (at, engine) in self.engines.iter().enumerate().skip(at + 1) {
                            if answer.as_ref().err().is_none_or(|error| !error.is_engine_failure()) {
                                break;
                            }
                            answer = call(at, &**engine).await;
                        }
                        answer
                    });
                }
            }
        }
        EngineFuture::ready(Err(failed))
    }

    /// Calls every engine, also after one has failed; gives what they gave, or the first error.
    fn every<'a, T: Send + 'a>(
        &'a self,
        call: impl Fn(&'a dyn Engine) -> EngineFuture<'a, T> + Send + Sync + 'a,
    ) -> EngineFuture<'a, Vec<T>> {
        EngineFuture::new(async move {
            let mut answers = Ok(Vec::new());
            for engine in &self.engines {
                answers = match (answers, call(&**engine).await) {
                    (Ok(mut answers), Ok(answer)) => {
                        answers.push(answer);
                        Ok(answers)
                    }
                    (Err(first), _) => Err(first),
                    (Ok(_), Err(error)) => Err(error),
                };
            }
            answers
        })
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
        let mut all = self.engines.iter().map(|engine| engine.capability());
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
            watches: a.watches && b.watches,
            largest: [a.largest, b.largest].into_iter().flatten().min(),
        });
        Capability { blocking: false, reach: both.reach.max(Reach::Process), ..both }
    }

    fn get<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, Option<Entry>> {
        self.first(move |_, engine| engine.get(key))
    }

    fn put<'a>(&'a self, key: &'a Key, entry: &'a Entry) -> EngineFuture<'a, ()> {
        self.first(move |_, engine| engine.put(key, entry))
    }

    fn remove<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, bool> {
        let every = self.every(move |engine| engine.remove(key));
        EngineFuture::new(async { Ok(every.await?.contains(&true)) })
    }

    fn clear<'a>(&'a self, space: &'a Space) -> EngineFuture<'a, ()> {
        let every = self.every(move |engine| engine.clear(space));
        EngineFuture::new(async { every.await.map(drop) })
    }

    fn look<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, (Option<Entry>, Witness)> {
        self.first(move |at, engine| match engine.look(key).try_ready() {
            Ok(answer) => {
                EngineFuture::ready(answer.map(|(entry, witness)| (entry, with_engine(at, witness))))
            }
            Err(pending) => EngineFuture::new(async move {
                let (entry, witness) = pending.await?;
                Ok((entry, with_engine(at, witness)))
            }),
        })
    }

    /// Only the engine that gave the witness knows what has happened since: it alone is asked to store.
    fn put_if<'a>(&'a self, key: &'a Key, entry: &'a Entry, witness: Witness) -> EngineFuture<'a, bool> {
        let (from, witness) = without_engine(witness);
        match from.checked_sub(1).and_then(|at| self.engines.get(at)) {
            Some(engine) => engine.put_if(key, entry, witness),
            None => self.first(move |_, engine| engine.put_if(key, entry, witness)),
        }
    }

    fn get_many<'a>(&'a self, keys: &'a [Key]) -> EngineFuture<'a, Vec<Option<Entry>>> {
        self.first(move |_, engine| engine.get_many(keys))
    }

    fn put_many<'a>(&'a self, entries: &'a [(Key, Entry)]) -> EngineFuture<'a, ()> {
        self.first(move |_, engine| engine.put_many(entries))
    }

    fn remove_many<'a>(&'a self, keys: &'a [Key]) -> EngineFuture<'a, usize> {
        let every = self.every(move |engine| engine.remove_many(keys));
        EngineFuture::new(async { Ok(every.await?.into_iter().max().unwrap_or(0)) })
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
        for engine in &self.engines {
            engine.watch(space, Arc::clone(&watcher));
        }
    }

    fn flush(&self) -> EngineFuture<'_, ()> {
        let every = self.every(|engine| engine.flush());
        EngineFuture::new(async { every.await.map(drop) })
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
    use crate::testing::{Double, Mood};

    fn chain() -> (Double, Double, Chain) {
        let (first, second) = (Double::new("first"), Double::new("second"));
        let chain = Chain::new(vec![Arc::new(first.clone()), Arc::new(second.clone())]);
        (first, second, chain)
    }

    const KEY: Key = Key { space: Space([1; 16]), digest: [2; 32] };

    #[test]
    fn the_next_one_is_used_while_the_first_fails_and_no_longer() {
        let (first, second, chain) = chain();
        let entry = Entry::new(vec![1]);
        first.set(Mood::Failing(ErrorKind::Unavailable));
        wait(chain.put(&KEY, &entry)).unwrap();
        assert_eq!((first.len(), second.len()), (0, 1));
        assert_eq!(wait(chain.get(&KEY)).unwrap(), Some(entry.clone()));
        first.set(Mood::Well);
        assert_eq!(wait(chain.get(&KEY)).unwrap(), None, "the first is back, and has nothing yet");
        wait(chain.put(&KEY, &entry)).unwrap();
        assert_eq!((first.len(), second.len()), (1, 1));
    }

    #[test]
    fn a_removal_reaches_all_or_says_that_it_did_not() {
        let (first, second, chain) = chain();
        let entry = Entry::new(vec![1]);
        wait(first.put(&KEY, &entry)).unwrap();
        wait(second.put(&KEY, &entry)).unwrap();
        first.set(Mood::Failing(ErrorKind::Unavailable));
        wait(chain.remove(&KEY)).unwrap_err();
        assert!(second.is_empty(), "it went on behind the one that failed");
        first.set(Mood::Well);
        assert!(wait(chain.remove(&KEY)).unwrap());
        assert!(first.is_empty());
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
