//! Types whose `Serialize` or `Deserialize` is up to no good.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use serde::de::Error as _;
use serde::ser::{Error as _, SerializeMap as _, SerializeSeq as _, SerializeStruct as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The results of such a type.
pub(crate) fn hostile<T>(one: impl Fn(u32) -> T) -> Vec<T> {
    (0..6).map(one).collect()
}

/// A type with a `Serialize` of its own.
macro_rules! hostile {
    ($($(#[$attribute:meta])* $name:ident, |$value:ident, $serializer:ident| $serialize:expr;)*) => {$(
        $(#[$attribute])*
        #[derive(Debug, Clone, PartialEq)]
        pub(crate) struct $name(pub(crate) u32);

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, $serializer: S) -> Result<S::Ok, S::Error> {
                let $value = self.0;
                $serialize
            }
        }
    )*};
}

hostile! {
    /// Writes other than it reads.
    #[derive(Deserialize)]
    Other, |value, serializer| serializer.serialize_newtype_struct("Other", &(value / 2 * 2));

    /// Writes something else each time.
    #[derive(Deserialize)]
    Alternating, |value, serializer| {
        static CALLS: AtomicU32 = AtomicU32::new(0);
        let odd = CALLS.fetch_add(1, Ordering::Relaxed) % 2;
        serializer.serialize_newtype_struct("Alternating", &(value + odd))
    };

    /// Is not written each time.
    #[derive(Deserialize)]
    Failing, |value, serializer| {
        static CALLS: AtomicU32 = AtomicU32::new(0);
        if CALLS.fetch_add(1, Ordering::Relaxed) % (value + 1) == value {
            return Err(S::Error::custom("not this time"));
        }
        serializer.serialize_newtype_struct("Failing", &value)
    };

    /// Has one key twice.
    #[derive(Deserialize)]
    #[serde(from = "BTreeMap<String, u32>")]
    Disorder, |value, serializer| {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("n", &value)?;
        map.serialize_entry("n", &(value | 1))?;
        map.end()
    };

    /// Panics as it is read, or refuses to be.
    Panicking, |value, serializer| serializer.serialize_newtype_struct("Panicking", &value);
}

impl From<BTreeMap<String, u32>> for Disorder {
    fn from(map: BTreeMap<String, u32>) -> Self {
        Disorder(map.get("n").copied().unwrap_or(99))
    }
}

impl<'de> Deserialize<'de> for Panicking {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u32::deserialize(deserializer)? {
            3 => panic!("three"),
            4 => Err(D::Error::custom("four")),
            n => Ok(Panicking(n)),
        }
    }
}

/// A sequence that says that its length is another.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(transparent)]
pub(crate) struct Lying<const SAYS: usize>(Vec<u8>);

impl<const SAYS: usize> Serialize for Lying<SAYS> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(Some(SAYS))?;
        self.0.iter().try_for_each(|byte| sequence.serialize_element(byte))?;
        sequence.end()
    }
}

/// Those with none to four elements.
pub(crate) fn lying<const SAYS: usize>() -> Vec<Lying<SAYS>> {
    (0..5).map(|length| Lying(vec![1; length])).collect()
}

/// A struct that does.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct LyingStruct {
    a: u8,
    b: u8,
}

impl Serialize for LyingStruct {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("LyingStruct", usize::from(self.a))?;
        fields.serialize_field("a", &self.a)?;
        fields.serialize_field("b", &self.b)?;
        fields.end()
    }
}

/// Those that say none to four fields.
pub(crate) fn lying_structs() -> Vec<LyingStruct> {
    (0..5).map(|a| LyingStruct { a, b: 7 }).collect()
}
