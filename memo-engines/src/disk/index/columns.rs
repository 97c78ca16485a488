//! How keys, spaces and moments stand in the columns of the index: as the integers that SQLite has.

use crate::engine::Space;

/// The first 8 bytes of a digest.
pub(in crate::disk) fn id(digest: &[u8; 32]) -> i64 {
    i64::from_le_bytes(digest[..8].try_into().expect("8 of 32"))
}

/// The first 8 bytes of a space.
pub(super) fn space_id(space: &Space) -> i64 {
    i64::from_le_bytes(space.0[..8].try_into().expect("8 of 16"))
}

/// SQLite's integers are signed; a moment beyond them is no moment at all.
pub(in crate::disk) fn moment(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}
