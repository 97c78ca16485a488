//! Each attribute of serde, and each type of serde's model that some codec has none of.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::hostile::{
    Alternating, Disorder, Failing, Lying, LyingStruct, Other, Panicking, hostile, lying, lying_structs,
};
use crate::twice::{
    self, Results, blind_json, blind_messagepack, blind_postcard, json, known, messagepack, postcard, unnamed,
};

/// One test for each type: its results, and which of them are found again, written as postcard, as MessagePack and as JSON;
/// a `?` stands for one that may be. The same holds for a type that cannot be compared, but where `Serialize` itself loses
/// something. All are variants of one type: a memoized function for each would take the compiler too long.
macro_rules! each {
    ($(
        $test:ident: $ty:ty = $all:expr, $postcard:literal $messagepack:literal $json:literal $(, $loses:ident)?;
    )*) => {
        #[allow(non_camel_case_types)]
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        enum All {
            $($test($ty)),*
        }

        impl Results for All {
            fn all() -> Vec<Self> {
                let mut all = Vec::new();
                $(all.extend(<Vec<$ty>>::from($all).into_iter().map(All::$test));)*
                all
            }
        }

        $(#[test]
        fn $test() {
            let of = |result: &All| matches!(result, All::$test(_));
            let expected = [$postcard, $messagepack, $json];
            let calls = [postcard::calls(), messagepack::calls(), json::calls()];
            for (calls, expected) in calls.into_iter().zip(expected) {
                assert_found(&twice::found(calls, of), expected);
            }
            let loses: &[&str] = &[$(stringify!($loses))?];
            if loses.is_empty() {
                let of = |result: &Blind| of(&result.0);
                let calls = [blind_postcard::calls(), blind_messagepack::calls(), blind_json::calls()];
                for (calls, expected) in calls.into_iter().zip(expected) {
                    assert_found(&twice::found(calls, of), expected);
                }
            }
        })*
    };
}

/// The same without `PartialEq`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
struct Blind(All);

impl fmt::Debug for Blind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Results for Blind {
    fn all() -> Vec<Self> {
        All::all().into_iter().map(Blind).collect()
    }
}

fn assert_found(found: &str, expected: &str) {
    let fits = |(found, expected)| expected == '?' || found == expected;
    let fits = found.len() == expected.len() && found.chars().zip(expected.chars()).all(fits);
    assert!(fits, "found {found}, expected {expected}");
}

macro_rules! types {
    ($($item:item)*) => {$(
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        $item
    )*};
}

fn is_zero(n: &u8) -> bool {
    *n == 0
}

fn three() -> u8 {
    3
}

types! {
    struct Skip {
        kept: u8,
        #[serde(skip)]
        lost: u8,
    }
    struct SkipWriting {
        kept: u8,
        #[serde(skip_serializing, default)]
        lost: u8,
        list: Vec<u8>,
    }
    struct SkipReading {
        kept: u8,
        #[serde(skip_deserializing)]
        lost: u8,
        list: Vec<u8>,
    }
    struct SkipIf {
        #[serde(default, skip_serializing_if = "is_zero")]
        flags: u8,
        list: Vec<u8>,
    }
    struct SkipIfLast {
        list: Vec<u8>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        more: Option<u8>,
    }
    struct DefaultBy {
        #[serde(default = "three", skip_serializing_if = "is_zero")]
        three: u8,
        zero: u8,
    }
    #[serde(default)]
    #[derive(Default)]
    struct DefaultAll {
        a: u8,
        b: Option<u8>,
    }
    struct Renamed {
        #[serde(rename = "b")]
        a: u8,
        #[serde(alias = "c", alias = "d")]
        e: u8,
    }
    struct RenamedApart {
        #[serde(rename(serialize = "b", deserialize = "a"))]
        a: u8,
        #[serde(rename(serialize = "a", deserialize = "b"))]
        b: u8,
    }
    enum VariantsApart {
        #[serde(rename(serialize = "B", deserialize = "A"))]
        A,
        #[serde(rename(serialize = "A", deserialize = "B"))]
        B,
    }
    struct Inner {
        x: u8,
        y: Option<u8>,
    }
    struct Flat {
        a: u8,
        #[serde(flatten)]
        inner: Inner,
        #[serde(flatten)]
        rest: BTreeMap<String, u8>,
    }
    #[serde(tag = "kind")]
    enum Tagged {
        A { n: u8 },
        B(Inner),
        C,
    }
    #[serde(tag = "kind", content = "is")]
    enum Adjacent {
        A { n: u8 },
        B(u8, u8),
        C(Option<u8>),
        D,
    }
    #[serde(untagged)]
    enum Untagged {
        Small(u8),
        Large(u64),
        Text(String),
        Pair(u8, u8),
        Struct { n: i8 },
    }
    #[serde(untagged)]
    enum Overlapping {
        Float(f64),
        Int(u64),
        Maybe(Option<u8>),
        Also(Option<String>),
    }
    enum SkippedVariant {
        A,
        #[serde(skip)]
        B,
        C,
        D,
    }
    enum SkippedWriting {
        A,
        #[serde(skip_serializing)]
        B,
        C,
    }
    enum SkippedReading {
        A,
        #[serde(skip_deserializing)]
        B,
        C,
        D,
    }
    enum OtherVariant {
        A,
        C,
        #[serde(other)]
        Other,
    }
    enum UntaggedLast {
        A(u8),
        #[serde(untagged)]
        Rest(u16),
    }
    #[serde(transparent)]
    struct Transparent {
        only: Option<u8>,
    }
    #[serde(from = "u16", into = "u16")]
    struct FromInto(u8);
    #[serde(try_from = "String", into = "String")]
    struct TryFromInto(u8);
    struct With {
        #[serde(with = "tenths")]
        n: u32,
    }
    struct WithApart {
        #[serde(serialize_with = "tenths::serialize")]
        n: u32,
    }
    #[serde(deny_unknown_fields)]
    struct Denies {
        a: u8,
        #[serde(default, skip_serializing_if = "is_zero")]
        b: u8,
    }
    struct UnitStruct;
    struct Newtype(Option<u8>);
    struct Pair(u8, f32);
    enum Plain {
        Unit,
        Newtype(u8),
        Nothing(()),
        Tuple(u8, String),
        Struct { a: Option<Option<u8>> },
    }
    struct Nested {
        deep: Vec<Option<Option<f64>>>,
    }
    struct Bytes(#[serde(with = "bytes")] Vec<u8>);
}

impl From<u16> for FromInto {
    fn from(n: u16) -> Self {
        FromInto(n.to_le_bytes()[0])
    }
}
// 7 is read as 8
impl From<FromInto> for u16 {
    fn from(n: FromInto) -> Self {
        u16::from(n.0 + u8::from(n.0 == 7))
    }
}

impl TryFrom<String> for TryFromInto {
    type Error = std::num::ParseIntError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(TryFromInto)
    }
}
// 7 is not read
impl From<TryFromInto> for String {
    fn from(n: TryFromInto) -> Self {
        if n.0 == 7 { "seven".to_owned() } else { n.0.to_string() }
    }
}

/// Loses the last digit.
mod tenths {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(n: &u32, serializer: S) -> Result<S::Ok, S::Error> {
        (n / 10).serialize(serializer)
    }
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
        Ok(u32::deserialize(deserializer)? * 10)
    }
}

mod bytes {
    use super::{Deserializer, Serializer, fmt};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Vec<u8>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }
        }
        deserializer.deserialize_bytes(Visitor)
    }
}

const FLOATS: [f64; 9] =
    [0.0, -0.0, 0.1, -1.5e300, 5e-324, 0.3 + 1e-17 * 3.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];

fn inner(x: u8, y: Option<u8>) -> Inner {
    Inner { x, y }
}

each! {
    promise_24_skip: Skip = [Skip { kept: 1, lost: 0 }, Skip { kept: 1, lost: 2 }], "+-" "+-" "+-", loses;
    promise_24_skip_serializing: SkipWriting =
        [SkipWriting { kept: 1, lost: 0, list: vec![2] }, SkipWriting { kept: 1, lost: 3, list: vec![] }],
        "--" "+-" "+-", loses;
    promise_24_skip_deserializing: SkipReading =
        [SkipReading { kept: 1, lost: 0, list: vec![] }, SkipReading { kept: 1, lost: 3, list: vec![7, 7, 7] }],
        "--" "+-" "+-";
    promise_24_skip_serializing_if: SkipIf = [
        SkipIf { flags: 0, list: vec![0] },
        SkipIf { flags: 1, list: vec![] },
        SkipIf { flags: 0, list: vec![] },
    ], "-+-" "+++" "+++";
    promise_24_skip_serializing_if_at_the_end: SkipIfLast =
        [SkipIfLast { list: vec![1], more: None }, SkipIfLast { list: vec![1], more: Some(2) }], "-+" "++" "++";
    promise_24_default_by_a_function: DefaultBy = [DefaultBy { three: 0, zero: 1 }, DefaultBy { three: 4, zero: 1 }],
        "-+" "-+" "-+";
    promise_24_default_of_all: DefaultAll = [DefaultAll { a: 1, b: Some(2) }, DefaultAll { a: 0, b: None }],
        "++" "++" "++";
    promise_24_rename_and_alias: Renamed = [Renamed { a: 1, e: 2 }], "+" "+" "+";
    promise_24_rename_apart: RenamedApart = [RenamedApart { a: 1, b: 2 }, RenamedApart { a: 1, b: 1 }],
        "++" "-+" "-+";
    promise_24_rename_variants_apart: VariantsApart = [VariantsApart::A, VariantsApart::B], "++" "--" "--";
    promise_24_flatten: Flat = [
        Flat { a: 1, inner: inner(2, None), rest: BTreeMap::new() },
        Flat { a: 1, inner: inner(2, Some(3)), rest: BTreeMap::from([("b".into(), 4)]) },
        Flat { a: 1, inner: inner(2, Some(3)), rest: BTreeMap::from([("x".into(), 4)]) },
    ], "---" "++-" "++-";
    promise_24_tag: Tagged = [Tagged::A { n: 1 }, Tagged::B(inner(1, None)), Tagged::C], "---" "+++" "+++";
    promise_24_tag_and_content: Adjacent =
        [Adjacent::A { n: 1 }, Adjacent::B(1, 2), Adjacent::C(None), Adjacent::C(Some(1)), Adjacent::D],
        "-----" "+++++" "+++++";
    promise_24_untagged: Untagged = [
        Untagged::Small(1),
        Untagged::Large(1),
        Untagged::Large(1 << 40),
        Untagged::Text("a".into()),
        Untagged::Pair(1, 2),
        Untagged::Struct { n: -1 },
    ], "------" "+-++++" "+-++++";
    promise_24_untagged_that_overlap: Overlapping = [
        Overlapping::Float(1.0),
        Overlapping::Float(f64::NAN),
        Overlapping::Int(1),
        Overlapping::Maybe(None),
        Overlapping::Also(None),
        Overlapping::Also(Some(String::new())),
    ], "------" "++-+-+" "+--+-+", loses;
    promise_24_skip_of_a_variant: SkippedVariant =
        [SkippedVariant::A, SkippedVariant::B, SkippedVariant::C, SkippedVariant::D], "+---" "+-++" "+-++";
    promise_24_skip_serializing_of_a_variant: SkippedWriting =
        [SkippedWriting::A, SkippedWriting::B, SkippedWriting::C], "+-+" "+-+" "+-+";
    promise_24_skip_deserializing_of_a_variant: SkippedReading =
        [SkippedReading::A, SkippedReading::B, SkippedReading::C, SkippedReading::D], "+---" "+-++" "+-++";
    promise_24_other: OtherVariant = [OtherVariant::A, OtherVariant::Other, OtherVariant::C], "+++" "+++" "+++";
    promise_24_an_untagged_variant: UntaggedLast =
        [UntaggedLast::A(1), UntaggedLast::Rest(1), UntaggedLast::Rest(300)], "---" "+++" "+++";
    promise_24_transparent: Transparent = [Transparent { only: None }, Transparent { only: Some(1) }],
        "++" "++" "++";
    promise_24_from_and_into: FromInto = [FromInto(1), FromInto(7)], "+-" "+-" "+-", loses;
    promise_24_try_from: TryFromInto = [TryFromInto(1), TryFromInto(7)], "+-" "+-" "+-", loses;
    promise_24_with: With = [With { n: 120 }, With { n: 123 }], "+-" "+-" "+-", loses;
    promise_24_serialize_with: WithApart = [WithApart { n: 0 }, WithApart { n: 123 }], "+-" "+-" "+-";
    promise_24_deny_unknown_fields: Denies = [Denies { a: 1, b: 0 }, Denies { a: 1, b: 2 }], "-+" "++" "++";
    promise_24_plain_variants: Plain = [
        Plain::Unit,
        Plain::Newtype(1),
        Plain::Nothing(()),
        Plain::Tuple(1, "a".into()),
        Plain::Struct { a: None },
        Plain::Struct { a: Some(None) },
        Plain::Struct { a: Some(Some(1)) },
    ], "+++++++" "+++++-+" "+++++-+";
    promise_24_small_structs: (UnitStruct, Newtype, Pair) = [
        (UnitStruct, Newtype(None), Pair(1, 0.1)),
        (UnitStruct, Newtype(Some(1)), Pair(1, f32::NAN)),
    ], "++" "++" "+-";
    promise_24_options_of_options: Option<Option<u8>> = [None, Some(None), Some(Some(1))], "+++" "+-+" "+-+";
    promise_24_options_of_units: Option<()> = [None, Some(())], "++" "+-" "+-";
    promise_24_options_deep_within: Nested = [
        Nested { deep: vec![None, Some(Some(1.0))] },
        Nested { deep: vec![Some(None)] },
        Nested { deep: vec![None, Some(Some(f64::NAN))] },
    ], "+++" "+-+" "+--";
    promise_24_options_of_floats: Option<f64> = [None, Some(f64::NAN), Some(1.5), Some(f64::INFINITY)],
        "++++" "++++" "+-+-";
    promise_24_floats: f64 = FLOATS, "+++++++++" "+++++++++" "++++++---";
    promise_24_single_floats: f32 = FLOATS.map(|n| n as f32), "+++++++++" "+++++++++" "+++-++---";
    promise_24_unit: () = [()], "+" "+" "+";
    promise_24_large_integers: (i128, u128) = [(-1, 1), (i128::MIN, u128::MAX)], "++" "++" "++";
    promise_24_integers: (i64, u64, i8) = [(i64::MIN, u64::MAX, -1), (-1, 1, 127)], "++" "++" "++";
    promise_24_chars: (char, Option<char>) = [('a', None), ('\0', Some('\u{10ffff}'))], "++" "++" "++";
    promise_24_bytes: Bytes = [Bytes(vec![]), Bytes(vec![0, 255])], "++" "++" "--";
    promise_24_keys_that_are_numbers: BTreeMap<u32, bool> = [BTreeMap::from([(1, true), (2, false)])], "+" "+" "+";
    promise_24_keys_that_are_pairs: BTreeMap<(u8, u8), u8> =
        [BTreeMap::from([((1, 2), 3)]), BTreeMap::new()], "++" "++" "-+";
    promise_24_keys_that_are_units: BTreeMap<Option<u8>, u8> = [BTreeMap::from([(None, 3), (Some(1), 2)])],
        "+" "+" "-";
    promise_24_values_of_json: serde_json::Value = [
        serde_json::json!(null),
        serde_json::json!({"a": [1, -2, 0.1, "text", null, {"b": true}]}),
        serde_json::json!(u64::MAX),
    ], "---" "+++" "+++";
    promise_24_sets: BTreeSet<String> = [BTreeSet::from(["a".into(), "b".into()])], "+" "+" "+";
    promise_24_results: Result<u8, String> = [Ok(1), Err("no".into())], "++" "++" "++";
    promise_24_it_writes_other_than_it_reads: Other = hostile(Other), "+-+-+-" "+-+-+-" "+-+-+-", loses;
    promise_24_it_alternates_between_calls: Alternating = hostile(Alternating), "??????" "??????" "??????", loses;
    promise_24_its_serialize_fails_at_some_call: Failing = hostile(Failing), "??????" "??????" "??????";
    promise_24_its_map_is_in_disorder: Disorder = hostile(Disorder), "-+-+-+" "-+-+-+" "-+-+-+";
    promise_24_its_deserialize_panics: Panicking = hostile(Panicking), "+++--+" "+++--+" "+++--+";
    promise_24_it_lies_about_its_length: Lying<2> = lying(), "--+--" "--+--" "+++++";
    promise_24_it_says_that_it_is_empty: Lying<0> = lying(), "+----" "+----" "+????";
    promise_24_it_says_that_it_has_no_end: Lying<0xffff_ffff> = lying(), "-----" "-----" "+++++";
    promise_24_its_struct_lies_about_its_length: LyingStruct = lying_structs(), "+++++" "--+--" "-++++";
}

/// Where no codec is named, one is chosen that can carry the type.
#[test]
fn promise_24_a_codec_is_chosen_that_the_type_can_be_read_from() {
    // some of these are read as what they turn out to be
    let of = |result: &All| matches!(result, All::promise_24_untagged(_) | All::promise_24_values_of_json(_));
    assert_eq!(twice::found(unnamed::calls(), of), "+-+++++++");
    let plan = unnamed::plan();
    assert!(plan.contains("messagepack"), "{plan}");

    // and this is not: as postcard it is read as what it is
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Known(Option<Option<u8>>);

    impl Results for Known {
        fn all() -> Vec<Self> {
            vec![Known(None), Known(Some(None))]
        }
    }
    assert_eq!(twice::found(known::calls::<Known>(), |_| true), "++");
    let plan = known::plan();
    assert!(!plan.contains("postcard") && !plan.contains("messagepack"), "{plan}");
}

/// Sets and maps that are in another order each time that they are made: all are found.
#[test]
fn promise_24_what_has_no_order_is_the_same_in_any() {
    type Unordered = (HashSet<u32>, HashMap<u32, HashSet<String>>, Option<Box<HashSet<u8>>>);

    #[derive(Clone, Serialize, Deserialize)]
    struct Sets(Unordered);

    impl fmt::Debug for Sets {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let Sets((numbers, texts, bytes)) = self;
            let numbers: BTreeSet<_> = numbers.iter().collect();
            let texts: BTreeMap<_, BTreeSet<_>> =
                texts.iter().map(|(n, texts)| (n, texts.iter().collect())).collect();
            let bytes: Option<BTreeSet<_>> = bytes.as_ref().map(|bytes| bytes.iter().collect());
            write!(f, "{numbers:?} {texts:?} {bytes:?}")
        }
    }

    impl Results for Sets {
        fn all() -> Vec<Self> {
            let texts = |n: u32| (0..n % 20).map(|n| n.to_string()).collect();
            vec![Sets((
                (0..500).collect(),
                (0..100).map(|n| (n, texts(n))).collect(),
                Some(Box::new((0..99).collect())),
            ))]
        }
    }

    /// Of a type that is not known to be a set: that it can be compared is enough.
    #[derive(Clone, PartialEq, Serialize, Deserialize)]
    #[serde(transparent)]
    struct Own(HashSet<u32>);

    impl fmt::Debug for Own {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.iter().collect::<BTreeSet<_>>().fmt(f)
        }
    }

    impl Results for Own {
        fn all() -> Vec<Self> {
            vec![Own((0..500).collect())]
        }
    }

    assert_eq!(twice::found(blind_postcard::calls::<Sets>(), |_| true), "+");
    assert_eq!(twice::found(postcard::calls::<Own>(), |_| true), "+");
}
