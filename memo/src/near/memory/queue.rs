//! A queue of entries, and since when they have been in it.

#![allow(unsafe_code)]

use super::entry::Entry;
use std::collections::VecDeque;
use std::sync::atomic::Ordering::Relaxed;

#[cfg(feature = "config")]
use crate::near::limits::Bound;

/// In a position: it is one in the queue that has this mark.
const MARK: u32 = 1 << 31;

/// Entries in the order they came in. What leaves from the middle leaves a hole.
///
/// # Safety
///
/// An entry is not freed before it has left the queue. The caller of [`push`](Self::push) sees to that.
pub(super) struct Queue {
    line: VecDeque<Option<Entry>>,
    /// How many have left at the front; positions are counted from the beginning of time, in 31 bits.
    gone: u32,
    holes: usize,
    /// What all of them count.
    pub counted: u64,
    mark: u32,
}

/// When positions of a queue were taken, in runs.
///
/// Made when they are needed: there may be thousands of stores that are never full.
#[derive(Default)]
pub(super) struct Stamps {
    /// When the first position of each run was taken.
    times: Option<Box<[u32; STAMPS]>>,
    /// A run is two to this many positions.
    run: u32,
}

/// So many stamps: twice as many as a full queue needs, as closing holes moves positions.
const STAMPS: usize = 32;

impl Stamps {
    /// Makes them anew, for a queue of so many: all came now.
    #[cold]
    #[inline(never)]
    pub(super) fn renew(&mut self, len: usize, now: u32) {
        self.run = (len / (STAMPS / 2)).max(1).ilog2() + 1;
        self.times = Some(Box::new([now; STAMPS]));
    }

    #[inline]
    fn at(&self, position: u32) -> usize {
        (position & !MARK) as usize >> self.run & (STAMPS - 1)
    }

    /// A position has been taken, in a queue of so many.
    #[inline]
    pub(super) fn taken(&mut self, position: u32, len: usize, now: u32) {
        if position.trailing_zeros() < self.run {
            return;
        }
        // A full run is no longer than half of what the stamps are for.
        let at = self.at(position);
        match &mut self.times {
            Some(times) if len >> self.run < STAMPS * 3 / 4 => times[at] = now,
            _ => self.renew(len, now),
        }
    }

    /// When a position was taken, or a little before.
    #[inline]
    pub(super) fn of(&self, position: u32) -> u32 {
        self.times.as_ref().map_or(0, |times| times[self.at(position)])
    }
}

impl Queue {
    /// One of the two queues of a shard.
    pub(super) fn new(marked: bool) -> Self {
        Queue { line: VecDeque::new(), gone: 0, holes: 0, counted: 0, mark: if marked { MARK } else { 0 } }
    }

    pub(super) fn len(&self) -> usize {
        self.line.len() - self.holes
    }

    /// Whether this is the queue of an entry in that position, and not the other one.
    pub(super) fn has(&self, position: u32) -> bool {
        position & MARK == self.mark
    }

    fn position(&self, at: usize) -> u32 {
        self.gone.wrapping_add(at as u32) & !MARK | self.mark
    }

    fn at(&self, position: u32) -> usize {
        (position.wrapping_sub(self.gone) & !MARK) as usize
    }

    /// Puts an entry at the end; the position that it has there. `most`: how many there will be, as far as that is known.
    ///
    /// # Safety
    ///
    /// The entry is not freed before it has left the queue.
    #[inline]
    pub(super) unsafe fn push(&mut self, entry: Entry, counts: u64, most: usize) -> u32 {
        if self.line.len() == self.line.capacity() {
            self.grow(most);
        }
        let position = self.position(self.line.len());
        // SAFETY: not freed, as the caller says.
        unsafe { entry.head() }.position.store(position, Relaxed);
        self.line.push_back(Some(entry));
        self.counted += counts;
        position
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, most: usize) {
        // Not beyond what is needed, as a vector would.
        let more = self.line.len().max(8);
        self.line.reserve_exact(more.min(most.saturating_sub(self.line.len())).max(more / 8 + 1));
    }

    /// The first, and its position.
    #[inline]
    pub(super) fn first(&mut self) -> Option<(Entry, u32)> {
        while let Some(first) = self.line.front() {
            if let &Some(entry) = first {
                return Some((entry, self.gone));
            }
            self.line.pop_front();
            self.gone = self.gone.wrapping_add(1);
            self.holes -= 1;
        }
        None
    }

    /// One that will be first soon.
    #[inline]
    pub(super) fn soon(&self, at: usize) -> Option<Entry> {
        self.line.get(at).copied().flatten()
    }

    /// Takes out the first; what it counts, the caller takes off.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<Entry> {
        while let Some(first) = self.line.pop_front() {
            self.gone = self.gone.wrapping_add(1);
            if first.is_some() {
                return first;
            }
            self.holes -= 1;
        }
        None
    }

    /// Takes out the last; what it counts, the caller takes off.
    pub(super) fn pop_last(&mut self) -> Option<Entry> {
        while let Some(last) = self.line.pop_back() {
            if last.is_some() {
                return last;
            }
            self.holes -= 1;
        }
        None
    }

    /// Puts an entry in the place of another, of which it counts so much less.
    pub(super) fn replace(&mut self, position: u32, entry: Entry, less: u64) {
        let at = self.at(position);
        self.line[at] = Some(entry);
        self.counted -= less;
    }

    pub(super) fn remove(&mut self, position: u32, counts: u64) {
        let at = self.at(position);
        self.line[at] = None;
        self.holes += 1;
        self.counted -= counts;
        if self.holes > 16 + self.len() / 4 {
            self.close();
        }
    }

    /// Closes the holes.
    #[cold]
    fn close(&mut self) {
        self.line.retain(Option::is_some);
        self.holes = 0;
        for (at, entry) in self.line.iter().enumerate() {
            if let Some(entry) = entry {
                // SAFETY: not freed as long as it is in the queue, as the caller of `push` has said.
                unsafe { entry.head() }.position.store(self.position(at), Relaxed);
            }
        }
    }

    pub(super) fn shrink_to_fit(&mut self) {
        self.line.shrink_to_fit();
    }
}

#[cfg(feature = "config")]
impl Queue {
    pub(super) fn count_anew(&mut self, bound: &Bound) {
        // SAFETY: not freed as long as it is in the queue, as the caller of `push` has said.
        self.counted = self.entries().map(|entry| bound.counts(unsafe { entry.head() }.weight)).sum();
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = Entry> {
        self.line.iter().flatten().copied()
    }
}
