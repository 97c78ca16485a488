//! How an engine is guarded.

use std::time::Duration;

/// The options of a [`Guarded`](crate::Guarded) engine.
#[derive(Clone, Debug)]
pub struct GuardOptions {
    /// How long a call may take. Default 250 ms, which suits a disk; 20 ms suit a server near by.
    pub budget: Duration,
    /// How many calls in a row must fail before the circuit opens. Default 3. (An engine that reports
    /// [`Unavailable`](crate::ErrorKind::Unavailable) opens it at once.)
    pub failures: u32,
    /// How long the circuit stays open at first. Default 100 ms.
    pub backoff: Duration,
    /// How long the circuit stays open at most. Default 1 s: an engine that is back is used again within
    /// that time.
    pub max_backoff: Duration,
    /// How many helper threads may run at most, for engines that block. Default 4.
    pub helpers: usize,
    /// Whether calls that block are always made on helper threads. Then no call takes longer than its
    /// budget, not even one that is under way when the engine begins to hang. Each call costs some
    /// microseconds more, since two threads wake each other. Default `false`.
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
