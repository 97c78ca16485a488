//! What a store tells about itself.

/// What a store can say about itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct NearCounts {
    /// Entries now, those included that have expired and not been swept yet.
    pub entries: u64,
    /// Their weight, where the store is bound by weight; their number where it is not.
    pub weight: u64,
    /// Entries that made room for others, ever.
    pub evicted: u64,
    /// Entries dropped because their lifetime was over, ever.
    pub expired: u64,
    /// Keys that came back soon after they had been evicted, as far as that is known.
    pub recomputed: u64,
}
