//! The proof that a result is read as it was written.
//!
//! A type may write something else than it reads: serde's attributes make that easy, and codecs lack what some types need.
//! So a result is read back as soon as it is written, before an engine has it, and compared. One that does not come back as
//! it was is refused.

use std::any::TypeId;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use serde::Serialize;

use super::content::{Order, content};
use super::detached::Read;
use crate::lasting::Codec;

/// How two values are compared.
pub(crate) type Equal<V> = fn(&V, &V) -> bool;

/// Why a value is not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Its `Serialize` or the codec says no, in these words.
    Unwritten(String),
    /// What has been written cannot be read, for this reason.
    Unread(String),
    /// What has been written is read as another value.
    Differs,
    /// Reading or comparing panicked.
    Panicked,
}

/// What comes after "a result .. is not stored: ".
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Unwritten(why) => write!(f, "it cannot be written ({why})"),
            Refusal::Unread(why) => write!(f, "it would not be read again ({why})"),
            Refusal::Differs => f.write_str("it would be read as another value"),
            Refusal::Panicked => f.write_str("reading it again panicked"),
        }
    }
}

/// `value` as bytes that are read as `value`, with room for a label behind them.
///
/// # Errors
///
/// Why there are no such bytes.
pub(super) fn proved<V: Serialize + 'static, R: Read<V>>(
    codec: Codec,
    value: &V,
    equal: Option<Equal<V>>,
) -> Result<Vec<u8>, Refusal> {
    let bytes = codec.write(value).map_err(Refusal::Unwritten)?;
    if !carries_all::<V>(codec) {
        // a panic here must not keep the result from its caller
        catch_unwind(AssertUnwindSafe(|| prove::<V, R>(codec, value, &bytes, equal)))
            .unwrap_or(Err(Refusal::Panicked))?;
    }
    Ok(bytes)
}

fn prove<V: Serialize + 'static, R: Read<V>>(
    codec: Codec,
    value: &V,
    bytes: &[u8],
    equal: Option<Equal<V>>,
) -> Result<(), Refusal> {
    let back: V = codec.decode::<V, R>(bytes).map_err(Refusal::Unread)?;
    let tell =
        |value: &V, order| content(value, order).map_err(|error| Refusal::Unwritten(error.to_string()));
    // a value that does not equal itself, as one with a NaN, tells nothing by being unequal
    let equal = equal
        .map(|equal| (equal(value, &back), equal))
        .and_then(|(is, equal)| if is || equal(value, value) { Some(is) } else { None });
    let alike = |order| Ok(tell(value, order)? == tell(&back, order)?);
    let same = match equal {
        Some(false) => false,
        _ if alike(Order::Everywhere)? => true,
        _ if alike(Order::InSequences)? => true,
        // the type says that both are equal, so it may be a set: then the order of its elements does not count
        Some(true) => alike(Order::InTuples)?,
        None => false,
    };
    if same { Ok(()) } else { Err(Refusal::Differs) }
}

/// Whether `codec` carries every value of type `V`, so that nothing has to be proved.
fn carries_all<V: 'static>(codec: Codec) -> bool {
    codec == Codec::Raw || is_carried_by_all::<V>() || codec == Codec::Postcard && is_float::<V>()
}

/// Whether `V` is one of these types, or one of the simple containers of one.
macro_rules! one_of {
    ($($ty:ty)*) => {{
        let these = [$(
            TypeId::of::<$ty>(),
            TypeId::of::<Option<$ty>>(),
            TypeId::of::<Vec<$ty>>(),
            TypeId::of::<Box<[$ty]>>(),
            TypeId::of::<Arc<[$ty]>>(),
            TypeId::of::<Arc<Vec<$ty>>>(),
        )*];
        these.contains(&TypeId::of::<V>())
    }};
}

/// Whether every codec carries every value of type `V`.
fn is_carried_by_all<V: 'static>() -> bool {
    one_of! { u8 u16 u32 u64 usize i8 i16 i32 i64 isize bool char String }
}

/// Whether `V` is a float, or one of the simple containers of one. JSON has no NaN, so that not every codec carries it.
fn is_float<V: 'static>() -> bool {
    one_of! { f32 f64 }
}
