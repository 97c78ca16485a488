//! Results as bytes, and back.
//!
//! What is text or bytes already is stored as it is. Everything else goes through serde and a codec.

use std::any::{Any, TypeId};
use std::fmt;
use std::sync::Arc;

use memo_engines::entry::LABEL_LEN;
use serde::Serialize;

use super::bounded::Limits;
use super::detached::Read;
use super::fingerprint::Shape;
use crate::lasting::Codec;

/// How many bytes to leave behind a payload, so that its label needs no other allocation.
const ROOM: usize = LABEL_LEN;

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
    /// Those that go through serde, the smallest first.
    pub(super) const ALL: &[Codec] = &[
        Codec::Postcard,
        #[cfg(feature = "messagepack")]
        Codec::MessagePack,
        #[cfg(feature = "json")]
        Codec::Json,
    ];

    /// The codec that values of type `V` are written with where the function names this one, or none.
    pub(crate) fn of<V: 'static>(named: Option<Codec>, shape: Shape) -> Self {
        if is_raw::<V>() { Codec::Raw } else { named.unwrap_or_else(|| Self::for_shape(shape)) }
    }

    /// The first codec that can read a type of this shape, as far as they are compiled in.
    fn for_shape(shape: Shape) -> Self {
        let reads = |codec: &&Codec| !shape.asks || **codec != Codec::Postcard;
        Self::ALL.iter().find(reads).copied().unwrap_or(Codec::Postcard)
    }

    /// Writes `value`, with room for a label behind.
    ///
    /// # Errors
    ///
    /// What its `Serialize` or the codec says, if one of them cannot.
    pub(super) fn write<V: Serialize + 'static>(self, value: &V) -> Result<Vec<u8>, String> {
        match self {
            Codec::Raw => {
                let raw = raw(value).ok_or_else(|| "it is neither text nor bytes".to_owned())?;
                let mut bytes = Vec::with_capacity(raw.len() + ROOM);
                bytes.extend_from_slice(raw);
                Ok(bytes)
            }
            Codec::Postcard => postcard::to_extend(value, Vec::with_capacity(ROOM)).map_err(said),
            #[cfg(feature = "messagepack")]
            Codec::MessagePack => rmp_serde::to_vec_named(value).map_err(said),
            #[cfg(feature = "json")]
            Codec::Json => serde_json::to_vec(value).map_err(said),
        }
    }

    /// Reads a value that takes all of `bytes`, in the way of `R`; `None` if they are none, or more than
    /// [`Limits`] allow.
    pub(super) fn read<V: 'static, R: Read<V>>(self, bytes: Vec<u8>) -> Option<V> {
        match self {
            Codec::Raw => from_raw(bytes),
            _ => self.decode::<V, R>(&bytes).ok(),
        }
    }

    /// Reads a value that has gone through serde, as [`read`](Self::read) does.
    ///
    /// # Errors
    ///
    /// What the type's `Deserialize` or the codec says, if one of them cannot.
    pub(super) fn decode<V: 'static, R: Read<V>>(self, bytes: &[u8]) -> Result<V, String> {
        let whole =
            |whole: bool, value| whole.then_some(value).ok_or_else(|| "something is left over".to_owned());
        let limits = Limits::of(bytes.len());
        match self {
            Codec::Raw => Err("it has not gone through serde".to_owned()),
            Codec::Postcard => {
                let mut deserializer = postcard::Deserializer::from_bytes(bytes);
                let value = R::read(limits.around(&mut deserializer)).map_err(said)?;
                whole(deserializer.finalize().is_ok_and(<[u8]>::is_empty), value)
            }
            #[cfg(feature = "messagepack")]
            Codec::MessagePack => {
                let mut rest = bytes;
                let value =
                    R::read(limits.around(&mut rmp_serde::Deserializer::new(&mut rest))).map_err(said)?;
                whole(rest.is_empty(), value)
            }
            #[cfg(feature = "json")]
            Codec::Json => {
                let mut deserializer = serde_json::Deserializer::from_slice(bytes);
                let value = R::read(limits.around(&mut deserializer)).map_err(said)?;
                whole(deserializer.end().is_ok(), value)
            }
        }
    }
}

/// What a plan says of the codec of results of this shape, where the function names this one or none; none where it is the
/// usual one.
pub(super) fn reason(named: Option<Codec>, shape: Shape) -> Option<String> {
    if !shape.asks {
        return None;
    }
    let cannot =
        "postcard cannot read results whose type asks what is there (serde's `untagged`, `tag`, `flatten`)";
    match named.unwrap_or_else(|| Codec::for_shape(shape)) {
        Codec::Postcard => Some(format!("{cannot}, and those are not kept outside of memory")),
        chosen if named.is_none() => Some(format!("{cannot}, so they are written as {chosen}")),
        _ => None,
    }
}

fn said(error: impl fmt::Display) -> String {
    error.to_string()
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Codec::Raw => "raw",
            Codec::Postcard => "postcard",
            #[cfg(feature = "messagepack")]
            Codec::MessagePack => "messagepack",
            #[cfg(feature = "json")]
            Codec::Json => "json",
        })
    }
}
