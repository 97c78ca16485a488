//! A function with one instantiation: one that stands in a module or a block and has no type parameters.
//!
//! Its `static` tells all of it, so nothing in the runtime is compiled for each such function: what a call needs is compiled
//! once for all that have the same types of keys and results, and finds its record from the `static`.

use std::any::TypeId;

use crate::body::Applied;
use crate::call::{
    AddHooks, LARGE, Missed, MissedBy, Why, enter_in_full, enter_memo, enter_slowly, look_once,
};
use crate::directive;
use crate::function::Function;
use crate::hooks::Hooks;
use crate::key::{OwnedPart, SharedPart};
use crate::memo::{Code, Memo};
use crate::outcome::{SharedOutcome, Value};
use crate::settings::Settings;
use crate::signpost::Signpost;
use crate::site::Site;

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

/// As [`enter_single`], where the key leaves the arguments as they are: what is not a hit goes on in [`compute`], so that
/// there is little in the caller's frame and code.
///
/// # Errors
///
/// Why there is no hit.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn look<P: SharedPart, R, O: SharedOutcome<R>>(
    function: &'static Single,
    key: P,
    outcome: O,
) -> Result<R, Why> {
    match function.usual_memo::<P::Owned, O::Stored, O::Failure>() {
        Some(memo) if const { size_of::<O::Stored>() <= LARGE } && !directive::pending() => {
            look_once(memo, memo.hash(&key), key, outcome)
        }
        _ => Err(Why::Unusual),
    }
}

/// The rest of a call that [`look`] gave no hit for.
#[cold]
#[inline(never)]
pub fn compute<P: SharedPart, R, O: SharedOutcome<R>, A>(
    function: &'static Single,
    hooks: AddHooks<P, R, O>,
    key: P,
    outcome: O,
    why: Why,
    arguments: A,
    body: fn(A) -> R,
) -> R {
    match look_again(function, hooks, key, outcome, why) {
        Ok(result) => result,
        Err(missed) => missed.run(outcome, &mut Applied { body, arguments: Some(arguments) }),
    }
}

/// The result, where there is a hit after all, else the call that found nothing.
//
// Out of line, since its frame would be one more of each level of a recursion.
#[inline(never)]
fn look_again<P: SharedPart, R, O: SharedOutcome<R>>(
    function: &'static Single,
    hooks: AddHooks<P, R, O>,
    key: P,
    outcome: O,
    why: Why,
) -> Result<R, MissedBy<P, R, O>> {
    match (why, function.usual_memo()) {
        (Why::Miss, Some(memo)) => Err(Missed::new(memo, memo.hash(&key), key)),
        (Why::Unusual, Some(memo)) if !directive::pending() => {
            enter_in_full(memo, memo.hash(&key), key, outcome)
        }
        // somebody else has a scope
        (Why::Unusual, Some(memo))
            if const { size_of::<O::Stored>() <= LARGE } && !directive::pending_here() =>
        {
            enter_memo(memo, key, outcome)
        }
        _ => enter_unusual(function, hooks, key, outcome),
    }
}

/// As [`enter_single`], for the first time, or where something may be asked of the call, or of large values.
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
