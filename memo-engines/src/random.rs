//! Random numbers. They are as random as the seeds of a `HashMap`.

use std::hash::{BuildHasher as _, RandomState};

use crate::clock::utc_now;

/// A number that neither another process nor this one is likely to draw again.
pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(utc_now())
}

/// 16 random bytes.
pub(crate) fn token() -> [u8; 16] {
    let (first, second) = (random(), random());
    (u128::from(first) << 64 | u128::from(second)).to_le_bytes()
}
