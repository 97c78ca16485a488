//! The far plane: results as bytes, in engines that outlive or surround this process.
//!
//! A function that uses it has one [`Far`] for each instantiation: what it is called there, how its keys and results
//! become bytes, and the engines, nearest first. What an engine answers is checked before it is believed; whatever is
//! wrong with it is a miss, counted. An engine that fails never fails the call.

mod apart;
mod bounded;
mod codec;
mod content;
mod detached;
mod encode;
#[cfg(test)]
mod encode_check;
mod engines;
mod exit;
mod fingerprint;
mod later;
mod lease;
mod lifetime;
mod looked;
mod origin;
mod proof;
#[cfg(test)]
mod proof_check;
mod recovery;
mod refused;
mod sets;
mod types;
mod watch;

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use apart::Apart;
pub(crate) use memo_engines::Key;
use memo_engines::entry::{Expected, LABEL_LEN, Label, Misfit, Stored};
use memo_engines::{Calls, Chain, CircuitState, Engine, Entry, Guarded, Space, Witness, utc_now};

pub use codec::Codec;
#[cfg(feature = "config")]
pub(crate) use engines::is_registered;
#[cfg(feature = "config")]
pub(crate) use engines::names;
pub use engines::{Engines, engines};
pub(crate) use fingerprint::Shape;
pub(crate) use lease::give_up;
pub(crate) use looked::{Found, Looked};
pub use origin::Origin;
pub(crate) use origin::{claim, is_nameless, is_refused};
pub(crate) use types::{FarTypes, KeyBytes, KeyParts, Types, ValueBytes, ValueEqual};
pub use types::{KeyType, Typed, ValueType, able, far_key, far_value, probed, types};
use watch::{Ticket, Watched};

use self::exit::OnItsWay;
use self::lease::Held;
use self::lifetime::{Longest, millis};
use self::refused::Refused;
use crate::clock::nanos;
use crate::error::{Error, ErrorKind};
use crate::event::{self, Event};
use crate::memoized::Clearing;
use crate::park::block_on;
use crate::plan::Plan;
use crate::route::{Known, Lacks, Route};
use crate::settings::Settings;
use crate::stats::TierStats;
use crate::strategy::{self, FunctionProfile, Profiles};

/// A function's share of the far plane.
pub(crate) struct Far<K, V> {
    key: KeyType<K>,
    value: ValueType<V>,
    tiers: Vec<Tier>,
    home: RwLock<Home>,
    identity: [u8; 16],
    fingerprint: u64,
    codec: Codec,
    longest: Longest,
    apart: Apart,
    /// The place of the engine whose leases let one process compute for others, where that is asked for.
    lessor: Option<usize>,
    /// What its codec does not carry.
    refused: Refused,
    /// Which near entries follow what others change; none where nobody tells, or nothing is near.
    follows: Option<Arc<Watched>>,
    /// Every engine failed when last asked.
    ailing: AtomicBool,
    /// Somebody looks out for an engine that is back.
    watched: AtomicBool,
    /// The engines, and those that stand in, by the names under which they are registered.
    guards: Vec<(String, Arc<Guarded>)>,
    /// The function's name, for errors.
    name: String,
    /// Its name in engines.
    full_name: String,
}

/// Where in an engine the function's results are.
struct Home {
    space: Space,
    /// The namespace or isolation; none for what is the function's own.
    within: Option<Vec<u8>>,
}

impl Home {
    fn new(name: &str, within: Option<Vec<u8>>) -> Self {
        let parts = std::iter::once(name.as_bytes()).chain(within.as_deref());
        let space = digest("memo space 1", &parts.collect::<Vec<_>>());
        Home { space: Space(first(&space)), within }
    }
}

/// One engine, and what it has answered to this function.
struct Tier {
    /// Under which it is registered.
    name: String,
    engine: Arc<dyn Engine>,
    /// The engine and those that stand in for it, and the names of these.
    chain: Option<(Arc<Chain>, Vec<String>)>,
    hits: AtomicU64,
    misses: AtomicU64,
    misfits: [AtomicU64; MISFITS.len()],
    errors: AtomicU64,
    /// How many results of all functions are on their way to it.
    waiting: &'static AtomicUsize,
}

/// Misfits by the place of their counter.
const MISFITS: [Misfit; 12] = [
    Misfit::Truncated,
    Misfit::Magic,
    Misfit::Version,
    Misfit::Length,
    Misfit::Checksum,
    Misfit::Flags,
    Misfit::Key,
    Misfit::Identity,
    Misfit::Fingerprint,
    Misfit::Codec,
    Misfit::FromTheFuture,
    Misfit::Expired,
];

/// What tells a function's results from all others in an engine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity<'a> {
    /// Crate, module path, enclosing functions, type and function; or the name its author gave.
    pub(crate) name: &'a str,
    /// The type parameters of the function and of the `impl` around it.
    pub(crate) parameters: &'a str,
    pub(crate) version: u64,
    /// A digest of the function's tokens; 0 where edits are not tracked.
    pub(crate) code: u64,
}

/// Where to store a result, with what each engine said when it was looked for there; none from one that said nothing.
pub(crate) struct FarKey {
    /// Every engine failed: what is computed is kept in memory meanwhile.
    pub(crate) failed: bool,
    key: Key,
    hold: Hold,
    /// It was not looked for: what is stored counts whatever happened before.
    unseen: bool,
    witnesses: Vec<Option<Witness>>,
    /// While others wait for what is computed.
    lease: Option<Held>,
}

impl FarKey {
    fn new(key: Key, hold: Hold, witnesses: Vec<Option<Witness>>) -> Self {
        FarKey { failed: false, key, hold, unseen: false, witnesses, lease: None }
    }

    /// The key, where what is stored under it now is not known.
    pub(crate) fn over(&self) -> Option<&Key> {
        self.unseen.then_some(&self.key)
    }

    /// On what condition the result may be kept near.
    pub(crate) fn hold(&self) -> Hold {
        self.hold
    }
}

/// On what condition something may be kept near.
#[derive(Clone, Copy)]
pub(crate) struct Hold(Option<(Key, Ticket)>);

/// A result as it goes to the engines.
pub(crate) struct FarValue(Vec<u8>);

impl FarValue {
    /// Its size in bytes.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// What a function called `name` does with its results.
pub(crate) fn route<K, V>(settings: &Settings, name: &str, types: Option<&FarTypes<K, V>>) -> Route {
    route_by(settings, name, types.map(|types| &types.profiles))
}

/// The same, by what is known of its types. Where nothing is, the strategy is not asked.
pub(crate) fn route_by(settings: &Settings, name: &str, types: Option<&Profiles>) -> Route {
    let auto = || match types {
        Some(types) => {
            strategy::ask(&FunctionProfile { name, settings, types, engines: engines::profiles() })
        }
        None => Plan::nearest(),
    };
    let other = |why| Lacks { why, instead: None };
    let refused = || is_refused(settings).then(|| other(origin::REFUSED.to_owned()));
    let of_types = types.and_then(Profiles::lacks).map(other);
    let lacks = of_types.or_else(|| origin::unnamed(settings)).or_else(refused);
    let mut route = Route::of(settings, auto, lacks, KNOWN);
    if !route.far.is_empty()
        && let Some(shape) = types.and_then(|types| types.shape)
        && let Some(reason) = codec::reason(settings.codec, shape())
    {
        route.plan = route.plan.because(reason);
    }
    route
}

/// What is known of the engines here.
pub(crate) const KNOWN: Known =
    Known { is_registered: engines::is_registered, flight_reason: lease::flight_reason };

impl<K, V: 'static> Far<K, V> {
    /// The engines on the `route` of a function called `name`; `None` if there are none.
    pub(crate) fn open(
        settings: &Settings,
        route: &Route,
        types: Option<&FarTypes<K, V>>,
        name: &str,
    ) -> Option<Self> {
        let Some(&FarTypes { key: Some(key), value: Some(value), .. }) = types else { return None };
        let open = |names: &[String]| -> Vec<_> {
            names.iter().filter_map(|name| Some((name.clone(), engines::open(name)?))).collect()
        };
        let (guards, stand_ins) = (open(&route.far), open(&route.stand_ins));
        let engine = |(_, guard): &(String, Arc<Guarded>)| -> Arc<dyn Engine> { guard.clone() };
        let mut tiers: Vec<_> =
            guards.iter().map(|guard| Tier::new(guard.0.clone(), engine(guard))).collect();
        let last = tiers.pop()?;
        tiers.push(last.or(stand_ins.iter().map(|guard| (guard.0.clone(), engine(guard))).collect()));
        let (full, parameters) = (origin::name(settings, name), origin::parameters(settings));
        let identity =
            Identity { name: &full, parameters: &parameters, version: settings.version, code: settings.code };
        let lessor = lease::reach(settings).and_then(|reach| {
            let lessor = lease::lessor(reach, tiers.iter().map(|tier| tier.engine.capability()));
            if lessor.is_none() {
                crate::warn::warn(&format!("`{name}`: {}", lease::no_lessor(reach)));
            }
            lessor
        });
        let told = route.near && tiers.iter().any(|tier| tier.engine.capability().watches);
        let follows = told.then(|| Arc::new(Watched::new(settings.capacity, settings.max_weight)));
        let guards = guards.into_iter().chain(stand_ins).collect();
        let name = name.to_owned();
        let longest = Longest::of(settings);
        Some(Far {
            lessor,
            guards,
            follows,
            name,
            longest,
            ..Self::new(key, value, tiers, identity, settings.codec)
        })
    }

    fn new(
        key: KeyType<K>,
        value: ValueType<V>,
        tiers: Vec<Tier>,
        identity: Identity<'_>,
        codec: Option<Codec>,
    ) -> Self {
        let shape = (value.shape)();
        let numbers = [identity.version.to_le_bytes(), identity.code.to_le_bytes()].concat();
        let full = [identity.name.as_bytes(), identity.parameters.as_bytes(), &numbers];
        let full = digest("memo function 1", &full);
        Far {
            fingerprint: shape.fingerprint,
            codec: Codec::of::<V>(codec, shape),
            key,
            value,
            tiers,
            home: RwLock::new(Home::new(identity.name, None)),
            identity: first(&full),
            refused: Refused::default(),
            longest: Longest::any(),
            apart: Apart::default(),
            lessor: None,
            follows: None,
            ailing: AtomicBool::new(false),
            watched: AtomicBool::new(false),
            guards: Vec::new(),
            name: identity.name.to_owned(),
            full_name: identity.name.to_owned(),
        }
    }

    /// The plan, with what cannot be reached now.
    pub(crate) fn plan(&self, route: &Route) -> Plan {
        let well = |guard: &Guarded, calls: Calls| guard.circuit_of(calls) == CircuitState::Closed;
        let names = |reads: bool, writes: bool| {
            let such = move |guard: &Guarded| {
                well(guard, Calls::Reads) == reads && (!reads || well(guard, Calls::Writes) == writes)
            };
            let such = self.guards.iter().filter(move |(_, guard)| such(guard));
            such.map(|(name, _)| name.as_str()).collect::<Vec<_>>()
        };
        let plan = route.now(&names(false, false), &names(true, false));
        self.refused.reason().into_iter().fold(plan, Plan::because)
    }

    /// The key in the engines; `None` if its `Serialize` fails.
    pub(crate) fn key(&self, key: &K) -> Option<Key> {
        let encoded = (self.key)(key)?;
        let home = self.home.read().unwrap_or_else(PoisonError::into_inner);
        let parts = [&self.identity[..], &encoded].into_iter().chain(home.within.as_deref());
        Some(Key { space: home.space, digest: digest("memo key 1", &parts.collect::<Vec<_>>()) })
    }

    /// From now on it is about the namespace or isolation `within`; none: about what is the function's own.
    pub(crate) fn enter(&self, within: Option<Vec<u8>>) {
        *self.home.write().unwrap_or_else(PoisonError::into_inner) = Home::new(&self.full_name, within);
    }

    fn space(&self) -> Space {
        self.home.read().unwrap_or_else(PoisonError::into_inner).space
    }

    /// Removes what is in the engines, without waiting for it.
    pub(crate) fn abandon(&self) {
        let space = self.space();
        for tier in &self.tiers {
            let engine = tier.engine.clone();
            later::run(async move {
                // what fails here has been counted by the engine's guard, and is of no use to anybody
                let _ = engine.clear(&space).await;
            });
        }
    }

    /// The key to store a result under that was not looked for.
    pub(crate) fn unseen(&self, key: &K, hash: u64) -> Option<Box<FarKey>> {
        let key = self.key_of(key, hash)?;
        let witnesses = self.tiers.iter().map(|_| None).collect();
        Some(Box::new(FarKey { unseen: true, ..FarKey::new(key, self.hold(&key, hash), witnesses) }))
    }

    /// From now on `drop` is called for what others change where the function's results are: with the hash of a key, or
    /// for all.
    pub(crate) fn follow(&self, drop: impl Fn(Option<u64>) + Send + Sync + 'static) {
        let Some(follows) = &self.follows else { return };
        let watcher = follows.begin(drop);
        for tier in &self.tiers {
            tier.engine.watch(&self.space(), watcher.clone());
        }
    }

    /// Whether near entries follow what others change.
    #[cfg(feature = "config")]
    pub(crate) fn follows(&self) -> bool {
        self.follows.is_some()
    }

    /// What is looked up or computed from now on may be kept near on this condition.
    pub(crate) fn hold(&self, key: &Key, hash: u64) -> Hold {
        Hold(self.follows.as_ref().map(|follows| (*key, follows.enter(key, hash))))
    }

    /// Whether what was put near may stay.
    pub(crate) fn holds(&self, hold: Hold) -> bool {
        match (&self.follows, hold.0) {
            (Some(follows), Some((key, ticket))) => follows.holds(&key, ticket),
            _ => true,
        }
    }

    /// What the engines have, nearest first. Moves nothing.
    pub(crate) async fn peek(&self, key: Key) -> Option<V> {
        for tier in &self.tiers {
            if let Ok(Some(entry)) = tier.engine.get(&key).await
                && let Ok((value, ..)) = self.unseal(&key, entry)
            {
                return Some(value);
            }
        }
        None
    }

    /// Whether an engine answers again after all had failed; once for each time that this is so.
    pub(crate) fn is_back(&self, looked: &Looked<V>) -> bool {
        let answered = match looked {
            Looked::Found(_) => true,
            Looked::Nothing(key) => key.as_ref().is_some_and(|key| !key.failed),
        };
        answered && self.ailing.load(Ordering::Relaxed) && self.ailing.swap(false, Ordering::Relaxed)
    }

    /// Memory has been given something to keep for the time being: once an engine is back, `clear` drops it.
    pub(crate) fn lodged(&'static self, clear: impl Fn() + Send + 'static)
    where
        K: Sync,
        V: Sync,
    {
        if self.is_mixed() {
            // for good: no engine comes back
            return;
        }
        self.ailing.store(true, Ordering::Relaxed);
        if self.watched.load(Ordering::Relaxed) || self.watched.swap(true, Ordering::AcqRel) {
            return;
        }
        recovery::watch(Box::new(move || {
            // nobody's key: all that matters is whether there is an answer
            let key = Key { space: self.space(), digest: [0; 32] };
            let back = self.tiers.iter().any(|tier| block_on(tier.engine.get(&key)).is_ok());
            if back {
                // in this order, so that what is lodged from here on is looked after anew
                self.watched.store(false, Ordering::Release);
                clear();
            }
            back
        }));
    }

    /// Asks the engines for the key of this hash, nearest first. If it `writes`, what a farther one has is put into the
    /// nearer ones. Where it is asked `again`, finding nothing is no miss more.
    async fn ask(
        &'static self,
        (key, hash): (Key, u64),
        writes: bool,
        again: bool,
    ) -> Result<Found<V>, Box<FarKey>> {
        // each time anew: what another has put since is a change as well
        let hold = if writes { self.hold(&key, hash) } else { Hold(None) };
        // a hit in the first needs none
        let mut witnesses = Vec::new();
        for (place, tier) in self.tiers.iter().enumerate() {
            let (found, witness) = match tier.engine.look(&key).await {
                Ok((found, witness)) => (found, Some(witness)),
                Err(error) => {
                    tier.failed(&self.name, &error);
                    (None, None)
                }
            };
            if let Some(entry) = found {
                // what is to be put into nearer engines must be kept whole
                let nearer = (writes && place > 0).then(|| entry.clone());
                match self.unseal(&key, entry) {
                    Ok((value, label, size)) => {
                        tier.hits.fetch_add(1, Ordering::Relaxed);
                        if let Some(entry) = nearer {
                            self.put(&self.tiers[..place], FarKey::new(key, hold, witnesses), entry);
                        }
                        let left = |end: u64| Duration::from_millis(end.saturating_sub(utc_now()));
                        let lives = label.expires.map(left);
                        let cost = Duration::from_nanos(label.cost);
                        let (waited, engine) = (false, &*tier.name);
                        let value = Box::new(value);
                        return Ok(Found { value, lives, cost, size, waited, engine, hold });
                    }
                    Err(misfit) => tier.misfits(&self.name, misfit),
                }
            }
            if !again {
                tier.misses.fetch_add(1, Ordering::Relaxed);
            }
            witnesses.push(witness);
        }
        let failed = witnesses.iter().all(Option::is_none);
        if failed {
            self.ailing.store(true, Ordering::Relaxed);
        }
        Err(Box::new(FarKey { failed, ..FarKey::new(key, hold, witnesses) }))
    }

    /// The value in an entry, its label and its size in bytes, if it is what it should be.
    fn unseal(&self, key: &Key, entry: Entry) -> Result<(V, Label, usize), Misfit> {
        let expected = Expected {
            identity: self.identity,
            key: key.digest,
            fingerprint: self.fingerprint,
            codec: memo_engines::entry::Codec(self.codec as u8),
            now: utc_now(),
        };
        let label = self.longest.cut(Stored::open(&entry.bytes, &expected)?.label);
        if label.expires.is_some_and(|expires| expires <= expected.now) {
            return Err(Misfit::Expired);
        }
        let payload = Stored::into_payload(entry.bytes);
        let size = payload.len();
        // whole, of the right shape, and not to be read: its type's own `Deserialize` says no
        let value = (self.value.read)(self.codec, payload).ok_or(Misfit::Fingerprint)?;
        Ok((value, label, size))
    }

    /// A result as bytes; `None` if there are none that would be read as what it is. `over` may hold what it replaces,
    /// which goes then.
    pub(crate) fn encode(&self, value: &V, over: Option<&Key>) -> Option<FarValue> {
        let write = |codec| (self.value.write)(codec, value, self.value.equal);
        match write(self.codec) {
            Ok(bytes) => Some(FarValue(bytes)),
            Err(refusal) => {
                let carries = |codec| write(codec).is_ok();
                self.refused.another::<V>(&self.name, self.codec, &refusal, carries);
                over.into_iter().for_each(|key| self.forget_key(*key));
                None
            }
        }
    }

    /// Hands a result to all engines that have not seen an invalidation since.
    pub(crate) fn store(
        &'static self,
        key: FarKey,
        value: FarValue,
        lifetime: Option<Duration>,
        cost: Duration,
    ) {
        let entry = self.seal(&key.key, value, lifetime, cost);
        self.put(&self.tiers, key, entry);
    }

    fn seal(&self, key: &Key, value: FarValue, lifetime: Option<Duration>, cost: Duration) -> Entry {
        let now = utc_now();
        self.longest.given(lifetime);
        let expires = lifetime.map(|lifetime| now.saturating_add(millis(lifetime)));
        let label = Label {
            identity: self.identity,
            key: key.digest,
            fingerprint: self.fingerprint,
            created: now,
            expires,
            cost: nanos(cost),
            codec: memo_engines::entry::Codec(self.codec as u8),
        };
        Entry { bytes: label.seal(value.0).into(), expires }
    }

    fn put(&'static self, tiers: &'static [Tier], key: FarKey, entry: Entry) {
        let FarKey { key, unseen, witnesses, mut lease, .. } = key;
        let function = &*self.name;
        for (place, (tier, witness)) in tiers.iter().zip(witnesses).enumerate() {
            if witness.is_none() && !unseen {
                // it failed when it was asked: who knows what has been invalidated since
                continue;
            }
            let entry = entry.clone();
            let lease = lease.take_if(|_| self.lessor == Some(place));
            let on_its_way = OnItsWay::new(tier.waiting);
            later::run(async move {
                let put = match witness {
                    Some(witness) => tier.engine.put_if(&key, &entry, witness).await.map(drop),
                    None => tier.engine.put(&key, &entry).await,
                };
                // nobody waits for it, and the call has its result
                if let Err(error) = put {
                    tier.failed(function, &error);
                }
                drop(on_its_way);
                // given back behind it: whoever takes it next finds the entry
                drop(lease);
            });
        }
    }

    /// Takes back what was just stored, without waiting for it.
    pub(crate) fn forget(&self, key: &K) {
        let Some(key) = self.key(key) else { return };
        self.forget_key(key);
    }

    fn forget_key(&self, key: Key) {
        for tier in &self.tiers {
            let engine = tier.engine.clone();
            later::run(async move {
                let _ = engine.remove(&key).await;
            });
        }
    }

    /// Stores a result in all engines, whatever happened before.
    pub(crate) async fn insert(
        &'static self,
        key: Key,
        value: FarValue,
        lifetime: Option<Duration>,
    ) -> Result<(), Error> {
        let entry = self.seal(&key, value, lifetime, Duration::ZERO);
        let mut done = Ok(());
        for tier in &self.tiers {
            done = self.all(done, tier, tier.engine.put(&key, &entry).await);
        }
        done
    }

    /// Removes an entry from all engines.
    pub(crate) async fn remove(&'static self, key: Key) -> Result<(), Error> {
        let mut done = Ok(());
        for tier in &self.tiers {
            done = self.all(done, tier, tier.engine.remove(&key).await.map(drop));
        }
        done
    }

    /// Removes what the function has in all engines, whatever its type parameters.
    pub(crate) fn clear(&'static self) -> Vec<Clearing>
    where
        K: Send + Sync,
        V: Send + Sync,
    {
        let space = self.space();
        let clear = |tier: &'static Tier| Clearing {
            of: (Arc::as_ptr(&tier.engine).cast::<()>().addr(), space.0),
            work: Box::pin(async move { self.all(Ok(()), tier, tier.engine.clear(&space).await) }),
        };
        self.tiers.iter().map(clear).collect()
    }

    /// The first failure; the others have been tried all the same.
    fn all(
        &'static self,
        done: Result<(), Error>,
        tier: &'static Tier,
        next: Result<(), memo_engines::Error>,
    ) -> Result<(), Error> {
        if let Err(error) = &next {
            tier.failed(&self.name, error);
        }
        done.and(
            next.map_err(|error| Error::new(ErrorKind::Engine, format!("{}: failed to {error}", self.name))),
        )
    }

    pub(crate) fn stats(&self) -> Vec<TierStats> {
        let unstorable = self.refused.count();
        self.tiers.iter().map(|tier| TierStats { unstorable, ..tier.stats() }).collect()
    }
}

impl Tier {
    fn new(name: String, engine: Arc<dyn Engine>) -> Self {
        Tier {
            waiting: exit::waiting(&name),
            name,
            engine,
            chain: None,
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            misfits: Default::default(),
            errors: AtomicU64::new(0),
        }
    }

    /// With engines that stand in for it, by their names.
    fn or(self, stand_ins: Vec<(String, Arc<dyn Engine>)>) -> Self {
        if stand_ins.is_empty() {
            return self;
        }
        let (names, engines): (Vec<_>, Vec<_>) = stand_ins.into_iter().unzip();
        let chain = Arc::new(Chain::new(std::iter::once(self.engine).chain(engines).collect()));
        Tier { engine: chain.clone(), chain: Some((chain, names)), ..self }
    }

    /// What it had for the function called `function` did not fit.
    fn misfits(&self, function: &str, misfit: Misfit) {
        // a kind that is newer than this program counts as the last
        let place = MISFITS.iter().position(|known| *known == misfit).unwrap_or(MISFITS.len() - 1);
        self.misfits[place].fetch_add(1, Ordering::Relaxed);
        event::tell(&Event::Misfit { function, engine: &self.name, reason: misfit.as_str() });
    }

    /// It failed when it was called for the function called `function`.
    fn failed(&'static self, function: &'static str, error: &memo_engines::Error) {
        self.errors.fetch_add(1, Ordering::Relaxed);
        let error = error.to_string();
        event::tell_soon(move || {
            event::tell(&Event::EngineFailed { function, engine: &self.name, error: &error });
        });
    }

    fn stats(&self) -> TierStats {
        let misfits = MISFITS.iter().zip(&self.misfits);
        TierStats {
            engine: self.name.clone(),
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            errors: self.errors.load(Ordering::Relaxed),
            unstorable: 0,
            misfits: misfits
                .map(|(misfit, count)| (misfit.as_str(), count.load(Ordering::Relaxed)))
                .filter(|(_, count)| *count != 0)
                .collect(),
            stand_ins: self
                .chain
                .iter()
                .flat_map(|(chain, names)| names.iter().cloned().zip(chain.served().into_iter().skip(1)))
                .collect(),
        }
    }
}

/// How many bytes to leave behind a payload, so that its label needs no other allocation.
const ROOM: usize = LABEL_LEN;

/// BLAKE3 over `parts`, each with its length before it, in a domain of its own.
fn digest(domain: &str, parts: &[&[u8]]) -> [u8; 32] {
    // put together first: many small updates take the hasher longer than the hashing
    let parts = std::iter::once(domain.as_bytes()).chain(parts.iter().copied());
    let length: usize = parts.clone().map(|part| size_of::<u64>() + part.len()).sum();
    let (mut small, mut large) = ([0; 256], Vec::new());
    let all = match small.get_mut(..length) {
        Some(small) => small,
        None => {
            large.resize(length, 0);
            &mut *large
        }
    };
    let mut rest = &mut *all;
    for part in parts {
        for bytes in [&(part.len() as u64).to_le_bytes()[..], part] {
            let (here, behind) = rest.split_at_mut(bytes.len());
            here.copy_from_slice(bytes);
            rest = behind;
        }
    }
    *blake3::hash(all).as_bytes()
}

fn first(digest: &[u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&digest[..16]);
    half
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_of_all_parts_with_their_lengths() {
        for length in [0, 1, 200, 223, 224, 225, 1000] {
            let long = vec![7; length];
            let mut hasher = blake3::Hasher::new();
            for part in [&b"domain"[..], b"ab", &long] {
                hasher.update(&(part.len() as u64).to_le_bytes());
                hasher.update(part);
            }
            assert_eq!(digest("domain", &[b"ab", &long]), *hasher.finalize().as_bytes(), "{length}");
        }
    }

    /// The key of the `u64` 7 of a function, in hexadecimal digits.
    fn key(within: Option<&str>) -> String {
        let identity = Identity { name: "app::square", parameters: "", version: 0, code: 0 };
        let far = Far::<u64, u64>::new(far_key(), far_value(), Vec::new(), identity, None);
        far.enter(within.map(|within| within.as_bytes().to_vec()));
        let key = far.key(&7).unwrap();
        key.space.0.iter().chain(&key.digest).map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn promise_13_keys_are_pinned() {
        assert_eq!(
            key(None),
            "bbab841faabc0fa340c11245ccbfe8f9edd181a204d1f44af48526b2c8376c83d48d8c2203eb0a0f1564979f2723467e"
        );
        assert_eq!(
            key(Some("namespace tenant-42")),
            "b5390f5c6dc3f1c6d29113835a6420a0d9628661d509d6698f08cd44447958cc685bb7f8c7ae68206ca7f40f81301cd6"
        );
    }
}
