//! Where in an engine a function's results are, and what tells them from all others there.

use memo_engines::Space;

use super::digest::{digest, first};

/// What tells a function's results from all others in an engine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity<'a> {
    /// Crate, module path, enclosing functions, type and function; or the name its author gave.
    pub(crate) name: &'a str,
    /// The type parameters of the function and of the `impl` around it.
    pub(crate) parameters: &'a str,
    pub(crate) version: u64,
    /// A digest of the function's tokens; 0 where edits are not tracked.
    pub(crate) code: u64,
}

/// Where in an engine the function's results are.
pub(super) struct Home {
    pub(super) space: Space,
    /// The namespace or isolation; `None` for the function's own results.
    pub(super) within: Option<Vec<u8>>,
}

impl Home {
    pub(super) fn new(name: &str, within: Option<Vec<u8>>) -> Self {
        let parts = std::iter::once(name.as_bytes()).chain(within.as_deref());
        let space = digest("memo space 1", &parts.collect::<Vec<_>>());
        Home { space: Space(first(&space)), within }
    }
}
