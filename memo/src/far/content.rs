//! What a value tells of itself, in few bytes: two values of one type that tell the same have the same ones.
//!
//! It is never stored, so it has no format to keep. Unlike the encoding of keys it tells floats apart by their bits.
//! With [`Order::InSequences`] maps count as entries in no order, and so do the hash sets that are known by name; with
//! [`Order::InTuples`] all sequences do: what is read from bytes comes into another order in a hash set.

mod digested;
#[cfg(test)]
mod tests;

use serde::ser::{self, Serialize};

use self::digested::Digested;
use super::kind::{END, Kind, Unencodable};

/// Where order counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// In all that has an order, that of maps included: the quickest to write.
    Everywhere,
    /// In sequences, but for hash sets.
    InSequences,
    /// In tuples and structs only.
    InTuples,
}

/// What `value` consists of: itself where it is short, else a digest.
///
/// # Errors
///
/// If its `Serialize` fails.
pub(crate) fn content<T: Serialize + ?Sized>(value: &T, order: Order) -> Result<Vec<u8>, Unencodable> {
    let mut content = Content { out: Digested::new(), order };
    content.value(value)?;
    Ok(content.out.finish())
}

/// What has been written of a value.
struct Content {
    out: Digested,
    order: Order,
}

impl Content {
    fn kind(&mut self, kind: Kind) {
        self.out.push(kind as u8);
    }

    fn fixed(&mut self, kind: Kind, bytes: &[u8]) -> Result<(), Unencodable> {
        self.kind(kind);
        self.out.put(bytes);
        Ok(())
    }

    fn sized(&mut self, bytes: &[u8]) {
        self.out.put(&(bytes.len() as u64).to_le_bytes());
        self.out.put(bytes);
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unencodable> {
        let any = match self.order {
            Order::Everywhere => false,
            Order::InSequences => is_hash_set(std::any::type_name::<T>()),
            Order::InTuples => true,
        };
        value.serialize(Teller { content: self, any })
    }

    fn variant(&mut self, name: &str) {
        self.kind(Kind::Variant);
        self.sized(name.as_bytes());
    }
}

/// Whether a type of this name is a hash set of the usual ones, or one behind a pointer.
fn is_hash_set(name: &str) -> bool {
    // most are not, and this is asked of each value
    if !name.ends_with('>') {
        return false;
    }
    const POINTERS: [&str; 4] = ["&", "alloc::boxed::Box<", "alloc::sync::Arc<", "alloc::rc::Rc<"];
    let mut name = name;
    while let Some(inner) = POINTERS.iter().find_map(|pointer| name.strip_prefix(pointer)) {
        name = inner;
    }
    name.starts_with("std::collections::hash::set::HashSet<") || name.starts_with("hashbrown::set::HashSet<")
}

struct Teller<'t> {
    content: &'t mut Content,
    /// A sequence here has no order.
    any: bool,
}

/// What comes element by element, with or without an order.
struct Elements<'t> {
    content: &'t mut Content,
    count: u64,
    /// The digests of the elements, where the order does not count.
    unordered: Option<Vec<[u8; 32]>>,
}

/// What comes by names and values.
struct Fields<'t>(&'t mut Content);

/// A map: the digests of its entries, where their order does not count.
struct Entries<'t> {
    content: &'t mut Content,
    count: u64,
    unordered: Option<Vec<[u8; 32]>>,
    /// There has been a key, and not its value.
    open: bool,
}

/// Ends what has `count` elements, whose digests are still to be written where there is no order.
fn ended(content: &mut Content, unordered: Option<Vec<[u8; 32]>>, count: u64) {
    if let Some(mut digests) = unordered {
        digests.sort_unstable();
        digests.iter().for_each(|digest| content.out.put(digest));
    }
    content.out.put(&[END]);
    content.out.put(&count.to_le_bytes());
}

macro_rules! fixed {
    ($($method:ident $ty:ty, $kind:ident, |$value:ident| $bytes:expr;)*) => {$(
        fn $method(self, $value: $ty) -> Result<(), Unencodable> {
            self.content.fixed(Kind::$kind, &$bytes)
        }
    )*};
}

impl<'t> ser::Serializer for Teller<'t> {
    type Ok = ();
    type Error = Unencodable;
    type SerializeSeq = Elements<'t>;
    type SerializeTuple = Elements<'t>;
    type SerializeTupleStruct = Elements<'t>;
    type SerializeTupleVariant = Elements<'t>;
    type SerializeMap = Entries<'t>;
    type SerializeStruct = Fields<'t>;
    type SerializeStructVariant = Fields<'t>;

    fixed! {
        serialize_i8 i8, I8, |value| value.to_le_bytes();
        serialize_i16 i16, I16, |value| value.to_le_bytes();
        serialize_i32 i32, I32, |value| value.to_le_bytes();
        serialize_i64 i64, I64, |value| value.to_le_bytes();
        serialize_i128 i128, I128, |value| value.to_le_bytes();
        serialize_u8 u8, U8, |value| value.to_le_bytes();
        serialize_u16 u16, U16, |value| value.to_le_bytes();
        serialize_u32 u32, U32, |value| value.to_le_bytes();
        serialize_u64 u64, U64, |value| value.to_le_bytes();
        serialize_u128 u128, U128, |value| value.to_le_bytes();
        serialize_f32 f32, F32, |value| value.to_bits().to_le_bytes();
        serialize_f64 f64, F64, |value| value.to_bits().to_le_bytes();
        serialize_char char, Char, |value| u32::from(value).to_le_bytes();
        serialize_unit_struct &'static str, Unit, |_name| [];
    }

    fn serialize_bool(self, value: bool) -> Result<(), Unencodable> {
        self.content.fixed(if value { Kind::True } else { Kind::False }, &[])
    }
    fn serialize_str(self, value: &str) -> Result<(), Unencodable> {
        self.content.kind(Kind::Text);
        self.content.sized(value.as_bytes());
        Ok(())
    }
    fn serialize_bytes(self, value: &[u8]) -> Result<(), Unencodable> {
        self.content.kind(Kind::Bytes);
        self.content.sized(value);
        Ok(())
    }
    fn serialize_none(self) -> Result<(), Unencodable> {
        self.content.fixed(Kind::Nothing, &[])
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unencodable> {
        self.content.kind(Kind::Something);
        self.content.value(value)
    }
    fn serialize_unit(self) -> Result<(), Unencodable> {
        self.content.fixed(Kind::Unit, &[])
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Result<(), Unencodable> {
        self.content.variant(name);
        self.content.fixed(Kind::Unit, &[])
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Unencodable> {
        self.content.kind(Kind::Newtype);
        self.content.value(value)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        value: &T,
    ) -> Result<(), Unencodable> {
        self.content.variant(name);
        self.content.value(value)
    }
    // lengths are hints: what counts is what comes
    fn serialize_seq(self, _: Option<usize>) -> Result<Elements<'t>, Unencodable> {
        self.content.kind(Kind::Sequence);
        Ok(Elements { content: self.content, count: 0, unordered: self.any.then(Vec::new) })
    }
    fn serialize_tuple(self, _: usize) -> Result<Elements<'t>, Unencodable> {
        self.content.kind(Kind::Tuple);
        Ok(Elements { content: self.content, count: 0, unordered: None })
    }
    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<Elements<'t>, Unencodable> {
        self.serialize_tuple(len)
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        len: usize,
    ) -> Result<Elements<'t>, Unencodable> {
        self.content.variant(name);
        self.serialize_tuple(len)
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Entries<'t>, Unencodable> {
        self.content.kind(Kind::Map);
        let unordered = (self.content.order != Order::Everywhere).then(Vec::new);
        Ok(Entries { content: self.content, count: 0, unordered, open: false })
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Fields<'t>, Unencodable> {
        self.content.kind(Kind::Struct);
        Ok(Fields(self.content))
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        len: usize,
    ) -> Result<Fields<'t>, Unencodable> {
        self.content.variant(name);
        self.serialize_struct("", len)
    }
    /// Text for people may leave something out.
    fn is_human_readable(&self) -> bool {
        false
    }
}

impl Elements<'_> {
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unencodable> {
        self.count += 1;
        let Some(unordered) = &mut self.unordered else { return self.content.value(value) };
        self.content.out.open();
        self.content.value(value)?;
        unordered.push(self.content.out.close());
        Ok(())
    }
}

macro_rules! elements {
    ($($compound:ident $element:ident;)*) => {$(
        impl ser::$compound for Elements<'_> {
            type Ok = ();
            type Error = Unencodable;
            fn $element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unencodable> {
                self.element(value)
            }
            fn end(self) -> Result<(), Unencodable> {
                ended(self.content, self.unordered, self.count);
                Ok(())
            }
        }
    )*};
}
elements! {
    SerializeSeq serialize_element;
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
                self.0.kind(Kind::Text);
                self.0.sized(name.as_bytes());
                self.0.value(value)
            }
            fn end(self) -> Result<(), Unencodable> {
                self.0.out.put(&[END]);
                Ok(())
            }
        }
    )*};
}
fields!(SerializeStruct SerializeStructVariant);

impl ser::SerializeMap for Entries<'_> {
    type Ok = ();
    type Error = Unencodable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unencodable> {
        if std::mem::replace(&mut self.open, true) {
            return Err(Unencodable("a map gave a key after a key".into()));
        }
        self.count += 1;
        if self.unordered.is_some() {
            self.content.out.open();
        }
        self.content.value(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unencodable> {
        if !std::mem::replace(&mut self.open, false) {
            return Err(Unencodable("a map gave a value before a key".into()));
        }
        self.content.value(value)?;
        if let Some(unordered) = &mut self.unordered {
            unordered.push(self.content.out.close());
        }
        Ok(())
    }

    fn end(self) -> Result<(), Unencodable> {
        if self.open {
            return Err(Unencodable("a map ended after a key".into()));
        }
        ended(self.content, self.unordered, self.count);
        Ok(())
    }
}
