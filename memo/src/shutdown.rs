//! The end of a program that says when it ends.

use std::fmt;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::far;
use crate::renewals;

/// What [`shutdown`] has not finished.
#[derive(Debug)]
#[non_exhaustive]
pub struct Shutdown {
    /// Renewals that were under way and have not ended in time.
    pub renewals: usize,
    /// Renewals that had not begun. The old results stay.
    pub not_begun: usize,
    /// Whether the engines that outlive the process have written what they were handed: an error if one has not, or not in time.
    pub written: Result<(), Error>,
    /// Leases that may still be held, so that other processes wait for them for some seconds.
    pub leases: usize,
}

impl Shutdown {
    /// Whether nothing is left to do but renewals that had not begun.
    pub fn is_complete(&self) -> bool {
        self.renewals == 0 && self.leases == 0 && self.written.is_ok()
    }
}

impl fmt::Display for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_complete() {
            return f.write_str("all is finished");
        }
        let mut left = Vec::new();
        if self.renewals > 0 {
            left.push(format!("{} renewals are under way", self.renewals));
        }
        if let Err(error) = &self.written {
            left.push(error.to_string());
        }
        if self.leases > 0 {
            left.push(format!("{} leases may be held", self.leases));
        }
        f.write_str(&left.join("; "))
    }
}

/// Ends what goes on behind the calls, in at most this time: renewals begin no more, and those under way end; engines that outlive
/// the process write what they were handed; leases are given back. To be called before the program ends, as on a signal: the end of
/// a process by itself waits for engines, on Unix, and for nothing else.
///
/// It blocks its thread. Memoized functions may be called meanwhile and afterwards; what they find stale they serve, and
/// renew no more.
///
/// ```
/// # use std::time::Duration;
/// let done = memo::shutdown(Duration::from_secs(5));
/// assert!(done.is_complete(), "{done}");
/// ```
pub fn shutdown(within: Duration) -> Shutdown {
    let begun = Instant::now();
    let until = begun.checked_add(within).unwrap_or_else(|| begun + Duration::from_secs(1 << 31));
    let (renewals, not_begun) = renewals::stop(until);
    let written = far::flush_until(until);
    let leases = far::give_all_back(until);
    Shutdown { renewals, not_begun, written, leases }
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn what_is_left_is_said() {
        let done = Shutdown { renewals: 0, not_begun: 3, written: Ok(()), leases: 0 };
        assert_eq!((done.is_complete(), done.to_string().as_str()), (true, "all is finished"));
        let error = Error::new(ErrorKind::Engine, "engine \"disk\" is slow");
        let said = error.to_string();
        let left = Shutdown { renewals: 2, not_begun: 0, written: Err(error), leases: 1 };
        assert!(!left.is_complete());
        assert_eq!(left.to_string(), format!("2 renewals are under way; {said}; 1 leases may be held"));
    }
}
