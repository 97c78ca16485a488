//! The shape of a type, as serde sees it: names, fields and their order, variants.
//!
//! A stored result is read back only into the shape that it was written from. The shape is found by asking the type's
//! `Deserialize` for a value, again and again, and noting what it asks for: the deserializer here has no data and makes
//! some up. An enum is given its variants in turn until each has been seen. A type that does not like what was made
//! up (a text that must be an address) ends that attempt; what it had asked for until then is its shape.
//!
//! The way of finding out is that of the crate serde-reflection; the outcome here is only a number.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, IntoDeserializer, Visitor};

/// Types nested deeper than this are cut off: recursive ones end somewhere.
const DEEPEST: usize = 24;
/// A type whose enums have not all been seen through after so many values is known well enough.
const MOST_VALUES: usize = 256;
/// Steps in one value: the shape of a type that branches at every level is known well enough by then.
const MOST_STEPS: usize = 20_000;

/// What is known of a type by what it asks for as it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    /// A number: equal for equal shapes, and for others different but by a chance of 2⁻⁶⁴.
    pub(crate) fingerprint: u64,
    /// Somewhere it asks what is there, which only a codec can say that writes the kinds of values.
    pub(crate) asks: bool,
}

/// The shape of `T`, found out once.
pub(crate) fn shape<T: Deserialize<'static> + 'static>() -> Shape {
    static FOUND: Mutex<BTreeMap<TypeId, Shape>> = Mutex::new(BTreeMap::new());
    let found = || FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    let known = found().get(&TypeId::of::<T>()).copied();
    known.unwrap_or_else(|| {
        // the type's own code runs here, under no lock
        let shape = probe::<T>();
        found().insert(TypeId::of::<T>(), shape);
        shape
    })
}

fn probe<T: Deserialize<'static>>() -> Shape {
    let mut probe = Probe::default();
    for _ in 0..MOST_VALUES {
        probe.depth = 0;
        probe.steps = 0;
        probe.note("value");
        if let Err(Stop(reason)) = T::deserialize(Asked(&mut probe)) {
            probe.note(reason);
        }
        if probe.enums.values().all(|seen| seen.next >= seen.variants) {
            break;
        }
    }
    Shape { fingerprint: probe.hash.0, asks: probe.asks }
}

/// FNV-1a, 64 bits: the same everywhere and for ever, which no hasher of std promises.
/// <http://www.isthe.com/chongo/tech/comp/fnv/>
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

/// How far the variants of one enum have been seen.
struct Seen {
    next: usize,
    variants: usize,
}

#[derive(Default)]
struct Probe {
    hash: Fnv,
    enums: BTreeMap<(&'static str, &'static [&'static str]), Seen>,
    depth: usize,
    steps: usize,
    asks: bool,
}

impl Probe {
    fn note(&mut self, what: &str) {
        // the length keeps names apart
        self.hash.write(&(what.len() as u64).to_le_bytes());
        self.hash.write(what.as_bytes());
    }

    fn enter(&mut self, what: &str) -> Result<(), Stop> {
        self.note(what);
        self.steps += 1;
        if self.depth >= DEEPEST || self.steps >= MOST_STEPS {
            return Err(Stop("deep"));
        }
        self.depth += 1;
        Ok(())
    }
}

/// The end of an attempt.
#[derive(Debug)]
struct Stop(&'static str);

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Stop {}

impl de::Error for Stop {
    // what a type says of the value is no part of its shape, and may change with the compiler's words
    fn custom<T: fmt::Display>(_: T) -> Self {
        Stop("refused")
    }
}

struct Asked<'p>(&'p mut Probe);

macro_rules! scalars {
    ($($method:ident $visit:ident $value:expr;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
            self.0.note(stringify!($method));
            visitor.$visit($value)
        }
    )*};
}

impl<'de> de::Deserializer<'de> for Asked<'_> {
    type Error = Stop;

    scalars! {
        deserialize_bool visit_bool false;
        deserialize_i8 visit_i8 1;
        deserialize_i16 visit_i16 1;
        deserialize_i32 visit_i32 1;
        deserialize_i64 visit_i64 1;
        deserialize_i128 visit_i128 1;
        deserialize_u8 visit_u8 1;
        deserialize_u16 visit_u16 1;
        deserialize_u32 visit_u32 1;
        deserialize_u64 visit_u64 1;
        deserialize_u128 visit_u128 1;
        deserialize_f32 visit_f32 1.0;
        deserialize_f64 visit_f64 1.0;
        deserialize_char visit_char 'a';
        deserialize_str visit_str "a";
        deserialize_string visit_str "a";
        deserialize_bytes visit_bytes b"a";
        deserialize_byte_buf visit_bytes b"a";
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.0.note("unit");
        visitor.visit_unit()
    }
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.0.note("any");
        self.0.asks = true;
        visitor.visit_unit()
    }
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        // the tag of an adjacently tagged enum; the names of fields do not come by here
        self.0.note("deserialize_identifier");
        self.0.asks = true;
        visitor.visit_str("a")
    }
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.0.note("ignored");
        self.0.asks = true;
        visitor.visit_unit()
    }
    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.0.note("unit struct");
        self.0.note(name);
        visitor.visit_unit()
    }
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        // where it is too deep to look, there is nothing, so that the rest of the value is still seen
        match self.0.enter("option") {
            Ok(()) => {
                let value = visitor.visit_some(Asked(self.0));
                self.0.depth -= 1;
                value
            }
            Err(_) => visitor.visit_none(),
        }
    }
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.0.enter("newtype")?;
        self.0.note(name);
        let value = visitor.visit_newtype_struct(Asked(self.0));
        self.0.depth -= 1;
        value
    }
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        let left = usize::from(self.0.enter("seq").is_ok());
        let value = visitor.visit_seq(Elements { probe: &mut *self.0, left });
        self.0.depth -= left;
        value
    }
    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        self.0.enter("tuple")?;
        len.hash(&mut Width(&mut self.0.hash));
        let value = visitor.visit_seq(Elements { probe: &mut *self.0, left: len });
        self.0.depth -= 1;
        value
    }
    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.0.note(name);
        self.deserialize_tuple(len, visitor)
    }
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        let left = usize::from(self.0.enter("map").is_ok());
        let value = visitor.visit_map(Pairs { probe: &mut *self.0, left });
        self.0.depth -= left;
        value
    }
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.0.enter("struct")?;
        self.0.note(name);
        let value = visitor.visit_map(Fields { probe: &mut *self.0, fields: fields.iter() });
        self.0.depth -= 1;
        value
    }
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.0.enter("enum")?;
        self.0.note(name);
        if variants.is_empty() {
            return Err(Stop("empty"));
        }
        let seen = self.0.enums.entry((name, variants)).or_insert(Seen { next: 0, variants: variants.len() });
        let variant = seen.next % variants.len();
        seen.next += 1;
        // its place counts: codecs write that
        variant.hash(&mut Width(&mut self.0.hash));
        self.0.note(variants[variant]);
        let value = visitor.visit_enum(Variant { probe: &mut *self.0, variant });
        self.0.depth -= 1;
        value
    }
    fn is_human_readable(&self) -> bool {
        false
    }
}

/// Hashes lengths and places alike on machines of every width.
struct Width<'h>(&'h mut Fnv);

impl Hasher for Width<'_> {
    fn finish(&self) -> u64 {
        self.0.finish()
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }
    fn write_usize(&mut self, number: usize) {
        self.0.write(&(number as u64).to_le_bytes());
    }
}

struct Elements<'p> {
    probe: &'p mut Probe,
    left: usize,
}

impl<'de> de::SeqAccess<'de> for Elements<'_> {
    type Error = Stop;
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Stop> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(Asked(&mut *self.probe)).map(Some)
    }
}

struct Pairs<'p> {
    probe: &'p mut Probe,
    left: usize,
}

impl<'de> de::MapAccess<'de> for Pairs<'_> {
    type Error = Stop;
    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Stop> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(Asked(&mut *self.probe)).map(Some)
    }
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Stop> {
        seed.deserialize(Asked(&mut *self.probe))
    }
}

struct Fields<'p> {
    probe: &'p mut Probe,
    fields: std::slice::Iter<'static, &'static str>,
}

impl<'de> de::MapAccess<'de> for Fields<'_> {
    type Error = Stop;
    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Stop> {
        let Some(field) = self.fields.next() else { return Ok(None) };
        self.probe.note(field);
        seed.deserialize(field.into_deserializer()).map(Some)
    }
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Stop> {
        seed.deserialize(Asked(&mut *self.probe))
    }
}

struct Variant<'p> {
    probe: &'p mut Probe,
    variant: usize,
}

impl<'de, 'p> de::EnumAccess<'de> for Variant<'p> {
    type Error = Stop;
    type Variant = Asked<'p>;
    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Asked<'p>), Stop> {
        let index = u32::try_from(self.variant).unwrap_or(u32::MAX);
        let value = seed.deserialize(index.into_deserializer())?;
        Ok((value, Asked(self.probe)))
    }
}

impl<'de> de::VariantAccess<'de> for Asked<'_> {
    type Error = Stop;
    fn unit_variant(self) -> Result<(), Stop> {
        self.0.note("unit variant");
        Ok(())
    }
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Stop> {
        self.0.note("newtype variant");
        seed.deserialize(self)
    }
    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        de::Deserializer::deserialize_tuple(self, len, visitor)
    }
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        de::Deserializer::deserialize_struct(self, "variant", fields, visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::shape;
    use serde::Deserialize;

    fn fingerprint<T: Deserialize<'static> + 'static>() -> u64 {
        shape::<T>().fingerprint
    }

    #[test]
    fn promise_24_a_type_that_asks_what_is_there_is_known() {
        #[derive(Deserialize)]
        #[allow(dead_code)]
        struct Inner {
            n: u8,
        }
        #[derive(Deserialize)]
        #[allow(dead_code)]
        struct Flat {
            #[serde(flatten)]
            inner: Inner,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        #[allow(dead_code)]
        enum Untagged {
            A(u8),
            B(String),
        }
        #[derive(Deserialize)]
        #[serde(tag = "kind")]
        #[allow(dead_code)]
        enum Tagged {
            A { n: u8 },
        }
        #[derive(Deserialize)]
        #[allow(dead_code)]
        enum Deep {
            A(u8),
            B { all: Vec<Option<(u8, Untagged)>> },
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        #[allow(dead_code)]
        enum Plain {
            A { n: u8, m: Option<Inner> },
            B(u8, f64),
            C,
        }
        #[derive(Deserialize)]
        #[serde(tag = "kind", content = "is")]
        #[allow(dead_code)]
        enum Adjacent {
            A { n: u8 },
        }
        assert!(shape::<Flat>().asks && shape::<Untagged>().asks && shape::<Tagged>().asks);
        assert!(shape::<Deep>().asks && shape::<Adjacent>().asks);
        assert!(!shape::<Plain>().asks && !shape::<Vec<Option<Inner>>>().asks);
    }

    macro_rules! shape {
        ($($item:item)*) => {{
            #[derive(Deserialize)]
            #[allow(dead_code)]
            $($item)*
            fingerprint::<Shape>()
        }};
    }

    #[test]
    fn equal_shapes_have_equal_fingerprints() {
        assert_eq!(
            shape!(
                struct Shape {
                    a: u8,
                    b: Vec<String>,
                }
            ),
            shape!(
                struct Shape {
                    a: u8,
                    b: Vec<String>,
                }
            )
        );
    }

    #[test]
    fn promise_17_whatever_a_codec_could_misread_changes_it() {
        let all = [
            shape!(
                struct Shape {
                    a: u8,
                    b: u16,
                }
            ),
            shape!(
                struct Shape {
                    b: u16,
                    a: u8,
                }
            ),
            shape!(
                struct Shape {
                    a: u16,
                    b: u8,
                }
            ),
            shape!(
                struct Shape {
                    a: u8,
                    c: u16,
                }
            ),
            shape!(
                struct Shape {
                    a: u8,
                    b: u16,
                    c: (),
                }
            ),
            shape!(
                struct Shape {
                    a: u8,
                    b: Option<u16>,
                }
            ),
            shape!(
                struct Shape {
                    a: u8,
                    b: Vec<u16>,
                }
            ),
            shape!(
                struct Shape {
                    a: u8,
                    b: (u16, u16),
                }
            ),
            shape!(
                struct Shape {
                    a: u8,
                    b: (u16, u16, u16),
                }
            ),
            shape!(
                struct Shape(u8, u16);
            ),
            shape!(
                enum Shape {
                    A(u8),
                    B(u16),
                }
            ),
            shape!(
                enum Shape {
                    B(u16),
                    A(u8),
                }
            ),
            shape!(
                enum Shape {
                    A(u8),
                    B(u32),
                }
            ),
            shape!(
                enum Shape {
                    A(u8),
                    B { b: u16 },
                }
            ),
            shape!(
                enum Shape {
                    A(u8),
                    B { c: u16 },
                }
            ),
            shape!(
                enum Shape {
                    A(u8),
                    B(u16),
                    C,
                }
            ),
        ];
        for (n, one) in all.iter().enumerate() {
            assert!(!all[n + 1..].contains(one), "{n}");
        }
    }

    #[test]
    fn a_change_deep_within_is_seen() {
        mod one {
            #[derive(serde::Deserialize)]
            #[allow(dead_code)]
            pub(super) enum Leaf {
                A(u8),
                B(Vec<Option<u16>>),
            }
        }
        mod two {
            #[derive(serde::Deserialize)]
            #[allow(dead_code)]
            pub(super) enum Leaf {
                A(u8),
                B(Vec<Option<u32>>),
            }
        }
        assert_ne!(fingerprint::<Vec<(u8, one::Leaf)>>(), fingerprint::<Vec<(u8, two::Leaf)>>());
        assert_eq!(fingerprint::<Vec<(u8, one::Leaf)>>(), fingerprint::<Vec<(u8, one::Leaf)>>());
    }

    #[test]
    fn recursive_types_end() {
        #[derive(Deserialize)]
        #[allow(dead_code)]
        struct Tree {
            left: Option<Box<Tree>>,
            right: Option<Box<Tree>>,
            more: Vec<Tree>,
        }
        #[derive(Deserialize)]
        #[allow(dead_code)]
        enum List {
            Cons(u8, Box<List>),
            Nil,
        }
        assert_ne!(fingerprint::<Tree>(), fingerprint::<List>());
    }

    #[test]
    fn types_that_refuse_made_up_values_have_one_too() {
        assert_ne!(fingerprint::<std::net::IpAddr>(), fingerprint::<std::num::NonZeroU8>());
        assert_ne!(fingerprint::<std::time::Duration>(), fingerprint::<std::time::SystemTime>());
    }
}
