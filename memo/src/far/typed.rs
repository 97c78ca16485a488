//! A function's share of the far plane: how its keys and results become bytes, and the rest, which knows no types.

use std::ops::Deref;

use super::plane::Plane;
use super::types::{FarTypes, KeyType, ValueType};
use crate::lasting::Codec;
use crate::route::Route;
use crate::settings::Settings;

/// A function's share of the far plane.
pub(crate) struct Far<K, V> {
    pub(super) key: KeyType<K>,
    pub(super) value: ValueType<V>,
    pub(super) plane: Plane,
}

impl<K, V> Deref for Far<K, V> {
    type Target = Plane;

    fn deref(&self) -> &Plane {
        &self.plane
    }
}

impl<K, V: 'static> Far<K, V> {
    /// The engines on the `route` of a function called `name`; `None` if there are none.
    pub(crate) fn open(
        settings: &Settings,
        route: &Route,
        types: Option<&FarTypes<K, V>>,
        name: &str,
    ) -> Option<Self> {
        let Some(&FarTypes { key: Some(key), value: Some(value), .. }) = types else { return None };
        let format = |codec| {
            let shape = (value.shape)();
            (shape.fingerprint, Codec::of::<V>(codec, shape))
        };
        let plane = Plane::open(settings, route, name, &format)?;
        Some(Far { key, value, plane })
    }
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use super::super::home::Identity;
    use super::super::types::{far_key, far_value};
    use super::*;

    /// The key of the `u64` 7 of a function, in hexadecimal digits.
    fn key(within: Option<&str>) -> String {
        let identity = Identity { name: "app::square", parameters: "", version: 0, code: 0 };
        let value = far_value::<u64>();
        let shape = (value.shape)();
        let plane = Plane::new(Vec::new(), identity, (shape.fingerprint, Codec::of::<u64>(None, shape)));
        let far = Far { key: far_key::<u64>(), value, plane };
        far.use_space(within.map(|within| within.as_bytes().to_vec()));
        let key = far.key(&7).unwrap();
        key.space.0.iter().chain(&key.digest).map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn promise_13_keys_are_pinned() {
        assert_eq!(
            key(None),
            "bbab841faabc0fa340c11245ccbfe8f9edd181a204d1f44af48526b2c8376c83d48d8c2203eb0a0f1564979f2723467e"
        );
        assert_eq!(
            key(Some("namespace tenant-42")),
            "b5390f5c6dc3f1c6d29113835a6420a0d9628661d509d6698f08cd44447958cc685bb7f8c7ae68206ca7f40f81301cd6"
        );
    }
}
