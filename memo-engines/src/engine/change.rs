//! What an engine tells those who watch it.

use std::sync::Weak;

use super::key::{Key, Space};

/// What another's hand has changed in an engine: see [`Engine::watch`](crate::Engine::watch).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Change {
    /// This entry was put or removed.
    Entry(Key),
    /// This space was cleared.
    Space(Space),
    /// Anything may have been changed: for a while nothing was heard.
    Unknown,
}

/// Told of changes, on a thread of the engine's that has nothing else to do, for as long as it lives: whoever wants to
/// be told keeps the [`Arc`](std::sync::Arc).
pub type Watcher = Weak<dyn Fn(Change) + Send + Sync>;
