//! The stored entry: a result's bytes with a trailer that says what they are. `docs/format.md` draws it byte
//! by byte; the golden files in `memo-engines/tests/golden/` pin it.
//!
//! The label stands *behind* the payload, not before it: an encoder writes into an empty vector and the label
//! is appended, and a reader that wants to own the payload cuts the label off ([`Stored::into_payload`]). Text
//! and bytes travel through without being moved.
//!
//! A reader checks before it decodes. Whatever does not fit is a [`Misfit`] that says why, for the caller to
//! count as a miss.

use std::fmt;

use twox_hash::XxHash3_64;

use crate::engine::Bytes;

/// How many bytes the label takes behind the payload.
pub const LABEL_LEN: usize = 112;

/// The version of the format that is written, and the only one that is read.
pub const VERSION: u16 = 1;

/// The last bytes but two of every entry. Not text, and damaged by whatever mangles line ends.
pub const MAGIC: [u8; 6] = *b"\xd7memo\n";

/// How far ahead of the reader's clock an entry may have been written, in milliseconds: the clocks of
/// machines that share a store differ a little. Further ahead, one of the clocks is wrong, and with it every
/// lifetime.
pub const FUTURE_TOLERANCE: u64 = 60_000;

/// Where each field stands, from the beginning of the label.
mod at {
    pub(super) const LENGTH: usize = 0;
    pub(super) const IDENTITY: usize = 8;
    pub(super) const KEY: usize = 24;
    pub(super) const FINGERPRINT: usize = 56;
    pub(super) const CREATED: usize = 64;
    pub(super) const EXPIRES: usize = 72;
    pub(super) const COST: usize = 80;
    pub(super) const CODEC: usize = 88;
    pub(super) const FLAGS: usize = 89;
    pub(super) const RESERVED: usize = 90;
    pub(super) const CHECKSUM: usize = 96;
    pub(super) const MAGIC: usize = 104;
    pub(super) const VERSION: usize = 110;
}

/// How the payload is encoded. The numbers are part of the format; those from 128 on are free for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Codec(pub u8);

impl Codec {
    /// Text or bytes, as they are.
    pub const RAW: Self = Self(0);
    /// [postcard](https://postcard.jamesmunns.com/wire-format).
    pub const POSTCARD: Self = Self(1);
    /// [MessagePack](https://msgpack.org), with the names of fields.
    pub const MESSAGEPACK: Self = Self(2);
    /// JSON.
    pub const JSON: Self = Self(3);
}

/// What is said about a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// The function (and its version, type parameters, code) whose result it is.
    pub identity: [u8; 16],
    /// The full key under which it was stored.
    pub key: [u8; 32],
    /// The shape of the result's type.
    pub fingerprint: u64,
    /// When it was computed, in milliseconds since 1970 UTC.
    pub created: u64,
    /// The first moment at which it must no longer be used, in milliseconds since 1970 UTC. `Some(u64::MAX)`
    /// is stored as `None`.
    pub expires: Option<u64>,
    /// How long it took to compute, in nanoseconds; 0 where that is not known.
    pub cost: u64,
    /// How the payload is encoded.
    pub codec: Codec,
}

/// What a reader asks of an entry.
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

/// Why an entry is not used. In the order in which it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Misfit {
    /// Shorter than a label.
    Truncated,
    /// It does not end as an entry does: something else, or the end is missing.
    Magic,
    /// Another version of the format.
    Version,
    /// It is not as long as it says: cut, or spliced from two.
    Length,
    /// Its bytes are not those that were written.
    Checksum,
    /// It uses a feature of the format that this reader does not know.
    Flags,
    /// Another key's.
    Key,
    /// Another function's, or another version of it.
    Identity,
    /// The type of the result has changed.
    Fingerprint,
    /// It was encoded in another way.
    Codec,
    /// It was written further ahead of this clock than [`FUTURE_TOLERANCE`].
    FromTheFuture,
    /// Its time is over.
    Expired,
}

impl Misfit {
    /// A name for counters and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::Magic => "magic",
            Self::Version => "version",
            Self::Length => "length",
            Self::Checksum => "checksum",
            Self::Flags => "flags",
            Self::Key => "key",
            Self::Identity => "identity",
            Self::Fingerprint => "fingerprint",
            Self::Codec => "codec",
            Self::FromTheFuture => "from the future",
            Self::Expired => "expired",
        }
    }

    /// Whether the bytes themselves are damaged, rather than meant for someone or some time else. Damage is
    /// worth a word in a log; the others are the ordinary life of a cache.
    pub const fn is_damage(self) -> bool {
        matches!(self, Self::Truncated | Self::Magic | Self::Length | Self::Checksum)
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Label {
    /// The entry: the payload, and this label behind it. Give the vector [`LABEL_LEN`] bytes of room to spare
    /// and nothing is moved.
    pub fn seal(&self, mut payload: Vec<u8>) -> Vec<u8> {
        let mut label = [0; LABEL_LEN];
        let mut put = |at: usize, bytes: &[u8]| label[at..at + bytes.len()].copy_from_slice(bytes);
        put(at::LENGTH, &(payload.len() as u64).to_le_bytes());
        put(at::IDENTITY, &self.identity);
        put(at::KEY, &self.key);
        put(at::FINGERPRINT, &self.fingerprint.to_le_bytes());
        put(at::CREATED, &self.created.to_le_bytes());
        put(at::EXPIRES, &self.expires.unwrap_or(u64::MAX).to_le_bytes());
        put(at::COST, &self.cost.to_le_bytes());
        put(at::CODEC, &[self.codec.0]);
        put(at::MAGIC, &MAGIC);
        put(at::VERSION, &VERSION.to_le_bytes());

        payload.extend_from_slice(&label[..at::CHECKSUM]);
        let checksum = XxHash3_64::oneshot(&payload);
        payload.extend_from_slice(&checksum.to_le_bytes());
        payload.extend_from_slice(&label[at::MAGIC..]);
        payload
    }
}

/// An entry that was read and found whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored<'a> {
    /// What is said about the payload.
    pub label: Label,
    /// The encoded result.
    pub payload: &'a [u8],
}

impl<'a> Stored<'a> {
    /// Opens an entry that must be what the reader expects.
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
        } else if label.expires.is_some_and(|expires| expires <= expected.now) {
            Err(Misfit::Expired)
        } else {
            Ok(stored)
        }
    }

    /// Opens an entry of anyone's: that it is whole is all that is checked. Allocates nothing.
    ///
    /// # Errors
    /// [`Misfit::Truncated`], [`Magic`](Misfit::Magic), [`Version`](Misfit::Version),
    /// [`Length`](Misfit::Length), [`Checksum`](Misfit::Checksum) or [`Flags`](Misfit::Flags).
    pub fn inspect(bytes: &'a [u8]) -> Result<Self, Misfit> {
        let (payload, label) = bytes.split_last_chunk::<LABEL_LEN>().ok_or(Misfit::Truncated)?;
        // The end is the same in every version to come, so that each can tell the others from rubbish.
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
        if label[at::FLAGS..at::CHECKSUM].iter().any(|byte| *byte != 0) {
            return Err(Misfit::Flags);
        }
        let expires = number(at::EXPIRES);
        let label = Label {
            identity: array(label, at::IDENTITY),
            key: array(label, at::KEY),
            fingerprint: number(at::FINGERPRINT),
            created: number(at::CREATED),
            expires: (expires != u64::MAX).then_some(expires),
            cost: number(at::COST),
            codec: Codec(label[at::CODEC]),
        };
        Ok(Self { label, payload })
    }

    /// The payload of an entry that was [opened](Self::open), as a vector: the entry's own, cut short, unless
    /// someone else holds it too.
    pub fn into_payload(bytes: Bytes) -> Vec<u8> {
        let mut bytes = bytes.into_vec();
        bytes.truncate(bytes.len().saturating_sub(LABEL_LEN));
        bytes
    }
}

/// When an entry says that it was made; `None` if it is none of this version. Whether the rest of it is whole is for
/// [`Stored::open`] to find out.
pub(crate) fn created(bytes: &[u8]) -> Option<u64> {
    let label = bytes.last_chunk::<LABEL_LEN>()?;
    let ours = label[at::MAGIC..at::VERSION] == MAGIC && array(label, at::VERSION) == VERSION.to_le_bytes();
    ours.then(|| u64::from_le_bytes(array(label, at::CREATED)))
}

fn array<const N: usize>(label: &[u8; LABEL_LEN], at: usize) -> [u8; N] {
    label[at..at + N].try_into().expect("a range of N bytes")
}

// The flags and what is reserved behind them are checked as one range.
const _: () = assert!(at::FLAGS + 1 == at::RESERVED && at::RESERVED + 6 == at::CHECKSUM);

#[cfg(test)]
mod tests {
    use super::*;

    fn label() -> Label {
        Label {
            identity: [1; 16],
            key: [2; 32],
            fingerprint: 3,
            created: 1_000_000,
            expires: Some(2_000_000),
            cost: 5,
            codec: Codec::POSTCARD,
        }
    }

    fn expected() -> Expected {
        let Label { identity, key, fingerprint, codec, .. } = label();
        Expected { identity, key, fingerprint, codec, now: 1_500_000 }
    }

    #[test]
    fn an_entry_that_fits_gives_its_payload() {
        let bytes = label().seal(b"result".to_vec());
        assert_eq!(bytes.len(), 6 + LABEL_LEN);
        let stored = Stored::open(&bytes, &expected()).unwrap();
        assert_eq!(stored, Stored { label: label(), payload: b"result" });
        assert_eq!(Stored::into_payload(bytes.into()), b"result");
    }

    #[test]
    fn promise_16_each_misfit_is_told_by_its_reason() {
        let sealed = |change: fn(&mut Label)| {
            let mut label = label();
            change(&mut label);
            label.seal(b"result".to_vec())
        };
        let why = |bytes: &[u8]| Stored::open(bytes, &expected()).unwrap_err();
        let whole = sealed(|_| ());

        assert_eq!(why(&whole[whole.len() - LABEL_LEN + 1..]), Misfit::Truncated);
        assert_eq!(why(&whole[..whole.len() - 1]), Misfit::Magic);
        assert_eq!(why(&whole[1..]), Misfit::Length);
        let mut newer = whole.clone();
        *newer.last_mut().unwrap() = 1;
        assert_eq!(why(&newer), Misfit::Version);
        let mut flipped = whole.clone();
        flipped[0] ^= 1;
        assert_eq!(why(&flipped), Misfit::Checksum);
        assert_eq!(why(&sealed(|label| label.key[31] = 0)), Misfit::Key);
        assert_eq!(why(&sealed(|label| label.identity[15] = 0)), Misfit::Identity);
        assert_eq!(why(&sealed(|label| label.fingerprint = 4)), Misfit::Fingerprint);
        assert_eq!(why(&sealed(|label| label.codec = Codec::JSON)), Misfit::Codec);
        assert_eq!(why(&sealed(|label| label.expires = Some(1_500_000))), Misfit::Expired);
        assert_eq!(why(&sealed(|label| label.created = 1_560_001)), Misfit::FromTheFuture);
        assert!(Stored::open(&sealed(|label| label.created = 1_560_000), &expected()).is_ok());
        assert!(Stored::open(&sealed(|label| label.expires = None), &expected()).is_ok());
    }

    #[test]
    fn a_feature_that_this_reader_does_not_know_is_a_misfit() {
        for at in at::FLAGS..at::CHECKSUM {
            let mut bytes = label().seal(b"result".to_vec());
            bytes[6 + at] = 1;
            let checksum = XxHash3_64::oneshot(&bytes[..6 + at::CHECKSUM]);
            bytes[6 + at::CHECKSUM..6 + at::MAGIC].copy_from_slice(&checksum.to_le_bytes());
            assert_eq!(Stored::inspect(&bytes), Err(Misfit::Flags));
        }
    }

    #[test]
    fn clocks_at_their_ends_overflow_nothing() {
        let bytes = Label { created: u64::MAX, expires: Some(u64::MAX - 1), ..label() }.seal(vec![]);
        assert_eq!(Stored::open(&bytes, &expected()), Err(Misfit::FromTheFuture));
        assert!(Stored::open(&bytes, &Expected { now: u64::MAX - 2, ..expected() }).is_ok());
        assert_eq!(Stored::open(&bytes, &Expected { now: u64::MAX, ..expected() }), Err(Misfit::Expired));
    }
}
