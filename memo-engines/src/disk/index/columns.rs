//! Keys, spaces and moments as integers, which is how the columns of the index hold them.

use crate::engine::Space;

/// The first 8 bytes of a digest.
pub(in crate::disk) fn id(digest: &[u8; 32]) -> i64 {
    i64::from_le_bytes(digest[..8].try_into().expect("8 of 32"))
}

/// The first 8 bytes of a space.
pub(super) fn space_id(space: &Space) -> i64 {
    i64::from_le_bytes(space.0[..8].try_into().expect("8 of 16"))
}

/// A moment, in milliseconds since 1970 UTC. SQLite's integers are signed; a later moment counts as the
/// last one.
pub(in crate::disk) fn moment(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}
