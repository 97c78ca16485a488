//! How an engine is guarded.

use std::time::Duration;

/// What can be set about a [`Guarded`](crate::Guarded) engine.
#[derive(Clone, Debug)]
pub struct GuardOptions {
    /// How long a call may take. Default 250 ms, which suits a disk; for a server near by 20 ms do.
    pub budget: Duration,
    /// How many calls in a row must fail for the circuit to open. Default 3. (An engine that says that it is
    /// unavailable is believed at once.)
    pub failures: u32,
    /// How long the circuit stays open at first. Default 100 ms.
    pub backoff: Duration,
    /// How long it stays open at most. Default 1 s: an engine that is back is used again within that time.
    pub max_backoff: Duration,
    /// How many helper threads there are at most, for engines that block. Default 4.
    pub helpers: usize,
    /// Whether calls that block are always made on helper threads, so that no call ever takes longer than its budget,
    /// not even one that is inside as the engine begins to hang. Each call then costs some microseconds more, for two
    /// threads that wake each other. Default `false`.
    pub strict: bool,
}

impl Default for GuardOptions {
    fn default() -> Self {
        Self {
            budget: Duration::from_millis(250),
            failures: 3,
            backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(1),
            helpers: 4,
            strict: false,
        }
    }
}
