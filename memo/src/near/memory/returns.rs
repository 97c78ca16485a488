//! How many keys came back soon after they had been evicted, and whether those are many.

/// A shard with fewer entries is asked as if it had so many.
const FEW: usize = 64;

/// Counted for one shard.
#[derive(Default)]
pub(super) struct Returns {
    /// Ever.
    pub all: u64,
    /// Since then.
    lately: u32,
    /// The time when that began, in entries that came in.
    since: u32,
}

impl Returns {
    /// Keeps the count of all, and begins to count anew what came back lately.
    pub(super) fn begun_anew(&self) -> Self {
        Returns { all: self.all, ..Returns::default() }
    }

    /// One more by now, where there are `len` entries. Whether twice as many have come back since that was asked last, and were
    /// more than three in ten of all that came in.
    pub(super) fn one_more(&mut self, now: u32, len: usize) -> bool {
        self.all += 1;
        self.lately += 1;
        if (self.lately as usize) < 2 * len.max(FEW) {
            return false;
        }
        let many = u64::from(self.lately) * 10 > u64::from(now.wrapping_sub(self.since)) * 3;
        (self.lately, self.since) = (0, now);
        many
    }
}
