//! What is written is what is read, or it is not written: types with each of serde's attributes, in each codec, and types
//! whose `Serialize` is up to no good.
#![cfg(all(feature = "messagepack", feature = "json"))]

mod each;
mod hostile;
#[path = "../shelf/mod.rs"]
mod shelf;
mod told;
mod twice;
