//! Every memoized function that has run, by name.

use std::any::TypeId;
use std::collections::HashSet;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::Error;
use crate::fork::{self, AtFork, Keep, Part};
use crate::function::Function;
use crate::park::block_on;
use crate::plan::Plan;
use crate::report::Report;
use crate::scope::InUse;
use crate::settings::Settings;
use crate::stats::Stats;

/// One instantiation of a memoized function, whatever its types.
pub(crate) trait Memoized: Send + Sync {
    fn name(&self) -> &str;
    fn function(&self) -> &'static Function;
    fn marker(&self) -> TypeId;
    fn stats(&self) -> Stats;
    fn clear(&'static self) -> Vec<Clearing>;
    fn plan(&self) -> Plan;
    /// What its author has set, and what it goes by.
    #[cfg(feature = "config")]
    fn settings(&self) -> (&Settings, &Settings);
    /// Goes by what is configured now; what has changed by that.
    #[cfg(feature = "config")]
    fn reconfigure(&'static self) -> Vec<crate::config::Change>;
    /// Leaves the engines that outlive the process, if something else has its name there.
    #[cfg(feature = "engines")]
    fn tell_apart(&'static self);
}

/// The rest of a clearing, in one engine: what is near is gone already.
pub(crate) struct Clearing {
    /// The engine, by its address, and the space to clear there: the same for all instantiations of a function.
    pub(crate) of: (usize, [u8; 16]),
    pub(crate) work: Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>,
}

impl Clearing {
    /// The same, which keeps its record `in_use` until it is done.
    pub(crate) fn holding(self, in_use: Option<InUse>) -> Self {
        let Clearing { of, work } = self;
        let work = Box::pin(async move {
            let done = work.await;
            drop(in_use);
            done
        });
        Clearing { of, work }
    }
}

/// Clears all of `memos`, and gives the first failure.
pub(crate) fn clear(
    memos: impl Iterator<Item = &'static dyn Memoized>,
) -> impl Future<Output = Result<(), Error>> + Send {
    let mut clearings: Vec<_> = memos.flat_map(Memoized::clear).collect();
    let mut seen = HashSet::new();
    clearings.retain(|clearing| seen.insert(clearing.of));
    async move {
        let mut done = Ok(());
        for clearing in clearings {
            done = done.and(clearing.work.await);
        }
        done
    }
}

static ALL: Mutex<Vec<&'static dyn Memoized>> = Mutex::new(Vec::new());

pub(crate) struct All(MutexGuard<'static, Vec<&'static dyn Memoized>>);

/// A forked child finds the list whole.
struct Locked;

impl AtFork for Locked {
    fn before(&'static self, keep: Keep<'_, 'static>) {
        keep(Box::new(lock()));
    }
}

impl All {
    pub(crate) fn push(&mut self, memo: &'static dyn Memoized) {
        fork::attend(Part::Registry, &Locked);
        self.0.push(memo);
    }
}

pub(crate) fn lock() -> All {
    All(ALL.lock().unwrap_or_else(PoisonError::into_inner))
}

pub(crate) fn all() -> Vec<&'static dyn Memoized> {
    lock().0.clone()
}

/// What a function is called: the name that its author gave, or its path.
pub(crate) fn name(module: &str, function: &str, settings: &Settings) -> String {
    match (settings.name, settings.owner) {
        (Some(name), _) => name.to_owned(),
        (None, Some(owner)) => format!("{}::{function}", without_parameters(owner)),
        (None, None) => format!("{module}::{function}"),
    }
}

/// The path of a type without its type parameters: all instantiations have one name.
fn without_parameters(path: &str) -> String {
    let mut depth = 0_usize;
    path.chars()
        .filter(|&c| {
            depth += usize::from(c == '<');
            let outside = depth == 0;
            depth = depth.saturating_sub(usize::from(c == '>'));
            outside
        })
        .collect()
}

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

/// What all have counted together.
#[cfg(feature = "engines")]
pub(crate) fn stats() -> Stats {
    let mut stats = Stats::default();
    all().into_iter().for_each(|memo| stats.add(&memo.stats()));
    stats
}

/// What every memoized function that has run has counted: a table to print.
///
/// ```
/// println!("{}", memo::report());
/// ```
pub fn report() -> Report {
    Report::new(functions().into_iter().map(|function| (function.name.clone(), function.stats())).collect())
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use super::without_parameters;

    #[test]
    fn type_parameters_are_no_part_of_a_name() {
        assert_eq!(without_parameters("app::Shop<alloc::vec::Vec<u8>, 3>"), "app::Shop");
        assert_eq!(without_parameters("app::Shop"), "app::Shop");
    }
}
