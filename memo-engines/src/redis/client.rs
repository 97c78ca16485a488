//! The connection to a server, and what uses it.

use super::batcher::Batcher;
use super::link::Link;
use super::watch::Watch;

/// The connection to the server, and what uses it. A forked child makes its own, since a connection belongs
/// to its parent.
pub(super) struct Client {
    pub(super) link: Link,
    /// Batches look-ups, if one server has all keys.
    pub(super) batcher: Option<Batcher>,
    pub(super) watch: Watch,
}
