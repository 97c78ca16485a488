//! The kinds of values, as serde sees them, and why a value has no bytes.

use std::fmt;

use serde::ser;

/// Ends a value whose length is not written.
pub(super) const END: u8 = 0;

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
