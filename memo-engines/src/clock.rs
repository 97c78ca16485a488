//! The clock that entries expire by.

#[cfg(feature = "testing")]
use std::sync::atomic::{AtomicI64, Ordering};

#[cfg(feature = "redis")]
use std::time::Duration;

/// Now, in milliseconds since 1970 UTC: the clock of [`Entry::expires`](crate::Entry::expires). A clock before 1970 reads 0.
///
/// With the feature `testing`, tests can move it, for this process.
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

/// Moves the clock of this process that entries expire by ([`utc_now`]): forward by so many milliseconds, or back.
#[cfg(feature = "testing")]
pub fn move_clock(millis: i64) {
    let _ =
        MOVED.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |moved| Some(moved.saturating_add(millis)));
}

/// A time in milliseconds.
#[cfg(feature = "redis")]
pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
