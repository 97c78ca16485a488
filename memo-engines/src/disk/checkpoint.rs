//! Checkpoints: SQLite's log is written back into the index and started over. Nobody waits for that.
//!
//! A log cannot be started over while somebody reads from it, such as another process or a `sqlite3` shell
//! inside a transaction. SQLite can wait for such readers; here it never does. It writes back what it can.
//! The rest is tried again, soon at first and then once a second, until the reader is gone. Meanwhile the
//! log grows.

use std::cell::Cell;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::stores::Stores;

/// How often a checkpoint is tried at once. Another process may be writing for a few milliseconds.
const TRIES: u32 = 8;
/// The pause between these tries.
const BETWEEN: Duration = Duration::from_millis(2);
/// After so many tries that came no further, a reader may stay for long.
const NO_FURTHER: u32 = 3;
/// The pause after that: at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// The state of checkpoints. Only the writer thread has it.
pub(super) struct Checkpoint {
    pause: Cell<Duration>,
    /// The next checkpoint does not begin before this. `None`: nothing is in the way.
    next: Cell<Option<Instant>>,
    /// How far the last checkpoint came, in pages of the log.
    reached: Cell<Option<i64>>,
}

impl Default for Checkpoint {
    fn default() -> Self {
        Self { pause: Cell::new(PAUSES.0), next: Cell::new(None), reached: Cell::new(None) }
    }
}

impl Checkpoint {
    /// When to try again, if the last checkpoint was not complete.
    pub(super) fn next(&self) -> Option<Instant> {
        self.next.get()
    }

    /// Whether it is time to try again.
    pub(super) fn is_due(&self) -> bool {
        self.next.get().is_some_and(|at| Instant::now() >= at)
    }

    /// Writes the log back and starts it over, if it is larger than `bound` and the index can be written.
    /// SQLite does so by itself only while nobody writes or keeps a snapshot: with two busy processes,
    /// never.
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
            // After a pause, one try tells whether anything has changed.
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

/// Runs one checkpoint. Returns whether somebody was in the way, and how many pages of the log are in the
/// index now. SQLite does not wait: it writes back the pages that nobody reads from the log any more.
fn truncate(connection: &Connection, busy_timeout: Duration) -> rusqlite::Result<(bool, i64)> {
    connection.busy_timeout(Duration::ZERO)?;
    let done = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
        Ok((row.get::<_, i64>(0)? != 0, row.get(2)?))
    });
    connection.busy_timeout(busy_timeout)?;
    done
}
