//! What the path of a call carries for engines, in a build without them: nothing that can be made.

use std::convert::Infallible;

/// Never there.
pub(crate) struct Key(Infallible);

/// Never there.
pub(crate) struct FarKey {
    pub(crate) failed: bool,
    _never: Infallible,
}

impl FarKey {
    pub(crate) fn over(&self) -> Option<&Key> {
        match self._never {}
    }
    pub(crate) fn hold(&self) -> Hold {
        match self._never {}
    }
}

/// Never there.
#[derive(Clone, Copy)]
pub(crate) struct Hold(Infallible);

/// Never there.
pub(crate) struct FarValue(Infallible);

impl FarValue {
    pub(crate) fn len(&self) -> usize {
        match self.0 {}
    }
}
