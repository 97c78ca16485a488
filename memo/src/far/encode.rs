//! The canonical encoding of keys, for engines that outlive the process.
//!
//! It is injective for values of one type, the same on every platform, and does not depend on the order in which a map or a
//! hash set iterates. `docs/format.md` draws it. It is never decoded: a digest of it is what engines see.
//!
//! Each value begins with a byte that tells its kind, never [`END`]; what has no fixed length ends with [`END`] or begins
//! with its length. Fields and variants go by name, so that another order of declaration is no other key.

use std::fmt;

use serde::ser::{self, Serialize};

use super::sets::is_set;

/// Ends what has no length of its own.
const END: u8 = 0;

/// The kinds of values. The numbers are part of the format.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
pub(super) enum Kind {
    False = 1,
    True = 2,
    I8 = 3,
    I16 = 4,
    I32 = 5,
    I64 = 6,
    I128 = 7,
    U8 = 8,
    U16 = 9,
    U32 = 10,
    U64 = 11,
    U128 = 12,
    F32 = 13,
    F64 = 14,
    Char = 15,
    Text = 16,
    Bytes = 17,
    Nothing = 18,
    Something = 19,
    Unit = 20,
    Newtype = 21,
    Sequence = 22,
    Tuple = 23,
    Map = 24,
    Struct = 25,
    Variant = 26,
}

/// Why a key has no encoding: its `Serialize` says so.
#[derive(Debug)]
pub(crate) struct Unencodable(pub(super) String);

impl fmt::Display for Unencodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unencodable {}

impl ser::Error for Unencodable {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Unencodable(message.to_string())
    }
}

/// The canonical encoding of `value`.
///
/// # Errors
///
/// If its `Serialize` fails.
pub(crate) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Unencodable> {
    let mut bytes = Vec::with_capacity(64);
    encode_into(&mut bytes, value)?;
    Ok(bytes)
}

fn encode_into<T: Serialize + ?Sized>(bytes: &mut Vec<u8>, value: &T) -> Result<(), Unencodable> {
    value.serialize(Encoder { bytes, set: is_set::<T>() })
}

struct Encoder<'b> {
    bytes: &'b mut Vec<u8>,
    /// What comes is a set: if it is a sequence, its order says nothing.
    set: bool,
}

impl Encoder<'_> {
    fn kind(&mut self, kind: Kind) {
        self.bytes.push(kind as u8);
    }

    fn fixed(mut self, kind: Kind, bytes: &[u8]) -> Result<(), Unencodable> {
        self.kind(kind);
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn sized(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        self.bytes.extend_from_slice(bytes);
    }

    fn variant(&mut self, name: &str) {
        self.kind(Kind::Variant);
        self.sized(name.as_bytes());
    }
}

/// What is written element by element, up to [`END`].
struct Elements<'b>(&'b mut Vec<u8>);

/// A sequence: its elements as they come, or those of a set in the order of their encoding, up to [`END`].
struct Sequence<'b> {
    bytes: &'b mut Vec<u8>,
    set: Option<Vec<Vec<u8>>>,
}

/// What is written by names and values, up to [`END`].
struct Fields<'b>(&'b mut Vec<u8>);

/// A map: entries in the order of their encoding, up to [`END`].
struct Entries<'b> {
    bytes: &'b mut Vec<u8>,
    entries: Vec<(Vec<u8>, Vec<u8>)>,
}

impl<'b> ser::Serializer for Encoder<'b> {
    type Ok = ();
    type Error = Unencodable;
    type SerializeSeq = Sequence<'b>;
    type SerializeTuple = Elements<'b>;
    type SerializeTupleStruct = Elements<'b>;
    type SerializeTupleVariant = Elements<'b>;
    type SerializeMap = Entries<'b>;
    type SerializeStruct = Fields<'b>;
    type SerializeStructVariant = Fields<'b>;

    fn serialize_bool(mut self, value: bool) -> Result<(), Unencodable> {
        self.kind(if value { Kind::True } else { Kind::False });
        Ok(())
    }
    fn serialize_i8(self, value: i8) -> Result<(), Unencodable> {
        self.fixed(Kind::I8, &value.to_le_bytes())
    }
    fn serialize_i16(self, value: i16) -> Result<(), Unencodable> {
        self.fixed(Kind::I16, &value.to_le_bytes())
    }
    fn serialize_i32(self, value: i32) -> Result<(), Unencodable> {
        self.fixed(Kind::I32, &value.to_le_bytes())
    }
    fn serialize_i64(self, value: i64) -> Result<(), Unencodable> {
        self.fixed(Kind::I64, &value.to_le_bytes())
    }
    fn serialize_i128(self, value: i128) -> Result<(), Unencodable> {
        self.fixed(Kind::I128, &value.to_le_bytes())
    }
    fn serialize_u8(self, value: u8) -> Result<(), Unencodable> {
        self.fixed(Kind::U8, &value.to_le_bytes())
    }
    fn serialize_u16(self, value: u16) -> Result<(), Unencodable> {
        self.fixed(Kind::U16, &value.to_le_bytes())
    }
    fn serialize_u32(self, value: u32) -> Result<(), Unencodable> {
        self.fixed(Kind::U32, &value.to_le_bytes())
    }
    fn serialize_u64(self, value: u64) -> Result<(), Unencodable> {
        self.fixed(Kind::U64, &value.to_le_bytes())
    }
    fn serialize_u128(self, value: u128) -> Result<(), Unencodable> {
        self.fixed(Kind::U128, &value.to_le_bytes())
    }
    // all NaNs are one key, and so are the two zeros
    fn serialize_f32(self, value: f32) -> Result<(), Unencodable> {
        let canonical = if value.is_nan() { f32::NAN } else { value + 0.0 };
        self.fixed(Kind::F32, &canonical.to_bits().to_le_bytes())
    }
    fn serialize_f64(self, value: f64) -> Result<(), Unencodable> {
        let canonical = if value.is_nan() { f64::NAN } else { value + 0.0 };
        self.fixed(Kind::F64, &canonical.to_bits().to_le_bytes())
    }
    fn serialize_char(self, value: char) -> Result<(), Unencodable> {
        self.fixed(Kind::Char, &u32::from(value).to_le_bytes())
    }
    fn serialize_str(mut self, value: &str) -> Result<(), Unencodable> {
        self.kind(Kind::Text);
        self.sized(value.as_bytes());
        Ok(())
    }
    fn serialize_bytes(mut self, value: &[u8]) -> Result<(), Unencodable> {
        self.kind(Kind::Bytes);
        self.sized(value);
        Ok(())
    }
    fn serialize_none(mut self) -> Result<(), Unencodable> {
        self.kind(Kind::Nothing);
        Ok(())
    }
    fn serialize_some<T: Serialize + ?Sized>(mut self, value: &T) -> Result<(), Unencodable> {
        self.kind(Kind::Something);
        encode_into(self.bytes, value)
    }
    fn serialize_unit(mut self) -> Result<(), Unencodable> {
        self.kind(Kind::Unit);
        Ok(())
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Unencodable> {
        self.serialize_unit()
    }
    fn serialize_unit_variant(
        mut self,
        _: &'static str,
        _: u32,
        name: &'static str,
    ) -> Result<(), Unencodable> {
        self.variant(name);
        self.serialize_unit()
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        mut self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Unencodable> {
        self.kind(Kind::Newtype);
        encode_into(self.bytes, value)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        _: &'static str,
        _: u32,
        name: &'static str,
        value: &T,
    ) -> Result<(), Unencodable> {
        self.variant(name);
        encode_into(self.bytes, value)
    }
    // lengths are hints: what counts is what comes
    fn serialize_seq(mut self, _: Option<usize>) -> Result<Sequence<'b>, Unencodable> {
        self.kind(Kind::Sequence);
        Ok(Sequence { bytes: self.bytes, set: self.set.then(Vec::new) })
    }
    fn serialize_tuple(mut self, _: usize) -> Result<Elements<'b>, Unencodable> {
        self.kind(Kind::Tuple);
        Ok(Elements(self.bytes))
    }
    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<Elements<'b>, Unencodable> {
        self.serialize_tuple(len)
    }
    fn serialize_tuple_variant(
        mut self,
        _: &'static str,
        _: u32,
        name: &'static str,
        len: usize,
    ) -> Result<Elements<'b>, Unencodable> {
        self.variant(name);
        self.serialize_tuple(len)
    }
    fn serialize_map(mut self, len: Option<usize>) -> Result<Entries<'b>, Unencodable> {
        self.kind(Kind::Map);
        Ok(Entries { bytes: self.bytes, entries: Vec::with_capacity(len.unwrap_or(0).min(1024)) })
    }
    fn serialize_struct(mut self, _: &'static str, _: usize) -> Result<Fields<'b>, Unencodable> {
        self.kind(Kind::Struct);
        Ok(Fields(self.bytes))
    }
    fn serialize_struct_variant(
        mut self,
        _: &'static str,
        _: u32,
        name: &'static str,
        len: usize,
    ) -> Result<Fields<'b>, Unencodable> {
        self.variant(name);
        self.serialize_struct("", len)
    }
    /// Text for people may leave something out, or have two forms for one value.
    fn is_human_readable(&self) -> bool {
        false
    }
}

macro_rules! elements {
    ($($compound:ident $element:ident;)*) => {$(
        impl ser::$compound for Elements<'_> {
            type Ok = ();
            type Error = Unencodable;
            fn $element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unencodable> {
                encode_into(self.0, value)
            }
            fn end(self) -> Result<(), Unencodable> {
                self.0.push(END);
                Ok(())
            }
        }
    )*};
}
elements! {
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
    SerializeTupleVariant serialize_field;
}

macro_rules! fields {
    ($($compound:ident)*) => {$(
        impl ser::$compound for Fields<'_> {
            type Ok = ();
            type Error = Unencodable;
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Unencodable> {
                encode_into(self.0, name)?;
                encode_into(self.0, value)
            }
            fn end(self) -> Result<(), Unencodable> {
                self.0.push(END);
                Ok(())
            }
        }
    )*};
}
fields!(SerializeStruct SerializeStructVariant);

impl ser::SerializeSeq for Sequence<'_> {
    type Ok = ();
    type Error = Unencodable;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unencodable> {
        match &mut self.set {
            Some(elements) => elements.push(encode(value)?),
            None => encode_into(self.bytes, value)?,
        }
        Ok(())
    }

    fn end(self) -> Result<(), Unencodable> {
        let mut elements = self.set.unwrap_or_default();
        elements.sort_unstable();
        self.bytes.extend(elements.into_iter().flatten());
        self.bytes.push(END);
        Ok(())
    }
}

impl ser::SerializeMap for Entries<'_> {
    type Ok = ();
    type Error = Unencodable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unencodable> {
        self.entries.push((encode(key)?, Vec::new()));
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unencodable> {
        let entry =
            self.entries.last_mut().ok_or_else(|| Unencodable("a map gave a value before a key".into()))?;
        entry.1 = encode(value)?;
        Ok(())
    }

    fn end(mut self) -> Result<(), Unencodable> {
        self.entries.sort();
        for (key, value) in self.entries {
            self.bytes.extend(key);
            self.bytes.extend(value);
        }
        self.bytes.push(END);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
    use std::sync::Arc;

    #[derive(serde::Serialize)]
    enum Shape {
        Dot,
        Circle(f64),
        Box { wide: u8, high: u8 },
    }

    fn hex(value: &impl Serialize) -> String {
        encode(value).unwrap().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn promise_13_the_encoding_is_pinned() {
        assert_eq!(hex(&1_u32), "0a01000000");
        assert_eq!(hex(&-1_i8), "03ff");
        assert_eq!(hex(&(true, false)), "17020100");
        assert_eq!(hex(&"ab"), "1002000000000000006162");
        assert_eq!(hex(&Some(())), "1314");
        assert_eq!(hex(&Option::<u8>::None), "12");
        assert_eq!(hex(&vec![1_u8, 2]), "160801080200");
        assert_eq!(hex(&Shape::Dot), "1a0300000000000000446f7414");
        assert_eq!(hex(&Shape::Circle(1.0)), "1a0600000000000000436972636c650e000000000000f03f");
        assert_eq!(
            hex(&Shape::Box { wide: 1, high: 2 }),
            "1a0300000000000000426f7819100400000000000000776964650801100400000000000000686967680802\
             00"
        );
        assert_eq!(hex(&BTreeMap::from([(2_u8, 'b'), (1, 'a')])), "1808010f6100000008020f6200000000");
        assert_eq!(hex(&7_usize), hex(&7_u64));
    }

    #[test]
    fn promise_13_maps_are_equal_whatever_their_order() {
        let numbers: Vec<u32> = (0..500).collect();
        let forth: HashMap<_, _> = numbers.iter().map(|n| (*n, n.to_string())).collect();
        let back: HashMap<_, _> = numbers.iter().rev().map(|n| (*n, n.to_string())).collect();
        assert_eq!(encode(&forth).unwrap(), encode(&back).unwrap());
    }

    /// A set and another one that is equal and iterates in another order.
    fn sets() -> (HashSet<String>, HashSet<String>) {
        let texts = || (0..100).map(|n| n.to_string());
        (texts().collect(), texts().rev().collect())
    }

    #[derive(serde::Serialize)]
    struct Newtype<T>(T);

    #[test]
    fn promise_13_sets_are_equal_whatever_their_order_and_wherever_they_are() {
        let (forth, back) = sets();
        assert_ne!(forth.iter().collect::<Vec<_>>(), back.iter().collect::<Vec<_>>());

        #[derive(serde::Serialize)]
        enum Either<T> {
            One(T),
            Two(u8, T),
            Three { set: T },
        }
        fn all(set: &HashSet<String>) -> Vec<Vec<u8>> {
            let set = || set.clone();
            let plain = encode(&set()).unwrap();
            let all = [
                encode(&&set()),
                encode(&Box::new(Arc::new(set()))),
                encode(&(1, set())),
                encode(&vec![set()]),
                encode(&[set()]),
                encode(&Some(set())),
                encode(&Some(Box::new(set()))),
                encode(&Newtype(set())),
                encode(&Newtype(Some(Arc::new(set())))),
                encode(&BTreeMap::from([(1, set())])),
                encode(&Either::One(set())),
                encode(&Either::Two(1, set())),
                encode(&Either::Three { set: set() }),
            ];
            [plain].into_iter().chain(all.map(Result::unwrap)).collect()
        }
        assert_eq!(all(&forth), all(&back));
        let mut fewer = forth.clone();
        fewer.remove("7");
        assert!(all(&fewer).iter().zip(all(&forth)).all(|(fewer, all)| *fewer != all));
        // as a sequence, in the order of what its elements become
        let ordered: BTreeSet<u8> = (1..5).collect();
        assert_eq!(hex(&ordered), hex(&ordered.iter().copied().collect::<HashSet<u8>>()));
    }

    #[test]
    fn the_order_of_what_is_no_set_counts() {
        assert_ne!(hex(&vec![1, 2]), hex(&vec![2, 1]));
        assert_ne!(hex(&Newtype(vec![1, 2])), hex(&Newtype(vec![2, 1])));
        let (forth, back) =
            (vec![HashSet::from([1]), HashSet::from([2])], vec![HashSet::from([2]), HashSet::from([1])]);
        assert_ne!(hex(&forth), hex(&back), "of the vector");
    }

    #[test]
    fn zeros_are_one_and_nans_are_one() {
        assert_eq!(hex(&-0.0_f64), hex(&0.0_f64));
        assert_eq!(hex(&f64::from_bits(0x7ff8_0000_0000_0001)), hex(&-f64::NAN));
        assert_ne!(hex(&0.0_f32), hex(&0.0_f64));
    }

    #[test]
    fn promise_13_what_could_run_together_does_not() {
        let all: Vec<Vec<u8>> = vec![
            encode(&("a", "bc")).unwrap(),
            encode(&("ab", "c")).unwrap(),
            encode(&vec!["a", "bc"]).unwrap(),
            encode(&(vec![1_u8], vec![2_u8])).unwrap(),
            encode(&(vec![1_u8, 2], Vec::<u8>::new())).unwrap(),
            encode(&(Some(1_u8), Option::<u8>::None)).unwrap(),
            encode(&(Option::<u8>::None, Some(1_u8))).unwrap(),
            encode(&Some(Option::<u8>::None)).unwrap(),
            encode(&Option::<Option<u8>>::None).unwrap(),
        ];
        for (n, one) in all.iter().enumerate() {
            assert!(!all[n + 1..].contains(one), "{n}");
        }
    }
}
