//! The proof, put to the test: any bytes are taken for directions to a value of types that serde and its codecs find hard;
//! what is written of it reads back as that value, or nothing is written.
//!
//! The fuzz target `codec` runs it, and, more thinly, the test at the end.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::detached::{Detached, Direct, Read};
use super::proof::{Equal, proved};
use crate::lasting::Codec;

/// How deep values are nested.
const DEPTH: u32 = 5;

macro_rules! types {
    ($($item:item)*) => {$(
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        $item
    )*};
}

types! {
    enum Tree {
        Bool(bool),
        Small(i8, u8),
        Large(i128, u128),
        Ints(i64, u64),
        Single(f32),
        Double(f64),
        Char(char),
        Text(String),
        Unit(()),
        Option(Option<Box<Tree>>),
        Options(Option<Option<Option<()>>>),
        Sequence(Vec<Tree>),
        Tuple(Box<(Tree, Tree)>),
        Names(BTreeMap<String, Tree>),
        Numbers(BTreeMap<i32, Tree>),
        Pairs(BTreeMap<(u8, Option<u8>), Tree>),
        Sparse {
            #[serde(default, skip_serializing_if = "Option::is_none")]
            a: Option<u8>,
            b: Vec<u8>,
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            c: Vec<Tree>,
        },
        Apart(Apart),
        Skipping(Skipping),
        Untagged(Untagged),
        Tagged(Tagged),
        Adjacent(Adjacent),
        Flat(Flat),
    }
    struct Apart {
        #[serde(rename(serialize = "b", deserialize = "a"))]
        a: Option<u8>,
        #[serde(rename(serialize = "a", deserialize = "b"))]
        b: Option<u8>,
    }
    enum Skipping {
        A,
        #[serde(skip)]
        B,
        C(u8),
        D(u8),
    }
    #[serde(untagged)]
    enum Untagged {
        Float(f64),
        Small(u8),
        Int(i64),
        Text(String),
        Struct { n: Option<u8> },
        Other { n: Option<i16>, m: Option<u8> },
        Sequence(Vec<Untagged>),
    }
    #[serde(tag = "kind")]
    enum Tagged {
        A { n: Option<Option<u8>> },
        B(Apart),
        C,
    }
    #[serde(tag = "kind", content = "is")]
    enum Adjacent {
        A(Option<()>),
        B(u8, f32),
        C,
    }
    struct Flat {
        n: u8,
        #[serde(flatten)]
        apart: Apart,
        #[serde(flatten)]
        rest: BTreeMap<String, Untagged>,
    }
}

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

    fn many<T, A: FromIterator<T>>(&mut self, mut one: impl FnMut(&mut Self) -> T) -> A {
        let count = self.byte() % 4;
        (0..count).map(|_| one(self)).collect()
    }

    fn option<T>(&mut self, one: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (!self.byte().is_multiple_of(3)).then(|| one(self))
    }

    fn text(&mut self) -> String {
        const TEXTS: [&str; 8] = ["", "a", "b", "n", "kind", "1", "\0", "é"];
        TEXTS[usize::from(self.byte()) % TEXTS.len()].to_owned()
    }

    fn double(&mut self) -> f64 {
        match self.byte() % 4 {
            0 => f64::from(self.byte()),
            1 => f64::NAN,
            _ => f64::from_bits(u64::from_le_bytes(self.bytes())),
        }
    }

    fn apart(&mut self) -> Apart {
        Apart { a: self.option(Self::byte), b: self.option(Self::byte) }
    }

    fn untagged(&mut self, depth: u32) -> Untagged {
        match self.byte() % if depth == 0 { 6 } else { 7 } {
            0 => Untagged::Float(self.double()),
            1 => Untagged::Small(self.byte()),
            2 => Untagged::Int(i64::from_le_bytes(self.bytes())),
            3 => Untagged::Text(self.text()),
            4 => Untagged::Struct { n: self.option(Self::byte) },
            5 => Untagged::Other {
                n: self.option(|of| i16::from_le_bytes(of.bytes())),
                m: self.option(Self::byte),
            },
            _ => Untagged::Sequence(self.many(|of| of.untagged(depth - 1))),
        }
    }

    fn tree(&mut self, depth: u32) -> Tree {
        let one = |of: &mut Self| of.tree(depth - 1);
        // those that hold others stand at the end
        match self.byte() % if depth == 0 { 16 } else { 23 } {
            0 => Tree::Bool(self.byte() % 2 == 1),
            1 => Tree::Small(i8::from_le_bytes(self.bytes()), self.byte()),
            2 => Tree::Large(i128::from_le_bytes(self.bytes()), u128::from_le_bytes(self.bytes())),
            3 => Tree::Ints(i64::from_le_bytes(self.bytes()), u64::from_le_bytes(self.bytes())),
            4 => Tree::Single(f32::from_bits(u32::from_le_bytes(self.bytes()))),
            5 => Tree::Double(self.double()),
            6 => Tree::Char(char::from_u32(u32::from_le_bytes(self.bytes())).unwrap_or('\u{fffd}')),
            7 => Tree::Text(self.text()),
            8 => Tree::Unit(()),
            9 => Tree::Options(self.option(|of| of.option(|of| of.option(|_| ())))),
            10 => Tree::Apart(self.apart()),
            11 => Tree::Skipping(match self.byte() % 4 {
                0 => Skipping::A,
                1 => Skipping::B,
                2 => Skipping::C(self.byte()),
                _ => Skipping::D(self.byte()),
            }),
            12 => Tree::Untagged(self.untagged(3)),
            13 => Tree::Tagged(match self.byte() % 3 {
                0 => Tagged::A { n: self.option(|of| of.option(Self::byte)) },
                1 => Tagged::B(self.apart()),
                _ => Tagged::C,
            }),
            14 => Tree::Adjacent(match self.byte() % 3 {
                0 => Adjacent::A(self.option(|_| ())),
                1 => Adjacent::B(self.byte(), f32::from_bits(u32::from_le_bytes(self.bytes()))),
                _ => Adjacent::C,
            }),
            15 => Tree::Flat(Flat {
                n: self.byte(),
                apart: self.apart(),
                rest: self.many(|of| (of.text(), of.untagged(1))),
            }),
            16 => Tree::Option(self.option(|of| Box::new(one(of)))),
            17 => Tree::Sequence(self.many(one)),
            18 => Tree::Tuple(Box::new((one(self), one(self)))),
            19 => Tree::Names(self.many(|of| (of.text(), one(of)))),
            20 => Tree::Numbers(self.many(|of| (i32::from_le_bytes(of.bytes()), one(of)))),
            21 => Tree::Pairs(self.many(|of| ((of.byte(), of.option(Self::byte)), one(of)))),
            _ => Tree::Sparse { a: self.option(Self::byte), b: self.many(Self::byte), c: self.many(one) },
        }
    }
}

/// Panics if the value that `directions` lead to is written and read as another one. Says how often it was written.
pub(crate) fn check(directions: &[u8]) -> usize {
    let value = Directions(directions).tree(DEPTH);
    let count = |codec| {
        usize::from(carried::<Direct>(codec, &value, Some(Tree::eq)))
            + usize::from(carried::<Detached>(codec, &value, None))
    };
    Codec::ALL.iter().copied().map(count).sum()
}

fn carried<R: Read<Tree>>(codec: Codec, value: &Tree, equal: Option<Equal<Tree>>) -> bool {
    let Ok(bytes) = proved::<Tree, R>(codec, value, equal) else { return false };
    let back: Tree = codec.decode::<Tree, R>(&bytes).expect("it has been read before");
    // in words, which the proof does not look at; they show the sign of a zero, and take all NaNs for one
    assert_eq!(format!("{back:?}"), format!("{value:?}"), "{codec}: {bytes:x?}");
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promise_24_any_value_is_read_as_it_was_or_not_written() {
        let nightly = std::env::var_os("MEMO_TEST_NIGHTLY").is_some();
        let seed = std::env::var("MEMO_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = seed.unwrap_or_else(|| memo_engines::utc_now() | 1);
        eprintln!("MEMO_TEST_SEED={seed}");
        let mut state = seed;
        let values = if nightly { 1_000_000 } else { 20_000 };
        let mut written = 0;
        for _ in 0..values {
            let directions: Vec<u8> = (0..200)
                .map(|_| {
                    // xorshift64
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    (state >> 32) as u8
                })
                .collect();
            written += check(&directions);
        }
        let most = values * Codec::ALL.len() * 2;
        assert!(
            written > most / 10 && written < most,
            "{written} of {most}: some are written and some are not"
        );
    }
}
