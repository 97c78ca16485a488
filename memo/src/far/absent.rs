//! The far plane in a build without the feature `engines`: there is none, and no code for it.

#[path = "absent/key.rs"]
mod key;
mod life;
mod looked;
#[cfg(feature = "config")]
#[path = "absent/named.rs"]
pub(crate) mod named;

use std::any::TypeId;
use std::convert::Infallible;
use std::marker::PhantomData;
use std::time::Instant;

use crate::error::Error;
use crate::flight::Lead;
use crate::flight::graph::BlocksThread;
use crate::key::OwnedPart;
use crate::memoized::Clearing;
use crate::outcome::Value;
use crate::plan::Plan;
use crate::route::{Known, Route};
use crate::settings::Settings;
use crate::stats::TierStats;
use crate::stored::Stored;

pub(crate) use key::{FarKey, Hold};
pub(crate) use life::FarLife;
pub(crate) use looked::{FarFound, FarLooked};

use key::{FarValue, Key};

/// There are none.
pub(crate) const KNOWN: Known = Known::NOTHING;

/// There is nothing to claim, and so nobody to take it from.
pub(crate) fn claim(_: &Settings, _: &str, _: TypeId) -> bool {
    false
}

/// There is nothing to write.
pub(crate) fn flush_until(_: Instant) -> Result<(), Error> {
    Ok(())
}

/// There are no leases.
pub(crate) fn give_all_back(_: Instant) -> usize {
    0
}

/// Nobody has claimed anything.
pub(crate) fn is_refused(_: &Settings) -> bool {
    false
}

/// What a function does with its results: without engines there is no strategy either.
pub(crate) fn route<K, V>(settings: &Settings, _: &str, _: Option<&FarTypes<K, V>>) -> Route {
    nearest(settings)
}

/// Knows no types, so that it is compiled once, in this crate.
#[inline(never)]
fn nearest(settings: &Settings) -> Route {
    Route::of(settings, Plan::nearest, None, KNOWN)
}

/// Never there.
pub(crate) struct Far<K, V>(Infallible, PhantomData<(K, V)>);

/// Never there.
#[derive(Debug)]
pub(crate) struct FarTypes<K, V>(Infallible, PhantomData<(K, V)>);

impl<K, V> Clone for FarTypes<K, V> {
    fn clone(&self) -> Self {
        match self.0 {}
    }
}

impl<K, V> Far<K, V> {
    pub(crate) fn open(_: &Settings, _: &Route, _: Option<&FarTypes<K, V>>, _: &str) -> Option<Self> {
        None
    }
    pub(crate) fn plan(&self, _: &Route) -> Plan {
        match self.0 {}
    }
    pub(crate) fn key(&self, _: &K) -> Option<Key> {
        match self.0 {}
    }
    pub(crate) fn key_of(&self, _: &K, _: u64) -> Option<Key> {
        match self.0 {}
    }
    pub(crate) fn is_suspect(&self) -> bool {
        match self.0 {}
    }
    pub(crate) fn unseen(&self, _: &K, _: u64) -> Option<Box<FarKey>> {
        match self.0 {}
    }
    pub(crate) fn is_back(&self, _: &FarLooked<V>) -> bool {
        match self.0 {}
    }
    pub(crate) fn use_space(&self, _: Option<Vec<u8>>) {
        match self.0 {}
    }
    pub(crate) fn abandon(&self) {
        match self.0 {}
    }
    pub(crate) fn kept_in_fallback(&self, _: impl Fn() + Send + 'static) {
        match self.0 {}
    }
    #[cfg(feature = "config")]
    pub(crate) fn follows(&self) -> bool {
        match self.0 {}
    }
    pub(crate) fn follow(&self, _: impl Fn(Option<u64>)) {
        match self.0 {}
    }
    pub(crate) fn hold(&self, _: &Key, _: u64) -> Hold {
        match self.0 {}
    }
    pub(crate) fn holds(&self, _: Hold) -> bool {
        match self.0 {}
    }
    pub(crate) async fn look<F: Value>(
        &self,
        _: &Lead<'_, K, V, F>,
        _: Option<BlocksThread>,
        _: bool,
    ) -> FarLooked<V>
    where
        K: OwnedPart,
        V: Value,
    {
        match self.0 {}
    }
    pub(crate) async fn peek(&self, _: Key) -> Option<Stored<V>> {
        match self.0 {}
    }
    pub(crate) fn encode(&self, _: &V, _: Option<&Key>) -> Option<FarValue> {
        match self.0 {}
    }
    pub(crate) fn store(&'static self, _: FarKey, _: FarValue, _: FarLife) {
        match self.0 {}
    }
    pub(crate) fn forget(&self, _: &K) {
        match self.0 {}
    }
    pub(crate) async fn insert(&'static self, _: Key, _: FarValue, _: FarLife) -> Result<(), Error> {
        match self.0 {}
    }
    pub(crate) async fn remove(&'static self, _: Key) -> Result<(), Error> {
        match self.0 {}
    }
    pub(crate) fn clear(&'static self) -> Vec<Clearing> {
        match self.0 {}
    }
    pub(crate) fn stats(&self) -> Vec<TierStats> {
        match self.0 {}
    }
}
