//! What talks to the server.

use super::batcher::Batcher;
use super::link::Link;
use super::watch::Watch;

/// What talks to the server. A forked child makes its own: a connection is its parent's.
pub(super) struct Client {
    pub(super) link: Link,
    /// Where one server has all keys, look-ups go together.
    pub(super) batcher: Option<Batcher>,
    pub(super) watch: Watch,
}
