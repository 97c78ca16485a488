//! The clock that entries expire by.

#[cfg(feature = "testing")]
use std::sync::atomic::{AtomicI64, Ordering};

#[cfg(feature = "redis")]
use std::time::Duration;

/// The time now, in milliseconds since 1970 UTC. [`Entry::expires`](crate::Entry::expires) is measured by
/// it. A clock that stands before 1970 reads 0.
///
/// With the feature `testing`, a test can move this clock for its process.
pub fn utc_now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let now = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    #[cfg(feature = "testing")]
    let now = now.saturating_add_signed(MOVED.load(Ordering::Relaxed));
    now
}

/// How far [`move_clock`] has moved the clock, in milliseconds.
#[cfg(feature = "testing")]
static MOVED: AtomicI64 = AtomicI64::new(0);

/// Moves the clock of this process ([`utc_now`]) forward by so many milliseconds, or back if the number is
/// negative.
#[cfg(feature = "testing")]
pub fn move_clock(millis: i64) {
    let _ =
        MOVED.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |moved| Some(moved.saturating_add(millis)));
}

/// A duration in whole milliseconds.
#[cfg(feature = "redis")]
pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
