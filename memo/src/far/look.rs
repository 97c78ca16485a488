//! What the engines have: asked nearest first, and believed only once it has been checked.

use std::sync::atomic::Ordering;
use std::time::Duration;

use memo_engines::entry::{Expected, Label, Misfit, Stored};
use memo_engines::{Entry, Key, utc_now};

use super::key::{FarKey, Hold};
use super::looked::{FarFound, FarLooked};
use super::typed::Far;

impl<K, V: 'static> Far<K, V> {
    /// What the engines have for a key, nearest first. Nothing is put into nearer engines.
    pub(crate) async fn peek(&self, key: Key) -> Option<crate::stored::Stored<V>> {
        for tier in &self.tiers {
            if let Ok(Some(entry)) = tier.engine.get(&key).await
                && let Ok((value, label, _)) = self.unseal(&key, entry)
            {
                let now = utc_now();
                return Some(crate::stored::Stored {
                    value,
                    engine: tier.name.to_string(),
                    age: Some(Duration::from_millis(now.saturating_sub(label.created))),
                    is_stale: false,
                    left: label.expires.map(|expires| Duration::from_millis(expires.saturating_sub(now))),
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
    ) -> Result<FarFound<V>, Box<FarKey>> {
        // noted for each look: an entry that another process has put since the last one is a change too
        let hold = if writes { self.hold(&key, hash) } else { Hold(None) };
        // no allocation for a hit in the first engine
        let mut witnesses = Vec::new();
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
                    Ok((value, label, size)) => {
                        tier.hits.fetch_add(1, Ordering::Relaxed);
                        if let Some(entry) = nearer {
                            self.put(&self.tiers[..at], FarKey::new(key, hold, witnesses), entry);
                        }
                        let left = |end: u64| Duration::from_millis(end.saturating_sub(utc_now()));
                        let lives = label.expires.map(left);
                        let cost = Duration::from_nanos(label.cost);
                        let (waited, engine) = (false, &*tier.name);
                        let value = Box::new(value);
                        return Ok(FarFound { value, lives, cost, size, waited, engine, hold });
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
        if label.expires.is_some_and(|expires| expires <= expected.now) {
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
            FarLooked::Found(_) => true,
            FarLooked::Nothing(key) => key.as_ref().is_some_and(|key| !key.failed),
        };
        answered && self.ailing.load(Ordering::Relaxed) && self.ailing.swap(false, Ordering::Relaxed)
    }
}
