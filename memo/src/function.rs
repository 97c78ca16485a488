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
    /// One for each instantiation.
    pub(crate) records: Records,
    /// Whether its author has been warned of a future that was not polled.
    warned: AtomicBool,
}

/// A function that may have several instantiations, with the lists of signposts by which their code finds them. The list
/// is chosen by bits of the code's identity.
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

    /// Whether this is the first warning of a future that was not polled.
    pub(crate) fn is_first_warning(&self) -> bool {
        !self.warned.swap(true, Ordering::Relaxed)
    }

    /// Its identity.
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

    /// Drops the entries of all its instantiations, and waits for engines without blocking the thread.
    ///
    /// # Errors
    ///
    /// If an engine did not do it.
    pub async fn clear_async(&'static self) -> Result<(), Error> {
        memoized::clear(self.memos()).await
    }
}
