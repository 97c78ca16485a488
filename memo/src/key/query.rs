//! A borrowed key as stores compare it with the keys that they have.

use super::Part;
use crate::near::Lookup;

/// Looks a store up by a borrowed key.
pub(crate) struct Query<P>(pub(crate) P);

impl<P: Part> Lookup<P::Owned> for Query<P> {
    const IS_CHEAP: bool = P::IS_CHEAP;

    #[inline(always)]
    fn matches(&self, key: &P::Owned) -> bool {
        self.0.matches(key)
    }
}
