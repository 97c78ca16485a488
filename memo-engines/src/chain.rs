//! Fallback: engines in order of preference. The next one is used while those before it fail.

mod methods;
mod origin;
#[cfg(all(test, feature = "testing", feature = "conformance"))]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::engine::{Engine, EngineFuture, Entry, utc_now};
use crate::entry::created;
use crate::error::{Error, ErrorKind};

/// A list of engines. Each call goes to the first one that works. Put a [guard](crate::Guarded) around
/// each: the guard notices trouble cheaply, and lets the preferred engine back in.
///
/// # What a fallback may return
///
/// A fallback returns only entries that were made since all engines before it began to fail. The label of a
/// [sealed](crate::entry::Label::seal) entry says when it was made. While the preferred engine works,
/// others invalidate entries there and do not know of the fallback. So what is left in a fallback from an
/// earlier failure, or from an earlier process, is never returned again. It takes room until the engine
/// evicts it.
///
/// A removal or clearing is done when the preferred engine has done it. While that fails, it goes to the
/// fallbacks and is an error all the same, since the preferred engine was not reached. If a fallback fails
/// to do it, nothing that was put there before is returned any more.
pub struct Chain {
    name: String,
    engines: Vec<Member>,
}

/// An engine of the chain.
struct Member {
    engine: Arc<dyn Engine>,
    /// Since when it stands in for those before it, in milliseconds since 1970 UTC; an older entry is not
    /// returned. 0: one before it works.
    since: AtomicU64,
    /// How many calls it answered in place of one before it.
    served: AtomicU64,
}

impl Chain {
    /// A chain of these engines, the preferred one first. With no engine, every call is
    /// [`ErrorKind::Unavailable`].
    pub fn new(engines: Vec<Arc<dyn Engine>>) -> Self {
        let name = engines.iter().map(|engine| engine.name()).collect::<Vec<_>>().join(" or ");
        let member = |engine| Member { engine, since: AtomicU64::new(0), served: AtomicU64::new(0) };
        Self { name, engines: engines.into_iter().map(member).collect() }
    }

    /// The engines, the preferred one first.
    pub fn engines(&self) -> impl ExactSizeIterator<Item = &Arc<dyn Engine>> {
        self.engines.iter().map(|member| &member.engine)
    }

    /// How many calls each engine answered in place of those before it, in the order of the engines. The
    /// first number is 0.
    pub fn served(&self) -> Vec<u64> {
        self.engines.iter().map(|member| member.served.load(Ordering::Relaxed)).collect()
    }

    /// Notes whether the engine at this index answered. Returns its answer, or its failure if the next
    /// engine should be asked.
    fn note<T>(&self, at: usize, answer: Result<T, Error>) -> Result<Result<T, Error>, Error> {
        let behind = &self.engines[at + 1..];
        match answer {
            Err(error) if error.is_engine_failure() => {
                if let Some(next) = behind.first() {
                    // it stays what the first failure set
                    let _ = next.since.compare_exchange(0, utc_now(), Ordering::Relaxed, Ordering::Relaxed);
                }
                Err(error)
            }
            answer => {
                for member in behind {
                    // mostly it is 0 already, and nothing is written
                    if member.since.load(Ordering::Relaxed) != 0 {
                        member.since.store(0, Ordering::Relaxed);
                    }
                }
                if at > 0 {
                    self.engines[at].served.fetch_add(1, Ordering::Relaxed);
                }
                Ok(answer)
            }
        }
    }

    /// The entry, if the engine at this index may return it.
    fn unless_outdated(&self, at: usize, entry: Option<Entry>) -> Option<Entry> {
        if at == 0 {
            return entry;
        }
        let since = self.engines[at].since.load(Ordering::Relaxed);
        entry.filter(|entry| since != 0 && created(&entry.bytes).is_some_and(|created| created >= since))
    }

    /// From now on, what the engine at this index has by now is not returned while it stands in.
    fn disown(&self, at: usize) {
        let now = utc_now();
        // 0: the engines before it have recovered meanwhile
        let later = |since| (since != 0).then(|| u64::max(since, now + 1));
        let _ = self.engines[at].since.fetch_update(Ordering::Relaxed, Ordering::Relaxed, later);
    }

    /// Calls the engines in order until one does not fail.
    fn first<'a, T: Send + 'a>(
        &'a self,
        call: impl Fn(usize, &'a dyn Engine) -> EngineFuture<'a, T> + Send + Sync + 'a,
    ) -> EngineFuture<'a, T> {
        let mut failed = self.none();
        for (at, member) in self.engines.iter().enumerate() {
            match call(at, &*member.engine).try_ready() {
                Ok(answer) => match self.note(at, answer) {
                    Ok(answer) => return EngineFuture::ready(answer),
                    Err(error) => failed = error,
                },
                Err(pending) => {
                    return EngineFuture::new(async move {
                        let mut failed = match self.note(at, pending.await) {
                            Ok(answer) => return answer,
                            Err(error) => error,
                        };
                        for (at, member) in self.engines.iter().enumerate().skip(at + 1) {
                            match self.note(at, call(at, &*member.engine).await) {
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

    /// Makes the engines drop something: all up to the first that works. The failure of an earlier one is
    /// returned.
    fn drop_with<'a, T: Send + 'a>(
        &'a self,
        call: impl Fn(&'a dyn Engine) -> EngineFuture<'a, T> + Send + Sync + 'a,
    ) -> EngineFuture<'a, T> {
        EngineFuture::new(async move {
            let mut failed = None;
            for (at, member) in self.engines.iter().enumerate() {
                match self.note(at, call(&*member.engine).await) {
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

    /// The error if no engine works.
    fn none(&self) -> Error {
        Error::new(ErrorKind::Unavailable, "find an engine that works").of(&self.name)
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Chain").field(&self.name).finish()
    }
}
