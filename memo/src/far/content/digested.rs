//! Bytes of which parts get digests of their own, before all of them do.

/// Bytes that are collected before they are hashed: many small updates take the hasher longer than the hashing.
const CHUNK: usize = 16 * 1024;

/// What has been put in.
pub(super) struct Digested {
    bytes: Vec<u8>,
    /// What gets a digest of its own and has not ended, the outermost first.
    parts: Vec<Part>,
    /// At how many bytes those of the last part are hashed.
    full: usize,
}

struct Part {
    /// Where its bytes begin, as far as they are not hashed yet.
    start: usize,
    hashed: Option<Box<blake3::Hasher>>,
}

impl Digested {
    /// With the outermost part begun.
    pub(super) fn new() -> Self {
        let mut digested = Digested { bytes: Vec::with_capacity(128), parts: Vec::new(), full: 0 };
        digested.open();
        digested
    }

    /// The bytes themselves where they are few, else their digest.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let is_short = self.parts.iter().all(|part| part.hashed.is_none());
        if is_short { self.bytes } else { self.close().to_vec() }
    }

    /// Begins a part.
    pub(super) fn open(&mut self) {
        self.full = self.bytes.len() + CHUNK;
        self.parts.push(Part { start: self.bytes.len(), hashed: None });
    }

    /// Ends the last part, and takes its bytes out: gives their digest.
    pub(super) fn close(&mut self) -> [u8; 32] {
        let Some(Part { start, hashed }) = self.parts.pop() else { return [0; 32] };
        let rest = &self.bytes[start..];
        let digest = match hashed {
            None => blake3::hash(rest),
            Some(mut hasher) => hasher.update(rest).finalize(),
        };
        self.bytes.truncate(start);
        self.full = self.parts.last().map_or(0, |part| part.start + CHUNK);
        *digest.as_bytes()
    }

    /// Adds bytes to the last part.
    pub(super) fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() >= self.full
            && let Some(part) = self.parts.last_mut()
        {
            part.hashed.get_or_insert_default().update(&self.bytes[part.start..]);
            self.bytes.truncate(part.start);
        }
    }

    /// Adds one byte. The next [`put`](Self::put) looks at whether there are too many.
    pub(super) fn push(&mut self, byte: u8) {
        self.bytes.push(byte);
    }
}
