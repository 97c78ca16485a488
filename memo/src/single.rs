//! A function with one instantiation: one that stands in a module or a block and has no type parameters.
//!
//! Its `static` tells all of it, so nothing in the runtime is compiled for each such function: what a call needs is compiled
//! once for all that have the same types of keys and results, and finds its record from the `static`.

use std::any::TypeId;

use crate::call::{AddHooks, LARGE, MissedBy, enter_memo, enter_slowly};
use crate::directive;
use crate::function::{Code, Function, Hooks, Memo, Settings, Signpost, Site};
use crate::key::{OwnedPart, SharedPart};
use crate::outcome::{SharedOutcome, Value};

/// A memoized function with one instantiation.
#[derive(Debug)]
pub struct Single {
    function: Function,
    /// By a function, since an id is no constant on the oldest compiler.
    marker: fn() -> TypeId,
    settings: fn() -> Settings,
    signpost: Signpost,
}

impl Single {
    /// The function `name` of the module `module`, for which the type `M` stands and no other function's. `settings` is
    /// called once, at the first call.
    pub const fn new<M: 'static>(
        module: &'static str,
        name: &'static str,
        settings: fn() -> Settings,
    ) -> Self {
        let (function, marker) = (Function::new(module, name), TypeId::of::<M> as fn() -> TypeId);
        Single { function, marker, settings, signpost: Signpost::new() }
    }

    /// Its one instantiation.
    #[inline(never)]
    pub fn site(&'static self) -> Site {
        Site::single(&self.function, (self.marker)(), self.settings)
    }

    /// Its record, if one of these types has been called for before.
    #[inline(always)]
    fn usual_memo<K: OwnedPart, V: Value, F: Value>(&'static self) -> Option<&'static Memo<K, V, F>> {
        // the code that calls this is told apart from others by its types alone, since the signpost is this function's
        Code::of::<()>().signed_from(&self.signpost)
    }

    /// The same in any case.
    fn memo<K: OwnedPart, V: Value, F: Value>(
        &'static self,
        hooks: &dyn Fn() -> Hooks<K, V>,
    ) -> &'static Memo<K, V, F> {
        let memo = self.site().memo(hooks);
        Code::of::<()>().sign_from(&self.signpost, memo);
        memo
    }
}

impl std::ops::Deref for Single {
    type Target = Function;

    #[inline(always)]
    fn deref(&self) -> &Function {
        &self.function
    }
}

/// Looks nearby: as [`enter`](crate::call::enter), for a function with one instantiation.
///
/// # Errors
///
/// A call that found nothing, to go on with.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn enter_single<P: SharedPart, R, O: SharedOutcome<R>>(
    function: &'static Single,
    hooks: AddHooks<P, R, O>,
    key: P,
    outcome: O,
) -> Result<R, MissedBy<P, R, O>> {
    match function.usual_memo::<P::Owned, O::Stored, O::Failure>() {
        Some(memo) if const { size_of::<O::Stored>() <= LARGE } && !directive::pending() => {
            enter_memo(memo, key, outcome)
        }
        _ => enter_unusual(function, hooks, key, outcome),
    }
}

/// The same, for the first time, or where something may be asked of the call, or of large values.
#[cold]
#[inline(never)]
fn enter_unusual<P: SharedPart, R, O: SharedOutcome<R>>(
    function: &'static Single,
    hooks: AddHooks<P, R, O>,
    key: P,
    outcome: O,
) -> Result<R, MissedBy<P, R, O>> {
    let memo = match function.usual_memo::<P::Owned, O::Stored, O::Failure>() {
        Some(memo) => memo,
        None => function.memo(&|| hooks(Hooks::new())),
    };
    enter_slowly(memo, function.site(), key, outcome)
}
