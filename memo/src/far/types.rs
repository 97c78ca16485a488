//! What the types of a function must be for its results to outlive the process.

use std::any::TypeId;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::detached::Direct;
use super::encode::encode;
use super::fingerprint::{Shape, shape};
use super::proof::{Equal, Refusal, proved};
use crate::lasting::Codec;
use crate::strategy::{Profiles, TypeProfile};

/// How keys `K` and results `V` become bytes and results come back, if they can, and what strategies are told of the two
/// types.
pub(crate) struct FarTypes<K, V> {
    pub(crate) key: Option<KeyType<K>>,
    pub(crate) value: Option<ValueType<V>>,
    pub(crate) profiles: Profiles,
}

/// How keys `K` become bytes; `None` where their `Serialize` fails.
pub type KeyType<K> = fn(&K) -> Option<Vec<u8>>;

/// How results `V` become bytes, proved to be read as the same results.
type Write<V> = fn(Codec, &V, Option<Equal<V>>) -> Result<Vec<u8>, Refusal>;

/// How results `V` become bytes, and come back.
pub struct ValueType<V> {
    pub(crate) write: Write<V>,
    pub(crate) read: fn(Codec, Vec<u8>) -> Option<V>,
    pub(crate) shape: fn() -> Shape,
    /// How results are compared, if they can be.
    pub(crate) equal: Option<Equal<V>>,
}

impl<K, V> Clone for FarTypes<K, V> {
    fn clone(&self) -> Self {
        FarTypes { key: self.key, value: self.value, profiles: self.profiles.clone() }
    }
}

impl<V> Clone for ValueType<V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for ValueType<V> {}

impl<K, V> std::fmt::Debug for FarTypes<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FarTypes").finish_non_exhaustive()
    }
}

impl<V> std::fmt::Debug for ValueType<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ValueType").finish_non_exhaustive()
    }
}

/// Keys that can be written.
#[diagnostic::on_unimplemented(
    message = "an engine that outlives the process needs a key that can be written: `{Self}` is not `serde::Serialize`",
    label = "needs `Serialize`",
    note = "derive `serde::Serialize` for the types of the arguments, leave one out with `skip(..)`, or write the key yourself with `key = ..`; an `InstanceId` means nothing outside this process: mark a field with `#[instance]`, or say `receiver = self.id`"
)]
pub trait FarKey: Serialize {}
#[diagnostic::do_not_recommend]
impl<T: Serialize> FarKey for T {}

/// Results that can be written and read.
#[diagnostic::on_unimplemented(
    message = "an engine that outlives the process needs a result that can be written and read: `{Self}` is not `serde::Serialize + serde::de::DeserializeOwned`",
    label = "needs `Serialize + DeserializeOwned` (of a `Result`, its `Ok`)",
    note = "derive `serde::Serialize` and `serde::Deserialize` for the type of the result, or use `engine = \"memory\"`"
)]
pub trait FarValue: Serialize + DeserializeOwned + 'static {}
#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + 'static> FarValue for T {}

/// How keys of this type are written, for an engine that is asked for by name.
pub fn far_key<K: FarKey>() -> KeyType<K> {
    |key| encode(key).ok()
}

/// How results of this type are written and read, for an engine that is asked for by name.
pub fn far_value<V: FarValue>() -> ValueType<V> {
    ValueType {
        write: proved::<V, Direct>,
        read: |codec, bytes| codec.read::<V, Direct>(bytes),
        shape: shape::<V>,
        equal: None,
    }
}

impl<K: 'static, V: 'static> FarTypes<K, V> {
    /// For a function whose author names engines.
    pub(crate) fn named(key: KeyType<K>, value: ValueType<V>) -> Self {
        Self::found(Some(key), Some(value), Vec::new())
    }

    /// Adds what strategies are told.
    pub(super) fn found(
        key: Option<KeyType<K>>,
        value: Option<ValueType<V>>,
        parts: Vec<(TypeId, &'static str)>,
    ) -> Self {
        let profiles = Profiles {
            key: TypeProfile::of::<K>(key.is_some()),
            parts,
            value: TypeProfile::of::<V>(value.is_some()),
            shape: value.map(|value| value.shape),
        };
        FarTypes { key, value, profiles }
    }
}
