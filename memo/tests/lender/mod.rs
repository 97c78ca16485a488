//! An engine that lends: its leases fail on order, and are counted.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use memo::engine::testing::Double;
use memo::engine::{
    Capability, Engine, EngineFuture, Entry, Error, ErrorKind, Key, Lease, Reach, Space, Witness,
};

/// An engine whose leases fail on order, and are counted.
#[derive(Clone)]
pub(crate) struct Lender(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) double: Double,
    pub(crate) lease_fails: AtomicBool,
    pub(crate) renew_fails: AtomicBool,
    pub(crate) loses: AtomicBool,
    pub(crate) release_fails: AtomicBool,
    pub(crate) asked: AtomicU64,
    pub(crate) renewed: AtomicU64,
    pub(crate) released: AtomicU64,
    /// What happens just before the next lease is given.
    pub(crate) before: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Lender {
    /// One of this name, registered.
    pub(crate) fn named(name: &str) -> Self {
        let capability = Capability {
            reach: Reach::Machine,
            blocking: true,
            witnesses: true,
            leases: true,
            ..Capability::default()
        };
        let lender = Lender(Arc::new(Inner {
            double: Double::new(name).claiming(capability),
            lease_fails: AtomicBool::new(false),
            renew_fails: AtomicBool::new(false),
            loses: AtomicBool::new(false),
            release_fails: AtomicBool::new(false),
            asked: AtomicU64::new(0),
            renewed: AtomicU64::new(0),
            released: AtomicU64::new(0),
            before: Mutex::default(),
        }));
        memo::engines().register(name, lender.clone());
        lender
    }

    /// How many leases it was asked for, and how many were given back.
    pub(crate) fn count(&self) -> (u64, u64) {
        (self.0.asked.load(SeqCst), self.0.released.load(SeqCst))
    }
}

fn broken<'a, T>(fails: &AtomicBool, answer: EngineFuture<'a, T>) -> EngineFuture<'a, T> {
    match fails.load(SeqCst) {
        true => EngineFuture::ready(Err(Error::new(ErrorKind::Io, "lend"))),
        false => answer,
    }
}

impl Engine for Lender {
    fn name(&self) -> &str {
        self.0.double.name()
    }
    fn capability(&self) -> Capability {
        self.0.double.capability()
    }
    fn get<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, Option<Entry>> {
        self.0.double.get(key)
    }
    fn put<'a>(&'a self, key: &'a Key, entry: &'a Entry) -> EngineFuture<'a, ()> {
        self.0.double.put(key, entry)
    }
    fn remove<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, bool> {
        self.0.double.remove(key)
    }
    fn clear<'a>(&'a self, space: &'a Space) -> EngineFuture<'a, ()> {
        self.0.double.clear(space)
    }
    fn look<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, (Option<Entry>, Witness)> {
        self.0.double.look(key)
    }
    fn put_if<'a>(&'a self, key: &'a Key, entry: &'a Entry, witness: Witness) -> EngineFuture<'a, bool> {
        self.0.double.put_if(key, entry, witness)
    }
    fn lease<'a>(&'a self, key: &'a Key, ttl: Duration) -> EngineFuture<'a, Option<Lease>> {
        self.0.asked.fetch_add(1, SeqCst);
        let before = self.0.before.lock().unwrap().take();
        before.into_iter().for_each(|before| before());
        broken(&self.0.lease_fails, self.0.double.lease(key, ttl))
    }
    fn renew<'a>(&'a self, key: &'a Key, lease: &'a Lease, ttl: Duration) -> EngineFuture<'a, bool> {
        self.0.renewed.fetch_add(1, SeqCst);
        if self.0.loses.load(SeqCst) {
            return EngineFuture::ready(Ok(false));
        }
        broken(&self.0.renew_fails, self.0.double.renew(key, lease, ttl))
    }
    fn release<'a>(&'a self, key: &'a Key, lease: &'a Lease) -> EngineFuture<'a, bool> {
        self.0.released.fetch_add(1, SeqCst);
        if self.0.release_fails.load(SeqCst) {
            // before it is done
            return EngineFuture::ready(Err(Error::new(ErrorKind::Io, "lend")));
        }
        self.0.double.release(key, lease)
    }
}
