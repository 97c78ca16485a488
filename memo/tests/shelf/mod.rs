//! An engine in a map. A test can count what it is asked, have it fail, and change its entries as somebody does who may
//! write where results are stored.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use memo::engine::{Capability, Engine, EngineFuture, Entry, Error, ErrorKind, Key, Space, utc_now};
use memo_engines::entry::{Label, Stored};

#[derive(Default, Clone)]
pub(crate) struct Shelf(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// What it can do beside blocking its caller.
    capability: Capability,
    entries: Mutex<HashMap<Key, Entry>>,
    gets: AtomicU64,
    clears: AtomicU64,
    fails: AtomicBool,
}

impl Shelf {
    /// One of this name, registered.
    pub(crate) fn named(name: &str) -> Self {
        Shelf::with(name, Capability::default())
    }

    /// One of this name that says that it can do this, registered.
    pub(crate) fn with(name: &str, capability: Capability) -> Self {
        let shelf = Shelf(Arc::new(Inner { capability, ..Inner::default() }));
        memo::engines().register(name, shelf.clone());
        shelf
    }

    /// Whether it fails from now on, whatever it is asked.
    pub(crate) fn fail(&self, fails: bool) {
        self.0.fails.store(fails, Ordering::SeqCst);
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.entries().len()
    }

    /// How often it was asked for an entry.
    pub(crate) fn gets(&self) -> u64 {
        self.0.gets.load(Ordering::SeqCst)
    }

    /// How often it was asked to clear a space.
    pub(crate) fn clears(&self) -> u64 {
        self.0.clears.load(Ordering::SeqCst)
    }

    /// What is in it.
    pub(crate) fn entries(&self) -> MutexGuard<'_, HashMap<Key, Entry>> {
        self.0.entries.lock().unwrap()
    }

    /// Changes the label and the payload of every entry, and seals it again.
    pub(crate) fn forge(&self, change: impl Fn(&mut Label, &mut Vec<u8>)) {
        let mut entries = self.entries();
        assert!(!entries.is_empty(), "nothing is stored");
        for entry in entries.values_mut() {
            let Stored { mut label, payload } = Stored::inspect(&entry.bytes).unwrap();
            let mut payload = payload.to_vec();
            change(&mut label, &mut payload);
            *entry = Entry { bytes: label.seal(payload).into(), expires: label.expires };
        }
    }

    fn answer<T>(&self, answer: impl FnOnce(&mut HashMap<Key, Entry>) -> T) -> EngineFuture<'_, T> {
        if self.0.fails.load(Ordering::SeqCst) {
            return EngineFuture::ready(Err(Error::new(ErrorKind::Unavailable, "reach the shelf")));
        }
        EngineFuture::ready(Ok(answer(&mut self.entries())))
    }
}

impl Engine for Shelf {
    fn name(&self) -> &str {
        "shelf"
    }
    fn capability(&self) -> Capability {
        Capability { blocking: true, ..self.0.capability }
    }
    fn get<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, Option<Entry>> {
        self.0.gets.fetch_add(1, Ordering::SeqCst);
        self.answer(|entries| entries.get(key).filter(|entry| !entry.is_expired(utc_now())).cloned())
    }
    fn put<'a>(&'a self, key: &'a Key, entry: &'a Entry) -> EngineFuture<'a, ()> {
        self.answer(|entries| drop(entries.insert(*key, entry.clone())))
    }
    fn remove<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, bool> {
        self.answer(|entries| entries.remove(key).is_some())
    }
    fn clear<'a>(&'a self, space: &'a Space) -> EngineFuture<'a, ()> {
        self.0.clears.fetch_add(1, Ordering::SeqCst);
        self.answer(|entries| entries.retain(|key, _| key.space != *space))
    }
}
