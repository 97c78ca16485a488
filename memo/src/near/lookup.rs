//! What a lookup is made with, and what the fast path answers.

/// What a lookup is made with: a borrowed key that can be compared with an owned one.
///
/// Of two keys that match, both must have the same hash; the caller computes it, and a store compares
/// it first.
pub(crate) trait Lookup<K> {
    /// Comparing the keys costs as little as comparing their hashes.
    const IS_CHEAP: bool = false;

    /// Whether `key` is the one looked for.
    fn matches(&self, key: &K) -> bool;
}

impl<K, Q: Lookup<K>> Lookup<K> for &Q {
    const IS_CHEAP: bool = Q::IS_CHEAP;

    #[inline(always)]
    fn matches(&self, key: &K) -> bool {
        (**self).matches(key)
    }
}

/// Finds an owned key by another.
pub(crate) struct Same<'a, K>(pub(crate) &'a K);

impl<K: Eq> Lookup<K> for Same<'_, K> {
    #[inline]
    fn matches(&self, key: &K) -> bool {
        *self.0 == *key
    }
}

/// What the fast path of a lookup answers.
pub(crate) enum Fast<V> {
    /// A clone of the stored result.
    Hit(V),
    /// The store has no entry for the key.
    Miss,
    /// The slow path has to look.
    Slow,
}
