//! Results that go to the engines.

use memo_engines::entry::Label;
use memo_engines::{Entry, Key, utc_now};

use super::exit::OnItsWay;
use super::key::{FarKey, FarValue};
use super::later;
use super::life::FarLife;
use super::lifetime::millis;
use super::plane::Plane;
use super::tier::Tier;
use super::typed::Far;
use crate::clock::nanos;
use crate::error::Error;

impl<K, V: 'static> Far<K, V> {
    /// A result as bytes. `None` if it would not be read as what it is; then the entry under `over`, which it was to
    /// replace, is removed.
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

    /// The key to store a result under that nobody has looked for.
    pub(crate) fn unseen(&self, key: &K, hash: u64) -> Option<Box<FarKey>> {
        let key = self.key_of(key, hash)?;
        let witnesses = self.tiers.iter().map(|_| None).collect();
        Some(Box::new(FarKey { unseen: true, ..FarKey::new(key, self.hold(&key, hash), witnesses) }))
    }
}

impl Plane {
    /// Hands a result to all engines that have not seen an invalidation since.
    pub(crate) fn store(&'static self, key: FarKey, value: FarValue, life: FarLife) {
        let entry = self.seal(&key.key, value, life);
        self.put(&self.tiers, key, entry);
    }

    /// A result with its label, as it is stored.
    fn seal(&self, key: &Key, value: FarValue, life: FarLife) -> Entry {
        let (now, FarLife { lifetime, stale, cost }) = (utc_now(), life);
        self.longest.given(lifetime);
        let expires = lifetime.map(|lifetime| now.saturating_add(millis(lifetime)));
        let label = Label {
            identity: self.identity,
            key: key.digest,
            fingerprint: self.fingerprint,
            created: now,
            expires,
            stale: millis(stale),
            cost: nanos(cost),
            codec: memo_engines::entry::Codec(self.codec as u8),
        };
        Entry { bytes: label.seal(value.0).into(), expires: label.gone() }
    }

    /// Hands an entry to these tiers, without waiting for them. A tier that failed when it was asked is left out.
    pub(super) fn put(&'static self, tiers: &'static [Tier], key: FarKey, entry: Entry) {
        let FarKey { key, unseen, witnesses, mut lease, .. } = key;
        let function = &*self.name;
        for (at, (tier, witness)) in tiers.iter().zip(witnesses).enumerate() {
            if witness.is_none() && !unseen {
                // without a witness nobody knows what has been invalidated since
                continue;
            }
            let entry = entry.clone();
            let lease = lease.take_if(|_| self.lessor == Some(at));
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
                // after the put, so that whoever takes the lease next finds the entry
                drop(lease);
            });
        }
    }

    /// Stores a result in all engines, whatever happened before.
    ///
    /// # Errors
    ///
    /// If an engine failed: the first failure.
    pub(crate) async fn insert(&'static self, key: Key, value: FarValue, life: FarLife) -> Result<(), Error> {
        let entry = self.seal(&key, value, life);
        let mut done = Ok(());
        for tier in &self.tiers {
            done = self.all(done, tier, tier.engine.put(&key, &entry).await);
        }
        done
    }
}
