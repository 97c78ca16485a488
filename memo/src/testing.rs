//! For tests of programs that use this crate (feature `testing`).
//!
//! ```
//! use memo::memoize;
//! use memo::testing::{assert_computed, assert_hit, isolated};
//!
//! #[memoize(ttl = "1h")]
//! fn rate(currency: &str) -> usize {
//!     currency.len()
//! }
//!
//! let _cache = isolated(); // empty, and this test's own
//! assert_computed!(rate("EUR"));
//! assert_hit!(rate("EUR"));
//!
//! memo::testing::clock().advance("2h");
//! assert_computed!(rate("EUR"));
//! ```

mod answered;
mod clock;

#[cfg(feature = "engines")]
pub use memo_engines::testing::{Double, Mood};

#[doc(hidden)]
pub use answered::__expect;
pub use clock::{Clock, clock};

use crate::scope::{Scope, ScopeGuard, scope};
pub use crate::{assert_computed, assert_hit};

/// An empty cache of its own for this thread, until the guard is dropped: see [`isolated`](crate::Scope::isolated). What
/// is called under it is [recorded](crate::Scope::record).
///
/// In an async test, hand what is tested to [`isolation`], which also follows it over threads.
///
/// ```
/// #[memo::memoize]
/// fn square(n: u64) -> u64 {
///     n * n
/// }
///
/// let cache = memo::testing::isolated();
/// square(3);
/// square(3);
/// assert_eq!(cache.recording().computes("*::square"), 1);
/// ```
pub fn isolated() -> ScopeGuard {
    isolation().enter()
}

/// The scope that [`isolated`] enters, to [run](Scope::run) a future in it.
///
/// ```
/// #[memo::memoize]
/// async fn square(n: u64) -> u64 {
///     n * n
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// memo::testing::isolation().run(async {
///     memo::testing::assert_computed!(square(3).await);
///     memo::testing::assert_hit!(square(3).await);
/// }).await;
/// # }
/// ```
pub fn isolation() -> Scope {
    scope().isolated().record()
}

/// Registers an engine under `name` that keeps entries in memory, and fails, delays or corrupts on order.
///
/// A guard stands around it as around any engine: once it has failed, its circuit opens, and calls do without it for a
/// while ([`Engines::stats`](crate::Engines::stats) shows it).
///
/// ```
/// use memo::testing::{Mood, assert_computed, assert_hit};
///
/// #[memo::memoize(engine = "far", fallback = "none")]
/// fn square(n: u64) -> u64 {
///     n * n
/// }
///
/// let far = memo::testing::engine("far");
/// square(3);
/// assert_eq!(far.len(), 1);
/// assert_hit!(square(3));
/// far.set(Mood::Corrupting);
/// assert_computed!(square(3)); // a damaged entry is a miss
/// ```
#[cfg(feature = "engines")]
pub fn engine(name: &str) -> Double {
    let double = Double::new(name);
    crate::engines::engines().register(name, double.clone());
    double
}

/// Asserts that a call of a memoized function computes, and is the result of the call.
///
/// What counts is the memoized function whose call ends last in the expression: the outermost one, which others may be
/// called by. If it was answered otherwise, the message says how, and by what.
///
/// ```
/// #[memo::memoize]
/// fn square(n: u64) -> u64 {
///     n * n
/// }
///
/// let _cache = memo::testing::isolated();
/// assert_eq!(memo::testing::assert_computed!(square(3)), 9);
/// ```
#[macro_export]
#[doc(hidden)]
macro_rules! assert_computed {
    ($call:expr $(,)?) => {
        $crate::__answered!($call, $crate::Answer::Computed)
    };
}

/// Asserts that a call of a memoized function is answered from a store, and is the result of the call. As
/// [`assert_computed!`] otherwise.
///
/// ```
/// #[memo::memoize]
/// fn square(n: u64) -> u64 {
///     n * n
/// }
///
/// square(3);
/// assert_eq!(memo::testing::assert_hit!(square(3)), 9);
/// ```
#[macro_export]
#[doc(hidden)]
macro_rules! assert_hit {
    ($call:expr $(,)?) => {
        $crate::__answered!($call, $crate::Answer::Hit)
    };
}

/// What both assertions are.
#[macro_export]
#[doc(hidden)]
macro_rules! __answered {
    ($call:expr, $wanted:expr) => {{
        let recording = $crate::scope().record().enter();
        let result = $call;
        let calls = recording.recording().calls();
        ::core::mem::drop(recording);
        $crate::testing::__expect(::core::stringify!($call), &calls, $wanted);
        result
    }};
}
