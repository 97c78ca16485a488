//! A memoized function as those see it who do not know its types: the registry, configuration, engines, scopes.

use std::any::TypeId;
use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;

use crate::error::Error;
use crate::plan::Plan;
#[cfg(feature = "config")]
use crate::settings::Settings;
use crate::stats::Stats;

/// One instantiation of a memoized function, whatever its types.
pub(crate) trait Memoized: Send + Sync {
    /// The name of the function.
    fn name(&self) -> &str;
    /// Which function it is an instantiation of.
    fn function(&self) -> FunctionId;
    /// What stands for the instantiation.
    fn marker(&self) -> TypeId;
    /// What it has counted.
    fn stats(&self) -> Stats;
    /// Drops its entries near. What is to be cleared in engines is left to the caller.
    fn clear(&'static self) -> Vec<Clearing>;
    /// Where its results live, and why.
    fn plan(&self) -> Plan;
    /// The instantiation, as a reload sees it.
    #[cfg(feature = "config")]
    fn configured(&'static self) -> &'static dyn Configured;
    /// Leaves the engines that outlive the process, if something else has its name there.
    #[cfg(feature = "engines")]
    fn tell_apart(&'static self);
}

/// Tells functions apart: by the address of the `static` that each has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FunctionId(usize);

impl FunctionId {
    /// That of the function that has this `static`.
    pub(crate) fn of<T>(function: &'static T) -> Self {
        FunctionId(std::ptr::from_ref(function).addr())
    }
}

/// A memoized function as a reload of the configuration sees it.
#[cfg(feature = "config")]
pub(crate) trait Configured {
    /// The name of the function.
    fn name(&self) -> &str;
    /// What its author has set, which the configuration goes over.
    fn author(&self) -> &Settings;
    /// What it goes by.
    fn settings(&self) -> &Settings;
    /// Whether it could go by these settings, with the store that it has.
    fn is_possible(&self, settings: &Settings) -> bool;
    /// Whether its results are kept in memory.
    fn uses_memory(&self) -> bool;
    /// Goes by these settings from now on.
    fn go_by(&'static self, settings: Settings);
    /// Holds its memory to the limits of these settings; whether it can.
    fn resize(&self, settings: &Settings) -> bool;
    /// Drops what is in memory, and what is being computed is not stored.
    fn empty(&self);
}

/// The rest of a clearing, in one engine: what is near is gone already.
pub(crate) struct Clearing {
    /// The engine, by its address, and the space to clear there: the same for all instantiations of a function.
    pub(crate) of: (usize, [u8; 16]),
    pub(crate) work: Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>,
}

impl Clearing {
    /// Keeps `lease` until the clearing is done.
    pub(crate) fn holding(self, lease: impl Send + 'static) -> Self {
        let Clearing { of, work } = self;
        let work = Box::pin(async move {
            let done = work.await;
            drop(lease);
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
