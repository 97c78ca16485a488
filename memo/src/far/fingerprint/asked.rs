//! A deserializer without data: it notes what a type asks for, and makes something up.

use std::hash::Hash;

use serde::de::{self, DeserializeSeed, IntoDeserializer, Visitor};

use super::probe::{Probe, Seen, Stop, Width};

/// Notes what is asked of it.
pub(super) struct Asked<'p>(pub(super) &'p mut Probe);

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
        match self.0.descend("option") {
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
        self.0.descend("newtype")?;
        self.0.note(name);
        let value = visitor.visit_newtype_struct(Asked(self.0));
        self.0.depth -= 1;
        value
    }
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        let left = usize::from(self.0.descend("seq").is_ok());
        let value = visitor.visit_seq(Elements { probe: &mut *self.0, left });
        self.0.depth -= left;
        value
    }
    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        self.0.descend("tuple")?;
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
        let left = usize::from(self.0.descend("map").is_ok());
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
        self.0.descend("struct")?;
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
        self.0.descend("enum")?;
        self.0.note(name);
        if variants.is_empty() {
            return Err(Stop("empty"));
        }
        let seen = self.0.enums.entry((name, variants)).or_insert(Seen { next: 0, variants: variants.len() });
        let variant = seen.next % variants.len();
        seen.next += 1;
        // its position counts: codecs write that
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
