//! For tests (feature `testing`): an engine that misbehaves on demand, and a clock to move.

mod methods;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use crate::clock::move_clock;
use crate::engine::{Capability, Engine, EngineFuture, Entry, Key, Lease, Space, utc_now};
use crate::error::{Error, ErrorKind};
use crate::lock::lock;

/// How a [`Double`] behaves.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Mood {
    /// It works.
    #[default]
    Well,
    /// Every call fails with this kind.
    Failing(ErrorKind),
    /// Every call that writes fails with this kind, and so do leases. Reads work.
    NotWriting(ErrorKind),
    /// Every call blocks its thread for this long, and then works.
    Slow(Duration),
    /// Every call blocks its thread until the mood changes.
    Hanging,
    /// A read returns the entry with one bit flipped.
    Corrupting,
    /// A read returns another key's entry, if there is another.
    MixingUp,
    /// Every call panics.
    Panicking,
}

/// An engine in memory that misbehaves on demand. Its clones are one engine.
#[derive(Clone, Default)]
pub struct Double(Arc<Inner>);

#[derive(Default)]
struct Inner {
    name: String,
    capability: Mutex<Option<Capability>>,
    state: Mutex<State>,
    changed: Condvar,
    calls: AtomicU64,
}

#[derive(Default)]
struct State {
    mood: Mood,
    entries: BTreeMap<Key, Entry>,
    seq: u64,
    removed: BTreeMap<[u8; 32], u64>,
    cleared: BTreeMap<Space, u64>,
    leases: BTreeMap<Key, (Lease, Instant)>,
}

impl Double {
    /// A well-behaved engine of this name.
    pub fn new(name: &str) -> Self {
        Self(Arc::new(Inner { name: name.to_owned(), ..Inner::default() }))
    }

    /// Sets the capability that it claims.
    #[must_use]
    pub fn claiming(self, capability: Capability) -> Self {
        *lock(&self.0.capability) = Some(capability);
        self
    }

    /// Sets how it behaves from now on.
    pub fn set(&self, mood: Mood) {
        self.state().mood = mood;
        self.0.changed.notify_all();
    }

    /// How many calls were made to it, failed ones included.
    pub fn calls(&self) -> u64 {
        self.0.calls.load(Ordering::Relaxed)
    }

    /// How many entries it holds.
    pub fn len(&self) -> usize {
        self.state().entries.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.0.state)
    }

    fn call<T>(&self, work: impl FnOnce(&mut State) -> T) -> EngineFuture<'_, T> {
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        let mut state = self.state();
        match state.mood.clone() {
            Mood::Failing(kind) => {
                return EngineFuture::ready(Err(Error::new(kind, "do as it was told").of(self.name())));
            }
            Mood::Slow(time) => {
                drop(state);
                std::thread::sleep(time);
                state = self.state();
            }
            Mood::Hanging => {
                let hangs = |state: &mut State| matches!(state.mood, Mood::Hanging);
                state = self.0.changed.wait_while(state, hangs).unwrap_or_else(PoisonError::into_inner);
            }
            Mood::Panicking => {
                drop(state);
                panic!("the engine {} panics, as it was told", self.name());
            }
            Mood::Well | Mood::NotWriting(_) | Mood::Corrupting | Mood::MixingUp => {}
        }
        EngineFuture::ready(Ok(work(&mut state)))
    }

    /// A call that changes something.
    fn change<T>(&self, work: impl FnOnce(&mut State) -> T) -> EngineFuture<'_, T> {
        let mood = self.state().mood.clone();
        if let Mood::NotWriting(kind) = mood {
            self.0.calls.fetch_add(1, Ordering::Relaxed);
            return EngineFuture::ready(Err(Error::new(kind, "write, as it was told").of(self.name())));
        }
        self.call(work)
    }
}

impl State {
    fn get(&self, key: &Key) -> Option<Entry> {
        let now = utc_now();
        let entry = match self.mood {
            Mood::MixingUp => self.entries.iter().find(|(other, _)| *other != key).map(|(_, entry)| entry),
            _ => self.entries.get(key),
        };
        let mut entry = entry.filter(|entry| !entry.is_expired(now))?.clone();
        if let Mood::Corrupting = self.mood {
            let mut bytes = entry.bytes.into_vec();
            let middle = bytes.len() / 2;
            bytes.get_mut(middle).into_iter().for_each(|byte| *byte ^= 1);
            entry.bytes = bytes.into();
        }
        Some(entry)
    }

    fn holds(&self, key: &Key, lease: &Lease) -> bool {
        self.leases.get(key).is_some_and(|(held, until)| held == lease && *until > Instant::now())
    }
}
