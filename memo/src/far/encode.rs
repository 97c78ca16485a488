//! The canonical encoding of keys, for engines that outlive the process.
//!
//! It is injective for values of one type, the same on every platform, and does not depend on the order in which a map or a
//! hash set iterates. `docs/format.md` draws it. It is never decoded: a digest of it is what engines see.
//!
//! Each value begins with a byte that tells its kind, never [`END`]; what has no fixed length ends with [`END`] or begins
//! with its length. Fields and variants go by name, so that another order of declaration is no other key.

use serde::ser::{self, Serialize};

use super::kind::{END, Kind, Unencodable};
use super::sets::is_set;

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

macro_rules! numbers {
    ($($method:ident $number:ident $kind:ident;)*) => {$(
        fn $method(self, value: $number) -> Result<(), Unencodable> {
            self.fixed(Kind::$kind, &value.to_le_bytes())
        }
    )*};
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
    numbers! {
        serialize_i8 i8 I8;
        serialize_i16 i16 I16;
        serialize_i32 i32 I32;
        serialize_i64 i64 I64;
        serialize_i128 i128 I128;
        serialize_u8 u8 U8;
        serialize_u16 u16 U16;
        serialize_u32 u32 U32;
        serialize_u64 u64 U64;
        serialize_u128 u128 U128;
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
mod tests;
