//! The format of a stored entry: the encoded result, and a label behind it that says what it is.
//! `docs/format.md` draws it byte by byte. The golden files in `memo-engines/tests/golden/` pin it.
//!
//! The label stands *behind* the payload. An encoder writes into an empty vector, and the label is
//! appended. A reader that wants to own the payload cuts the label off ([`Stored::into_payload`]). So the
//! payload is never moved.
//!
//! A reader checks the label before it decodes the payload. If something does not fit, it gets a [`Misfit`]
//! that says why, and counts a miss.

mod label;
mod misfit;
#[cfg(test)]
mod tests;

use twox_hash::XxHash3_64;

pub use self::label::{Codec, LABEL_LEN, LONGEST_STALE, Label, MAGIC, VERSION};
use self::label::{IS_STALE_LATER, at};
pub use self::misfit::Misfit;
use crate::engine::Bytes;

/// How far ahead of the reader's clock an entry may have been written, in milliseconds. The clocks of
/// machines that share a store differ a little. If they differ by more, one of them is wrong, and so are
/// all lifetimes.
pub const FUTURE_TOLERANCE: u64 = 60_000;

/// What a reader expects of an entry.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    /// See [`Label::identity`].
    pub identity: [u8; 16],
    /// See [`Label::key`].
    pub key: [u8; 32],
    /// See [`Label::fingerprint`].
    pub fingerprint: u64,
    /// See [`Label::codec`].
    pub codec: Codec,
    /// The reader's clock, in milliseconds since 1970 UTC.
    pub now: u64,
}

/// An entry that was read and is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored<'a> {
    /// The label.
    pub label: Label,
    /// The encoded result.
    pub payload: &'a [u8],
}

impl<'a> Stored<'a> {
    /// Opens an entry, and checks that it is what the reader expects. It may be one that is not fresh any more, and not gone:
    /// whether that is of use is for the reader to say.
    ///
    /// # Errors
    /// The first thing that does not fit.
    pub fn open(bytes: &'a [u8], expected: &Expected) -> Result<Self, Misfit> {
        let stored = Self::inspect(bytes)?;
        let label = &stored.label;
        if label.key != expected.key {
            Err(Misfit::Key)
        } else if label.identity != expected.identity {
            Err(Misfit::Identity)
        } else if label.fingerprint != expected.fingerprint {
            Err(Misfit::Fingerprint)
        } else if label.codec != expected.codec {
            Err(Misfit::Codec)
        } else if label.created > expected.now.saturating_add(FUTURE_TOLERANCE) {
            Err(Misfit::FromTheFuture)
        } else if label.gone().is_some_and(|gone| gone <= expected.now) {
            Err(Misfit::Expired)
        } else {
            Ok(stored)
        }
    }

    /// Opens an entry, and checks only that it is whole. Allocates nothing.
    ///
    /// # Errors
    /// [`Misfit::Truncated`], [`Magic`](Misfit::Magic), [`Version`](Misfit::Version),
    /// [`Length`](Misfit::Length), [`Checksum`](Misfit::Checksum) or [`Flags`](Misfit::Flags).
    pub fn inspect(bytes: &'a [u8]) -> Result<Self, Misfit> {
        let (payload, label) = bytes.split_last_chunk::<LABEL_LEN>().ok_or(Misfit::Truncated)?;
        // The last bytes are the same in every version, so that each version recognizes the others.
        if label[at::MAGIC..at::VERSION] != MAGIC {
            return Err(Misfit::Magic);
        }
        if u16::from_le_bytes(array(label, at::VERSION)) != VERSION {
            return Err(Misfit::Version);
        }
        let number = |at| u64::from_le_bytes(array(label, at));
        if number(at::LENGTH) != payload.len() as u64 {
            return Err(Misfit::Length);
        }
        if number(at::CHECKSUM) != XxHash3_64::oneshot(&bytes[..payload.len() + at::CHECKSUM]) {
            return Err(Misfit::Checksum);
        }
        let stale: [u8; 6] = array(label, at::STALE);
        let stale = stale.iter().rev().fold(0, |stale, byte| stale << 8 | u64::from(*byte));
        // without the flag there is no time, and with it there is one
        if label[at::FLAGS] != (if stale == 0 { 0 } else { IS_STALE_LATER }) {
            return Err(Misfit::Flags);
        }
        let expires = number(at::EXPIRES);
        let label = Label {
            identity: array(label, at::IDENTITY),
            key: array(label, at::KEY),
            fingerprint: number(at::FINGERPRINT),
            created: number(at::CREATED),
            expires: (expires != u64::MAX).then_some(expires),
            stale,
            cost: number(at::COST),
            codec: Codec(label[at::CODEC]),
        };
        Ok(Self { label, payload })
    }

    /// The payload of an entry that was [opened](Self::open), as a vector. It is not copied, unless
    /// somebody else holds the entry too.
    pub fn into_payload(bytes: Bytes) -> Vec<u8> {
        let mut bytes = bytes.into_vec();
        bytes.truncate(bytes.len().saturating_sub(LABEL_LEN));
        bytes
    }
}

/// When the entry was made, by its label. `None` if it is no entry of this version. Only [`Stored::open`]
/// checks that it is whole.
pub(crate) fn created(bytes: &[u8]) -> Option<u64> {
    let label = bytes.last_chunk::<LABEL_LEN>()?;
    let ours = label[at::MAGIC..at::VERSION] == MAGIC && array(label, at::VERSION) == VERSION.to_le_bytes();
    ours.then(|| u64::from_le_bytes(array(label, at::CREATED)))
}

fn array<const N: usize>(label: &[u8; LABEL_LEN], at: usize) -> [u8; N] {
    label[at..at + N].try_into().expect("a range of N bytes")
}
