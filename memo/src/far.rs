//! The far plane: results as bytes, in engines that outlive or surround this process.
//!
//! A function that uses it has one [`Far`] for each instantiation: what it is called there, how its keys and results
//! become bytes, and the engines, nearest first. What an engine answers is checked before it is believed; whatever is
//! wrong with it is a miss, counted. An engine that fails never fails the call.

mod codec;
mod encode;
mod engines;
mod fingerprint;
mod later;
mod types;
mod watch;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

pub(crate) use memo_engines::Key;
use memo_engines::entry::{Expected, LABEL_LEN, Label, Misfit, Stored};
use memo_engines::{Engine, Entry, Space, Witness, utc_now};

pub use codec::Codec;
pub(crate) use engines::is_registered;
pub use engines::{Engines, engines};
pub(crate) use types::FarTypes;
pub use types::{KeyType, ValueType, far_key, far_value};
use watch::{Ticket, Watched};

use crate::error::{Error, ErrorKind};
use crate::function::Settings;
use crate::stats::TierStats;

/// A function's share of the far plane.
pub(crate) struct Far<K, V> {
    types: FarTypes<K, V>,
    tiers: Vec<Tier>,
    space: Space,
    identity: [u8; 16],
    fingerprint: u64,
    codec: Codec,
    /// Which near entries follow what others change; none where nobody tells, or nothing is near.
    watched: Option<Arc<Watched>>,
    /// Every engine failed when last asked.
    ailing: AtomicBool,
    /// The function's name, for errors.
    name: String,
}

/// One engine, and what it has answered to this function.
struct Tier {
    engine: Arc<dyn Engine>,
    hits: AtomicU64,
    misses: AtomicU64,
    misfits: [AtomicU64; MISFITS.len()],
    errors: AtomicU64,
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
    /// Crate, module path, type and function; or the name its author gave.
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
}

/// On what condition something may be kept near.
#[derive(Clone, Copy)]
pub(crate) struct Hold(Option<(Key, Ticket)>);

impl FarKey {
    /// On what condition the result may be kept near.
    pub(crate) fn hold(&self) -> Hold {
        self.hold
    }
}

/// A result as it goes to the engines.
pub(crate) struct FarValue(Vec<u8>);

impl FarValue {
    /// Its size in bytes.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// What the engines had.
pub(crate) enum Looked<V> {
    /// A value that lives for so long yet, and its size in bytes.
    Found { value: V, lives: Option<Duration>, size: usize, hold: Hold },
    /// Nothing. No key if the arguments have no encoding.
    Nothing(Option<Box<FarKey>>),
}

impl<K, V: 'static> Far<K, V> {
    /// The engines that `settings` name, for a function called `name`; `None` if it names none, or its types cannot be
    /// written.
    pub(crate) fn open(settings: &Settings, types: Option<FarTypes<K, V>>, name: &str) -> Option<Self> {
        let engines: Vec<_> = settings.far.iter().filter_map(|engine| engines::open(engine, name)).collect();
        if engines.is_empty() {
            return None;
        }
        // the name is without the type parameters of the `impl`, which are in its type's name
        let parameters = format!("{}{}", settings.owner.unwrap_or_default(), settings.parameters);
        let identity =
            Identity { name, parameters: &parameters, version: settings.version, code: settings.code };
        let mut far = Self::new(types?, engines, identity, settings.codec);
        if settings.near && far.tiers.iter().any(|tier| tier.engine.capability().watches) {
            far.watched = Some(Watched::new(settings.capacity));
        }
        Some(far)
    }

    fn new(
        types: FarTypes<K, V>,
        engines: Vec<Arc<dyn Engine>>,
        identity: Identity<'_>,
        codec: Codec,
    ) -> Self {
        let space = digest("memo space 1", &[identity.name.as_bytes()]);
        let numbers = [identity.version.to_le_bytes(), identity.code.to_le_bytes()].concat();
        let full = [identity.name.as_bytes(), identity.parameters.as_bytes(), &numbers];
        let full = digest("memo function 1", &full);
        Far {
            fingerprint: (types.value.fingerprint)(),
            codec: codec.of::<V>(),
            types,
            tiers: engines.into_iter().map(Tier::new).collect(),
            space: Space(first(&space)),
            identity: first(&full),
            watched: None,
            ailing: AtomicBool::new(false),
            name: identity.name.to_owned(),
        }
    }

    /// The key in the engines; `None` if its `Serialize` fails.
    pub(crate) fn key(&self, key: &K) -> Option<Key> {
        let encoded = (self.types.key)(key)?;
        Some(Key { space: self.space, digest: digest("memo key 1", &[&self.identity, &encoded]) })
    }

    /// The key to store a result under that was not looked for.
    pub(crate) fn unseen(&self, key: &K, hash: u64) -> Option<Box<FarKey>> {
        let key = self.key(key)?;
        let witnesses = self.tiers.iter().map(|_| None).collect();
        Some(Box::new(FarKey { failed: false, key, hold: self.hold(&key, hash), unseen: true, witnesses }))
    }

    /// From now on `drop` is called for what others change: with the hash of a key, or for all.
    pub(crate) fn watch(&self, drop: impl Fn(Option<u64>) + Send + Sync + 'static) {
        let Some(watched) = &self.watched else { return };
        watched.begin(drop);
        for tier in &self.tiers {
            let watched = Arc::clone(watched);
            tier.engine.watch(&self.space, Arc::new(move |change| watched.changed(change)));
        }
    }

    /// What is looked up or computed from now on may be kept near on this condition.
    pub(crate) fn hold(&self, key: &Key, hash: u64) -> Hold {
        Hold(self.watched.as_ref().map(|watched| (*key, watched.enter(key, hash))))
    }

    /// Whether what was put near may stay.
    pub(crate) fn holds(&self, hold: Hold) -> bool {
        match (&self.watched, hold.0) {
            (Some(watched), Some((key, ticket))) => watched.holds(&key, ticket),
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
        let failed = matches!(looked, Looked::Nothing(Some(key)) if key.failed);
        !failed && self.ailing.load(Ordering::Relaxed) && self.ailing.swap(false, Ordering::Relaxed)
    }

    /// Asks the engines, nearest first. What a farther one has is put into the nearer ones.
    pub(crate) async fn look(&self, key: &K, hash: u64) -> Looked<V> {
        let Some(key) = self.key(key) else { return Looked::Nothing(None) };
        let hold = self.hold(&key, hash);
        let mut witnesses = Vec::with_capacity(self.tiers.len());
        for (place, tier) in self.tiers.iter().enumerate() {
            let (found, witness) = match tier.engine.look(&key).await {
                Ok((found, witness)) => (found, Some(witness)),
                Err(_) => {
                    tier.errors.fetch_add(1, Ordering::Relaxed);
                    (None, None)
                }
            };
            if let Some(entry) = found {
                // what is to be put into nearer engines must be kept whole
                let nearer = (place > 0).then(|| entry.clone());
                match self.unseal(&key, entry) {
                    Ok((value, label, size)) => {
                        tier.hits.fetch_add(1, Ordering::Relaxed);
                        if let Some(entry) = nearer {
                            self.put(
                                &self.tiers[..place],
                                FarKey { failed: false, key, hold, unseen: false, witnesses },
                                entry,
                            );
                        }
                        let now = utc_now();
                        let lives = label.expires.map(|end| Duration::from_millis(end.saturating_sub(now)));
                        return Looked::Found { value, lives, size, hold };
                    }
                    Err(misfit) => tier.count(misfit),
                }
            }
            tier.misses.fetch_add(1, Ordering::Relaxed);
            witnesses.push(witness);
        }
        let failed = witnesses.iter().all(Option::is_none);
        if failed {
            self.ailing.store(true, Ordering::Relaxed);
        }
        Looked::Nothing(Some(Box::new(FarKey { failed, key, hold, unseen: false, witnesses })))
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
        let label = Stored::open(&entry.bytes, &expected)?.label;
        let payload = Stored::into_payload(entry.bytes);
        let size = payload.len();
        // whole, of the right shape, and not to be read: its type's own `Deserialize` says no
        let value = (self.types.value.read)(self.codec, payload).ok_or(Misfit::Fingerprint)?;
        Ok((value, label, size))
    }

    /// A result as bytes; `None` if its `Serialize` fails.
    pub(crate) fn encode(&self, value: &V) -> Option<FarValue> {
        (self.types.value.write)(self.codec, value).map(FarValue)
    }

    /// Hands a result to all engines that have not seen an invalidation since.
    pub(crate) fn store(&self, key: FarKey, value: FarValue, lifetime: Option<Duration>, cost: Duration) {
        let entry = self.seal(&key.key, value, lifetime, cost);
        self.put(&self.tiers, key, entry);
    }

    fn seal(&self, key: &Key, value: FarValue, lifetime: Option<Duration>, cost: Duration) -> Entry {
        let now = utc_now();
        let millis = |length: Duration| u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
        let expires = lifetime.map(|lifetime| now.saturating_add(millis(lifetime)));
        let label = Label {
            identity: self.identity,
            key: key.digest,
            fingerprint: self.fingerprint,
            created: now,
            expires,
            cost: u64::try_from(cost.as_nanos()).unwrap_or(u64::MAX),
            codec: memo_engines::entry::Codec(self.codec as u8),
        };
        Entry { bytes: label.seal(value.0).into(), expires }
    }

    fn put(&self, tiers: &[Tier], key: FarKey, entry: Entry) {
        let FarKey { key, unseen, witnesses, .. } = key;
        for (tier, witness) in tiers.iter().zip(witnesses) {
            if witness.is_none() && !unseen {
                // it failed when it was asked: who knows what has been invalidated since
                continue;
            }
            let (engine, entry) = (tier.engine.clone(), entry.clone());
            later::run(async move {
                // what fails here has been counted by the engine's guard, and costs nobody anything
                let _ = match witness {
                    Some(witness) => engine.put_if(&key, &entry, witness).await.map(drop),
                    None => engine.put(&key, &entry).await,
                };
            });
        }
    }

    /// Takes back what was just stored, without waiting for it.
    pub(crate) fn forget(&self, key: &K) {
        let Some(key) = self.key(key) else { return };
        for tier in &self.tiers {
            let engine = tier.engine.clone();
            later::run(async move {
                let _ = engine.remove(&key).await;
            });
        }
    }

    /// Stores a result in all engines, whatever happened before.
    pub(crate) async fn insert(
        &self,
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
    pub(crate) async fn remove(&self, key: Key) -> Result<(), Error> {
        let mut done = Ok(());
        for tier in &self.tiers {
            done = self.all(done, tier, tier.engine.remove(&key).await.map(drop));
        }
        done
    }

    /// Removes what the function has in all engines, whatever its type parameters.
    pub(crate) async fn clear(&self) -> Result<(), Error> {
        let mut done = Ok(());
        for tier in &self.tiers {
            done = self.all(done, tier, tier.engine.clear(&self.space).await);
        }
        done
    }

    /// The first failure; the others have been tried all the same.
    fn all(
        &self,
        done: Result<(), Error>,
        tier: &Tier,
        next: Result<(), memo_engines::Error>,
    ) -> Result<(), Error> {
        if next.is_err() {
            tier.errors.fetch_add(1, Ordering::Relaxed);
        }
        done.and(
            next.map_err(|error| Error::new(ErrorKind::Engine, format!("{}: failed to {error}", self.name))),
        )
    }

    pub(crate) fn stats(&self) -> Vec<TierStats> {
        self.tiers.iter().map(Tier::stats).collect()
    }
}

impl Tier {
    fn new(engine: Arc<dyn Engine>) -> Self {
        Tier {
            engine,
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            misfits: Default::default(),
            errors: AtomicU64::new(0),
        }
    }

    fn count(&self, misfit: Misfit) {
        // a kind that is newer than this program counts as the last
        let place = MISFITS.iter().position(|known| *known == misfit).unwrap_or(MISFITS.len() - 1);
        self.misfits[place].fetch_add(1, Ordering::Relaxed);
    }

    fn stats(&self) -> TierStats {
        let misfits = MISFITS.iter().zip(&self.misfits);
        TierStats {
            engine: self.engine.name().to_owned(),
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            errors: self.errors.load(Ordering::Relaxed),
            misfits: misfits
                .map(|(misfit, count)| (misfit.as_str(), count.load(Ordering::Relaxed)))
                .filter(|(_, count)| *count != 0)
                .collect(),
        }
    }
}

/// How many bytes to leave behind a payload, so that its label needs no other allocation.
const ROOM: usize = LABEL_LEN;

/// BLAKE3 over `parts`, each with its length before it, in a domain of its own.
fn digest(domain: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for part in std::iter::once(&domain.as_bytes()).chain(parts) {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    *hasher.finalize().as_bytes()
}

fn first(digest: &[u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&digest[..16]);
    half
}
