//! What a strategy is.

use super::profile::FunctionProfile;
use crate::plan::Plan;

/// Decides where the results of functions live that name no engine, or `engine = "auto"`.
///
/// Implement it, or write it as a closure; delegate to [`DefaultStrategy`](super::DefaultStrategy) what it has no opinion on.
///
/// ```
/// use memo::{DefaultStrategy, FunctionProfile, Plan, Strategy};
///
/// memo::set_strategy(|function: &FunctionProfile| {
///     if function.name().starts_with("app::thumbnails::") {
///         Plan::on(["memory", "disk"]).because("thumbnails are dear to make")
///     } else {
///         DefaultStrategy.plan(function)
///     }
/// });
/// ```
///
/// It is asked once for each function (each instantiation of a generic one), at its first call, and by `plan()` before
/// that. A strategy that panics is answered for by [`DefaultStrategy`](super::DefaultStrategy).
pub trait Strategy: Send + Sync + 'static {
    /// Where the results of `function` should live, and why. What cannot be had is left out, and said in the plan.
    fn plan(&self, function: &FunctionProfile<'_>) -> Plan;
}

impl<F: Fn(&FunctionProfile<'_>) -> Plan + Send + Sync + 'static> Strategy for F {
    fn plan(&self, function: &FunctionProfile<'_>) -> Plan {
        self(function)
    }
}
