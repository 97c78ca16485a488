//! Every memoized function that has run, for people: by name, and as a table.

use std::fmt;

use crate::error::Error;
use crate::memoized::{Memoized, clear};
use crate::park::block_on;
use crate::plan::Plan;
use crate::registry::all;
use crate::report::Report;
use crate::stats::Stats;

/// A memoized function that has run: what can be asked of it without the types of its arguments.
///
/// All instantiations of a generic function go by one name, and are one of these. So are functions of the same name
/// inside different functions of one module.
///
/// ```
/// #[memo::memoize(name = "squares")]
/// fn square(n: u64) -> u64 {
///     n * n
/// }
///
/// square(4);
/// let squares = memo::function("squares").expect("it has run");
/// assert_eq!((squares.instantiations(), squares.stats().entries), (1, 1));
/// squares.clear()?;
/// assert_eq!(squares.stats().entries, 0);
/// # Ok::<(), memo::Error>(())
/// ```
#[derive(Clone)]
pub struct FunctionHandle {
    name: String,
    memos: Vec<&'static dyn Memoized>,
}

impl FunctionHandle {
    /// Its name: crate, module path, type if it is a method, and function; or what the option `name` says.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many instantiations of it, by type parameters, have been called.
    pub fn instantiations(&self) -> usize {
        self.memos.len()
    }

    /// What it has counted, over all instantiations.
    pub fn stats(&self) -> Stats {
        let mut stats = Stats::default();
        self.memos.iter().for_each(|memo| stats.add(&memo.stats()));
        stats
    }

    /// Drops all its entries. What is being computed now is not stored.
    ///
    /// # Errors
    ///
    /// If one of its engines that outlive the process did not do it. What is in memory is dropped in any case.
    pub fn clear(&self) -> Result<(), Error> {
        block_on(clear(self.memos.iter().copied()))
    }

    /// Where its results live, and why: of the instantiation that was called first.
    pub fn plan(&self) -> Plan {
        self.memos[0].plan()
    }
}

impl fmt::Debug for FunctionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FunctionHandle")
            .field("name", &self.name)
            .field("instantiations", &self.memos.len())
            .finish_non_exhaustive()
    }
}

/// Every memoized function that has run, ordered by name.
///
/// ```
/// #[memo::memoize]
/// fn square(n: u64) -> u64 {
///     n * n
/// }
///
/// square(4);
/// let functions = memo::functions();
/// let square = functions.iter().find(|function| function.name().ends_with("square")).unwrap();
/// assert_eq!(square.stats().computes, 1);
/// ```
pub fn functions() -> Vec<FunctionHandle> {
    let mut memos = all();
    memos.sort_by(|a, b| a.name().cmp(b.name()));
    memos
        .chunk_by(|a, b| a.name() == b.name())
        .map(|same| FunctionHandle { name: same[0].name().to_owned(), memos: same.to_vec() })
        .collect()
}

/// The memoized function called `name`, if it has run: see [`FunctionHandle::name`].
///
/// ```
/// assert!(memo::function("nobody::called::this").is_none());
/// ```
pub fn function(name: &str) -> Option<FunctionHandle> {
    let memos: Vec<_> = all().into_iter().filter(|memo| memo.name() == name).collect();
    (!memos.is_empty()).then(|| FunctionHandle { name: name.to_owned(), memos })
}

/// What every memoized function that has run has counted: a table to print.
///
/// ```
/// println!("{}", memo::report());
/// ```
pub fn report() -> Report {
    Report::new(functions().into_iter().map(|function| (function.name.clone(), function.stats())).collect())
}
