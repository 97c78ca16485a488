//! Writing SQLite's log back into the index, and starting it over, without anyone waiting for that.
//!
//! A log cannot be started over while somebody reads from it: another process, a `sqlite3` shell inside a
//! transaction. SQLite can wait for such readers; here it never does. What can be written back is, and the rest is
//! tried again, at first soon and then once a second, until the reader has gone. Meanwhile the log grows.

use std::cell::Cell;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::stores::Stores;

/// How often it is tried at once: another process may be writing just now, for a few milliseconds.
const TRIES: u32 = 8;
/// How long after such a try.
const BETWEEN: Duration = Duration::from_millis(2);
/// After so many tries that came no further, somebody is reading who may stay.
const NO_FURTHER: u32 = 3;
/// How long it is left alone after that, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// When the log is to be written back next. One thread writes.
pub(super) struct Checkpoint {
    pause: Cell<Duration>,
    /// Not before this; `None` where nothing is in the way.
    next: Cell<Option<Instant>>,
    /// How far the last try came, in pages of the log.
    reached: Cell<Option<i64>>,
}

impl Default for Checkpoint {
    fn default() -> Self {
        Self { pause: Cell::new(PAUSES.0), next: Cell::new(None), reached: Cell::new(None) }
    }
}

impl Checkpoint {
    /// When to try again, where the last try left something.
    pub(super) fn next(&self) -> Option<Instant> {
        self.next.get()
    }

    /// Whether it is time for that.
    pub(super) fn is_due(&self) -> bool {
        self.next.get().is_some_and(|at| Instant::now() >= at)
    }

    /// Writes the log back and starts it over where it is larger than `bound`. SQLite would do so by itself, but
    /// only where nobody writes or keeps a snapshot meanwhile: with two busy processes, never.
    pub(super) fn write_back(&self, stores: &Stores, connection: &Connection, bound: u64) {
        if !stores.may_write() || self.next.get().is_some_and(|at| Instant::now() < at) {
            return;
        }
        let mut no_further = 0;
        for _ in 0..TRIES {
            if stores.log_size() <= bound {
                return self.done();
            }
            stores.current().readers.let_go();
            let reached = match truncate(connection, stores.options.busy_timeout) {
                Ok((false, _)) => return self.done(),
                Ok((true, reached)) => reached,
                Err(_) => break,
            };
            if self.reached.replace(Some(reached)) == Some(reached) {
                no_further += 1;
            } else {
                no_further = 0;
                self.pause.set(PAUSES.0);
            }
            // Where it was left alone before, one look tells that nothing has changed.
            if no_further >= NO_FURTHER || (no_further > 0 && self.next.get().is_some()) {
                break;
            }
            std::thread::sleep(BETWEEN);
        }
        let pause = self.pause.get();
        self.next.set(Some(Instant::now() + pause));
        self.pause.set((pause * 2).min(PAUSES.1));
    }

    fn done(&self) {
        self.pause.set(PAUSES.0);
        self.next.set(None);
        self.reached.set(None);
    }
}

/// Whether somebody is in the way, and how many pages of the log are in the index now. SQLite waits for nobody: what
/// it cannot get at once it does without, and writes back what nobody needs any more.
fn truncate(connection: &Connection, busy_timeout: Duration) -> rusqlite::Result<(bool, i64)> {
    connection.busy_timeout(Duration::ZERO)?;
    let done = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
        Ok((row.get::<_, i64>(0)? != 0, row.get(2)?))
    });
    connection.busy_timeout(busy_timeout)?;
    done
}
