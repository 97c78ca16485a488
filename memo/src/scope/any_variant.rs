//! What the table of variants asks of a record, whatever the types of its function. The table is compiled once, in this
//! crate, and not once for each pair of types in the crates that use it.

use std::any::Any;

use crate::settings::Settings;
use crate::stats::Stats;

/// The record of an instantiation: its store, its flights, its engines.
pub(crate) trait AnyVariant: Any + Send + Sync {
    /// The settings that it goes by now.
    fn settings_now(&self) -> &Settings;

    /// The address of the settings and engines that it goes by now: another after a reload has replaced them.
    #[cfg(any(feature = "config", feature = "engines"))]
    fn version(&self) -> usize;

    /// A record of the same types for another cache of the function, with a store of its own that is swept.
    fn make_like(&self, settings: Settings) -> &'static dyn AnyVariant;

    /// Whether it can be used again for a cache with these settings.
    fn fits(&self, settings: &Settings) -> bool;

    /// From now on, in engines that outlive the process, its results are those of the namespace or isolation `within`.
    /// `None`: those of the function itself.
    fn use_space(&'static self, within: Option<Vec<u8>>);

    /// Drops what is in memory.
    fn empty(&self);

    /// Keeps what is being computed from being stored.
    #[cfg(any(feature = "config", feature = "engines"))]
    fn supersede_all(&self);

    /// Removes what is in engines that outlive the process, without waiting for it.
    fn abandon(&self);

    /// What its store and its engines have counted.
    fn own_stats(&self) -> Stats;
}
