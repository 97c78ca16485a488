//! All that generated code may name. Nothing here is for people; it changes without notice.

pub use core::any::type_name;
pub use core::future::Future;
pub use core::iter::IntoIterator;
pub use core::module_path;
pub use core::ops::Fn;
pub use core::option::Option;
pub use core::result::Result;
pub use core::time::Duration;

pub use crate::call::{Computation, Missed, Op, Reply, control, enter};
pub use crate::control::{AsyncMethodControl, MethodControl};
pub use crate::directive::{Directed, Directive, direct};
pub use crate::error::Error;
pub use crate::function::{Count, Function, Hooks, Settings, Site};
pub use crate::instance::Instance;
pub use crate::key::{Each, Part, Probe, probe};
pub use crate::outcome::{Outcome, Shape, shape, shape_with_errors};
pub use crate::plan::Plan;
pub use crate::stats::Stats;

/// `self` as the reference that it leads to.
#[inline(always)]
pub fn borrow<T: ?Sized>(this: &T) -> &T {
    this
}

/// The path of a closure: where it stands, with the type parameters there, those of the `impl` included.
#[cfg(feature = "engines")]
pub fn path_of<M: Fn()>(_: M) -> &'static str {
    type_name::<M>()
}

/// For tests of this project: time that passes when it is told to.
pub mod testing {
    pub use crate::clock::advance;
    pub use crate::sweep::sweep_now;
}

/// What functions name whose results outlive the process.
#[cfg(feature = "engines")]
pub use crate::far::{Codec, KeyType, Typed, ValueType, able, far_key, far_value, probed, types};
