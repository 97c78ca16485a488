//! What a call is handed to say which instantiation it calls, and how it finds the record by that.
//!
//! There are two ways. A function with one instantiation is a `static` ([`Single`](crate::single::Single)) with a signpost of its
//! own. Any other is known by a closure that gives its [`Site`]: the type of that closure tells the code of a call from all
//! other code.
//!
//! The fast path is compiled for each function, and asks its own type of callee. All that is behind it takes a `&dyn Callee`,
//! and is compiled once for all functions with the same types of keys and results.

use crate::hooks::Hooks;
use crate::key::OwnedPart;
use crate::memo::{Code, Memo};
use crate::outcome::Value;
use crate::site::Site;

/// What a call calls: an instantiation with keys `K`, values `V` and failures `F`.
pub(crate) trait Callee<K: OwnedPart, V: Value, F: Value> {
    /// The record, if this code has called for it before.
    fn signposted(&self) -> Option<&'static Memo<K, V, F>>
    where
        Self: Sized;

    /// The record, which is made if there is none. This code finds it by a signpost from then on.
    fn memo(&self, hooks: &dyn Fn() -> Hooks<K, V>) -> &'static Memo<K, V, F>;

    /// Its site.
    fn site(&self) -> Site;
}

/// A closure, which gives the same site each time. That goes for all closures of its type, and it has no captures.
impl<K: OwnedPart, V: Value, F: Value, S: Fn() -> Site> Callee<K, V, F> for S {
    #[inline(always)]
    fn signposted(&self) -> Option<&'static Memo<K, V, F>> {
        const { assert!(size_of::<S>() == 0) };
        Site::signposted(self)
    }

    fn memo(&self, hooks: &dyn Fn() -> Hooks<K, V>) -> &'static Memo<K, V, F> {
        self().memo_by(Code::of::<S>(), hooks)
    }

    fn site(&self) -> Site {
        self()
    }
}
