//! What the types of a function can, found by method resolution where nobody names them.

use std::any::TypeId;
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::detached::Detached;
use super::encode::encode;
use super::fingerprint::shape;
use super::proof::{Equal, proved};
use super::types::{FarTypes, KeyType, ValueType};
use crate::key::Part;
use crate::outcome::Outcome;
use crate::strategy::Profiles;

/// The types of a function's keys and results, to be asked what they can: generated code calls `(&types).key_bytes()`,
/// and method resolution takes the impl that says yes where its bounds hold, else the one that says no.
pub struct Types<K, V>(PhantomData<fn() -> (K, V)>);

impl<K, V> Types<K, V> {
    pub(crate) const NEW: Self = Types(PhantomData);
}

impl<K, V> Clone for Types<K, V> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K, V> Copy for Types<K, V> {}

impl<K, V> std::fmt::Debug for Types<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Types")
    }
}

/// The types of a call with this key and this outcome.
pub fn types<P: Part, R, O: Outcome<R>>(_: &P, _: O) -> Types<P::Owned, O::Stored> {
    Types::NEW
}

/// The answer yes.
#[derive(Debug, Clone, Copy)]
pub struct Yes;
/// The answer no.
#[derive(Debug, Clone, Copy)]
pub struct No;

/// An answer to whether keys can be written.
pub trait KeyBytes<K> {
    /// How, if they can.
    fn key() -> Option<KeyType<K>>;
}
impl<K: Serialize> KeyBytes<K> for Yes {
    fn key() -> Option<KeyType<K>> {
        Some(|key| encode(key).ok())
    }
}
impl<K> KeyBytes<K> for No {
    fn key() -> Option<KeyType<K>> {
        None
    }
}

/// An answer to whether results can be written and read.
pub trait ValueBytes<V> {
    /// How, if they can.
    fn value() -> Option<ValueType<V>>;
}
impl<V: Serialize + Deserialize<'static> + 'static> ValueBytes<V> for Yes {
    fn value() -> Option<ValueType<V>> {
        Some(ValueType {
            write: proved::<V, Detached>,
            read: |codec, bytes| codec.read::<V, Detached>(bytes),
            shape: shape::<V>,
            equal: None,
        })
    }
}
impl<V> ValueBytes<V> for No {
    fn value() -> Option<ValueType<V>> {
        None
    }
}

/// An answer to whether results can be compared.
pub trait ValueEqual<V> {
    /// How, if they can.
    fn equal() -> Option<Equal<V>>;
}
impl<V: PartialEq> ValueEqual<V> for Yes {
    fn equal() -> Option<Equal<V>> {
        Some(V::eq)
    }
}
impl<V> ValueEqual<V> for No {
    fn equal() -> Option<Equal<V>> {
        None
    }
}

/// An answer to what a key is made of.
pub trait KeyParts<K> {
    /// The types of its parts, where there are several.
    fn parts() -> Vec<(TypeId, &'static str)>;
}
impl<K> KeyParts<K> for No {
    fn parts() -> Vec<(TypeId, &'static str)> {
        Vec::new()
    }
}

/// The ways to the answers, each pair in order. Generated code imports these traits for one expression.
pub mod able {
    use super::*;

    /// Keys that can be written.
    pub trait Key {
        /// Says so.
        fn key_bytes(self) -> Yes;
    }
    impl<K: Serialize, V> Key for &Types<K, V> {
        fn key_bytes(self) -> Yes {
            Yes
        }
    }

    /// Other keys.
    pub trait NoKey {
        /// Says so.
        fn key_bytes(self) -> No;
    }
    impl<K, V> NoKey for Types<K, V> {
        fn key_bytes(self) -> No {
            No
        }
    }

    /// Results that can be written and read.
    pub trait Value {
        /// Says so.
        fn value_bytes(self) -> Yes;
    }
    impl<K, V: Serialize + Deserialize<'static> + 'static> Value for &Types<K, V> {
        fn value_bytes(self) -> Yes {
            Yes
        }
    }

    /// Other results.
    pub trait NoValue {
        /// Says so.
        fn value_bytes(self) -> No;
    }
    impl<K, V> NoValue for Types<K, V> {
        fn value_bytes(self) -> No {
            No
        }
    }

    /// Results that can be compared.
    pub trait Same {
        /// Says so.
        fn value_equal(self) -> Yes;
    }
    impl<K, V: PartialEq> Same for &Types<K, V> {
        fn value_equal(self) -> Yes {
            Yes
        }
    }

    /// Other results.
    pub trait NoSame {
        /// Says so.
        fn value_equal(self) -> No;
    }
    impl<K, V> NoSame for Types<K, V> {
        fn value_equal(self) -> No {
            No
        }
    }

    /// Keys that are tuples.
    pub trait Parts {
        /// Says so.
        fn parts(self) -> Yes;
    }

    /// Other keys.
    pub trait Whole {
        /// Says so.
        fn parts(self) -> No;
    }
    impl<K, V> Whole for Types<K, V> {
        fn parts(self) -> No {
            No
        }
    }

    macro_rules! tuples {
        ($(($($part:ident),+))*) => {$(
            impl<V, $($part: 'static),+> Parts for &Types<($($part,)+), V> {
                fn parts(self) -> Yes {
                    Yes
                }
            }
            impl<$($part: 'static),+> KeyParts<($($part,)+)> for Yes {
                fn parts() -> Vec<(TypeId, &'static str)> {
                    vec![$((TypeId::of::<$part>(), std::any::type_name::<$part>())),+]
                }
            }
        )*};
    }
    tuples! {
        (A, B) (A, B, C) (A, B, C, D) (A, B, C, D, E) (A, B, C, D, E, F) (A, B, C, D, E, F, G) (A, B, C, D, E, F, G, H)
    }
}

impl<K: 'static, V: 'static> FarTypes<K, V> {
    /// By the answers that were found.
    pub(crate) fn probed<A: KeyBytes<K>, B: ValueBytes<V>, C: KeyParts<K>>(_: A, _: B, _: C) -> Self {
        Self::found(A::key(), B::value(), C::parts())
    }

    /// Adds the answer to whether results can be compared.
    pub(crate) fn comparing<D: ValueEqual<V>>(mut self, _: D) -> Self {
        if let Some(value) = &mut self.value {
            value.equal = D::equal();
        }
        self
    }
}

/// The types of a function, for when none of its arguments is at hand. It is used as a type, never as a value.
pub trait Typed {
    /// What strategies are told.
    fn profiles() -> Profiles;
}

/// The types of keys and results, with the answers.
#[derive(Debug)]
pub struct Probed<K, V, A, B, C>(Types<K, V>, PhantomData<(A, B, C)>);

/// The types with their answers.
pub fn probed<K, V, A, B, C>(types: Types<K, V>, _: (A, B, C)) -> Probed<K, V, A, B, C> {
    Probed(types, PhantomData)
}

impl<K: 'static, V: 'static, A: KeyBytes<K>, B: ValueBytes<V>, C: KeyParts<K>> Typed
    for Probed<K, V, A, B, C>
{
    fn profiles() -> Profiles {
        FarTypes::found(A::key(), B::value(), C::parts()).profiles
    }
}
