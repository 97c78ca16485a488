//! Values read without borrowing from what they are read from.
//!
//! Whether a type can be read at all is found by a probe, and the probe must not ask for `DeserializeOwned`: of
//! `&'static str` the compiler would first say that it has it and then, when it comes to lifetimes, refuse to compile
//! the author's function. It asks for `Deserialize<'static>`, which has no such second thoughts. What is read lives for
//! less than that, so the deserializer here lends nothing: every text and every slice is handed on as one that is gone
//! after the call. A type that insists on borrowing fails to be read, at run time, and is a miss.

use serde::Deserialize;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use std::fmt;
use std::marker::PhantomData;

/// How a type is read from a deserializer.
pub(super) trait Read<V> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<V, D::Error>;
}

/// From the deserializer itself.
pub(super) struct Direct;

impl<V: DeserializeOwned> Read<V> for Direct {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<V, D::Error> {
        V::deserialize(deserializer)
    }
}

/// Without lending it anything.
pub(super) struct Detached;

impl<V: Deserialize<'static>> Read<V> for Detached {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<V, D::Error> {
        V::deserialize(Lifted::new(deserializer))
    }
}

/// What lends for some lifetime, as if it lent for good: it lends nothing.
struct Lifted<'de, T>(T, PhantomData<&'de ()>);

impl<T> Lifted<'_, T> {
    fn new(lender: T) -> Self {
        Lifted(lender, PhantomData)
    }
}

/// What takes loans for good, as if it took them for some lifetime: it is handed none.
struct Lowered<T>(T);

macro_rules! deserialize {
    ($($method:ident($($name:ident: $ty:ty),*);)*) => {$(
        fn $method<V: Visitor<'static>>(self, $($name: $ty,)* visitor: V) -> Result<V::Value, D::Error> {
            self.0.$method($($name,)* Lowered(visitor))
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'static> for Lifted<'de, D> {
    type Error = D::Error;

    deserialize! {
        deserialize_any();
        deserialize_bool();
        deserialize_i8();
        deserialize_i16();
        deserialize_i32();
        deserialize_i64();
        deserialize_i128();
        deserialize_u8();
        deserialize_u16();
        deserialize_u32();
        deserialize_u64();
        deserialize_u128();
        deserialize_f32();
        deserialize_f64();
        deserialize_char();
        deserialize_str();
        deserialize_string();
        deserialize_bytes();
        deserialize_byte_buf();
        deserialize_option();
        deserialize_unit();
        deserialize_unit_struct(name: &'static str);
        deserialize_newtype_struct(name: &'static str);
        deserialize_seq();
        deserialize_tuple(len: usize);
        deserialize_tuple_struct(name: &'static str, len: usize);
        deserialize_map();
        deserialize_struct(name: &'static str, fields: &'static [&'static str]);
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        deserialize_identifier();
        deserialize_ignored_any();
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

macro_rules! visit {
    ($($method:ident $to:ident $ty:ty;)*) => {$(
        fn $method<E: serde::de::Error>(self, value: $ty) -> Result<V::Value, E> {
            self.0.$to(value)
        }
    )*};
}

impl<'de, V: Visitor<'static>> Visitor<'de> for Lowered<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    visit! {
        visit_bool visit_bool bool;
        visit_i8 visit_i8 i8;
        visit_i16 visit_i16 i16;
        visit_i32 visit_i32 i32;
        visit_i64 visit_i64 i64;
        visit_i128 visit_i128 i128;
        visit_u8 visit_u8 u8;
        visit_u16 visit_u16 u16;
        visit_u32 visit_u32 u32;
        visit_u64 visit_u64 u64;
        visit_u128 visit_u128 u128;
        visit_f32 visit_f32 f32;
        visit_f64 visit_f64 f64;
        visit_char visit_char char;
        visit_str visit_str &str;
        // this is where nothing is lent
        visit_borrowed_str visit_str &'de str;
        visit_string visit_string String;
        visit_bytes visit_bytes &[u8];
        visit_borrowed_bytes visit_bytes &'de [u8];
        visit_byte_buf visit_byte_buf Vec<u8>;
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.0.visit_none()
    }
    fn visit_unit<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.0.visit_unit()
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.0.visit_some(Lifted::new(deserializer))
    }
    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.0.visit_newtype_struct(Lifted::new(deserializer))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<V::Value, A::Error> {
        self.0.visit_seq(Lifted::new(elements))
    }
    fn visit_map<A: MapAccess<'de>>(self, pairs: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Lifted::new(pairs))
    }
    fn visit_enum<A: EnumAccess<'de>>(self, variant: A) -> Result<V::Value, A::Error> {
        self.0.visit_enum(Lifted::new(variant))
    }
}

impl<'de, S: DeserializeSeed<'static>> DeserializeSeed<'de> for Lowered<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Lifted::new(deserializer))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'static> for Lifted<'de, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'static>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.0.next_element_seed(Lowered(seed))
    }
    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'static> for Lifted<'de, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'static>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.0.next_key_seed(Lowered(seed))
    }
    fn next_value_seed<S: DeserializeSeed<'static>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(Lowered(seed))
    }
    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'static> for Lifted<'de, A> {
    type Error = A::Error;
    type Variant = Lifted<'de, A::Variant>;

    fn variant_seed<S: DeserializeSeed<'static>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), A::Error> {
        let (value, variant) = self.0.variant_seed(Lowered(seed))?;
        Ok((value, Lifted::new(variant)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'static> for Lifted<'de, A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.0.unit_variant()
    }
    fn newtype_variant_seed<S: DeserializeSeed<'static>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.0.newtype_variant_seed(Lowered(seed))
    }
    fn tuple_variant<V: Visitor<'static>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.0.tuple_variant(len, Lowered(visitor))
    }
    fn struct_variant<V: Visitor<'static>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.0.struct_variant(fields, Lowered(visitor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lasting::Codec;
    use serde::Serialize;
    use std::borrow::Cow;
    use std::collections::BTreeMap;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    enum Kind {
        Unit,
        New(Box<str>),
        Tuple(u8, i64),
        Struct { wide: Option<f64>, name: Cow<'static, str> },
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct All {
        kinds: Vec<Kind>,
        map: BTreeMap<String, (char, bool)>,
        unit: (),
        none: Option<u8>,
        wrapped: Wrapped,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Wrapped(String);

    fn codecs() -> Vec<Codec> {
        vec![
            Codec::Postcard,
            #[cfg(feature = "messagepack")]
            Codec::MessagePack,
            #[cfg(feature = "json")]
            Codec::Json,
        ]
    }

    #[test]
    fn what_is_read_without_loans_is_what_was_written() {
        let new = Kind::New("text".into());
        let named = Kind::Struct { wide: Some(1.5), name: "name".into() };
        let all = All {
            kinds: vec![Kind::Unit, new, Kind::Tuple(1, -2), named],
            map: BTreeMap::from([("a".to_owned(), ('b', true))]),
            unit: (),
            none: None,
            wrapped: Wrapped("w".to_owned()),
        };
        for codec in codecs() {
            let bytes = codec.write(&all).expect("it can be written");
            assert_eq!(codec.read::<All, Detached>(bytes.clone()).as_ref(), Some(&all), "{codec:?}");
            assert_eq!(codec.read::<All, Direct>(bytes).as_ref(), Some(&all), "{codec:?}");
        }
    }

    #[test]
    fn what_insists_on_a_loan_cannot_be_read() {
        for codec in codecs() {
            let bytes = codec.write(&("lent", 1_u8)).expect("it can be written");
            assert_eq!(codec.read::<(&'static str, u8), Detached>(bytes), None, "{codec:?}");
        }
    }
}
