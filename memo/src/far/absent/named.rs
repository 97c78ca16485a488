//! The engines of this process, in a build without them.

/// Whether there is an engine of this name: there is none.
pub(crate) fn is_registered(_: &str) -> bool {
    false
}

/// The names of those that are registered: none.
pub(crate) fn names() -> Vec<String> {
    Vec::new()
}
