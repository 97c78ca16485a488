//! What the macro and the runtime of [`memo`](https://docs.rs/memo) read alike: quantities such as `"1h30m"` and `"10%"`, which name was
//! meant by one that does not exist, which options the attribute has, and which engines are built in.
//!
//! It is a part of `memo`, with a version of its own only because a macro's crate can share code in no other way. Use
//! `memo`.

mod engines;
mod nearest;
mod options;
mod part;
mod quantity;
mod rate;

pub use engines::{BUILT_IN, BuiltIn, built_in};
pub use nearest::nearest;
pub use options::{OPTIONS, Row, option};
pub use part::{part, percentage};
pub use quantity::{duration, size};
pub use rate::{Rate, rate};
