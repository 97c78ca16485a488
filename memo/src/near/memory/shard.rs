//! What is under the lock of a shard, and which of its entries leaves when it is full.
//!
//! # What leaves first
//!
//! Newcomers go through a small queue, which a scan thus does not leave; the rest is the main queue, whose entries go
//! round, one use less each time, until one of them is to leave that has not been used. Using an entry writes
//! nothing but its own count of uses, and that only up to three times.
//!
//! Time is counted in entries that came in. Who is to enter the main queue must have been away for less time than the
//! next one to leave there has been idle: a loop that is longer than the store does not wash itself out. That goes
//! for what was used in the small queue, and for what comes back after it has left that: its [ghost](super::ghosts) tells for
//! how long. How large the small queue is, [follows](super::portion) from what came back.
//!
//! Why so, and what came of it, is in decision 27.

#![allow(unsafe_code)]

use super::batch::Batch;
use super::entry::{Entry, USES};
use super::ghosts::Ghosts;
use super::kind::Kind;
use super::portion::Portion;
use super::queue::{Queue, Stamps};
use super::returns::Returns;
use super::share::Share;
use super::slabs::Slabs;
use std::sync::atomic::Ordering::Relaxed;

/// So many used entries of the main queue are passed for something that has been used as well ...
const PASSES: usize = 3;
/// ... for something that has not, one of [`TURN`] times; the others spare themselves a look into that queue ...
const PASSES_UNUSED: usize = 8;
const TURN: u32 = 8;
/// ... and where one has to leave there.
pub(super) const PASSES_AT_LEAST: usize = 8;

/// Who has been idle in the main queue for as long as it takes to fill the shard so many times over makes room for anybody.
const IDLE: u64 = 16;

/// What is under the lock of a shard.
pub(super) struct Shard {
    pub kind: &'static Kind,
    pub share: Share,
    pub len: usize,
    pub weight: u64,
    pub small: Queue,
    pub main: Queue,
    /// When the positions of the main queue were taken.
    pub stamps: Stamps,
    pub ghosts: Ghosts,
    pub portion: Portion,
    /// The time: how many came in.
    pub now: u32,
    /// Counters of the table that have got stuck since it was built.
    pub stuck: u32,
    pub retired: Batch,
    pub slabs: Slabs,
    pub evicted: u64,
    pub expired: u64,
    pub returns: Returns,
}

// SAFETY: what the addresses in it lead to is owned by the store, keys and values, as a map would own them; and those of any
// kind may be sent.
unsafe impl Send for Shard {}

impl Shard {
    pub(super) fn new(kind: &'static Kind, share: Share) -> Self {
        Shard {
            kind,
            share,
            len: 0,
            weight: 0,
            small: Queue::new(false),
            main: Queue::new(true),
            stamps: Stamps::default(),
            ghosts: Ghosts::default(),
            portion: Portion::new(share.limit),
            now: 0,
            stuck: 0,
            retired: Batch::default(),
            slabs: Slabs::new(kind, share.shape()),
            evicted: 0,
            expired: 0,
            returns: Returns::default(),
        }
    }
}

/// What room is made for.
pub(super) struct Newcomer {
    /// How long it was away, until that has been looked at.
    pub away: Option<u32>,
    pub counts: u64,
    /// Whether it goes to the main queue.
    pub to_main: bool,
    /// So many used entries of the main queue are passed where one has to leave there.
    pub passes: usize,
}

/// What leaves. All of these are for who holds the lock: see [`Locked`](super::locked::Locked).
impl Shard {
    /// What an entry counts in the mean.
    #[inline]
    fn each(&self) -> u64 {
        if !self.share.bound.weighs() {
            return 1;
        }
        ((self.small.counted + self.main.counted) / (self.len as u64).max(1)).max(1)
    }

    /// Takes an entry out of its queue that is to leave.
    #[inline]
    pub(super) fn evict(&mut self, new: &mut Newcomer) -> Option<Entry> {
        let each = self.each();
        let aim = self.portion.aim(each);
        let is_fast = new.away.is_none() && self.small.counted + each >= aim && self.main.len() > 0;
        if is_fast && let Some(entry) = self.small.pop() {
            // SAFETY: it is in the index.
            let head = unsafe { entry.head() };
            if head.word.load(Relaxed) & USES == 0 && !self.now.is_multiple_of(TURN) {
                self.small.counted -= self.share.bound.counts(head.weight);
                self.ghosts.add(head.hash, self.now, self.len);
                return Some(entry);
            }
            return self.judge(entry, aim, new.passes);
        }
        self.evict_slow(new, each)
    }

    /// The slow path of [`evict`](Self::evict): the newcomer may be let into the main queue, or the queues are not as they
    /// should be.
    #[inline(never)]
    fn evict_slow(&mut self, new: &mut Newcomer, each: u64) -> Option<Entry> {
        if self.main.len() == 0 && self.small.counted > self.portion.aim(each) {
            self.divide(each);
        }
        let aim = self.portion.aim(each);
        if let Some(away) = new.away.take()
            && self.main.len() > 0
        {
            // It has been in the small queue before it was away.
            let away = u64::from(away) + self.small.len() as u64;
            if self.small.counted > aim {
                new.to_main = true;
            } else if self.yields(PASSES, away, new.counts) {
                new.to_main = true;
                return self.pop_main();
            }
        }
        if self.main.len() > 0 && self.small.counted + each < aim {
            return self.evict_main(new.passes);
        }
        match self.small.pop() {
            Some(entry) => self.judge(entry, aim, new.passes),
            None => self.evict_main(new.passes),
        }
    }

    fn evict_main(&mut self, passes: usize) -> Option<Entry> {
        self.pass(passes);
        self.pop_main()
    }

    /// Whether one that has just been taken out of the small queue leaves, or another instead.
    #[inline(never)]
    fn judge(&mut self, first: Entry, aim: u64, passes: usize) -> Option<Entry> {
        // Readers could go on using what this sees for ever.
        let mut patience = self.small.len();
        let mut next = Some(first);
        while let Some(entry) = next {
            // SAFETY: it is in the index.
            let head = unsafe { entry.head() };
            let counts = self.share.bound.counts(head.weight);
            let is_over = self.small.counted > aim;
            self.small.counted -= counts;
            let word = head.word.load(Relaxed);
            let is_used = word & USES != 0;
            // A use that is counted just now may be lost: it makes little difference.
            let stays = is_used && patience > 0 && (is_over || self.main.len() == 0);
            let victim = if stays || self.main.len() == 0 {
                None
            } else if is_used {
                self.yields(PASSES, self.small.len() as u64 + 1, counts).then(|| self.pop_main()).flatten()
            } else {
                self.yields(PASSES_UNUSED, IDLE * self.len as u64, counts).then(|| self.pop_main()).flatten()
            };
            if !stays && victim.is_none() {
                self.ghosts.add(head.hash, self.now, self.len);
                return Some(entry);
            }
            if is_used {
                head.word.store(word & !USES, Relaxed);
            }
            if stays && !is_over {
                // SAFETY: it is in the index.
                unsafe { self.small.push(entry, counts, self.share.most()) };
            } else {
                self.push_main(entry, counts);
            }
            if victim.is_some() {
                return victim;
            }
            patience -= 1;
            next = self.small.pop();
        }
        self.evict_main(passes)
    }

    pub(super) fn push_main(&mut self, entry: Entry, counts: u64) {
        // SAFETY: it is in the index.
        let position = unsafe { self.main.push(entry, counts, self.share.most()) };
        self.stamps.taken(position, self.main.len(), self.now);
    }

    /// Has all entries but the newest be the main queue.
    #[cold]
    #[inline(never)]
    fn divide(&mut self, each: u64) {
        std::mem::swap(&mut self.small, &mut self.main);
        let aim = self.portion.aim(each);
        let mut newest = Vec::new();
        let mut counted = 0;
        while counted < aim
            && let Some(entry) = self.main.pop_last()
        {
            // SAFETY: it is in the index.
            let counts = self.share.bound.counts(unsafe { entry.head() }.weight);
            counted += counts;
            newest.push((entry, counts));
        }
        self.main.counted -= counted;
        self.stamps.renew(self.main.len(), self.now);
        for (entry, counts) in newest.into_iter().rev() {
            // SAFETY: it is in the index.
            unsafe { self.small.push(entry, counts, self.share.most()) };
        }
    }

    /// Passes used entries of the main queue, so many at most; the first that is not used, and for how long.
    fn pass(&mut self, most: usize) -> Option<(Entry, u32)> {
        for passed in 0.. {
            let (entry, position) = self.main.first()?;
            // SAFETY: it is in the index.
            let head = unsafe { entry.head() };
            let word = head.word.load(Relaxed);
            if word & USES == 0 {
                return Some((entry, self.now.wrapping_sub(self.stamps.of(position))));
            }
            if passed == most {
                return None;
            }
            self.main.pop();
            // A use that is counted just now may be lost, or this be: it makes little difference.
            head.word.store(word - 1, Relaxed);
            // What it counts has stayed with the queue.
            self.push_main(entry, 0);
            self.portion.used(self.main.len(), self.len, self.share.limit);
        }
        None
    }

    /// Whether the next of the main queue to leave has been idle for longer, for what it counts, than something that
    /// counts this much.
    fn yields(&mut self, passes: usize, idle: u64, counts: u64) -> bool {
        let Some((entry, own)) = self.pass(passes) else { return false };
        // SAFETY: it is in the index.
        let weight = unsafe { entry.head() }.weight;
        u64::from(own).saturating_mul(self.share.bound.counts(weight)) > idle.saturating_mul(counts)
    }

    fn pop_main(&mut self) -> Option<Entry> {
        let entry = self.main.pop()?;
        // SAFETY: it is in the index.
        self.main.counted -= self.share.bound.counts(unsafe { entry.head() }.weight);
        Some(entry)
    }
}
