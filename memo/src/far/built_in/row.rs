//! What a built-in engine hands over: its row.

use std::sync::Arc;

use memo_engines::{Capability, Engine, Error, GuardOptions};

use crate::config::EngineSettings;

/// The row of a built-in engine.
pub(super) struct BuiltIn {
    /// Its name, as `memo-text` has it.
    pub(super) name: &'static str,
    /// Takes what is configured for it. What is left in the settings after that sets nothing.
    pub(super) prepare: fn(&mut EngineSettings) -> Prepared,
}

/// An engine that can be opened.
pub(super) struct Prepared {
    /// What it can do, also before it is opened.
    pub(super) capability: Capability,
    /// The options of its guard where nothing is configured.
    pub(super) guard: GuardOptions,
    /// Opens it. If that fails, it is called again later.
    pub(super) open: Open,
}

/// Opens an engine.
pub(super) type Open = Box<dyn Fn() -> Result<Arc<dyn Engine>, Error> + Send + Sync>;
