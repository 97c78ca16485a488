//! A memoized function as it was written: what all its instantiations have in common.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::Error;
use crate::memoized::{self, FunctionId, Memoized};
use crate::park::block_on;
use crate::record::Records;
use crate::registry;
use crate::signpost::{LISTS, Signpost};
use crate::stats::Stats;

/// A memoized function as it was written: what all its instantiations have in common.
#[derive(Debug)]
pub struct Function {
    pub(crate) module: &'static str,
    pub(crate) name: &'static str,
    /// Of its instantiations.
    pub(crate) records: Records,
    /// Whether it has been said that a future of it was left alone for too long.
    warned: AtomicBool,
}

/// A function that may have several instantiations, and where their code finds them: lists, by bits of what tells the code
/// apart.
#[derive(Debug)]
pub struct Family {
    pub(crate) function: Function,
    pub(crate) signposts: [Signpost; LISTS],
}

impl Family {
    /// The function `name` of the module `module`.
    pub const fn new(module: &'static str, name: &'static str) -> Self {
        let signposts = [const { Signpost::new() }; LISTS];
        Family { function: Function::new(module, name), signposts }
    }
}

impl std::ops::Deref for Family {
    type Target = Function;

    #[inline(always)]
    fn deref(&self) -> &Function {
        &self.function
    }
}

impl Function {
    /// The function `name` of the module `module`.
    pub(crate) const fn new(module: &'static str, name: &'static str) -> Self {
        Function { module, name, records: Records::new(), warned: AtomicBool::new(false) }
    }

    /// Whether nobody has been warned before that a future of it was left alone for too long.
    pub(crate) fn is_first_warning(&self) -> bool {
        !self.warned.swap(true, Ordering::Relaxed)
    }

    /// What it is told apart by.
    pub(crate) fn id(&'static self) -> FunctionId {
        FunctionId::of(self)
    }

    /// Its instantiations that have been called.
    pub(crate) fn memos(&'static self) -> impl Iterator<Item = &'static dyn Memoized> {
        registry::all().into_iter().filter(|memo| memo.function() == self.id())
    }

    /// What all its instantiations have counted.
    pub fn stats(&'static self) -> Stats {
        let mut stats = Stats::default();
        self.memos().for_each(|memo| stats.add(&memo.stats()));
        stats
    }

    /// Drops the entries of all its instantiations.
    ///
    /// # Errors
    ///
    /// If an engine did not do it.
    pub fn clear(&'static self) -> Result<(), Error> {
        block_on(memoized::clear(self.memos()))
    }

    /// The same, without blocking the thread.
    ///
    /// # Errors
    ///
    /// If an engine did not do it.
    pub async fn clear_async(&'static self) -> Result<(), Error> {
        memoized::clear(self.memos()).await
    }
}
