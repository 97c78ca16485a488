//! The label of a payload, and how it is laid out.

use twox_hash::XxHash3_64;

/// The length of a label, in bytes.
pub const LABEL_LEN: usize = 112;

/// The longest time for which an entry is kept after it expires, in milliseconds: what fits into its place.
pub const LONGEST_STALE: u64 = (1 << 48) - 1;

/// The version of the format that is written. No other is read.
pub const VERSION: u16 = 1;

/// The bytes before the version, at the end of every entry. They are not text, and whatever converts line
/// ends damages them.
pub const MAGIC: [u8; 6] = *b"\xd7memo\n";

/// The offset of each field in the label.
pub(super) mod at {
    pub(in crate::entry) const LENGTH: usize = 0;
    pub(in crate::entry) const IDENTITY: usize = 8;
    pub(in crate::entry) const KEY: usize = 24;
    pub(in crate::entry) const FINGERPRINT: usize = 56;
    pub(in crate::entry) const CREATED: usize = 64;
    pub(in crate::entry) const EXPIRES: usize = 72;
    pub(in crate::entry) const COST: usize = 80;
    pub(in crate::entry) const CODEC: usize = 88;
    pub(in crate::entry) const FLAGS: usize = 89;
    pub(in crate::entry) const STALE: usize = 90;
    pub(in crate::entry) const CHECKSUM: usize = 96;
    pub(in crate::entry) const MAGIC: usize = 104;
    pub(in crate::entry) const VERSION: usize = 110;
}

/// In the flags: the entry may be used after it expires, for as long as the bytes at [`at::STALE`] say.
pub(super) const IS_STALE_LATER: u8 = 1;

const _: () = assert!(at::FLAGS + 1 == at::STALE && at::STALE + 6 == at::CHECKSUM);

/// How a payload is encoded. The numbers are part of the format. Those from 128 on are free for others.
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

/// What a payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// Identifies the function whose result it is, with its version, type parameters and code.
    pub identity: [u8; 16],
    /// The key under which it is stored.
    pub key: [u8; 32],
    /// A fingerprint of the result's type.
    pub fingerprint: u64,
    /// When it was computed, in milliseconds since 1970 UTC.
    pub created: u64,
    /// When it expires: the first moment at which it is not fresh, in milliseconds since 1970 UTC.
    /// `Some(u64::MAX)` is stored as `None`.
    pub expires: Option<u64>,
    /// For how many milliseconds after that it may be used where a stale result is accepted. At most [`LONGEST_STALE`] is
    /// stored, and nothing for an entry that never expires.
    pub stale: u64,
    /// How long it took to compute, in nanoseconds. 0 if that is not known.
    pub cost: u64,
    /// How the payload is encoded.
    pub codec: Codec,
}

impl Label {
    /// The first moment at which it must not be used, be it as a stale result, in milliseconds since 1970 UTC. `None` is never.
    pub fn gone(&self) -> Option<u64> {
        self.expires.map(|expires| expires.saturating_add(self.stale))
    }

    /// Makes the entry: the payload with this label behind it. If the vector has [`LABEL_LEN`] bytes to
    /// spare, nothing is moved.
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
        if self.stale != 0 && self.expires.is_some() {
            put(at::FLAGS, &[IS_STALE_LATER]);
            put(at::STALE, &self.stale.min(LONGEST_STALE).to_le_bytes()[..6]);
        }
        put(at::MAGIC, &MAGIC);
        put(at::VERSION, &VERSION.to_le_bytes());

        payload.extend_from_slice(&label[..at::CHECKSUM]);
        let checksum = XxHash3_64::oneshot(&payload);
        payload.extend_from_slice(&checksum.to_le_bytes());
        payload.extend_from_slice(&label[at::MAGIC..]);
        payload
    }
}
