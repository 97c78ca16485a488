//! Looking at an entry on the server: the command, and what its replies say.

use std::time::Instant;

use ::redis::{Cmd, Value};

use super::failure::Failure;
use super::link::Link;
use super::stored::Found;
use crate::clock::utc_now;
use crate::engine::Entry;

/// The age of an engine, in minutes.
#[derive(Clone, Copy)]
pub(super) struct Clock(Instant);

impl Clock {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    pub(super) fn minute(self) -> u64 {
        self.0.elapsed().as_secs() / 60
    }
}

/// What was found under a key.
pub(super) struct Look {
    pub(super) found: Found,
    /// The generation of its space.
    pub(super) generation: Option<u64>,
    /// The minute in which the server was asked, or an earlier one: a witness may count as older than it
    /// is, not as younger.
    pub(super) minute: u64,
}

/// Sends a command whose reply is an array of `count` values. `key` is the first key.
pub(super) async fn fetch(
    link: &Link,
    command: &Cmd,
    key: &str,
    count: usize,
    attempted: &str,
) -> Result<Vec<Value>, Failure> {
    match link.send(command, key, attempted).await? {
        Value::Array(values) if values.len() == count => Ok(values),
        _ => Err(Failure::nonsense(attempted)),
    }
}

/// Reads the value under a key, given the generation that counts for it.
pub(super) fn found(value: Value, generation: Option<u64>) -> Found {
    match value {
        Value::BulkString(value) => Found::read(value, generation),
        _ => Found::default(),
    }
}

/// The entry, if it has not expired. (Most entries have no lifetime and need no clock.)
pub(super) fn unexpired(found: Found) -> Option<Entry> {
    found.entry.filter(|entry| entry.expires.is_none() || !entry.is_expired(utc_now()))
}

/// Reads a generation. Anything else counts as none, as it does for the scripts.
pub(super) fn generation_in(value: &Value) -> Option<u64> {
    match value {
        Value::BulkString(digits) if digits.len() < 16 && digits.iter().all(u8::is_ascii_digit) => {
            std::str::from_utf8(digits).ok()?.parse().ok()
        }
        _ => None,
    }
}
