//! The encoding of keys, put to the test: any bytes are taken for directions to a value; what it is encoded to must
//! read back as that value, which two different values of one encoding could not both do.
//!
//! The fuzz target `key` runs it, and, more thinly, the test at the end.

use serde::ser::{
    Serialize, SerializeMap as _, SerializeSeq as _, SerializeStruct as _, SerializeStructVariant as _,
    SerializeTuple as _, SerializeTupleStruct as _, SerializeTupleVariant as _, Serializer,
};

use super::encode::encode;

/// A value of any type that serde knows, with what the encoding leaves out (the names of types) left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    Bool(bool),
    I8(i8),
    I16(i16),
    I32(i32),
    I64(i64),
    I128(i128),
    U8(u8),
    U16(u16),
    U32(u32),
    U64(u64),
    U128(u128),
    F32(u32),
    F64(u64),
    Char(char),
    Text(String),
    Bytes(Vec<u8>),
    None,
    Some(Box<Value>),
    Unit,
    Newtype(Box<Value>),
    Sequence(Vec<Value>),
    Tuple(Vec<Value>),
    Map(Vec<(Value, Value)>),
    Struct(Vec<(&'static str, Value)>),
    Variant(&'static str, Box<Value>),
}

/// Names that could run into each other, or be taken for something else.
const NAMES: [&str; 8] = ["", "a", "ab", "b", "\0", "\u{10}", "longer than the others", "é"];

/// How deep values are nested.
const DEPTH: u32 = 6;

/// Reads directions; there is always a next byte.
struct Directions<'d>(&'d [u8]);

impl Directions<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.byte())
    }

    fn many<T>(&mut self, mut one: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let count = self.byte() % 5;
        (0..count).map(|_| one(self)).collect()
    }

    fn name(&mut self) -> &'static str {
        NAMES[usize::from(self.byte()) % NAMES.len()]
    }

    fn value(&mut self, depth: u32) -> Value {
        let kinds = if depth == 0 { 18 } else { 25 };
        match self.byte() % kinds {
            0 => Value::Bool(self.byte() % 2 == 1),
            1 => Value::I8(i8::from_le_bytes(self.bytes())),
            2 => Value::I16(i16::from_le_bytes(self.bytes())),
            3 => Value::I32(i32::from_le_bytes(self.bytes())),
            4 => Value::I64(i64::from_le_bytes(self.bytes())),
            5 => Value::I128(i128::from_le_bytes(self.bytes())),
            6 => Value::U8(self.byte()),
            7 => Value::U16(u16::from_le_bytes(self.bytes())),
            8 => Value::U32(u32::from_le_bytes(self.bytes())),
            9 => Value::U64(u64::from_le_bytes(self.bytes())),
            10 => Value::U128(u128::from_le_bytes(self.bytes())),
            11 => Value::F32(u32::from_le_bytes(self.bytes())),
            12 => Value::F64(u64::from_le_bytes(self.bytes())),
            13 => Value::Char(char::from_u32(u32::from_le_bytes(self.bytes())).unwrap_or('\u{fffd}')),
            14 => Value::Text(self.many(|directions| char::from(directions.byte())).into_iter().collect()),
            15 => Value::Bytes(self.many(Self::byte)),
            16 => Value::None,
            17 => Value::Unit,
            18 => Value::Some(Box::new(self.value(depth - 1))),
            19 => Value::Newtype(Box::new(self.value(depth - 1))),
            20 => Value::Sequence(self.many(|directions| directions.value(depth - 1))),
            21 => Value::Tuple(self.many(|directions| directions.value(depth - 1))),
            22 => {
                Value::Map(self.many(|directions| (directions.value(depth - 1), directions.value(depth - 1))))
            }
            23 => Value::Struct(self.many(|directions| (directions.name(), directions.value(depth - 1)))),
            _ => {
                let held = match self.byte() % 4 {
                    0 => Value::Unit,
                    1 => self.value(depth - 1),
                    2 => Value::Tuple(self.many(|directions| directions.value(depth - 1))),
                    _ => Value::Struct(
                        self.many(|directions| (directions.name(), directions.value(depth - 1))),
                    ),
                };
                Value::Variant(self.name(), Box::new(held))
            }
        }
    }
}

impl Value {
    /// What equal keys have in common: one NaN, one zero, entries of maps in one order.
    fn canonical(self) -> Self {
        let all = |values: Vec<Self>| values.into_iter().map(Self::canonical).collect();
        match self {
            Self::F32(bits) if f32::from_bits(bits).is_nan() => Self::F32(f32::NAN.to_bits()),
            Self::F32(bits) if f32::from_bits(bits) == 0.0 => Self::F32(0),
            Self::F64(bits) if f64::from_bits(bits).is_nan() => Self::F64(f64::NAN.to_bits()),
            Self::F64(bits) if f64::from_bits(bits) == 0.0 => Self::F64(0),
            Self::Some(value) => Self::Some(Box::new(value.canonical())),
            Self::Newtype(value) => Self::Newtype(Box::new(value.canonical())),
            Self::Sequence(values) => Self::Sequence(all(values)),
            Self::Tuple(values) => Self::Tuple(all(values)),
            Self::Map(entries) => {
                let entries = entries.into_iter().map(|(key, value)| (key.canonical(), value.canonical()));
                let mut entries: Vec<_> = entries.collect();
                entries.sort();
                Self::Map(entries)
            }
            Self::Struct(fields) => {
                Self::Struct(fields.into_iter().map(|(name, value)| (name, value.canonical())).collect())
            }
            Self::Variant(name, held) => Self::Variant(name, Box::new(held.canonical())),
            other => other,
        }
    }

    /// The value with the entries of all its maps in reverse order.
    fn turned(&self) -> Self {
        let all = |values: &[Self]| values.iter().map(Self::turned).collect();
        match self {
            Self::Some(value) => Self::Some(Box::new(value.turned())),
            Self::Newtype(value) => Self::Newtype(Box::new(value.turned())),
            Self::Sequence(values) => Self::Sequence(all(values)),
            Self::Tuple(values) => Self::Tuple(all(values)),
            Self::Map(entries) => {
                Self::Map(entries.iter().rev().map(|(key, value)| (key.turned(), value.turned())).collect())
            }
            Self::Struct(fields) => {
                Self::Struct(fields.iter().map(|(name, value)| (*name, value.turned())).collect())
            }
            Self::Variant(name, held) => Self::Variant(name, Box::new(held.turned())),
            other => other.clone(),
        }
    }
}

impl Value {
    /// Serializes the variant `name` of an enum that holds this.
    fn serialize_as_variant<S: Serializer>(&self, name: &'static str, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unit => to.serialize_unit_variant("T", 0, name),
            Self::Tuple(values) => {
                let mut tuple = to.serialize_tuple_variant("T", 0, name, values.len())?;
                values.iter().try_for_each(|value| tuple.serialize_field(value))?;
                tuple.end()
            }
            Self::Struct(fields) => {
                let mut fielded = to.serialize_struct_variant("T", 0, name, fields.len())?;
                fields.iter().try_for_each(|(name, value)| fielded.serialize_field(name, value))?;
                fielded.end()
            }
            held => to.serialize_newtype_variant("T", 0, name, held),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(value) => to.serialize_bool(*value),
            Self::I8(value) => to.serialize_i8(*value),
            Self::I16(value) => to.serialize_i16(*value),
            Self::I32(value) => to.serialize_i32(*value),
            Self::I64(value) => to.serialize_i64(*value),
            Self::I128(value) => to.serialize_i128(*value),
            Self::U8(value) => to.serialize_u8(*value),
            Self::U16(value) => to.serialize_u16(*value),
            Self::U32(value) => to.serialize_u32(*value),
            Self::U64(value) => to.serialize_u64(*value),
            Self::U128(value) => to.serialize_u128(*value),
            Self::F32(bits) => to.serialize_f32(f32::from_bits(*bits)),
            Self::F64(bits) => to.serialize_f64(f64::from_bits(*bits)),
            Self::Char(value) => to.serialize_char(*value),
            Self::Text(value) => to.serialize_str(value),
            Self::Bytes(value) => to.serialize_bytes(value),
            Self::None => to.serialize_none(),
            Self::Some(value) => to.serialize_some(value),
            Self::Unit => to.serialize_unit(),
            Self::Newtype(value) => to.serialize_newtype_struct("T", value),
            Self::Sequence(values) => {
                let mut sequence = to.serialize_seq(None)?;
                values.iter().try_for_each(|value| sequence.serialize_element(value))?;
                sequence.end()
            }
            // a struct with two fields and no names is a tuple too
            Self::Tuple(values) if values.len() == 2 => {
                let mut tuple = to.serialize_tuple_struct("T", values.len())?;
                values.iter().try_for_each(|value| tuple.serialize_field(value))?;
                tuple.end()
            }
            Self::Tuple(values) => {
                let mut tuple = to.serialize_tuple(values.len())?;
                values.iter().try_for_each(|value| tuple.serialize_element(value))?;
                tuple.end()
            }
            Self::Map(entries) => {
                let mut map = to.serialize_map(Some(entries.len()))?;
                entries.iter().try_for_each(|(key, value)| map.serialize_entry(key, value))?;
                map.end()
            }
            Self::Struct(fields) => {
                let mut fielded = to.serialize_struct("T", fields.len())?;
                fields.iter().try_for_each(|(name, value)| fielded.serialize_field(name, value))?;
                fielded.end()
            }
            Self::Variant(name, held) => held.serialize_as_variant(name, to),
        }
    }
}

/// Reads an encoding back, by `docs/format.md`; panics at what is none.
struct Decoder<'e>(&'e [u8]);

impl Decoder<'_> {
    fn byte(&mut self) -> u8 {
        self.bytes::<1>()[0]
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let (first, rest) = self.0.split_first_chunk().expect("it ends too soon");
        self.0 = rest;
        *first
    }

    fn sized(&mut self) -> Vec<u8> {
        let length = u64::from_le_bytes(self.bytes());
        let (sized, rest) = self.0.split_at(usize::try_from(length).expect("a length"));
        self.0 = rest;
        sized.to_vec()
    }

    fn name(&mut self) -> &'static str {
        let name = self.sized();
        NAMES.into_iter().find(|known| known.as_bytes() == name).expect("one of the names")
    }

    fn until_end<T>(&mut self, mut one: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let mut all = Vec::new();
        while self.0.first().expect("an end") != &0 {
            all.push(one(self));
        }
        self.byte();
        all
    }

    fn value(&mut self) -> Value {
        match self.byte() {
            kind @ 1..3 => Value::Bool(kind == 2),
            3 => Value::I8(i8::from_le_bytes(self.bytes())),
            4 => Value::I16(i16::from_le_bytes(self.bytes())),
            5 => Value::I32(i32::from_le_bytes(self.bytes())),
            6 => Value::I64(i64::from_le_bytes(self.bytes())),
            7 => Value::I128(i128::from_le_bytes(self.bytes())),
            8 => Value::U8(self.byte()),
            9 => Value::U16(u16::from_le_bytes(self.bytes())),
            10 => Value::U32(u32::from_le_bytes(self.bytes())),
            11 => Value::U64(u64::from_le_bytes(self.bytes())),
            12 => Value::U128(u128::from_le_bytes(self.bytes())),
            13 => Value::F32(u32::from_le_bytes(self.bytes())),
            14 => Value::F64(u64::from_le_bytes(self.bytes())),
            15 => Value::Char(char::from_u32(u32::from_le_bytes(self.bytes())).expect("a char")),
            16 => Value::Text(String::from_utf8(self.sized()).expect("text")),
            17 => Value::Bytes(self.sized()),
            18 => Value::None,
            19 => Value::Some(Box::new(self.value())),
            20 => Value::Unit,
            21 => Value::Newtype(Box::new(self.value())),
            22 => Value::Sequence(self.until_end(Self::value)),
            23 => Value::Tuple(self.until_end(Self::value)),
            24 => Value::Map(self.until_end(|decoder| (decoder.value(), decoder.value()))),
            25 => Value::Struct(self.until_end(|decoder| {
                assert_eq!(decoder.byte(), 16, "a field's name is text");
                (decoder.name(), decoder.value())
            })),
            26 => Value::Variant(self.name(), Box::new(self.value())),
            kind => panic!("no kind {kind}"),
        }
    }
}

/// Panics if the value that `directions` lead to is not told by its encoding.
pub(crate) fn check(directions: &[u8]) {
    let value = Directions(directions).value(DEPTH);
    let encoded = encode(&value).expect("nothing here refuses to be encoded");
    let mut decoder = Decoder(&encoded);
    // In the order of the encoding, which is another than ours.
    let decoded = decoder.value();
    assert!(decoder.0.is_empty(), "something is left of {encoded:x?}");
    assert_eq!(decoded.canonical(), value.clone().canonical(), "{encoded:x?}");
    assert_eq!(encode(&value.turned()).ok(), Some(encoded), "the order of a map shows: {value:?}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promise_13_any_key_is_told_by_its_encoding() {
        let nightly = std::env::var_os("MEMO_TEST_NIGHTLY").is_some();
        let seed = std::env::var("MEMO_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = seed.unwrap_or_else(|| memo_engines::utc_now() | 1);
        eprintln!("MEMO_TEST_SEED={seed}");
        let mut state = seed;
        for _ in 0..if nightly { 1_000_000 } else { 20_000 } {
            let directions: Vec<u8> = (0..200)
                .map(|_| {
                    // xorshift64
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    (state >> 32) as u8
                })
                .collect();
            check(&directions);
        }
    }
}
