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
