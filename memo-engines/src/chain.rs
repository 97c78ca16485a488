//! Fallback: engines in order of preference, the next one used while those before it are in trouble.

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
    engines: Vec<Member>,
}

/// An engine in its place.
struct Member {
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
        let member = |engine| Member { engine, since: AtomicU64::new(0), served: AtomicU64::new(0) };
        Self { name, engines: engines.into_iter().map(member).collect() }
    }

    /// The engines, the preferred one first.
    pub fn engines(&self) -> impl ExactSizeIterator<Item = &Arc<dyn Engine>> {
        self.engines.iter().map(|member| &member.engine)
    }

    /// How many calls each engine has answered in the place of those before it, in the order of the engines; so the
    /// first number is 0.
    pub fn served(&self) -> Vec<u64> {
        self.engines.iter().map(|member| member.served.load(Ordering::Relaxed)).collect()
    }

    /// Notes whether the engine at this place has answered, and gives the answer if it has.
    fn note<T>(&self, at: usize, answer: Result<T, Error>) -> Result<Result<T, Error>, Error> {
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
                for member in behind {
                    // mostly there is nothing to change, and so nothing is written
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

    /// The entry, if the engine at this place may give it out.
    fn unless_outdated(&self, at: usize, entry: Option<Entry>) -> Option<Entry> {
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

    /// Has the engines drop something: the first that works, and those before it that do not, whose failure is told.
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

    /// The error where no engine works.
    fn none(&self) -> Error {
        Error::new(ErrorKind::Unavailable, "find an engine that works").of(&self.name)
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Chain").field(&self.name).finish()
    }
}
