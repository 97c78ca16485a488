//! What the engines have: asked nearest first, and believed only once it has been checked.

use std::sync::atomic::Ordering;
use std::time::Duration;

use memo_engines::entry::{Expected, Label, Misfit, Stored};
use memo_engines::{Entry, Key, utc_now};

use super::key::{FarKey, Hold};
use super::looked::{FarFound, FarLooked, FarMissing};
use super::typed::Far;

impl<K, V: 'static> Far<K, V> {
    /// What the engines have for a key, nearest first. Nothing is put into nearer engines.
    pub(crate) async fn peek(&self, key: Key) -> Option<crate::stored::Stored<V>> {
        for tier in &self.tiers {
            if let Ok(Some(entry)) = tier.engine.get(&key).await
                && let Ok((value, label, _)) = self.unseal(&key, entry)
            {
                let now = utc_now();
                let is_stale = is_stale(&label, now);
                let ends = if is_stale { label.gone() } else { label.expires };
                return Some(crate::stored::Stored {
                    value,
                    engine: tier.name.to_string(),
                    age: Some(Duration::from_millis(now.saturating_sub(label.created))),
                    is_stale,
                    left: ends.map(|ends| Duration::from_millis(ends.saturating_sub(now))),
                    cost: (label.cost != 0).then(|| Duration::from_nanos(label.cost)),
                    failures: 0,
                });
            }
        }
        None
    }

    /// Asks the engines for a key, nearest first. If the call `writes`, an entry of a farther engine is put into the nearer
    /// ones. With `again`, finding nothing is not counted as another miss.
    pub(super) async fn ask(
        &'static self,
        (key, hash): (Key, u64),
        writes: bool,
        again: bool,
    ) -> Result<FarFound<V>, FarMissing<V>> {
        // noted for each look: an entry that another process has put since the last one is a change too
        let hold = if writes { self.hold(&key, hash) } else { Hold(None) };
        // no allocation for a hit in the first engine
        let (mut witnesses, mut stale) = (Vec::new(), None);
        for (at, tier) in self.tiers.iter().enumerate() {
            let (found, witness) = match tier.engine.look(&key).await {
                Ok((found, witness)) => (found, Some(witness)),
                Err(error) => {
                    tier.failed(&self.name, &error);
                    (None, None)
                }
            };
            if let Some(entry) = found {
                // `unseal` consumes the entry
                let nearer = (writes && at > 0).then(|| entry.clone());
                match self.unseal(&key, entry) {
                    Ok((value, label, size)) if is_stale(&label, utc_now()) => {
                        // another engine may have one that is fresh
                        stale.get_or_insert_with(|| had(value, &label, size, &tier.name, hold));
                    }
                    Ok((value, label, size)) => {
                        tier.hits.fetch_add(1, Ordering::Relaxed);
                        if let Some(entry) = nearer {
                            self.put(&self.tiers[..at], FarKey::new(key, hold, witnesses), entry);
                        }
                        return Ok(had(value, &label, size, &tier.name, hold));
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
        let key = Box::new(FarKey { failed, ..FarKey::new(key, hold, witnesses) });
        Err(FarMissing { key, stale })
    }

    /// Checks an entry, and gives its value, its label and its size in bytes.
    ///
    /// # Errors
    ///
    /// Why the entry is not to be used.
    fn unseal(&self, key: &Key, entry: Entry) -> Result<(V, Label, usize), Misfit> {
        let expected = Expected {
            identity: self.identity,
            key: key.digest,
            fingerprint: self.fingerprint,
            codec: memo_engines::entry::Codec(self.codec as u8),
            now: utc_now(),
        };
        let label = self.longest.cut(Stored::open(&entry.bytes, &expected)?.label);
        // no longer than the function itself accepts a stale result
        let label = Label { stale: label.stale.min(self.stale), ..label };
        if label.gone().is_some_and(|gone| gone <= expected.now) {
            return Err(Misfit::Expired);
        }
        let payload = Stored::into_payload(entry.bytes);
        let size = payload.len();
        // the entry is whole and of the right shape, but the type's own `Deserialize` refuses it
        let value = (self.value.read)(self.codec, payload).ok_or(Misfit::Fingerprint)?;
        Ok((value, label, size))
    }

    /// Whether an engine answers again after all had failed. True once each time.
    pub(crate) fn is_back(&self, looked: &FarLooked<V>) -> bool {
        let answered = match looked {
            FarLooked::Found(_) | FarLooked::Stale(..) => true,
            FarLooked::Nothing(key) => key.as_ref().is_some_and(|key| !key.failed),
        };
        answered && self.ailing.load(Ordering::Relaxed) && self.ailing.swap(false, Ordering::Relaxed)
    }
}

/// Whether an entry is not fresh any more.
fn is_stale(label: &Label, now: u64) -> bool {
    label.expires.is_some_and(|expires| expires <= now)
}

/// What an engine had.
fn had<V>(value: V, label: &Label, size: usize, engine: &'static str, hold: Hold) -> FarFound<V> {
    let now = utc_now();
    let left = |end: u64| Duration::from_millis(end.saturating_sub(now));
    let ends = if is_stale(label, now) { label.gone() } else { label.expires };
    FarFound {
        value: Box::new(value),
        lives: ends.map(left),
        stale: Duration::from_millis(label.stale),
        cost: Duration::from_nanos(label.cost),
        size,
        waited: false,
        engine,
        hold,
    }
}
