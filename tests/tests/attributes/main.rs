//! What is written is what is read, or it is not written: types with each of serde's attributes, in each codec, and types
//! whose `Serialize` is up to no good.

mod each;
mod hostile;
mod shelf;
mod told;
