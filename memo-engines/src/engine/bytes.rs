//! Bytes that are shared without copies.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// Bytes that several engines can hold at once. They are made from a `Vec` and become one again without a
/// copy, unless somebody else still holds them.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Bytes(Arc<Vec<u8>>);

impl Bytes {
    /// The bytes as a vector. They are copied only while another clone is alive.
    pub fn into_vec(self) -> Vec<u8> {
        Arc::try_unwrap(self.0).unwrap_or_else(|shared| shared.to_vec())
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Arc::new(bytes))
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        bytes.to_vec().into()
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_without_a_copy_unless_they_are_shared() {
        let vector = vec![1, 2, 3];
        let place = vector.as_ptr();
        let bytes = Bytes::from(vector);
        let shared = bytes.clone();
        let copied = shared.into_vec();
        assert_ne!(copied.as_ptr(), place, "shared: a copy");
        let owned = bytes.into_vec();
        assert_eq!(owned.as_ptr(), place, "sole owner: the same vector");
    }
}
