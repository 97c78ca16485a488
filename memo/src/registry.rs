//! All instantiations of memoized functions that have run.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::fork::{self, Locked, Part};
use crate::memoized::Memoized;

static ALL: Mutex<Vec<&'static dyn Memoized>> = Mutex::new(Vec::new());

pub(crate) struct All(MutexGuard<'static, Vec<&'static dyn Memoized>>);

impl All {
    pub(crate) fn push(&mut self, memo: &'static dyn Memoized) {
        fork::attend(Part::Registry, &Locked(lock));
        self.0.push(memo);
    }
}

pub(crate) fn lock() -> All {
    All(ALL.lock().unwrap_or_else(PoisonError::into_inner))
}

pub(crate) fn all() -> Vec<&'static dyn Memoized> {
    lock().0.clone()
}

/// What all have counted together.
#[cfg(feature = "engines")]
pub(crate) fn stats() -> crate::stats::Stats {
    let mut stats = crate::stats::Stats::default();
    all().into_iter().for_each(|memo| stats.add(&memo.stats()));
    stats
}
