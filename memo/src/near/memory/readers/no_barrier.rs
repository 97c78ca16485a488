//! Stands in for the barrier where the system has none: every reader passes a fence of its own.

pub(super) fn ask() {}

pub(super) fn works() -> bool {
    false
}

pub(super) fn pass() -> bool {
    true
}
