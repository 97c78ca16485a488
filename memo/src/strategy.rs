//! The strategy: which engines the results of a function live in, where its author names none.
//!
//! It is asked once for each instantiation, before its first call, and is told what is known then: a
//! [`FunctionProfile`]. What it answers is a wish. The runtime takes out of it what cannot be had (an engine that is
//! not registered, one that needs bytes for types that cannot become bytes) and says so in the plan, so that a strategy
//! cannot answer anything that would not work.

mod contract;
mod default;
mod profile;
mod rules;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use contract::Strategy;
pub use default::DefaultStrategy;
pub(crate) use profile::Profiles;
pub use profile::{EngineProfile, FunctionProfile, TypeProfile};
pub use rules::TypeStrategy;

use crate::fork::{self, Locked, Part};
use crate::plan::Plan;

/// Takes `strategy` for all functions that name no engine and have not been called yet. Those that have been keep
/// their plan: what they have stored stays where it is looked for.
pub fn set_strategy(strategy: impl Strategy) {
    let strategy: Arc<dyn Strategy> = Arc::new(strategy);
    let former = chosen().replace(strategy);
    // may run code of the user's
    drop(former);
}

type Chosen = Option<Arc<dyn Strategy>>;

/// It is asked for once for each instantiation, so readers need not share it.
static STRATEGY: Mutex<Chosen> = Mutex::new(None);

fn chosen() -> MutexGuard<'static, Chosen> {
    fork::attend(Part::Strategy, &Locked(lock));
    lock()
}

fn lock() -> MutexGuard<'static, Chosen> {
    STRATEGY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the strategy wishes for the function.
pub(crate) fn ask(function: &FunctionProfile<'_>) -> Plan {
    // a copy, so that it does not run under the lock
    let strategy = chosen().clone();
    let Some(strategy) = strategy else { return DefaultStrategy.plan(function) };
    catch_unwind(AssertUnwindSafe(|| strategy.plan(function))).unwrap_or_else(|_| {
        DefaultStrategy.plan(function).because("the strategy panicked, and the default one answered for it")
    })
}
