//! What a type has asked for as it was read, and how far that has been seen through.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::Hasher;

use serde::de;

/// Types nested deeper than this are cut off: recursive ones end somewhere.
const DEEPEST: usize = 24;
/// Steps in one value: the shape of a type that branches at every level is known well enough by then.
const MOST_STEPS: usize = 20_000;

/// FNV-1a, 64 bits: the same everywhere and for ever, which no hasher of std promises.
/// <http://www.isthe.com/chongo/tech/comp/fnv/>
pub(super) struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

/// How far the variants of one enum have been seen.
pub(super) struct Seen {
    pub(super) next: usize,
    pub(super) variants: usize,
}

/// What has been asked for, in all attempts.
#[derive(Default)]
pub(super) struct Probe {
    pub(super) hash: Fnv,
    pub(super) enums: BTreeMap<(&'static str, &'static [&'static str]), Seen>,
    pub(super) depth: usize,
    pub(super) steps: usize,
    pub(super) asks: bool,
}

impl Probe {
    /// Something that was asked for.
    pub(super) fn note(&mut self, what: &str) {
        // the length keeps names apart
        self.hash.write(&(what.len() as u64).to_le_bytes());
        self.hash.write(what.as_bytes());
    }

    /// Goes a level down, into what `what` says.
    pub(super) fn descend(&mut self, what: &str) -> Result<(), Stop> {
        self.note(what);
        self.steps += 1;
        if self.depth >= DEEPEST || self.steps >= MOST_STEPS {
            return Err(Stop("deep"));
        }
        self.depth += 1;
        Ok(())
    }
}

/// The end of an attempt.
#[derive(Debug)]
pub(super) struct Stop(pub(super) &'static str);

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Stop {}

impl de::Error for Stop {
    // what a type says of the value is no part of its shape, and may change with the compiler's words
    fn custom<T: fmt::Display>(_: T) -> Self {
        Stop("refused")
    }
}

/// Hashes lengths and positions alike on machines of every width.
pub(super) struct Width<'h>(pub(super) &'h mut Fnv);

impl Hasher for Width<'_> {
    fn finish(&self) -> u64 {
        self.0.finish()
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }
    fn write_usize(&mut self, number: usize) {
        self.0.write(&(number as u64).to_le_bytes());
    }
}
