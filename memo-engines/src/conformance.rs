//! The conformance suite: checks that every engine must pass, ours and yours (feature `conformance`).
//!
//! ```no_run
//! # use memo_engines::{Engine, conformance};
//! # fn open_engine() -> Box<dyn Engine> { unimplemented!() }
//! #[test]
//! fn it_conforms() {
//!     conformance::all(open_engine);
//! }
//! ```
//!
//! The four required methods are always checked. The engine's [`Capability`](crate::Capability) decides
//! what else is. Each check uses random spaces of its own, so the engine may hold other entries, and a
//! server need not be emptied.

mod capability;
mod entries;
mod invalidation;
mod leases;
mod sharing;
mod support;

use std::future::Future;

use self::support::Open;
use crate::block_on::block_on;
use crate::engine::Engine;

/// A check: what it demands of an engine, and the function that checks it.
type Check = (&'static str, fn(Open<'_>));

const CHECKS: &[Check] = &[
    ("a key that was never put is not there", entries::never_put),
    ("what was put is got, whole, of any size", entries::put_and_got),
    ("the last put wins", entries::last_put_wins),
    ("keys that differ in one bit are two keys", entries::one_bit),
    ("what was removed is gone", invalidation::removed),
    ("a removal is not undone by a put that came before it", invalidation::removal_after_put),
    ("clear drops its space and nothing else", invalidation::cleared),
    ("an entry is not given out when its time is over", entries::expired),
    ("batches do what their parts would", entries::batches),
    ("what is too large is refused, and what was there is not mixed up", entries::too_large),
    ("threads never see half an entry or another's", sharing::threads),
    ("its futures are ready at once if it blocks", capability::ready_at_once),
    ("what it cannot do it says", capability::unsupported),
    ("keys lists each key once", capability::lists),
    ("a result computed before an invalidation is not stored after it", invalidation::witnesses),
    ("a lease has one holder", leases::leases),
    ("another who opens the store sees what was flushed", sharing::seen_by_others),
    ("what another changes is told", sharing::changes_are_told),
];

/// Runs every check on engines that `open` opens. Each call of `open` opens the same store again, if the
/// engine outlives itself. The engine before may still be open then, if its capability reaches beyond this
/// process or watches.
///
/// # Panics
/// At the first check that fails, with its name.
pub fn all<E: Engine>(open: impl Fn() -> E) {
    let open = || -> Box<dyn Engine> { Box::new(open()) };
    for (name, check) in CHECKS {
        eprintln!("conformance: {name}");
        check(&open);
    }
}

/// Polls a future on this thread until it is ready, without a runtime.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    block_on(future)
}
