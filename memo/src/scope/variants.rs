//! The caches that a function has beside its own: one for each namespace, isolation and choice of engines.
//!
//! Each is a record like the function's own, with a near store and flights of its own. Records are never freed (the
//! sweeper and calls that are under way hold on to them), so those that are not used any more are emptied and kept for
//! the next namespace. One is given back only when nobody holds a [`Lease`] of it: a computation that began under one
//! namespace never stores into another.

use std::any::Any;
use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use hashbrown::{Equivalent, HashMap};

use super::{Names, Place};
use crate::key::OwnedPart;
use crate::memo::Memo;
use crate::near::is_closed;
use crate::outcome::Value;
use crate::settings::Settings;

/// Most caches of one function beside its own, not counting isolated ones: those that were used last.
const MOST: usize = 256;

/// Keeps a variant from being given back.
pub(crate) type Lease = Arc<dyn Any + Send + Sync>;

/// The variants of one record; nothing until there is one.
pub(crate) struct Variants<K: OwnedPart, V: Value, F: Value>(OnceLock<Box<Table<K, V, F>>>);

struct Table<K: OwnedPart, V: Value, F: Value> {
    live: RwLock<Live<K, V, F>>,
    /// How many have been put there: the time by which it is told which were used last.
    time: AtomicU64,
    idle: Mutex<Vec<Idle<K, V, F>>>,
}

type Live<K, V, F> = HashMap<Name, Arc<Variant<K, V, F>>, foldhash::fast::RandomState>;

/// What a variant is found by.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Name {
    /// 0 where it is not isolated.
    realm: u64,
    namespace: Option<Arc<str>>,
    engines: Option<Names>,
    fallback: Option<Names>,
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.realm, &self.namespace, &self.engines, &self.fallback).hash(state);
    }
}

impl Hash for Place {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.realm_id(), &self.namespace, &self.engines, &self.fallback).hash(state);
    }
}

impl Equivalent<Name> for Place {
    fn equivalent(&self, name: &Name) -> bool {
        (self.realm_id(), &self.namespace) == (name.realm, &name.namespace) && self.has_engines_of(name)
    }
}

struct Variant<K: OwnedPart, V: Value, F: Value> {
    memo: &'static Memo<K, V, F>,
    /// The function's own record.
    origin: &'static Memo<K, V, F>,
    name: Name,
    used: AtomicU64,
}

/// A record that waits to be used again.
struct Idle<K: OwnedPart, V: Value, F: Value> {
    memo: &'static Memo<K, V, F>,
    isolated: bool,
    /// Whether it was emptied as it was given back.
    clean: bool,
}

/// A record, and what keeps it from being given back if it is a variant's.
pub(crate) type Held<K, V, F> = (&'static Memo<K, V, F>, Option<Lease>);

impl<K: OwnedPart, V: Value, F: Value> Variants<K, V, F> {
    pub(crate) const fn new() -> Self {
        Variants(OnceLock::new())
    }

    fn table(&self) -> &Table<K, V, F> {
        self.0.get_or_init(|| {
            Box::new(Table { live: RwLock::default(), time: AtomicU64::new(0), idle: Mutex::default() })
        })
    }

    /// All that are not isolated.
    pub(crate) fn shared(&self) -> Vec<Held<K, V, F>> {
        self.find(|name| name.realm == 0)
    }

    fn find(&self, wanted: impl Fn(&Name) -> bool) -> Vec<Held<K, V, F>> {
        let Some(table) = self.0.get() else { return Vec::new() };
        let live = table.live.read().unwrap_or_else(PoisonError::into_inner);
        live.values().filter(|variant| wanted(&variant.name)).map(Variant::held).collect()
    }

    /// Gives back all. What is being computed in them is not stored.
    #[cfg(any(feature = "config", feature = "engines"))]
    pub(crate) fn retire(&self) {
        let Some(table) = self.0.get() else { return };
        let retired = std::mem::take(&mut *table.live.write().unwrap_or_else(PoisonError::into_inner));
        retired.values().for_each(|variant| variant.memo.flights.supersede_all());
    }

    /// Gives back those of the isolation `realm`.
    pub(crate) fn leave(&self, realm: u64) {
        let Some(table) = self.0.get() else { return };
        let mut live = table.live.write().unwrap_or_else(PoisonError::into_inner);
        let left: Vec<_> = live.extract_if(|name, _| name.realm == realm).collect();
        drop(live);
        // entries are dropped here, without the lock
        drop(left);
    }
}

impl Place {
    fn realm_id(&self) -> u64 {
        self.realm.as_ref().map_or(0, |realm| realm.id)
    }

    fn name(&self) -> Name {
        Name {
            realm: self.realm_id(),
            namespace: self.namespace.clone(),
            engines: self.engines.clone(),
            fallback: self.fallback.clone(),
        }
    }

    fn has_engines_of(&self, name: &Name) -> bool {
        (&self.engines, &self.fallback) == (&name.engines, &name.fallback)
    }

    /// The record of the function `origin` for this place.
    pub(crate) fn of<K: OwnedPart, V: Value, F: Value>(
        &self,
        origin: &'static Memo<K, V, F>,
    ) -> Held<K, V, F> {
        if !self.is_elsewhere() {
            return (origin, None);
        }
        let table = origin.variants.table();
        let live = table.live.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(variant) = live.get(self) {
            variant.use_now(table);
            return variant.held();
        }
        drop(live);
        self.make(origin, table)
    }

    #[cold]
    fn make<K: OwnedPart, V: Value, F: Value>(
        &self,
        origin: &'static Memo<K, V, F>,
        table: &Table<K, V, F>,
    ) -> Held<K, V, F> {
        let (name, isolated) = (self.name(), self.realm.is_some());
        let version = &**origin;
        let settings = self.settings(&version.settings).unwrap_or_else(|| version.settings.clone());
        let memo = table.take_idle(isolated, &settings).unwrap_or_else(|| {
            let memo = origin.variant(settings);
            crate::sweep::register(&memo.near);
            memo
        });
        if let Some(far) = &memo.far {
            far.enter(self.far_name());
        }
        memo.follow(memo);
        if let Some(realm) = &self.realm {
            realm.used_by(origin);
        }
        let made = Arc::new(Variant { memo, origin, name: name.clone(), used: AtomicU64::new(0) });
        made.use_now(table);
        let mut live = table.live.write().unwrap_or_else(PoisonError::into_inner);
        // another thread may have been faster; then this one is given back as it goes
        let held = live.entry(name).or_insert_with(|| made.clone()).held();
        table.time.fetch_add(1, Ordering::Relaxed);
        let idle = if isolated { Vec::new() } else { take_idle_longest(&mut live) };
        drop(live);
        // entries are dropped here, without the lock
        drop((idle, made));
        #[cfg(any(feature = "config", feature = "engines"))]
        if origin.has_changed(version) {
            // what has changed it may have retired all before this one was there
            origin.variants.retire();
            return self.make(origin, table);
        }
        held
    }

    /// What results in it are called in engines that outlive the process, beside the function's name.
    fn far_name(&self) -> Option<Vec<u8>> {
        let namespace = self.namespace.as_deref();
        match &self.realm {
            Some(realm) => {
                Some([b"isolated ", &realm.token[..], namespace.unwrap_or_default().as_bytes()].concat())
            }
            None => namespace.map(|namespace| [b"namespace ", namespace.as_bytes()].concat()),
        }
    }

    /// The records that hold results of the same namespace under other choices of engines.
    pub(crate) fn others<K: OwnedPart, V: Value, F: Value>(
        &self,
        origin: &'static Memo<K, V, F>,
    ) -> Vec<Held<K, V, F>> {
        let mut others = origin.variants.find(|name| {
            (self.realm_id(), &self.namespace) == (name.realm, &name.namespace) && !self.has_engines_of(name)
        });
        if self.is_elsewhere() && !self.is_apart() {
            others.push((origin, None));
        }
        others
    }

    /// The records that `clear` is about here: those of the namespace in force; outside of any, all that are not
    /// isolated.
    pub(crate) fn to_clear<K: OwnedPart, V: Value, F: Value>(
        &self,
        origin: &'static Memo<K, V, F>,
    ) -> Vec<Held<K, V, F>> {
        if !self.is_apart() {
            return std::iter::once((origin, None)).chain(origin.variants.shared()).collect();
        }
        // it may be in engines only, and not be known here yet
        let mut held = self.others(origin);
        held.push(self.of(origin));
        held
    }
}

/// The shared variants beyond the bound: of those that no call holds on to, those whose last use is longest ago.
fn take_idle_longest<K: OwnedPart, V: Value, F: Value>(
    live: &mut Live<K, V, F>,
) -> Vec<Arc<Variant<K, V, F>>> {
    let beyond = live.keys().filter(|name| name.realm == 0).count().saturating_sub(MOST);
    if beyond == 0 {
        return Vec::new();
    }
    // with the lock held nobody else comes to hold on to one. One that is held would not hear of an invalidation
    let longest_idle = |live: &Live<K, V, F>| {
        let idle = live.values().filter(|variant| variant.name.realm == 0 && Arc::strong_count(variant) == 1);
        idle.min_by_key(|variant| variant.used.load(Ordering::Relaxed)).map(|variant| variant.name.clone())
    };
    let leave = |_| live.remove(&longest_idle(live)?);
    // nearly always one
    (0..beyond).map_while(leave).collect()
}

impl<K: OwnedPart, V: Value, F: Value> Table<K, V, F> {
    fn take_idle(&self, isolated: bool, settings: &Settings) -> Option<&'static Memo<K, V, F>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |idle: &Idle<K, V, F>| {
            // what user code in a store has given back could not be emptied there, and cannot from there
            (idle.clean || !is_closed())
                && idle.isolated == isolated
                && idle.memo.settings.keeps_as(settings)
                && !idle.memo.is_refused()
        };
        let place = idle.iter().position(fits)?;
        let taken = idle.swap_remove(place);
        drop(idle);
        if !taken.clean {
            taken.memo.near.clear();
        }
        Some(taken.memo)
    }
}

impl<K: OwnedPart, V: Value, F: Value> Variant<K, V, F> {
    fn held(self: &Arc<Self>) -> Held<K, V, F> {
        (self.memo, Some(self.clone()))
    }

    fn use_now(&self, table: &Table<K, V, F>) {
        let now = table.time.load(Ordering::Relaxed);
        // seldom another one, so that those who use it do not write what the others read
        if self.used.load(Ordering::Relaxed) != now {
            self.used.store(now, Ordering::Relaxed);
        }
    }
}

impl<K: OwnedPart, V: Value, F: Value> Drop for Variant<K, V, F> {
    fn drop(&mut self) {
        let clean = !is_closed();
        self.memo.near.clear();
        let isolated = self.name.realm != 0;
        if isolated && let Some(far) = &self.memo.far {
            far.abandon();
        }
        let idle = Idle { memo: self.memo, isolated, clean };
        self.origin.variants.table().idle.lock().unwrap_or_else(PoisonError::into_inner).push(idle);
    }
}

impl Place {
    /// The settings of a function here, where they are others than its `own`.
    pub(crate) fn settings(&self, own: &Settings) -> Option<Settings> {
        let mut settings = own.clone();
        match (&self.engines, &self.realm) {
            (Some(engines), _) if **engines == ["auto"] => settings.engine = None,
            (Some(engines), _) => settings.engine = Some(or_memory(known(engines))),
            // a test does not touch a disk because what it tests does
            (None, Some(_)) => settings.engine = Some(or_memory(Vec::new())),
            (None, None) if self.fallback.is_none() => return None,
            (None, None) => {}
        }
        if let Some(fallback) = &self.fallback {
            settings.fallback = Some(if **fallback == ["none"] { Vec::new() } else { known(fallback) });
        }
        Some(settings)
    }
}

/// Names of engines in settings.
type Engines = Vec<Cow<'static, str>>;

fn or_memory(engines: Engines) -> Engines {
    if engines.is_empty() { vec!["memory".into()] } else { engines }
}

/// Those that are there: as many lists as there are of engines, whatever is asked for.
fn known(engines: &[String]) -> Engines {
    let (known, unknown): (Vec<_>, Vec<_>) =
        engines.iter().cloned().partition(|engine| crate::route::is_known(engine, crate::far::KNOWN));
    unknown.iter().for_each(|engine| say_unknown(engine));
    known.into_iter().map(Cow::Owned).collect()
}

/// Says once that a scope asks for an engine that is not there.
fn say_unknown(name: &str) {
    /// Most names that are said.
    const MOST_SAID: usize = 32;
    static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    if said.len() < MOST_SAID && !said.iter().any(|said| said == name) {
        said.push(name.to_owned());
        drop(said);
        crate::warn::warn(&format!(
            "a scope asks for the engine \"{name}\", which is not registered: it is left out"
        ));
    }
}
