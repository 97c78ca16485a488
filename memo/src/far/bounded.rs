//! Results read within bounds: of depth, because every level takes stack, and of memory, because a few bytes can stand
//! for a large value. Whoever may write where results are stored could otherwise end the process.
//!
//! The deserializer here wraps that of a codec, and everything that the two sides hand each other. What is counted is
//! the memory that values take, not the bytes that they were read from: the elements of collections, and what stands in
//! a box. A field takes none of its own, since its struct has been counted. Text and bytes are not counted: they are
//! never longer than what they are read from.

use std::cell::Cell;
use std::fmt;

use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};

/// How deep containers, options, newtypes and enums may be nested.
pub(super) const DEPTH: usize = 128;

/// One more level is counted for so many bytes of a part of a value: what is read is moved through the stack.
const LEVEL: usize = 1024;

/// How much memory any value may take, however few bytes it is read from.
const FLOOR: usize = 64 << 20;

/// How much more it may take for each byte that it is read from.
const FACTOR: usize = 64;

/// What an element of no size is counted as: a node of a list that holds nothing is about as large.
const SIZELESS: usize = 32;

/// How many elements a collection is told to expect at most. It grows by itself if more come.
const EXPECTED: usize = 4096;

/// What is left of the memory that one value may take.
pub(super) struct Limits(Cell<usize>);

impl Limits {
    /// Those of a value that is read from so many bytes.
    pub(super) fn of(bytes: usize) -> Self {
        Limits(Cell::new(bytes.saturating_mul(FACTOR).saturating_add(FLOOR)))
    }

    /// A deserializer that reads from `deserializer`, and stops at these limits.
    pub(super) fn around<D>(&self, deserializer: D) -> Bounded<'_, D> {
        Bounded { inner: deserializer, limits: self, depth: 0, room: 0 }
    }

    #[inline]
    fn count<E: de::Error>(&self, size: usize) -> Result<(), E> {
        let left = self.0.get().checked_sub(size);
        self.0.set(left.unwrap_or(0));
        left.map(drop).ok_or_else(|| E::custom("it takes too much memory"))
    }
}

/// One of the parties to reading, within limits.
pub(super) struct Bounded<'l, T> {
    inner: T,
    limits: &'l Limits,
    depth: usize,
    /// How much memory has been counted for what is read here and not been given to a part of it.
    room: usize,
}

impl<'l, T> Bounded<'l, T> {
    /// This `visitor`, for what is read by `self`.
    #[inline]
    fn hand<'de, V: Visitor<'de>, E: de::Error>(self, visitor: V) -> Result<(T, Bounded<'l, V>), E> {
        let Bounded { inner, limits, depth, room } = self;
        let size = size_of::<V::Value>();
        // more than has been counted: what stands in a box, which takes memory even where it has no size
        let due = if size == 0 && room != 0 { SIZELESS } else { size.saturating_sub(room) };
        limits.count(due)?;
        // how large the whole is was for the function to say
        let depth = if depth == 0 { 0 } else { depth + due / LEVEL };
        Ok((inner, Bounded { inner: visitor, limits, depth, room: size }))
    }

    /// `inner` one level deeper, in the same room.
    #[inline]
    fn deeper<U, E: de::Error>(&self, inner: U) -> Result<Bounded<'l, U>, E> {
        if self.depth >= DEPTH {
            return Err(E::custom("it is nested too deep"));
        }
        Ok(Bounded { inner, limits: self.limits, depth: self.depth + 1, room: self.room })
    }

    /// The seed of a part, whose size is taken from the room as far as that goes.
    #[inline]
    fn part<'de, S: DeserializeSeed<'de>>(&mut self, seed: S) -> Part<'l, S> {
        let size = if size_of::<S::Value>() == 0 { SIZELESS } else { size_of::<S::Value>() };
        let given = size.min(self.room);
        self.room -= given;
        Part { seed, limits: self.limits, depth: self.depth, due: size - given }
    }
}

/// The seed of a part of a value.
struct Part<'l, S> {
    seed: S,
    limits: &'l Limits,
    depth: usize,
    /// What is to be counted if there is such a part.
    due: usize,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Part<'_, S> {
    type Value = S::Value;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        let Part { seed, limits, depth, due } = self;
        limits.count(due)?;
        let depth = depth + due / LEVEL;
        seed.deserialize(Bounded { inner: deserializer, limits, depth, room: size_of::<S::Value>() })
    }
}

macro_rules! deserialize {
    ($($method:ident($($name:ident: $ty:ty),*);)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, $($name: $ty,)* visitor: V) -> Result<V::Value, D::Error> {
            let (inner, visitor) = self.hand(visitor)?;
            inner.$method($($name,)* visitor)
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Bounded<'_, D> {
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
        self.inner.is_human_readable()
    }
}

macro_rules! visit {
    ($($method:ident $ty:ty;)*) => {$(
        #[inline]
        fn $method<E: de::Error>(self, value: $ty) -> Result<V::Value, E> {
            self.inner.$method(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Bounded<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    visit! {
        visit_bool bool;
        visit_i8 i8;
        visit_i16 i16;
        visit_i32 i32;
        visit_i64 i64;
        visit_i128 i128;
        visit_u8 u8;
        visit_u16 u16;
        visit_u32 u32;
        visit_u64 u64;
        visit_u128 u128;
        visit_f32 f32;
        visit_f64 f64;
        visit_char char;
        visit_str &str;
        visit_borrowed_str &'de str;
        visit_string String;
        visit_bytes &[u8];
        visit_borrowed_bytes &'de [u8];
        visit_byte_buf Vec<u8>;
    }

    #[inline]
    fn visit_none<E: de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }
    #[inline]
    fn visit_unit<E: de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }
    #[inline]
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let deserializer = self.deeper(deserializer)?;
        self.inner.visit_some(deserializer)
    }
    #[inline]
    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let deserializer = self.deeper(deserializer)?;
        self.inner.visit_newtype_struct(deserializer)
    }
    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<V::Value, A::Error> {
        let elements = self.deeper(elements)?;
        self.inner.visit_seq(elements)
    }
    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, pairs: A) -> Result<V::Value, A::Error> {
        let pairs = self.deeper(pairs)?;
        self.inner.visit_map(pairs)
    }
    #[inline]
    fn visit_enum<A: EnumAccess<'de>>(self, variant: A) -> Result<V::Value, A::Error> {
        let variant = self.deeper(variant)?;
        self.inner.visit_enum(variant)
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Bounded<'_, A> {
    type Error = A::Error;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let element = self.part(seed);
        self.inner.next_element_seed(element)
    }
    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint().map(|hint| hint.min(EXPECTED))
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Bounded<'_, A> {
    type Error = A::Error;

    #[inline]
    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let key = self.part(seed);
        self.inner.next_key_seed(key)
    }
    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let value = self.part(seed);
        self.inner.next_value_seed(value)
    }
    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint().map(|hint| hint.min(EXPECTED))
    }
}

impl<'de, 'l, A: EnumAccess<'de>> EnumAccess<'de> for Bounded<'l, A> {
    type Error = A::Error;
    type Variant = Bounded<'l, A::Variant>;

    #[inline]
    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), A::Error> {
        let Bounded { inner, limits, depth, room } = self;
        // which variant it is takes no memory in the value
        let name = Part { seed, limits, depth, due: 0 };
        let (value, variant) = inner.variant_seed(name)?;
        Ok((value, Bounded { inner: variant, limits, depth, room }))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Bounded<'_, A> {
    type Error = A::Error;

    #[inline]
    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }
    #[inline]
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(mut self, seed: S) -> Result<S::Value, A::Error> {
        let content = self.part(seed);
        self.inner.newtype_variant_seed(content)
    }
    #[inline]
    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        let (inner, visitor) = self.hand(visitor)?;
        inner.tuple_variant(len, visitor)
    }
    #[inline]
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let (inner, visitor) = self.hand(visitor)?;
        inner.struct_variant(fields, visitor)
    }
}
