//! What the types of a function must be for its results to outlive the process.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::codec::Codec;
use super::encode::encode;
use super::fingerprint::fingerprint;

/// How keys `K` and results `V` become bytes, and results come back.
pub(crate) struct FarTypes<K, V> {
    pub(crate) key: KeyType<K>,
    pub(crate) value: ValueType<V>,
}

/// How keys `K` become bytes; `None` where their `Serialize` fails.
pub type KeyType<K> = fn(&K) -> Option<Vec<u8>>;

/// How results `V` become bytes, and come back.
pub struct ValueType<V> {
    pub(crate) write: fn(Codec, &V) -> Option<Vec<u8>>,
    pub(crate) read: fn(Codec, Vec<u8>) -> Option<V>,
    pub(crate) fingerprint: fn() -> u64,
}

impl<K, V> Clone for FarTypes<K, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K, V> Copy for FarTypes<K, V> {}

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
        write: |codec, value| codec.write(value),
        read: |codec, bytes| codec.read(bytes),
        fingerprint: fingerprint::<V>,
    }
}
