//! Engines that keep the results of [`memo`](https://docs.rs/memo) outside the process, as bytes under
//! 32-byte keys.
//!
//! [`Engine`] is the trait that every engine implements. [`entry`] is the format of what is stored. This
//! crate knows neither memoized functions, nor serde, nor configuration files.

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
mod per_process;
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
