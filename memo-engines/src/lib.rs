//! The far plane of [`memo`](https://docs.rs/memo): engines that keep results outside the process, as bytes
//! under 32-byte keys.
//!
//! This crate knows neither functions nor serde nor configuration files. [`Engine`] is the seam, [`entry`]
//! the format in which results are stored.

mod block_on;
pub mod chain;
mod clock;
#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(feature = "disk")]
pub mod disk;
pub mod engine;
pub mod entry;
pub mod error;
mod fork;
pub mod guarded;
mod lock;
#[cfg(any(feature = "disk", feature = "redis"))]
mod program;
#[cfg(any(feature = "conformance", feature = "disk", feature = "redis"))]
mod random;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(feature = "testing")]
pub mod testing;

pub use chain::Chain;
#[cfg(feature = "disk")]
pub use disk::{Disk, DiskOptions, DiskStats};
pub use engine::{
    Bytes, Capability, Change, Engine, EngineFuture, Entry, Key, Lease, Reach, Space, Watcher, Witness,
    utc_now,
};
pub use error::{Error, ErrorKind};
pub use guarded::{Calls, CircuitState, GuardOptions, GuardStats, Guarded, sleep};
#[cfg(feature = "redis")]
pub use redis::{Redis, RedisOptions};
