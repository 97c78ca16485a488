//! Without the feature `engines`: nothing outlives the process.

/// Nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lasting {}
