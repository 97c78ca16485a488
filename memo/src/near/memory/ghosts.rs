//! What has left the small queue without being let into the main one, and when.

use super::group::SHARD_BITS;

/// Sixteen bits of each hash and sixteen of the time. Who comes there later takes the place.
///
/// Time is counted in entries that came in.
#[derive(Default)]
pub(super) struct Ghosts {
    places: Box<[u32]>,
    /// Times are kept in units of two to this many.
    unit: u32,
    /// Those longer away than so many units are not known any more.
    longest: u32,
}

impl Ghosts {
    /// The place of a hash, and its bits where the time has none.
    #[inline]
    fn of(&self, hash: u64) -> (usize, u32) {
        // The lowest bits of a hash are its best; this brings all of them to the top.
        let mixed = (hash >> SHARD_BITS).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        (((mixed * self.places.len() as u64) >> 32) as usize, (mixed as u32) << 16 | 1 << 16)
    }

    fn unit_of(&self, now: u32) -> u32 {
        now >> self.unit & 0xffff
    }

    /// `live`: how many entries there are.
    #[inline]
    pub(super) fn add(&mut self, hash: u64, now: u32, live: usize) {
        if self.places.len() <= live / 2 + live / 8 {
            self.grow(live);
        }
        let (at, ghost) = self.of(hash);
        self.places[at] = ghost | self.unit_of(now);
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, live: usize) {
        let places = (live * 13 / 16).max(4);
        self.unit = (places / 1024).max(1).ilog2().min(16);
        self.longest = u32::try_from((2 * live) >> self.unit).unwrap_or(u32::MAX).max(1);
        self.places = vec![0; places].into();
    }

    /// How long that has been away, if it is known.
    #[inline]
    pub(super) fn take(&mut self, hash: u64, now: u32) -> Option<u32> {
        let (at, ghost) = self.of(hash);
        let place = self.places.get_mut(at)?;
        if *place >> 16 != ghost >> 16 {
            return None;
        }
        let then = std::mem::take(place);
        let units = self.unit_of(now).wrapping_sub(then) & 0xffff;
        (units <= self.longest).then_some(units << self.unit)
    }

    /// Forgets all, if there is room for more than twice as many as there may be entries.
    #[cfg(feature = "config")]
    pub(super) fn fit(&mut self, most: usize) {
        if self.places.len() > most.saturating_mul(2) {
            *self = Ghosts::default();
        }
    }
}
