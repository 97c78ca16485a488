//! The far plane: results as bytes, in engines that outlive or surround this process.
//!
//! A function that uses it has one [`Far`] for each instantiation. What an engine answers is checked before it is
//! believed; whatever is wrong with it is a miss, counted. An engine that fails never fails the call.

mod apart;
mod bounded;
mod built_in;
mod claims;
mod codec;
mod content;
mod detached;
mod digest;
mod encode;
#[cfg(test)]
mod encode_check;
mod exit;
pub(crate) mod fingerprint;
mod flush;
mod follow;
mod home;
mod key;
mod keys;
mod kind;
pub(crate) mod later;
mod lease;
mod lessor;
mod life;
mod lifetime;
mod look;
mod looked;
pub(crate) mod named;
mod naming;
mod plane;
mod probes;
mod proof;
#[cfg(test)]
mod proof_check;
mod recovery;
mod refused;
mod remove;
pub(crate) mod reported;
mod route;
mod sets;
mod store;
mod tier;
mod typed;
mod types;
mod watch;

pub(crate) use claims::{claim, is_refused};
pub(crate) use flush::{flush, flush_until};
pub(crate) use key::{FarKey, Hold};
pub(crate) use lease::give_all_back;
pub(crate) use life::FarLife;
pub(crate) use looked::{FarFound, FarLooked};
pub(crate) use probes::{KeyBytes, KeyParts, Types, ValueBytes, ValueEqual};
pub use probes::{Typed, able, probed, types};
pub(crate) use route::{KNOWN, route, route_by};
pub(crate) use typed::Far;
pub(crate) use types::FarTypes;
pub use types::{KeyType, ValueType, far_key, far_value};
