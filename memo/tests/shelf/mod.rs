//! An engine that keeps entries in a map, for a test to change them as somebody does who may write where results are
//! stored.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use memo::engine::{Capability, Engine, EngineFuture, Entry, Key, Space};
use memo_engines::entry::{Label, Stored};

#[derive(Default, Clone)]
pub(crate) struct Shelf(Arc<Mutex<HashMap<Key, Entry>>>);

impl Shelf {
    /// One of this name, registered.
    pub(crate) fn named(name: &str) -> Self {
        let shelf = Shelf::default();
        memo::engines().register(name, shelf.clone());
        shelf
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// Changes the label and the payload of every entry, and seals it again.
    pub(crate) fn forge(&self, change: impl Fn(&mut Label, &mut Vec<u8>)) {
        let mut entries = self.0.lock().unwrap();
        assert!(!entries.is_empty(), "nothing is stored");
        for entry in entries.values_mut() {
            let Stored { mut label, payload } = Stored::inspect(&entry.bytes).unwrap();
            let mut payload = payload.to_vec();
            change(&mut label, &mut payload);
            *entry = Entry { bytes: label.seal(payload).into(), expires: label.expires };
        }
    }
}

impl Engine for Shelf {
    fn name(&self) -> &str {
        "shelf"
    }
    fn capability(&self) -> Capability {
        Capability { blocking: true, ..Capability::default() }
    }
    fn get<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, Option<Entry>> {
        EngineFuture::ready(Ok(self.0.lock().unwrap().get(key).cloned()))
    }
    fn put<'a>(&'a self, key: &'a Key, entry: &'a Entry) -> EngineFuture<'a, ()> {
        self.0.lock().unwrap().insert(*key, entry.clone());
        EngineFuture::ready(Ok(()))
    }
    fn remove<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, bool> {
        EngineFuture::ready(Ok(self.0.lock().unwrap().remove(key).is_some()))
    }
    fn clear<'a>(&'a self, space: &'a Space) -> EngineFuture<'a, ()> {
        self.0.lock().unwrap().retain(|key, _| key.space != *space);
        EngineFuture::ready(Ok(()))
    }
}
