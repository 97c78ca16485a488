//! What talks to the server.

use super::link::Link;
use super::reads::Reads;
use super::watch::Watch;

/// What talks to the server. A forked child makes its own: a connection is its parent's.
pub(super) struct Talk {
    pub(super) link: Link,
    /// Where one server has all keys, look-ups go together.
    pub(super) reads: Option<Reads>,
    pub(super) watch: Watch,
}
