//! A function with one instantiation: one that stands in a module or a block and has no type parameters.
//!
//! Its `static` tells all of it, so nothing in the runtime is compiled for each such function: what a call needs is compiled
//! once for all that have the same types of keys and results, and finds its record from the `static`.

use std::any::TypeId;

use crate::callee::Callee;
use crate::function::Function;
use crate::hooks::Hooks;
use crate::key::OwnedPart;
use crate::memo::{Code, Memo};
use crate::outcome::Value;
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
}

impl std::ops::Deref for Single {
    type Target = Function;

    #[inline(always)]
    fn deref(&self) -> &Function {
        &self.function
    }
}

impl<K: OwnedPart, V: Value, F: Value> Callee<K, V, F> for &'static Single {
    #[inline(always)]
    fn signposted(&self) -> Option<&'static Memo<K, V, F>> {
        // The signpost is this function's, so that only the types of records tell the code that comes by apart.
        Code::of::<()>().signposted_from(&self.signpost)
    }

    fn memo(&self, hooks: &dyn Fn() -> Hooks<K, V>) -> &'static Memo<K, V, F> {
        if let Some(memo) = self.signposted() {
            return memo;
        }
        let memo = Single::site(self).memo(hooks);
        Code::of::<()>().put_up_from(&self.signpost, memo);
        memo
    }

    fn site(&self) -> Site {
        Single::site(self)
    }
}
