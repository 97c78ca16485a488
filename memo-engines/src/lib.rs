//! Storage engines of `memo` that keep results outside of the process.
//!
//! There are none in this version. `memo` keeps results in the memory of the process, by itself; this crate has no
//! items yet, and there is no reason to depend on it directly.
//!
//! It is to hold what stores bytes under keys of 32 bytes, each with an expiry: the trait that an engine
//! implements, the format of a stored entry, an engine on disk and one on Redis, and the tests that every engine
//! has to pass. It is a crate of its own so that an engine knows neither functions nor their types, and so that
//! each engine's libraries stay behind a cargo feature of its own.
