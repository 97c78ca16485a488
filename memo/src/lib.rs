//! Memoize functions with one attribute.
#![warn(missing_docs)]

mod call;
mod clock;
mod control;
mod directive;
mod error;
mod flight;
mod function;
mod instance;
mod key;
mod near;
mod outcome;
mod park;
mod plan;
mod registry;
mod report;
mod stats;
mod sweep;
mod sync;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use memo_macros::{Instance, memoize};

pub use control::{AsyncMethodControl, MethodControl};
pub use error::{Error, ErrorKind};
pub use instance::{Instance, InstanceId};
pub use plan::Plan;
pub use registry::{FunctionHandle, function, functions, report};
pub use report::Report;
pub use stats::Stats;

/// The snippets of the README and the guide, compiled and run as tests.
#[cfg(doctest)]
mod snippets {
    #[doc = include_str!("../../README.md")]
    struct Readme;
    #[doc = include_str!("../../docs/guide/first-steps.md")]
    struct FirstSteps;
    #[doc = include_str!("../../docs/guide/keys.md")]
    struct Keys;
    #[doc = include_str!("../../docs/guide/methods.md")]
    struct Methods;
    #[doc = include_str!("../../docs/guide/results.md")]
    struct Results;
    #[doc = include_str!("../../docs/guide/async.md")]
    struct Async;
    #[doc = include_str!("../../docs/guide/control.md")]
    struct Control;
    #[cfg(feature = "moka")]
    #[doc = include_str!("../../docs/guide/memory.md")]
    struct Memory;
    #[doc = include_str!("../../docs/guide/pitfalls.md")]
    struct Pitfalls;
}
