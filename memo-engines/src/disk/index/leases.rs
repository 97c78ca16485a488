//! Leases in the index.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::columns::{id, moment};
use super::transaction::Transaction;
use crate::engine::Key;

/// The longest lease. One that ends later was written before the clock was set back, and does not count.
const LONGEST_LEASE: Duration = Duration::from_secs(300);

/// The owner of the lease of this key, if there is one that has not ended.
pub(in crate::disk) fn holder(
    connection: &Connection,
    key: &Key,
    now: u64,
) -> rusqlite::Result<Option<String>> {
    let latest = now.saturating_add(LONGEST_LEASE.as_millis() as u64);
    connection
        .prepare_cached("SELECT owner FROM lease WHERE id = ?1 AND expires > ?2 AND expires <= ?3")?
        .query_row(params![id(&key.digest), moment(now), moment(latest)], |row| row.get(0))
        .optional()
}

impl Transaction<'_> {
    /// Takes a lease unless another owner has it. `lives` tells whether an owner may be alive.
    pub(in crate::disk) fn lease(
        &mut self,
        key: &Key,
        token: &[u8; 16],
        owner: &str,
        ttl: Duration,
        lives: impl Fn(&str) -> bool,
    ) -> rusqlite::Result<bool> {
        if holder(self.connection, key, self.now)?.is_some_and(|owner| lives(&owner)) {
            return Ok(false);
        }
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO lease VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![id(&key.digest), &token[..], self.until(ttl), owner])?;
        Ok(true)
    }

    pub(in crate::disk) fn renew(
        &mut self,
        key: &Key,
        token: &[u8; 16],
        ttl: Duration,
    ) -> rusqlite::Result<bool> {
        self.connection
            .prepare_cached("UPDATE lease SET expires = ?3 WHERE id = ?1 AND token = ?2 AND expires > ?4")?
            .execute(params![id(&key.digest), &token[..], self.until(ttl), moment(self.now)])
            .map(|renewed| renewed > 0)
    }

    pub(in crate::disk) fn release(&mut self, key: &Key, token: &[u8; 16]) -> rusqlite::Result<bool> {
        self.connection
            .prepare_cached("DELETE FROM lease WHERE id = ?1 AND token = ?2 AND expires > ?3")?
            .execute(params![id(&key.digest), &token[..], moment(self.now)])
            .map(|released| released > 0)
    }

    fn until(&self, ttl: Duration) -> i64 {
        moment(self.now.saturating_add(ttl.min(LONGEST_LEASE).as_millis() as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::super::open::{Mode, open};
    use super::super::schema::set_up;
    use super::*;
    use crate::engine::Space;

    #[test]
    fn a_lease_taken_before_the_clock_was_set_back_does_not_bind_for_as_long() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("index");
        std::fs::File::create(&path).unwrap();
        let connection = open(&path, Duration::from_secs(1), Mode::Write).unwrap();
        set_up(&connection).unwrap();
        let key = Key { space: Space([1; 16]), digest: [2; 32] };
        let day = 24 * 3600 * 1000;
        let take = |now, token| {
            let mut change = Transaction::begin(&connection, now).unwrap();
            let taken = change.lease(&key, &[token; 16], "somebody", Duration::MAX, |_| true).unwrap();
            change.commit().unwrap();
            taken
        };
        assert!(take(2 * day, 1));
        assert!(!take(2 * day + 1, 2), "it is held");
        assert!(take(day, 3), "by a clock that ran a day ahead");
        assert!(!take(day + 1, 4));
        assert!(take(day + LONGEST_LEASE.as_millis() as u64, 5), "its time is over");
    }
}
