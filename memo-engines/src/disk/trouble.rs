//! The failure of the last transaction. While it is recent, puts are refused without a try.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::lock::lock;

/// How long after a failure puts are refused without a try.
const REFUSE: Duration = Duration::from_millis(500);

/// The failure of the last transaction, if it failed.
pub(super) struct Trouble {
    /// Whether `last` is `Some`. It is all that a put reads while writing works.
    is_there: AtomicBool,
    last: Mutex<Option<Last>>,
}

struct Last {
    /// Puts are refused until then.
    until: Instant,
    error: Error,
}

/// How a put is made.
pub(super) enum Admission {
    Free,
    /// It tries whether writing works again, and waits for the answer.
    Probe,
}

impl Trouble {
    /// Begins with an error, if one is known already. The first put tries, and reports why nothing can be
    /// written.
    pub(super) fn new(error: Option<&Error>) -> Self {
        let last = error.map(|error| Last::new(error, Instant::now()));
        Self { is_there: AtomicBool::new(last.is_some()), last: Mutex::new(last) }
    }

    /// Admits a put, or refuses it. When the time is over in which all are refused, one put tries, and the
    /// others are refused meanwhile.
    pub(super) fn admit(&self) -> Result<Admission, Error> {
        if !self.is_there.load(Ordering::Acquire) {
            return Ok(Admission::Free);
        }
        match &mut *self.lock() {
            Some(last) if Instant::now() < last.until => Err(last.error.copied()),
            Some(last) => {
                last.until = Instant::now() + REFUSE;
                Ok(Admission::Probe)
            }
            None => Ok(Admission::Free),
        }
    }

    /// Fails if the last transaction failed, however long ago.
    pub(super) fn check(&self) -> Result<(), Error> {
        self.lock().as_ref().map_or(Ok(()), |last| Err(last.error.copied()))
    }

    /// Notes the result of a transaction.
    pub(super) fn note(&self, error: Option<&Error>) {
        let mut last = self.lock();
        *last = error.map(|error| Last::new(error, Instant::now() + REFUSE));
        self.is_there.store(last.is_some(), Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Last>> {
        lock(&self.last)
    }
}

impl Last {
    fn new(error: &Error, until: Instant) -> Self {
        Self { until, error: error.copied().retry(false) }
    }
}
