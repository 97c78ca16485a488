//! The far plane in a build without the feature `engines`: there is none, and no code for it.

mod looked;

use std::convert::Infallible;
use std::marker::PhantomData;
use std::time::Duration;

use crate::error::Error;
use crate::flight::{Blocks, Lead};
use crate::function::Settings;
use crate::key::OwnedPart;
use crate::outcome::Value;
use crate::plan::{Plan, Route};
use crate::registry::Clearing;
use crate::stats::TierStats;

pub(crate) use looked::{Found, Looked};

/// Nothing is.
pub(crate) fn is_registered(_: &str) -> bool {
    false
}

/// There is none to give.
pub(crate) fn flight_reason(_: &Settings, _: &[String]) -> Option<String> {
    None
}

/// Nothing is.
#[cfg(feature = "config")]
pub(crate) fn names() -> Vec<String> {
    Vec::new()
}

/// What a function does with its results: without engines there is no strategy either.
pub(crate) fn route<K, V>(settings: &Settings, _: &str, _: Option<&FarTypes<K, V>>) -> Route {
    nearest(settings)
}

/// The same for all types, so that it is compiled here.
#[inline(never)]
fn nearest(settings: &Settings) -> Route {
    Route::of(settings, Plan::nearest, None)
}

/// Never there.
pub(crate) struct Far<K, V>(Infallible, PhantomData<(K, V)>);

/// Never there.
pub(crate) struct Key(Infallible);

/// Never there.
pub(crate) struct FarKey {
    pub(crate) failed: bool,
    _never: Infallible,
}

impl FarKey {
    pub(crate) fn over(&self) -> Option<&Key> {
        match self._never {}
    }
    pub(crate) fn hold(&self) -> Hold {
        match self._never {}
    }
}

/// Never there.
#[derive(Clone, Copy)]
pub(crate) struct Hold(Infallible);

/// Never there.
pub(crate) struct FarValue(Infallible);

impl FarValue {
    pub(crate) fn len(&self) -> usize {
        match self.0 {}
    }
}

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
    pub(crate) fn is_back(&self, _: &Looked<V>) -> bool {
        match self.0 {}
    }
    pub(crate) fn enter(&self, _: Option<Vec<u8>>) {
        match self.0 {}
    }
    pub(crate) fn abandon(&self) {
        match self.0 {}
    }
    pub(crate) fn lodged(&self, _: impl Fn() + Send + 'static) {
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
    pub(crate) async fn look<F: Value>(&self, _: &Lead<'_, K, V, F>, _: Option<Blocks>, _: bool) -> Looked<V>
    where
        K: OwnedPart,
        V: Value,
    {
        match self.0 {}
    }
    pub(crate) async fn peek(&self, _: Key) -> Option<V> {
        match self.0 {}
    }
    pub(crate) fn encode(&self, _: &V, _: Option<&Key>) -> Option<FarValue> {
        match self.0 {}
    }
    pub(crate) fn store(&'static self, _: FarKey, _: FarValue, _: Option<Duration>, _: Duration) {
        match self.0 {}
    }
    pub(crate) fn forget(&self, _: &K) {
        match self.0 {}
    }
    pub(crate) async fn insert(&'static self, _: Key, _: FarValue, _: Option<Duration>) -> Result<(), Error> {
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

/// There are no leases.
pub(crate) fn give_up(_: usize) {}
