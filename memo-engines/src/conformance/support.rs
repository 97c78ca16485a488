//! Spaces, keys and entries for the checks, and calls that must succeed.

use crate::block_on::block_on as wait;
use crate::engine::{Engine, Entry, Key, Space};
use crate::error::ErrorKind;
use crate::random::token;

/// Opens the store: the same one each time, if the engine outlives itself.
pub(super) type Open<'o> = &'o dyn Fn() -> Box<dyn Engine>;

/// A space that nobody else uses.
pub(super) fn space() -> Space {
    Space(token())
}

/// A key of a space, by number.
pub(super) fn key(space: Space, number: u64) -> Key {
    let mut digest = [0; 32];
    digest[..16].copy_from_slice(&space.0);
    digest[16..24].copy_from_slice(&number.to_le_bytes());
    // Engines may use any part of a digest as if it were random.
    let mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    digest[..8].iter_mut().zip(mixed.to_le_bytes()).for_each(|(byte, mix)| *byte ^= mix);
    Key { space, digest }
}

/// An entry that repeats its key and version throughout.
pub(super) fn about(key: &Key, version: u64, len: usize) -> Entry {
    let mut seed = [0; 40];
    seed[..32].copy_from_slice(&key.digest);
    seed[32..].copy_from_slice(&version.to_le_bytes());
    Entry::new(seed.iter().copied().cycle().take(len.max(40)).collect::<Vec<u8>>())
}

/// Whether this is a whole entry about this key.
pub(super) fn is_about(entry: &Entry, key: &Key) -> bool {
    let Some((seed, _)) = entry.bytes.split_first_chunk::<40>() else { return false };
    seed[..32] == key.digest && entry.bytes.iter().zip(seed.iter().cycle()).all(|(byte, seed)| byte == seed)
}

pub(super) fn get(engine: &dyn Engine, key: &Key) -> Option<Entry> {
    wait(engine.get(key)).expect("failed to get")
}

pub(super) fn put(engine: &dyn Engine, key: &Key, entry: &Entry) {
    // An engine whose queue is full says so. A flush makes room.
    for _ in 0..10 {
        match wait(engine.put(key, entry)) {
            Err(error) if error.kind() == ErrorKind::Full => wait(engine.flush()).expect("failed to flush"),
            done => return done.expect("failed to put"),
        }
    }
    panic!("failed to put ten times, with a flush after each");
}
