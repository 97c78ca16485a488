//! A function with one instantiation: one that stands in a module or a block and has no type parameters.
//!
//! Its `static` tells all of it, so nothing in the runtime is compiled for each such function: what a call needs is compiled
//! once for all that have the same types of keys and results, and finds its record from the `static`.

use std::any::TypeId;

use crate::call::{
    AcquireBy, AddHooks, Look, RunningBy, begin_miss, enter_miss, hit, is_large, look_closely, look_first,
};
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
    fn signposted<K: OwnedPart, V: Value, F: Value>(&'static self) -> Option<&'static Memo<K, V, F>> {
        // the code that calls this is told apart from others by its types alone, since the signpost is this function's
        Code::of::<()>().signposted_from(&self.signpost)
    }

    /// Its record, made if it is not there yet.
    fn memo<K: OwnedPart, V: Value, F: Value>(
        &'static self,
        hooks: &dyn Fn() -> Hooks<K, V>,
    ) -> &'static Memo<K, V, F> {
        if let Some(memo) = self.signposted() {
            return memo;
        }
        let memo = self.site().memo(hooks);
        Code::of::<()>().put_up_from(&self.signpost, memo);
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

/// The first part of an asynchronous call of a function with one instantiation. Those with several go by
/// [`enter`](crate::call::enter).
///
/// # Errors
///
/// The part that comes next, where nothing was found.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn enter_single<P: SharedPart, R, O: SharedOutcome<R>>(
    function: &'static Single,
    hooks: AddHooks<P, R, O>,
    key: P,
    outcome: O,
) -> Result<R, AcquireBy<P, R, O>> {
    if const { !is_large::<O::Stored>() } {
        match look_first::<P, R, O>(function.signposted(), key) {
            Look::Hit(stored) => return Ok(outcome.hit(stored)),
            Look::Miss(memo, hash) => return Err(enter_miss(memo, hash, key, outcome)),
            Look::Slow => {}
        }
    }
    enter_slowly(function, hooks, key, outcome)
}

/// All that comes before the body in a synchronous call of a function with one instantiation. Those with several go by
/// [`begin`](crate::call::begin).
///
/// # Errors
///
/// The body is to run.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn begin_single<P: SharedPart, R, O: SharedOutcome<R>>(
    function: &'static Single,
    hooks: AddHooks<P, R, O>,
    key: P,
    outcome: O,
) -> Result<R, RunningBy<P, R, O>> {
    if const { !is_large::<O::Stored>() } {
        match look_first::<P, R, O>(function.signposted(), key) {
            Look::Hit(stored) => return Ok(outcome.hit(stored)),
            Look::Miss(memo, hash) => return begin_miss(memo, hash, key, outcome),
            Look::Slow => {}
        }
    }
    begin_slowly(function, hooks, key, outcome)
}

/// What [`begin_single`] does after a look that left the fast path.
#[cold]
#[inline(never)]
fn begin_slowly<P: SharedPart, R, O: SharedOutcome<R>>(
    function: &'static Single,
    hooks: AddHooks<P, R, O>,
    key: P,
    outcome: O,
) -> Result<R, RunningBy<P, R, O>> {
    let memo = function.memo(&|| hooks(Hooks::new()));
    let mut found = None;
    match look_closely::<P, R, O>(memo, &|| function.site(), key, &mut found) {
        Some(missed) => missed.begin(outcome),
        None => hit(&mut found, outcome),
    }
}

/// What [`enter_single`] does after a look that left the fast path.
#[cold]
#[inline(never)]
fn enter_slowly<P: SharedPart, R, O: SharedOutcome<R>>(
    function: &'static Single,
    hooks: AddHooks<P, R, O>,
    key: P,
    outcome: O,
) -> Result<R, AcquireBy<P, R, O>> {
    let memo = function.memo(&|| hooks(Hooks::new()));
    let mut found = None;
    match look_closely::<P, R, O>(memo, &|| function.site(), key, &mut found) {
        Some(missed) => Err(missed.acquire(outcome)),
        None => hit(&mut found, outcome),
    }
}
