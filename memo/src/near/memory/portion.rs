//! How much of a shard is the small queue's: it follows what would have been found in a larger one.

/// At least this much of all is the small queue's ...
const LEAST: f64 = 0.01;
/// ... and at most this much.
const MOST: f64 = 0.99;
/// What an entry found used in the main queue says against a larger small queue, next to what a key says for it that one
/// would have held.
const AGAINST: f64 = 0.6;

/// A part of the whole, which is the limit of what all entries count.
pub(super) struct Portion {
    part: f64,
    /// That part of the limit, rounded down.
    aim: u64,
}

impl Portion {
    pub(super) fn new(limit: u64) -> Self {
        let mut new = Portion { part: 2.0 * LEAST, aim: 0 };
        new.fit(limit);
        new
    }

    /// Keeps the part, of another limit.
    pub(super) fn fit(&mut self, limit: u64) {
        self.aim = (self.part * limit as f64) as u64;
    }

    /// What the small queue is to count, if each entry counts so much: that of one at least.
    #[inline]
    pub(super) fn aim(&self, each: u64) -> u64 {
        self.aim.max(each)
    }

    /// How much one piece of evidence changes: two entries among `len`, and a thousandth.
    fn step(len: usize) -> f64 {
        2.0 / len.max(1) as f64 + 0.001
    }

    /// As many as there would be in the small queue.
    fn reach(&self, len: usize) -> f64 {
        (self.part * len as f64).max(2.0)
    }

    /// A key that has been away that long came back, among `len` entries.
    #[inline(never)]
    pub(super) fn returned(&mut self, away: u32, len: usize, limit: u64) {
        if f64::from(away) <= self.reach(len) {
            self.part = (self.part + Self::step(len)).min(MOST);
            self.fit(limit);
        }
    }

    /// An entry was found used that stood among `main` of `len`.
    #[inline(never)]
    pub(super) fn used(&mut self, main: usize, len: usize, limit: u64) {
        let less = AGAINST * Self::step(len) * self.reach(len) / main.max(1) as f64;
        self.part = (self.part - less).max(LEAST);
        self.fit(limit);
    }
}
