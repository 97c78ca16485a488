//! What is asked of a function about one key, beside calls: to peek, to insert, to invalidate.
//!
//! Generated code makes the key from arguments in one place, whatever is asked: it gets a question ([`Ask`]) and puts it to
//! the [`Entry`] of that key.

use std::future::Future;
use std::pin::Pin;

use crate::call::lookup::{AddHooks, MemoBy};
use crate::counters::Counter;
use crate::error::{Error, ErrorKind};
use crate::event::{self, Event};
use crate::far::FarLife;
use crate::hooks::Hooks;
use crate::key::query::Query;
use crate::key::{OwnedPart, Part, SharedPart};
use crate::memo::Memo;
use crate::memoized::Memoized;
use crate::near::Life;
use crate::outcome::{SharedOutcome, Value};
use crate::park::block_on;
use crate::scope::Asked;
use crate::site::Site;
use crate::stored::Stored;

/// What one key leads to.
pub trait Entry<R> {
    /// What is stored.
    fn peek(&self) -> Reply<Option<R>>;

    /// What is stored, be it stale, and how old it is.
    fn peek_entry(&self) -> Reply<Option<Stored<R>>>;

    /// Stores a result. The reply is an error if it was not stored in every tier.
    fn insert(&self, result: R) -> Reply<Result<(), Error>>;

    /// Drops what is stored. The reply is an error if it was not done in every tier.
    fn invalidate(&self) -> Reply<Result<(), Error>>;

    /// Ends the freshness of what is stored: where it cannot be served stale, it is dropped. The reply is an error if it was not
    /// done in every tier.
    fn expire(&self) -> Reply<Result<(), Error>>;
}

/// A question to an entry.
pub type Ask<'a, R> = &'a mut dyn FnMut(&dyn Entry<R>);

/// What is replied, or will be.
pub enum Reply<T> {
    /// It is known.
    Now(T),
    /// It comes from an engine that outlives the process.
    Later(Pin<Box<dyn Future<Output = T> + Send>>),
}

impl<T> std::fmt::Debug for Reply<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Reply::Now(_) => "Now",
            Reply::Later(_) => "Later",
        })
    }
}

impl<T> Reply<T> {
    /// With what `to` makes of it.
    fn map<U>(self, to: impl FnOnce(T) -> U + Send + 'static) -> Reply<U>
    where
        T: 'static,
    {
        match self {
            Reply::Now(reply) => Reply::Now(to(reply)),
            Reply::Later(later) => Reply::Later(Box::pin(async { to(later.await) })),
        }
    }

    /// The reply itself, waited for.
    pub async fn settled(self) -> T {
        match self {
            Reply::Now(reply) => reply,
            Reply::Later(later) => later.await,
        }
    }

    /// The reply itself, for which the thread waits.
    pub fn now(self) -> T {
        match self {
            Reply::Now(reply) => reply,
            Reply::Later(later) => block_on(later),
        }
    }
}

/// Puts a question to the entry that `find` finds.
fn ask<R, T>(find: impl FnOnce(Ask<'_, R>), question: impl FnOnce(&dyn Entry<R>) -> T) -> T {
    let (mut question, mut reply) = (Some(question), None);
    find(&mut |entry| reply = question.take().map(|question| question(entry)));
    match reply {
        Some(reply) => reply,
        None => unreachable!("generated code asks each question once"),
    }
}

/// What is stored in the entry that `find` finds.
pub fn peek<R>(find: impl FnOnce(Ask<'_, R>)) -> Reply<Option<R>> {
    ask(find, |entry| entry.peek())
}

/// What is stored in the entry that `find` finds, be it stale, and how old it is.
pub fn peek_entry<R>(find: impl FnOnce(Ask<'_, R>)) -> Reply<Option<Stored<R>>> {
    ask(find, |entry| entry.peek_entry())
}

/// Stores a result in the entry that `find` finds.
pub fn insert<R>(result: R, find: impl FnOnce(Ask<'_, R>)) -> Reply<Result<(), Error>> {
    ask(find, |entry| entry.insert(result))
}

/// Drops what is stored in the entry that `find` finds.
pub fn invalidate<R>(find: impl FnOnce(Ask<'_, R>)) -> Reply<Result<(), Error>> {
    ask(find, |entry| entry.invalidate())
}

/// Ends the freshness of what is stored in the entry that `find` finds.
pub fn expire<R>(find: impl FnOnce(Ask<'_, R>)) -> Reply<Result<(), Error>> {
    ask(find, |entry| entry.expire())
}

/// Puts a question to the entry of `key`, in the namespace in force.
pub fn control<P: SharedPart, R: 'static, O: SharedOutcome<R> + Send>(
    site: Site,
    hooks: AddHooks<P, R, O>,
    key: &P,
    outcome: O,
    ask: Ask<'_, R>,
) {
    let origin = site.memo::<P::Owned, O::Stored, O::Failure>(&|| hooks(Hooks::new()));
    let asked = Asked::of(origin.name()).unwrap_or_default();
    ask(&SharedEntry { origin, asked, key: *key, outcome });
}

/// The entry of a function whose results are shared between threads.
struct SharedEntry<P: SharedPart, R, O: SharedOutcome<R>> {
    origin: &'static MemoBy<P, R, O>,
    asked: Asked,
    key: P,
    outcome: O,
}

impl<P: SharedPart, R: 'static, O: SharedOutcome<R> + Send> Entry<R> for SharedEntry<P, R, O> {
    fn peek(&self) -> Reply<Option<R>> {
        let SharedEntry { key, outcome, .. } = *self;
        let found = self.look(move |memo, hash| memo.near.peek(hash, &Query(key)), |stored| stored.value);
        found.map(move |found| found.map(|stored| outcome.hit(stored)))
    }

    fn peek_entry(&self) -> Reply<Option<Stored<R>>> {
        let SharedEntry { key, outcome, .. } = *self;
        let found = self.look(
            move |memo, hash| {
                let (value, age) = memo.near.peek_aged(hash, &Query(key))?;
                Some(Stored::near(value, memo.near_name(), age.as_ref()))
            },
            |stored| stored,
        );
        found.map(move |found| found.map(|stored| stored.map(|value| outcome.hit(value))))
    }

    fn insert(&self, result: R) -> Reply<Result<(), Error>> {
        let SharedEntry { key, outcome, origin, .. } = *self;
        let (memo, in_use) = self.asked.choice.of(origin);
        let version = &**memo;
        let refused = || Reply::Now(Err(Error::new(ErrorKind::NotStorable, memo.name())));
        let (hash, owned) = (memo.hash(&key), key.to_owned_part());
        let Some(value) = outcome.stored(&result) else { return refused() };
        let is_error = outcome.is_error(&value);
        let Some(storage) = memo.storage(&owned, &value, is_error, Some(&self.asked.options)) else {
            return refused();
        };
        let beyond = memo.beyond(storage.lifetime, is_error, None, Some(&self.asked.options));
        let encoded = version.far.as_ref().and_then(|far| {
            let key = far.key_of(&owned, hash)?;
            let encoded = far.encode(&value, Some(&key))?;
            Some((far, key, encoded))
        });
        for (other, _in_use) in self.asked.choice.others(origin) {
            other.forget_nearby(&key);
        }
        memo.flights.supersede(hash, &Query(key));
        let size = encoded.as_ref().map(|(_, _, encoded)| encoded.len());
        let near = memo.goes_near(encoded.is_none(), size);
        if !near && encoded.is_none() {
            return refused();
        }
        if near {
            if let Some((far, key, _)) = &encoded {
                // so that a change elsewhere finds it; what is inserted is right until then
                far.hold(key, hash);
            }
            let life = Life { lifetime: storage.lifetime, beyond: beyond.as_ref() };
            memo.near.insert(hash, owned, value, storage.weight, life);
        }
        if !near || memo.has_changed(version) {
            // what it replaces, or what was emptied meanwhile, perhaps for good
            memo.near.remove(hash, &Query(key));
        }
        memo.counters.count(Counter::Stored);
        event::tell_of(&Event::Stored { function: memo.name() }, memo.shown(&key).as_deref());
        let life = FarLife::of(storage.lifetime, beyond.as_ref());
        match encoded {
            Some((far, key, encoded)) => Reply::Later(Box::pin(async move {
                let _in_use = in_use;
                far.insert(key, encoded, life).await
            })),
            None => Reply::Now(Ok(())),
        }
    }

    fn invalidate(&self) -> Reply<Result<(), Error>> {
        self.leave(|memo, key| memo.forget_nearby(key))
    }

    fn expire(&self) -> Reply<Result<(), Error>> {
        self.leave(|memo, key| memo.expire_nearby(key))
    }
}

impl<P: SharedPart, R, O: SharedOutcome<R>> SharedEntry<P, R, O> {
    /// What is found in memory as `near` looks there, or else in an engine that outlives the process.
    fn look<T: Send + 'static>(
        &self,
        near: impl FnOnce(&MemoBy<P, R, O>, u64) -> Option<T>,
        far: fn(Stored<O::Stored>) -> T,
    ) -> Reply<Option<T>> {
        let SharedEntry { key, .. } = *self;
        let (memo, in_use) = self.asked.choice.of(self.origin);
        if !memo.settings.enabled() {
            return Reply::Now(None);
        }
        let hash = memo.hash(&key);
        if let Some(found) = near(memo, hash) {
            return Reply::Now(Some(found));
        }
        match memo.far.as_ref().and_then(|far| Some((far, far.key_of(&key.to_owned_part(), hash)?))) {
            Some((engines, key)) => Reply::Later(Box::pin(async move {
                let _in_use = in_use;
                engines.peek(key).await.map(far)
            })),
            None => Reply::Now(None),
        }
    }

    /// Has the entry leave wherever it may be: nearby as `nearby` does it, and from engines that outlive the process.
    fn leave(&self, nearby: fn(&MemoBy<P, R, O>, &P)) -> Reply<Result<(), Error>> {
        let SharedEntry { key, origin, .. } = *self;
        let choice = &self.asked.choice;
        let mut engines = Vec::new();
        for (memo, in_use) in choice.others(origin).chain([choice.of(origin)]) {
            nearby(memo, &key);
            engines.extend(
                memo.far.as_ref().and_then(|far| Some((far, far.key(&key.to_owned_part())?, in_use))),
            );
        }
        if engines.is_empty() {
            return Reply::Now(Ok(()));
        }
        Reply::Later(Box::pin(async move {
            let mut done = Ok(());
            for (far, key, _in_use) in engines {
                done = done.and(far.remove(key).await);
            }
            done
        }))
    }
}

impl<K: OwnedPart, V: Value, F: Value> Memo<K, V, F> {
    /// Drops what is in memory for `key`. What is being computed for it now is not stored.
    fn forget_nearby<P: Part<Owned = K>>(&self, key: &P) {
        let hash = self.hash(key);
        self.flights.supersede(hash, &Query(*key));
        self.near.remove(hash, &Query(*key));
    }

    /// Ends the freshness of what is in memory for `key`. What is being computed for it now is not stored.
    fn expire_nearby<P: Part<Owned = K>>(&self, key: &P) {
        let hash = self.hash(key);
        self.flights.supersede(hash, &Query(*key));
        self.near.expire(hash, &Query(*key));
    }
}
