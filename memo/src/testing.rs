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

use std::cell::Cell;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[cfg(feature = "engines")]
pub use memo_engines::testing::{Double, Mood};

use crate::scope::{Answer, IntoLifetime, RecordedCall, Scope, ScopeGuard, scope};
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

/// The clock that lifetimes are measured by, of the whole process: for one test at a time. Whoever asks for it meanwhile
/// waits.
///
/// Tests whose results have lifetimes of hours are not bothered by others that move it, but such as count on
/// something still being there had better have the clock as well.
///
/// # Panics
///
/// If this thread has it already, which would wait for itself.
#[track_caller]
pub fn clock() -> Clock {
    static ONE: Mutex<()> = Mutex::new(());
    assert!(!HAS_CLOCK.get(), "memo: this test has the clock already: use what `clock()` gave it");
    // nothing is broken by a test that fails
    let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    HAS_CLOCK.set(true);
    Clock { moved_back: 0, _one: one }
}

thread_local! {
    /// This thread has the clock, which does not leave it.
    static HAS_CLOCK: Cell<bool> = const { Cell::new(false) };
}

/// The clock of the process in the hands of a test: see [`clock`].
///
/// All lifetimes of entries are measured by it: `ttl`, `tti`, `ttl_of` and the lifetimes of errors, in memory and in engines
/// of this process. So is the `patience` of calls that wait for a future that nobody polls. It is no clock for anything else:
/// time budgets, circuits, leases and servers have theirs.
pub struct Clock {
    /// How far the clock on the wall has been set back, in milliseconds.
    moved_back: i64,
    _one: MutexGuard<'static, ()>,
}

impl Clock {
    /// Time passes. It does not come back when this is dropped.
    ///
    /// # Panics
    ///
    /// If `by` is a text that is no duration.
    #[track_caller]
    pub fn advance(&self, by: impl IntoLifetime) {
        let by = by.into_lifetime();
        crate::clock::advance(by);
        move_wall_clock(millis(by));
    }

    /// The clock on the wall is set back, as people and time servers do, until this is dropped. Engines that outlive
    /// the process tell time by it; memory does not.
    ///
    /// # Panics
    ///
    /// If `by` is a text that is no duration.
    #[track_caller]
    pub fn set_back(&mut self, by: impl IntoLifetime) {
        let by = millis(by.into_lifetime());
        self.moved_back = self.moved_back.saturating_add(by);
        move_wall_clock(-by);
    }
}

fn millis(length: Duration) -> i64 {
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(feature = "engines")]
fn move_wall_clock(millis: i64) {
    memo_engines::testing::move_clock(millis);
}

/// Nothing tells time by it.
#[cfg(not(feature = "engines"))]
fn move_wall_clock(_: i64) {}

impl Drop for Clock {
    fn drop(&mut self) {
        move_wall_clock(self.moved_back);
        // where it is gone, the thread is at its end and asks for none again
        let _ = HAS_CLOCK.try_with(|has| has.set(false));
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").finish_non_exhaustive()
    }
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

/// Panics unless the last of `calls` was answered as `wanted`.
#[doc(hidden)]
#[track_caller]
pub fn __expect(text: &str, calls: &[RecordedCall], wanted: Answer) {
    let expected = match wanted {
        Answer::Hit => "a hit",
        _ => "computed",
    };
    let Some((last, inner)) = calls.split_last() else {
        panic!(
            "`{text}` should be {expected}, and calls no memoized function on this thread; \
             of an async function, `.await` the call in the assertion"
        );
    };
    if last.answer == wanted {
        return;
    }
    let mut message = format!("`{text}` should be {expected}: {}", Told(last));
    if !inner.is_empty() {
        message += "\nbefore that:";
        inner.iter().for_each(|call| message += &format!("\n  {}", Told(call)));
    }
    panic!("{message}");
}

/// A call in words.
struct Told<'a>(&'a RecordedCall);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RecordedCall { function, answer, engine, time } = self.0;
        match (answer, engine) {
            (Answer::Hit, Some(engine)) => write!(f, "{function} was a hit, from \"{engine}\"")?,
            (Answer::Hit, None) => write!(f, "{function} was a hit")?,
            (Answer::Computed, _) => write!(f, "{function} was computed")?,
            (Answer::Waited, _) => write!(f, "{function} waited for the computation of another call")?,
            (Answer::Unfinished, _) => write!(f, "{function} did not end")?,
        }
        write!(f, ", in {time:.1?}")
    }
}
