//! Entries come in, in place of others with the same key.

#![allow(unsafe_code)]

use super::Erased;
use crate::clock::{FINE, NEVER, exact, nanos};
use crate::near::ages::Life;
use crate::near::limits::ends;
use crate::near::memory::batch::Batch;
use crate::near::memory::entry::{New, word};
use crate::near::memory::kind::Arriving;
use crate::near::memory::readers::reading;

/// An entry that is to be put in.
pub(in crate::near::memory) struct Wish<'a> {
    pub hash: u64,
    pub weight: u32,
    pub life: Life<'a>,
    /// Asked as the entry is about to be put in, under the lock that a removal takes as well: then it is not.
    pub is_off: &'a dyn Fn() -> bool,
}

/// What an insert leaves to be cleaned, and whether at once.
type Put = (Option<Box<Batch>>, bool);

/// Why an entry is not put in.
pub(in crate::near::memory) enum Not {
    /// The store is not to hold such.
    Admitted,
    /// It is off.
    Wanted,
}

impl Erased {
    /// Puts an entry in, in place of what was there. With a lifetime of zero, or a weight beyond the bound, it is not put in,
    /// and what was there is removed all the same: it has been superseded. False, and nothing has happened, if it was off.
    ///
    /// Where it is not put in, key and value are still in `arriving`.
    ///
    /// # Safety
    ///
    /// `arriving` is of the store's kind.
    pub(in crate::near::memory) unsafe fn insert(
        &self,
        wish: &Wish<'_>,
        arriving: &mut dyn Arriving,
    ) -> bool {
        let Wish { hash, weight, life, is_off } = *wish;
        let lifetime = life.lifetime.map_or(NEVER, nanos);
        let tti = self.tti();
        let shortest = lifetime.min(tti);
        if shortest == 0 || !self.rest.retired.has_room() {
            // SAFETY: as the caller says.
            unsafe { self.refuse(hash, arriving) };
            return true;
        }
        let now = if shortest == NEVER && life.beyond.is_none() { 0 } else { exact() };
        let (mut close, mut gone) = (now.saturating_add(lifetime), now.saturating_add(lifetime));
        if let Some(beyond) = life.beyond {
            close = close.min(now.saturating_add(beyond.close));
            gone = gone.saturating_add(beyond.stale);
        }
        let ages = life.beyond.map(|beyond| (now, lifetime, *beyond));
        let word = word(close, shortest >= FINE, tti != NEVER);
        let new = New { hash, weight, word, read: now, tti, ages: ages.as_ref() };
        // SAFETY: as the caller says.
        match unsafe { self.put(is_off, &new, arriving) } {
            Ok((batch, at_once)) => self.clean(batch, at_once),
            Err(Not::Admitted) => {
                // SAFETY: as the caller says.
                unsafe { self.refuse(hash, arriving) };
                return true;
            }
            Err(Not::Wanted) => return false,
        }
        self.rest.schedule.stored(now, ends(gone, now, tti));
        true
    }

    /// Removes what an entry that is not stored would have taken the place of.
    ///
    /// # Safety
    ///
    /// `arriving` is of the store's kind.
    #[cold]
    #[inline(never)]
    unsafe fn refuse(&self, hash: u64, arriving: &dyn Arriving) {
        // SAFETY: all entries are of the store's kind, and so is what arrives, as the caller says.
        self.remove_where(hash, |found| unsafe { arriving.has_key(found) });
    }

    /// Puts an entry in, in place of what was there. What is to be cleaned, and whether at once; or why it is not let in.
    ///
    /// # Safety
    ///
    /// `arriving` is of the store's kind.
    #[inline]
    pub(in crate::near::memory) unsafe fn put(
        &self,
        is_off: &dyn Fn() -> bool,
        new: &New<'_>,
        arriving: &mut dyn Arriving,
    ) -> Result<Put, Not> {
        let mut locked = self.shards.lock(new.hash);
        if !locked.admits(new) {
            return Err(Not::Admitted);
        }
        locked.fetch_spares(&self.rest.retired);
        if locked.has(new.hash) {
            drop(locked);
            // SAFETY: as the caller says.
            return unsafe { self.put_among(is_off, new, arriving) };
        }
        if is_off() {
            return Err(Not::Wanted);
        }
        // SAFETY: as the caller says.
        let thrashes = unsafe { locked.insert(new, arriving) };
        let batch = locked.unlock(false);
        self.note(thrashes);
        Ok((batch, false))
    }

    /// As [`put`](Self::put), where an entry has the hash of the new one, and perhaps its key.
    ///
    /// # Safety
    ///
    /// As for [`put`](Self::put).
    #[cold]
    #[inline(never)]
    unsafe fn put_among(
        &self,
        is_off: &dyn Fn() -> bool,
        new: &New<'_>,
        arriving: &mut dyn Arriving,
    ) -> Result<Put, Not> {
        let hash = new.hash;
        reading(|reading| {
            // Entries with this hash and another key. While this reads, none of them can be taken for another.
            let mut others = Vec::new();
            loop {
                let mut locked = self.shards.lock(hash);
                if !locked.admits(new) {
                    return Err(Not::Admitted);
                }
                locked.fetch_spares(&self.rest.retired);
                let Some(found) = locked.find(reading, hash, |found| !others.contains(&found.entry())) else {
                    if is_off() {
                        return Err(Not::Wanted);
                    }
                    // SAFETY: as the caller says.
                    let thrashes = unsafe { locked.insert(new, arriving) };
                    self.note(thrashes);
                    return Ok((locked.unlock(false), false));
                };
                drop(locked);
                // SAFETY: all entries are of the store's kind, and so is what arrives, as the caller says.
                if !unsafe { arriving.has_key(found) } {
                    others.push(found.entry());
                    continue;
                }
                let mut locked = self.shards.lock(hash);
                if !locked.admits(new) {
                    return Err(Not::Admitted);
                }
                if is_off() {
                    return Err(Not::Wanted);
                }
                // SAFETY: as the caller says. If the old one has left meanwhile, this looks again.
                if unsafe { locked.replace(found.entry(), *new, arriving) } {
                    return Ok((locked.unlock(self.at_once()), self.at_once()));
                }
            }
        })
    }
}
