//! What was called under a scope, as data.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::pattern::Pattern;

/// A recording keeps the last calls, at most so many.
const MOST_CALLS: usize = 10_000;

/// The calls made under a scope that [records](crate::Scope::record): a handle, which stays when the scope is over.
///
/// ```
/// #[memo::memoize]
/// fn square(n: u64) -> u64 {
///     n * n
/// }
///
/// let guard = memo::scope().isolated().record().enter();
/// assert_eq!(square(3) + square(3), 18);
/// let recording = guard.recording();
/// assert_eq!((recording.computes("*::square"), recording.hits("*::square")), (1, 1));
/// assert_eq!(recording.calls()[1].answer, memo::Answer::Hit);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Recording(Arc<Mutex<Recorded>>);

#[derive(Debug, Default)]
struct Recorded {
    calls: VecDeque<RecordedCall>,
    left_off: u64,
    counts: BTreeMap<&'static str, [u64; ANSWERS]>,
}

/// One call that was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedCall {
    /// The name of the function: see [`FunctionHandle::name`](crate::FunctionHandle::name).
    pub function: &'static str,
    /// How it was answered.
    pub answer: Answer,
    /// Of a hit, the engine that had it; also that of a result which answered in place of a failure.
    pub engine: Option<&'static str>,
    /// Whether its result was not fresh any more. A computation, or a wait, with such a result failed: the last good one answered
    /// in place of the failure.
    pub stale: bool,
    /// How long it took, from its key to its result.
    pub time: Duration,
}

/// How a call was answered. What answered a call whose body panicked, in place of the panic, is a hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Answer {
    /// From a store.
    Hit,
    /// By its own computation.
    Computed,
    /// By another call's computation, for which it waited.
    Waited,
    /// Not at all: its computation panicked, or its future was dropped.
    Unfinished,
}

const ANSWERS: usize = 4;

impl Recording {
    fn lock(&self) -> MutexGuard<'_, Recorded> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, call: RecordedCall) {
        let mut recorded = self.lock();
        recorded.counts.entry(call.function).or_default()[call.answer as usize] += 1;
        if recorded.calls.len() == MOST_CALLS {
            recorded.calls.pop_front();
            recorded.left_off += 1;
        }
        recorded.calls.push_back(call);
    }

    /// The calls, in the order in which they ended; the last 10,000 of them.
    pub fn calls(&self) -> Vec<RecordedCall> {
        self.lock().calls.iter().cloned().collect()
    }

    /// How many earlier calls [`calls`](Recording::calls) leaves off. The counts below have them all.
    pub fn left_off(&self) -> u64 {
        self.lock().left_off
    }

    /// How many calls of functions whose name matches `pattern` were answered so. `*` stands for any run of characters,
    /// `::` included.
    pub fn count(&self, pattern: &str, answer: Answer) -> u64 {
        let pattern = Pattern::new(pattern);
        let recorded = self.lock();
        let matching = recorded.counts.iter().filter(|(function, _)| pattern.matches(function));
        matching.map(|(_, counts)| counts[answer as usize]).sum()
    }

    /// How many calls of functions whose name matches `pattern` were answered from a store.
    pub fn hits(&self, pattern: &str) -> u64 {
        self.count(pattern, Answer::Hit)
    }

    /// How many calls of functions whose name matches `pattern` ran the body to its end.
    pub fn computes(&self, pattern: &str) -> u64 {
        self.count(pattern, Answer::Computed)
    }

    /// How many calls of functions whose name matches `pattern` were answered by another call's computation.
    pub fn waits(&self, pattern: &str) -> u64 {
        self.count(pattern, Answer::Waited)
    }
}
