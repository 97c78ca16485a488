//! The caches that a function has beside its own: one for each namespace, isolation and choice of engines.
//!
//! Each is a record like the function's own, with a near store and flights of its own. Records are never freed (the
//! sweeper and calls that are under way hold on to them), so those that are not used any more are emptied and kept for
//! the next namespace. One is given back only when nobody has it [in use](InUse): a computation that began under one
//! namespace never stores into another.
//!
//! The table knows records as [`AnyVariant`], whatever their types; [`typed`](super::typed) gives back the type.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use hashbrown::{Equivalent, HashMap};

use super::any_variant::AnyVariant;
use super::choice::Choice;
use super::options::OfRecord;
use super::realm::Caches;
use crate::near::is_closed;
use crate::settings::Settings;
use crate::stats::Stats;

/// A function has at most so many caches beside its own, not counting isolated ones: those that were used last.
const MOST: usize = 256;

/// The variants of one record; nothing until there is one.
pub(crate) struct Variants(OnceLock<Box<Table>>);

struct Table {
    live: RwLock<Live>,
    /// How many variants were ever put there. Serves as the time of their last use.
    time: AtomicU64,
    idle: Mutex<Vec<Idle>>,
}

type Live = HashMap<Name, Arc<Variant>, foldhash::fast::RandomState>;

/// What a variant is found by: a [`Choice`] that does not keep its isolation alive.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Name {
    /// 0 where it is not isolated.
    realm: u64,
    namespace: Option<Arc<str>>,
    options: OfRecord,
}

impl Name {
    fn of(choice: &Choice) -> Self {
        Name {
            realm: choice.realm_id(),
            namespace: choice.namespace.clone(),
            options: choice.options.clone(),
        }
    }

    /// Whether both are of one namespace and one isolation.
    fn has_results_of(&self, choice: &Choice) -> bool {
        (choice.realm_id(), &choice.namespace) == (self.realm, &self.namespace)
    }

    fn has_options_of(&self, choice: &Choice) -> bool {
        choice.options == self.options
    }
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.realm, &self.namespace, &self.options).hash(state);
    }
}

impl Hash for Choice {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.realm_id(), &self.namespace, &self.options).hash(state);
    }
}

impl Equivalent<Name> for Choice {
    fn equivalent(&self, name: &Name) -> bool {
        name.has_results_of(self) && name.has_options_of(self)
    }
}

struct Variant {
    record: &'static dyn AnyVariant,
    /// Where it goes once nobody uses it.
    table: &'static Table,
    name: Name,
    used: AtomicU64,
}

/// A record that waits to be used again.
struct Idle {
    record: &'static dyn AnyVariant,
    isolated: bool,
    /// Whether it was emptied as it was given back.
    clean: bool,
}

/// Keeps a variant for its namespace: while anybody has one, the record is given to no other.
#[derive(Clone)]
pub(crate) struct InUse(
    #[allow(dead_code, reason = "it is only held, so that the variant is not dropped")] Arc<Variant>,
);

impl fmt::Debug for InUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("InUse").finish()
    }
}

/// A record, and what keeps it for its namespace if it is a variant.
pub(super) type AnyUsed = (&'static dyn AnyVariant, Option<InUse>);

impl Variants {
    pub(crate) const fn new() -> Self {
        Variants(OnceLock::new())
    }

    fn table(&self) -> &Table {
        self.0.get_or_init(|| {
            Box::new(Table { live: RwLock::default(), time: AtomicU64::new(0), idle: Mutex::default() })
        })
    }

    /// What the stores of those count that are not isolated.
    pub(crate) fn stats(&self) -> Stats {
        let mut stats = Stats::default();
        self.find(|name| name.realm == 0).iter().for_each(|(record, _)| stats.add(&record.own_stats()));
        stats
    }

    fn find(&self, wanted: impl Fn(&Name) -> bool) -> Vec<AnyUsed> {
        let Some(table) = self.0.get() else { return Vec::new() };
        let live = table.live.read().unwrap_or_else(PoisonError::into_inner);
        live.values().filter(|variant| wanted(&variant.name)).map(Variant::in_use).collect()
    }

    /// Gives back all. What is being computed in them is not stored.
    #[cfg(any(feature = "config", feature = "engines"))]
    pub(crate) fn retire(&self) {
        let Some(table) = self.0.get() else { return };
        let retired = std::mem::take(&mut *table.live.write().unwrap_or_else(PoisonError::into_inner));
        retired.values().for_each(|variant| variant.record.supersede_all());
    }

    /// The record of `origin` for this choice, which is another than its own.
    pub(super) fn of(&'static self, origin: &'static dyn AnyVariant, choice: &Choice) -> AnyUsed {
        let table = self.table();
        let live = table.live.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(variant) = live.get(choice) {
            variant.use_now();
            return variant.in_use();
        }
        drop(live);
        self.make(origin, choice)
    }

    #[cold]
    fn make(&'static self, origin: &'static dyn AnyVariant, choice: &Choice) -> AnyUsed {
        let table = self.table();
        let (name, isolated) = (Name::of(choice), choice.realm.is_some());
        #[cfg(any(feature = "config", feature = "engines"))]
        let version = origin.version();
        let own = origin.settings_now();
        let settings = choice.settings(own).unwrap_or_else(|| own.clone());
        let record = match table.take_idle(isolated, &settings) {
            Some(record) => record,
            None => origin.make_like(settings),
        };
        record.use_space(choice.far_name());
        if let Some(realm) = &choice.realm {
            realm.used_by(self);
        }
        let made = Arc::new(Variant { record, table, name: name.clone(), used: AtomicU64::new(0) });
        made.use_now();
        let mut live = table.live.write().unwrap_or_else(PoisonError::into_inner);
        // if another thread was faster, `made` is given back as it is dropped
        let used = live.entry(name).or_insert_with(|| made.clone()).in_use();
        table.time.fetch_add(1, Ordering::Relaxed);
        let idle = if isolated { Vec::new() } else { take_idle_longest(&mut live) };
        drop(live);
        // entries are dropped here, without the lock
        drop((idle, made));
        #[cfg(any(feature = "config", feature = "engines"))]
        if origin.version() != version {
            // the reload may have retired all variants before this one was in the table
            self.retire();
            return self.make(origin, choice);
        }
        used
    }

    /// The records that hold results of the same namespace under other choices of engines.
    pub(super) fn others(&self, origin: &'static dyn AnyVariant, choice: &Choice) -> Vec<AnyUsed> {
        let mut others = self.find(|name| name.has_results_of(choice) && !name.has_options_of(choice));
        if choice.is_elsewhere() && !choice.is_apart() {
            others.push((origin, None));
        }
        others
    }

    /// The records that `clear` is about under this choice.
    pub(super) fn to_clear(&'static self, origin: &'static dyn AnyVariant, choice: &Choice) -> Vec<AnyUsed> {
        if !choice.is_apart() {
            return std::iter::once((origin, None)).chain(self.find(|name| name.realm == 0)).collect();
        }
        // also if it is not in the table yet: engines may hold results of it
        let mut records = self.others(origin, choice);
        records.push(self.of(origin, choice));
        records
    }
}

impl Caches for Variants {
    fn leave(&self, realm: u64) {
        let Some(table) = self.0.get() else { return };
        let mut live = table.live.write().unwrap_or_else(PoisonError::into_inner);
        let left: Vec<_> = live.extract_if(|name, _| name.realm == realm).collect();
        drop(live);
        // entries are dropped here, without the lock
        drop(left);
    }
}

/// The shared variants beyond the bound: of those that no call uses, those whose last use is longest ago.
fn take_idle_longest(live: &mut Live) -> Vec<Arc<Variant>> {
    let beyond = live.keys().filter(|name| name.realm == 0).count().saturating_sub(MOST);
    if beyond == 0 {
        return Vec::new();
    }
    // With the lock held nobody else begins to use one. One in use must stay: here, an invalidation finds it.
    let longest_idle = |live: &Live| {
        let idle = live.values().filter(|variant| variant.name.realm == 0 && Arc::strong_count(variant) == 1);
        idle.min_by_key(|variant| variant.used.load(Ordering::Relaxed)).map(|variant| variant.name.clone())
    };
    let leave = |_| live.remove(&longest_idle(live)?);
    // nearly always one
    (0..beyond).map_while(leave).collect()
}

impl Table {
    fn take_idle(&self, isolated: bool, settings: &Settings) -> Option<&'static dyn AnyVariant> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |idle: &Idle| {
            // one that user code gave back from inside a store was not emptied, and cannot be from inside a store
            (idle.clean || !is_closed()) && idle.isolated == isolated && idle.record.fits(settings)
        };
        let at = idle.iter().position(fits)?;
        let taken = idle.swap_remove(at);
        drop(idle);
        if !taken.clean {
            taken.record.empty();
        }
        Some(taken.record)
    }
}

impl Variant {
    fn in_use(self: &Arc<Self>) -> AnyUsed {
        (self.record, Some(InUse(self.clone())))
    }

    fn use_now(&self) {
        let now = self.table.time.load(Ordering::Relaxed);
        // nearly always the same, and then not written, so that threads do not take the line from each other
        if self.used.load(Ordering::Relaxed) != now {
            self.used.store(now, Ordering::Relaxed);
        }
    }
}

impl Drop for Variant {
    fn drop(&mut self) {
        let clean = !is_closed();
        self.record.empty();
        let isolated = self.name.realm != 0;
        if isolated {
            self.record.abandon();
        }
        let idle = Idle { record: self.record, isolated, clean };
        self.table.idle.lock().unwrap_or_else(PoisonError::into_inner).push(idle);
    }
}
