//! Puts, removals and clearings, and their announcement to others.

use std::time::Duration;

use ::redis::Cmd;
use futures_util::future::join_all;

use super::Redis;
use super::failure::{Failure, NAME};
use super::names::Place;
use super::scripts;
use super::stored::{self, NUMBERS};
use crate::clock::{millis, utc_now};
use crate::engine::{Change, Entry, Key, Space, Witness};
use crate::error::{Error, ErrorKind};
use crate::random::random;

impl Redis {
    pub(super) async fn store(
        &self,
        key: &Key,
        entry: &Entry,
        witness: Option<Witness>,
    ) -> Result<bool, Error> {
        if entry.bytes.len() as u64 > self.options.largest {
            let context =
                format!("store {} bytes where {} are the most", entry.bytes.len(), self.options.largest);
            return Err(Error::new(ErrorKind::TooLarge, context).of(NAME));
        }
        let seen = match witness.map(stored::without_minute) {
            None => String::new(),
            Some((_, minute))
                if self.clock.minute().wrapping_sub(minute) % 4096
                    >= self.removal_memory().as_secs() / 60 =>
            {
                // changes since then may have been forgotten
                return Ok(false);
            }
            Some((number, _)) => number.to_string(),
        };
        let longest = millis(self.options.longest);
        let ttl = entry.expires.map_or(longest, |end| end.saturating_sub(utc_now()).clamp(1, longest));
        let end = stored::end_of_entry(entry.expires);
        let Place { generation, entry: name } = self.names.place(key);
        let (fresh, stamp, memory) = (even(), even(), millis(self.removal_memory()));
        let rest = |command: &mut Cmd| {
            command.arg(&entry.bytes[..]).arg(&end[..]).arg(ttl).arg(fresh).arg(longest).arg(&seen);
            self.add_announcement(command, Change::Entry(*key));
            command.arg(stamp).arg(memory);
        };
        self.run(&scripts::PUT, &[&generation, &name], rest, "store an entry").await
    }

    pub(super) async fn drop_entry(&self, key: &Key) -> Result<bool, Error> {
        let Place { generation, entry } = self.names.place(key);
        let tombstone = stored::tombstone(even());
        let rest = |command: &mut Cmd| {
            command.arg(&tombstone[..]).arg(millis(self.removal_memory())).arg(utc_now());
            self.add_announcement(command, Change::Entry(*key));
        };
        self.run(&scripts::REMOVE, &[&generation, &entry], rest, "remove an entry").await
    }

    pub(super) async fn drop_all(&self, space: &Space) -> Result<(), Error> {
        let generations: Vec<_> = self.names.generations(space).collect();
        let clear = generations.iter().map(|generation| async move {
            let rest = |command: &mut Cmd| {
                command.arg(even() + 1).arg(millis(self.options.longest));
            };
            self.run(&scripts::CLEAR, &[generation], rest, "clear a space").await
        });
        join_all(clear).await.into_iter().collect::<Result<Vec<_>, _>>()?;
        let mut command = ::redis::cmd("PUBLISH");
        self.add_announcement(&mut command, Change::Space(*space));
        let key = generations.first().map_or("", String::as_str);
        self.client()
            .link
            .send(&command, key, "tell that a space was cleared")
            .await
            .map(drop)
            .map_err(Failure::named)
    }

    /// Adds the channel and the message to a command.
    fn add_announcement(&self, command: &mut Cmd, change: Change) {
        command.arg(self.client().watch.channel()).arg(&self.client().watch.message(change)[..]);
    }

    /// How long removals are remembered. The minutes of a witness repeat after 4096.
    fn removal_memory(&self) -> Duration {
        self.options.remember_removals.clamp(Duration::from_secs(60), Duration::from_secs(48 * 3600))
    }
}

/// A random even number for a generation or a stamp; never 0.
fn even() -> u64 {
    ((random() % NUMBERS) & !1).max(2)
}
