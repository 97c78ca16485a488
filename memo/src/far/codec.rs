//! Results as bytes, and back.
//!
//! What is text or bytes already is stored as it is. Everything else goes through serde and a codec.

use std::any::{Any, TypeId};
use std::sync::Arc;

use serde::Serialize;

use super::ROOM;
use super::bounded::Limits;
use super::detached::Read;

/// How results are written. The numbers are part of the stored format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum Codec {
    /// The bytes themselves, of a result that is text or bytes.
    Raw = 0,
    /// postcard: small and fast; the type must be known to read it, which the fingerprint sees to.
    #[default]
    Postcard = 1,
    /// MessagePack, with the names of fields.
    #[cfg(feature = "messagepack")]
    MessagePack = 2,
    /// JSON: to be read by people and by other programs.
    #[cfg(feature = "json")]
    Json = 3,
}

/// The types whose values are stored as they are: how to see their bytes, and how to make them of bytes.
macro_rules! raw_types {
    ($($raw:ty: $bytes:expr, $from:expr;)*) => {
        /// Whether values of this type are stored as they are.
        pub(crate) fn is_raw<V: 'static>() -> bool {
            $(TypeId::of::<V>() == TypeId::of::<$raw>())||*
        }

        fn raw<V: 'static>(value: &V) -> Option<&[u8]> {
            let value: &dyn Any = value;
            $(if let Some(value) = value.downcast_ref::<$raw>() {
                let bytes: fn(&$raw) -> &[u8] = $bytes;
                return Some(bytes(value));
            })*
            None
        }

        fn from_raw<V: 'static>(bytes: Vec<u8>) -> Option<V> {
            $(if TypeId::of::<V>() == TypeId::of::<$raw>() {
                let from: fn(Vec<u8>) -> Option<$raw> = $from;
                let mut value = from(bytes);
                // the type is the same, as has just been found out
                return (&mut value as &mut dyn Any).downcast_mut::<Option<V>>().and_then(Option::take);
            })*
            None
        }
    };
}

raw_types! {
    String: |value| value.as_bytes(), |bytes| String::from_utf8(bytes).ok();
    Vec<u8>: |value| value, Some;
    Box<[u8]>: |value| value, |bytes| Some(bytes.into());
    Arc<[u8]>: |value| value, |bytes| Some(bytes.into());
    Box<str>: |value| value.as_bytes(), |bytes| String::from_utf8(bytes).ok().map(Box::from);
    Arc<str>: |value| value.as_bytes(), |bytes| String::from_utf8(bytes).ok().map(Arc::from);
}

impl Codec {
    /// The codec that values of type `V` are written with where the function asks for this one.
    pub(crate) fn of<V: 'static>(self) -> Self {
        if is_raw::<V>() { Codec::Raw } else { self }
    }

    /// Writes `value`, with room for a label behind; `None` if its `Serialize` or the codec cannot.
    pub(crate) fn write<V: Serialize + 'static>(self, value: &V) -> Option<Vec<u8>> {
        match self {
            Codec::Raw => {
                let raw = raw(value)?;
                let mut bytes = Vec::with_capacity(raw.len() + ROOM);
                bytes.extend_from_slice(raw);
                Some(bytes)
            }
            Codec::Postcard => postcard::to_extend(value, Vec::with_capacity(ROOM)).ok(),
            #[cfg(feature = "messagepack")]
            Codec::MessagePack => rmp_serde::to_vec_named(value).ok(),
            #[cfg(feature = "json")]
            Codec::Json => serde_json::to_vec(value).ok(),
        }
    }

    /// Reads a value that takes all of `bytes`, in the way of `R`; `None` if they are none, or more than
    /// [`Limits`] allow.
    pub(super) fn read<V: 'static, R: Read<V>>(self, bytes: Vec<u8>) -> Option<V> {
        let limits = Limits::of(bytes.len());
        match self {
            Codec::Raw => from_raw(bytes),
            Codec::Postcard => {
                let mut deserializer = postcard::Deserializer::from_bytes(&bytes);
                let value = R::read(limits.around(&mut deserializer)).ok()?;
                deserializer.finalize().is_ok_and(<[u8]>::is_empty).then_some(value)
            }
            #[cfg(feature = "messagepack")]
            Codec::MessagePack => {
                let mut rest = &*bytes;
                let value = R::read(limits.around(&mut rmp_serde::Deserializer::new(&mut rest))).ok()?;
                rest.is_empty().then_some(value)
            }
            #[cfg(feature = "json")]
            Codec::Json => {
                let mut deserializer = serde_json::Deserializer::from_slice(&bytes);
                let value = R::read(limits.around(&mut deserializer)).ok()?;
                deserializer.end().ok().map(|()| value)
            }
        }
    }
}
