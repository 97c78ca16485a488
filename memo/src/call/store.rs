//! How a record stores what came of a flight.

use std::time::Duration;

use crate::clock::{NEVER, nanos};
use crate::counters::Counter;
use crate::far::{Far, FarFound, FarKey, FarLife, Hold};
use crate::flight::Lead;
use crate::key::OwnedPart;
use crate::memo::Memo;
use crate::memo::storage::Storage;
use crate::near::{Beyond, Life, Memory, Same};
use crate::outcome::{Outcome, Value};
use crate::scope::OfCall;

/// Engines that outlive the process, and where to store a result there.
pub(super) type Destination<K, V> = (&'static Far<K, V>, Box<FarKey>);

impl<K: OwnedPart, V: Value, F: Value> Memo<K, V, F> {
    /// What the store has for the flight of `lead` after all, out of line for large values.
    #[inline(never)]
    pub(super) fn landed(&self, lead: &Lead<'static, K, V, F>) -> Option<Box<V>> {
        let mut stored = None;
        self.near.get_slow(lead.hash(), Same(lead.key()), &mut stored);
        stored.map(Box::new)
    }

    /// Keeps in memory what a farther engine had, for as long as it lives there.
    pub(super) fn keep(
        &self,
        lead: &Lead<'static, K, V, F>,
        found: &FarFound<V>,
        asked: Option<&OfCall>,
        far: &Far<K, V>,
    ) {
        let Some(storage) = self.storage_near(lead, found, asked) else { return };
        let lifetime = [storage.lifetime, found.lives].into_iter().flatten().min();
        let beyond = self.beyond(lifetime, false, Some(found.cost), asked);
        // it may be an error, which is never stale
        let stale = nanos(found.stale);
        let beyond = beyond.map(|beyond| Beyond { stale: beyond.stale.min(stale), ..beyond });
        let life = Life { lifetime, beyond: beyond.as_ref() };
        lead.store(|| self.put_near(lead, found, storage.weight, life, far), || self.take_back(lead));
    }

    /// Keeps in memory what a farther engine had that is not fresh any more, for as long as it lives there.
    pub(super) fn keep_stale(&self, lead: &Lead<'static, K, V, F>, found: &FarFound<V>, far: &Far<K, V>) {
        let Some(storage) = self.storage_near(lead, found, None) else { return };
        let (stale, cost) = (found.lives.map_or(NEVER, nanos), nanos(found.cost));
        let life =
            Life { lifetime: Some(Duration::from_nanos(1)), beyond: Some(&Beyond { stale, close: 0, cost }) };
        // the result of this flight comes after it
        lead.store_first(|| self.put_near(lead, found, storage.weight, life, far), || self.take_back(lead));
    }

    /// How what a farther engine had is stored in memory, if it goes there.
    fn storage_near(
        &self,
        lead: &Lead<'static, K, V, F>,
        found: &FarFound<V>,
        asked: Option<&OfCall>,
    ) -> Option<Storage> {
        let near = self.goes_near(false, Some(found.size));
        near.then(|| self.storage(lead.key(), &found.value, false, asked)).flatten()
    }

    fn put_near(
        &self,
        lead: &Lead<'static, K, V, F>,
        found: &FarFound<V>,
        weight: u32,
        life: Life<'_>,
        far: &Far<K, V>,
    ) {
        let (key, mut value) = (lead.key().clone(), Some(V::clone(&found.value)));
        self.near.insert_from(lead.hash(), key, &mut value, weight, life);
        self.drop_unless(far, found.hold, lead);
    }

    fn take_back(&self, lead: &Lead<'static, K, V, F>) {
        self.near.remove(lead.hash(), &Same(lead.key()));
    }

    /// Takes back what was just put near, if it was changed elsewhere since it was looked up or its computation began.
    pub(super) fn drop_unless(&self, far: &Far<K, V>, hold: Hold, lead: &Lead<'static, K, V, F>) {
        if !far.holds(hold) {
            self.near.remove(lead.hash(), &Same(lead.key()));
        }
    }
}

impl<K: OwnedPart, V: Value, F: Value> Memo<K, V, F> {
    /// Puts it into the store in memory, where that is all there is. Whether it was stored.
    #[inline(always)]
    pub(super) fn store_near<R, O: Outcome<R, Stored = V, Failure = F>>(
        &'static self,
        store: &Memory<K, V>,
        lead: &Lead<'static, K, V, F>,
        outcome: O,
        result: &R,
    ) -> bool {
        let mut value = outcome.stored(result);
        let Some(found) = &value else { return false };
        let is_error = outcome.is_error(found);
        let Some(Storage { weight, lifetime }) = self.storage(lead.key(), found, is_error, None) else {
            return false;
        };
        let key = lead.key().clone();
        let stored = lead.store_unless(self.runs_user_code, |is_off| {
            store.insert_unless(&|| is_off.get(), lead.hash(), key, &mut value, weight, lifetime.into())
        });
        if stored {
            self.counters.count(Counter::Stored);
        }
        stored
    }

    /// Puts it into memory and into the engines at `far`, as far as it is to go there. What is `asked` of the call
    /// stands in place of the settings; `cost` is how long it took, if that is known. Whether it was stored.
    #[inline(never)]
    pub(super) fn store<R, O: Outcome<R, Stored = V, Failure = F>>(
        &'static self,
        lead: &Lead<'static, K, V, F>,
        far: Option<Destination<K, V>>,
        asked: Option<&OfCall>,
        cost: Option<Duration>,
        outcome: O,
        result: &R,
    ) -> bool {
        let mut value = outcome.stored(result);
        let Some(found) = &value else { return false };
        let is_error = outcome.is_error(found);
        let Some(storage) = self.storage(lead.key(), found, is_error, asked) else {
            return false;
        };
        let beyond = self.beyond(storage.lifetime, is_error, cost, asked);
        // the user's `Serialize` runs before anything waits for the store
        let asked = far.as_ref().map(|(far, key)| (*far, key.hold()));
        let far = far.and_then(|(far, key)| {
            let encoded = far.encode(found, key.over())?;
            Some((far, key, encoded))
        });
        let failed = far.as_ref().is_none_or(|(_, key, _)| key.failed);
        let size = far.as_ref().map(|(_, _, encoded)| encoded.len());
        let near = self.goes_near(failed, size);
        let mut stored = false;
        let store = || {
            if near {
                let Storage { weight, lifetime } = storage;
                let life = Life { lifetime, beyond: beyond.as_ref() };
                self.near.insert_from(lead.hash(), lead.key().clone(), &mut value, weight, life);
                if let (true, true, Some(far)) = (failed, self.stands_in(), &self.far) {
                    far.kept_in_fallback(|| self.near.clear());
                }
                if let Some((far, hold)) = asked {
                    self.drop_unless(far, hold, lead);
                }
            } else {
                // what this replaces may have been small enough
                self.near.remove(lead.hash(), &Same(lead.key()));
            }
            stored = near || far.as_ref().is_some_and(|(_, key, _)| !key.failed);
            if let Some((far, key, encoded)) = far {
                let life = FarLife::of(storage.lifetime, beyond.as_ref());
                far.store(*key, encoded, FarLife { cost: cost.unwrap_or_default(), ..life });
            }
            if stored {
                self.counters.count(Counter::Stored);
            }
        };
        let undo = || {
            self.near.remove(lead.hash(), &Same(lead.key()));
            if let Some((far, _)) = asked {
                far.forget(lead.key());
            }
        };
        lead.store(store, undo);
        stored
    }
}
