//! What an engine reports to those who watch it.

use std::sync::Weak;

use super::key::{Key, Space};

/// A change that was made by somebody else: see [`Engine::watch`](crate::Engine::watch).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Change {
    /// This entry was put or removed.
    Entry(Key),
    /// This space was cleared.
    Space(Space),
    /// Anything may have changed: for a while, changes were not heard of.
    Unknown,
}

/// Is called with each change, on a thread of the engine's that does nothing else. The engine holds it
/// weakly: it is called for as long as its owner keeps the [`Arc`](std::sync::Arc).
pub type Watcher = Weak<dyn Fn(Change) + Send + Sync>;
