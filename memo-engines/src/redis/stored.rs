//! The value under the key of an entry: the entry's bytes, and a tail of fields for the engine.
//!
//! | bytes | what |
//! |---|---|
//! | all but the last 21 | the entry; none in a tombstone |
//! | 6 | the stamp: a random number, new with each removal; 0 if there was none |
//! | 6 | the generation of the space when it was put |
//! | 8 | the first moment at which it must no longer be given out, 0 for none |
//! | 1 | `E` for an entry, `T` for a tombstone: what is left where an entry was removed |
//!
//! All numbers are little-endian. The scripts read and write the same fields (`scripts.rs`).

use crate::engine::{Entry, Witness};

pub(super) const TAIL_LEN: usize = 21;

/// Generations and stamps are below this. Lua's whole numbers have 53 bits.
pub(super) const NUMBERS: u64 = 1 << 48;

/// The last fields of the tail, which the client writes. The script writes stamp and generation before
/// them.
pub(super) fn end_of_entry(expires: Option<u64>) -> [u8; 9] {
    let mut end = [b'E'; 9];
    // an entry that expired in 1970 has expired now too
    end[..8].copy_from_slice(&expires.map_or(0, |expires| expires.max(1)).to_le_bytes());
    end
}

/// The value that replaces a removed entry.
pub(super) fn tombstone(stamp: u64) -> [u8; TAIL_LEN] {
    let mut tail = [0; TAIL_LEN];
    tail[..6].copy_from_slice(&stamp.to_le_bytes()[..6]);
    tail[TAIL_LEN - 1] = b'T';
    tail
}

/// What was found under a key.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// The entry, if it belongs to the current generation.
    pub(super) entry: Option<Entry>,
    /// The stamp of the value.
    stamp: u64,
}

impl Found {
    /// Reads a value. A value that this engine did not write counts as missing.
    pub(super) fn read(mut value: Vec<u8>, generation: Option<u64>) -> Self {
        let Some(at) = value.len().checked_sub(TAIL_LEN) else { return Self::default() };
        let tail = &value[at..];
        let number = |range: std::ops::Range<usize>| {
            let mut number = [0; 8];
            number[..range.len()].copy_from_slice(&tail[range]);
            u64::from_le_bytes(number)
        };
        let (stamp, of, expires) = (number(0..6), number(6..12), number(12..20));
        let whole = tail[TAIL_LEN - 1] == b'E' && generation == Some(of);
        value.truncate(at);
        let entry = whole.then(|| Entry { bytes: value.into(), expires: (expires != 0).then_some(expires) });
        Self { entry, stamp }
    }

    /// What a [`put_if`](crate::Engine::put_if) must find unchanged: generation and stamp, combined into
    /// one number as the script does it.
    pub(super) fn witness(&self, generation: Option<u64>) -> u64 {
        (generation.unwrap_or(0) + self.stamp) % NUMBERS
    }
}

/// A witness holds only while removals are remembered. So it has its time, in minutes of the engine's life,
/// in the 12 bits above the number. (The highest four bits belong to [`Chain`](crate::Chain).)
pub(super) fn with_minute(number: u64, minute: u64) -> Witness {
    Witness(number | ((minute % (1 << 12)) << 48))
}

/// The number and the minute of a witness.
pub(super) fn without_minute(witness: Witness) -> (u64, u64) {
    (witness.0 % NUMBERS, (witness.0 >> 48) & 0xfff)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(bytes: &[u8], stamp: u64, generation: u64, expires: Option<u64>) -> Vec<u8> {
        let numbers = [&stamp.to_le_bytes()[..6], &generation.to_le_bytes()[..6]].concat();
        [bytes, &numbers, &end_of_entry(expires)].concat()
    }

    #[test]
    fn an_entry_is_read_as_it_was_written() {
        let generation = NUMBERS - 2;
        let found = Found::read(value(b"bytes", 7, generation, Some(9)), Some(generation));
        assert_eq!(found.entry, Some(Entry::new(b"bytes".to_vec()).expires_at(9)));
        assert_eq!(found.witness(Some(generation)), 5);
        let found = Found::read(value(b"", 0, 2, None), Some(2));
        assert_eq!(found.entry, Some(Entry::new(Vec::new())));
    }

    #[test]
    fn what_does_not_count_is_not_given_out() {
        assert_eq!(Found::read(value(b"bytes", 7, 2, None), Some(4)).entry, None, "of before a clear");
        assert_eq!(Found::read(value(b"bytes", 7, 2, None), None).entry, None, "its generation is lost");
        let removed = Found::read(tombstone(7).to_vec(), Some(2));
        assert_eq!((removed.witness(Some(2)), removed.entry), (9, None));
        assert_eq!(Found::read(b"another program's".to_vec(), Some(2)), Found::default());
    }

    #[test]
    fn a_witness_leaves_the_bits_of_a_chain_alone() {
        let witness = with_minute(NUMBERS - 1, 4097);
        assert_eq!(witness.0 >> 60, 0);
        assert_eq!(without_minute(witness), (NUMBERS - 1, 1));
    }
}
