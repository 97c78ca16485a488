//! Where flights under way are found by hash, and the references that are counted to them.
//!
//! Nearly always a flight comes and goes while no other is in its bucket: one exchange of a pointer each. What is more
//! than that is seen to under the bucket's lock: its word is marked [`CROWDED`], which makes the exchanges fail, and
//! stays so until there is none but one flight again.
//!
//! A flight is made with two references, one of the board and one of whoever leads it, and nearly always nobody else
//! ever has one: then these two end without being counted down.

#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::mem::{ManuallyDrop, forget};
use std::ops::Deref;
use std::ptr::NonNull;

use hashbrown::HashTable;

use crate::pool;
use crate::sync::atomic::{AtomicPtr, AtomicUsize, Ordering::*, fence};
use crate::sync::{Mutex, MutexGuard, lock};

/// What is found on a board.
pub(super) trait Hashed {
    /// Good in all bits, and always the same.
    fn hash(&self) -> u64;
}

struct Counted<T> {
    refs: AtomicUsize,
    /// Drops and frees all of it, for the last reference.
    free: unsafe fn(NonNull<Counted<T>>),
    value: T,
}

/// A value with what only those know who know of what type that is.
// `repr(C)`: the address of the whole is that of its first field.
#[repr(C)]
struct Tailed<T, U> {
    counted: Counted<T>,
    tail: U,
}

impl<T, U> Tailed<T, U> {
    /// # Safety
    ///
    /// It has come out of [`Ref::two`] with a tail of this type, and nobody uses it any more.
    unsafe fn free(counted: NonNull<Counted<T>>) {
        // SAFETY: it was placed as a value of just this type.
        unsafe { pool::drop_in(counted.cast::<Self>()) };
    }
}

/// A counted reference, as an `Arc` is, but made in twos; and with a tail, whose type it does not say.
pub(super) struct Ref<T> {
    /// Placed by [`blocks`], and freed with the last reference.
    counted: NonNull<Counted<T>>,
    owns: PhantomData<Counted<T>>,
}

// SAFETY: as for an `Arc`: it shares a `T`, and the last one drops it. For the tail see `two`.
unsafe impl<T: Send + Sync> Send for Ref<T> {}
// SAFETY: as with an `Arc`, it gives out shared references, and clones that other threads may drop.
unsafe impl<T: Send + Sync> Sync for Ref<T> {}

impl<T> Ref<T> {
    /// Two references to one value, which is made where it will stand. Its tail goes from thread to thread as it does.
    #[inline(always)]
    pub(super) fn two<U: Send + Sync>(value: impl FnOnce() -> T, tail: impl FnOnce() -> U) -> (Self, Self) {
        let counted = pool::place(|| Tailed {
            counted: Counted { refs: AtomicUsize::new(2), free: Tailed::<T, U>::free, value: value() },
            tail: tail(),
        });
        let counted = counted.cast();
        (Ref { counted, owns: PhantomData }, Ref { counted, owns: PhantomData })
    }

    /// The tail.
    ///
    /// # Safety
    ///
    /// It is of this type.
    #[inline]
    pub(super) unsafe fn tail<U>(&self) -> &U {
        // SAFETY: it is such a value, as the caller says, and is freed when the count comes to nothing, and this counts.
        &unsafe { self.counted.cast::<Tailed<T, U>>().as_ref() }.tail
    }

    #[inline]
    fn counted(&self) -> &Counted<T> {
        // SAFETY: it is freed when the count comes to nothing, and this counts.
        unsafe { self.counted.as_ref() }
    }

    fn into_raw(self) -> *mut Counted<T> {
        ManuallyDrop::new(self).counted.as_ptr()
    }

    /// # Safety
    ///
    /// The pointer has come out of `into_raw`, and counts for nothing else from here on.
    unsafe fn from_raw(raw: *mut Counted<T>) -> Self {
        // SAFETY: what `into_raw` gives is not null.
        Ref { counted: unsafe { NonNull::new_unchecked(raw) }, owns: PhantomData }
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        self.counted == other.counted
    }

    /// Something that no other live one has.
    #[inline]
    pub(super) fn id(&self) -> usize {
        self.counted.as_ptr().addr()
    }

    /// Whether this is the only reference, and as far as its holder lets it, stays so.
    #[inline]
    pub(super) fn is_alone(&self) -> bool {
        // With `Acquire`: whoever had another has done with it.
        self.counted().refs.load(Acquire) == 1
    }

    /// Drops `other`, which leads to the same.
    #[inline]
    fn drop_other(&self, other: Self) {
        debug_assert!(self.is(&other));
        if self.counted().refs.load(Acquire) == 2 {
            // These two are all, and both are here: nobody can make a third, or change the count, meanwhile.
            self.counted().refs.store(1, Relaxed);
            forget(other);
        }
    }

    /// The tail, if this is the only reference.
    ///
    /// # Safety
    ///
    /// It is of this type.
    pub(super) unsafe fn into_tail<U>(self) -> Option<U> {
        if !self.is_alone() {
            return None;
        }
        let counted = ManuallyDrop::new(self).counted;
        // SAFETY: it was placed as such a value, as the caller says, and this is the only reference to it.
        Some(unsafe { pool::take_out(counted.cast::<Tailed<T, U>>()) }.tail)
    }
}

impl<T> Deref for Ref<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.counted().value
    }
}

impl<T> Clone for Ref<T> {
    fn clone(&self) -> Self {
        // Relaxed: nothing is learned by it. There are never as many as an integer could not count: each takes memory.
        self.counted().refs.fetch_add(1, Relaxed);
        Ref { ..*self }
    }
}

impl<T> Drop for Ref<T> {
    #[inline]
    fn drop(&mut self) {
        if !self.is_alone() {
            if self.counted().refs.fetch_sub(1, Release) != 1 {
                return;
            }
            fence(Acquire);
        }
        // SAFETY: `free` is that of the value, and this the last reference to it: all that others did with theirs has
        // happened.
        unsafe { (self.counted().free)(self.counted) };
    }
}

/// In a word: see there for more. Where there is none but this, a flight may be alone all the same.
const CROWDED: usize = 1;

/// The reference in a word; that of the board.
fn unmarked<T>(word: *mut Counted<T>) -> *mut Counted<T> {
    word.map_addr(|address| address & !CROWDED)
}

fn crowded<T>(word: *mut Counted<T>) -> *mut Counted<T> {
    word.map_addr(|address| address | CROWDED)
}

/// Where a flight is, or null; and [`CROWDED`], from when the lock is taken and for as long as there are more in the
/// bucket. With that mark only the holder of the lock writes it.
type Word<T> = AtomicPtr<Counted<T>>;

/// The flights of some buckets that are not in their words.
type More<T> = HashTable<Ref<T>>;

/// Flights under way. It counts one reference of each.
pub(super) struct Board<T: Hashed> {
    words: Box<[Word<T>]>,
    /// The lock of each bucket, which others have too.
    more: Box<[Mutex<More<T>>]>,
}

// SAFETY: it holds references as a map would.
unsafe impl<T: Hashed + Send + Sync> Send for Board<T> {}
// SAFETY: its words change by atomic operations, and the rest is behind locks.
unsafe impl<T: Hashed + Send + Sync> Sync for Board<T> {}

/// There are so many locks.
const LOCKS: usize = if cfg!(memo_shuttle) { 1 } else { 64 };

/// Room for so many flights is kept by each lock.
const MOST_KEPT: usize = 256;

/// A bucket whose lock is held. No code of the user's runs in here.
pub(super) struct Opened<'b, T: Hashed> {
    board: &'b Board<T>,
    number: usize,
    more: MutexGuard<'b, More<T>>,
}

/// A bucket's number as a hash for the table of `more`.
fn spread(bucket: usize) -> u64 {
    (bucket as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// What came of [`Board::put_on`].
pub(super) enum PutOn<T> {
    /// It is on the board.
    Alone(Ref<T>),
    /// There may be others; the references are the two.
    Crowd(Ref<T>, Ref<T>),
}

impl<T: Hashed> Board<T> {
    /// `buckets`: a power of two.
    pub(super) fn new(buckets: usize) -> Self {
        let word = || AtomicPtr::new(std::ptr::null_mut());
        Board {
            words: (0..buckets).map(|_| word()).collect(),
            more: (0..LOCKS).map(|_| Mutex::new(HashTable::new())).collect(),
        }
    }

    #[inline]
    fn number(&self, hash: u64) -> usize {
        // the stores take their shards and tags from other bits
        (hash >> 24) as usize & (self.words.len() - 1)
    }

    #[inline]
    fn word(&self, hash: u64) -> &Word<T> {
        &self.words[self.number(hash)]
    }

    /// Puts a flight on, if there is no other in its bucket: `mine` and `its` are the two references to it.
    #[inline]
    pub(super) fn put_on(&self, (mine, its): (Ref<T>, Ref<T>)) -> PutOn<T> {
        // `Release` for what is in it, `Acquire` for what those did that were here.
        let word = self.word(mine.hash());
        match word.compare_exchange(std::ptr::null_mut(), its.counted.as_ptr(), AcqRel, Relaxed) {
            Ok(_) => {
                forget(its);
                PutOn::Alone(mine)
            }
            Err(_) => PutOn::Crowd(mine, its),
        }
    }

    /// Takes a flight off, if it still is there.
    #[inline]
    pub(super) fn leave(&self, flight: &Ref<T>) {
        let its = flight.counted.as_ptr();
        let word = self.word(flight.hash());
        let taken = match word.compare_exchange(its, std::ptr::null_mut(), AcqRel, Relaxed) {
            // SAFETY: the reference of the board, which had it from `put_on` or `add`, and has it no more.
            Ok(_) => Some(unsafe { Ref::from_raw(its) }),
            Err(_) => self.leave_crowd(flight),
        };
        if let Some(taken) = taken {
            flight.drop_other(taken);
        }
    }

    #[cold]
    #[inline(never)]
    fn leave_crowd(&self, flight: &Ref<T>) -> Option<Ref<T>> {
        self.open(flight.hash()).remove(flight)
    }

    /// For more than one exchange, with all flights of this hash.
    pub(super) fn open(&self, hash: u64) -> Opened<'_, T> {
        self.open_number(self.number(hash))
    }

    fn open_number(&self, number: usize) -> Opened<'_, T> {
        let more = lock(&self.more[number % LOCKS]);
        let bucket = &self.words[number];
        let mut word = bucket.load(Acquire);
        while word.addr() & CROWDED == 0 {
            match bucket.compare_exchange_weak(word, crowded(word), AcqRel, Acquire) {
                Ok(_) => break,
                Err(other) => word = other,
            }
        }
        Opened { board: self, number, more }
    }

    /// All flights with this hash. What was put on before this was called is among them.
    pub(super) fn with_hash(&self, hash: u64) -> Vec<Ref<T>> {
        // What was done before this call has been done for all who are put on after this look: they begin to compute later.
        fence(SeqCst);
        let mut found = self.in_bucket(self.number(hash));
        found.retain(|flight| flight.hash() == hash);
        found
    }

    /// All flights there are. What was put on before this was called is among them.
    pub(super) fn all(&self) -> Vec<Ref<T>> {
        // As in `with_hash`.
        fence(SeqCst);
        (0..self.words.len()).flat_map(|number| self.in_bucket(number)).collect()
    }

    fn in_bucket(&self, number: usize) -> Vec<Ref<T>> {
        match self.words[number].load(Acquire).is_null() {
            true => Vec::new(),
            false => self.open_number(number).all(),
        }
    }

    #[cfg(all(test, not(memo_shuttle)))]
    fn is_pristine(&self) -> bool {
        self.words.iter().all(|word| word.load(Relaxed).is_null())
            && self.more.iter().all(|more| lock(more).is_empty())
    }
}

impl<T: Hashed> Opened<'_, T> {
    fn word(&self) -> &Word<T> {
        &self.board.words[self.number]
    }

    /// The one in the word, for as long as the lock is held.
    fn first(&self) -> Option<ManuallyDrop<Ref<T>>> {
        let first = unmarked(self.word().load(Relaxed));
        // SAFETY: the word counts a reference for it, and nobody else takes that out as long as this is open.
        (!first.is_null()).then(|| ManuallyDrop::new(unsafe { Ref::from_raw(first) }))
    }

    /// Those of this bucket that are not in the word.
    fn others(&self) -> impl Iterator<Item = &Ref<T>> {
        let (board, number) = (self.board, self.number);
        self.more.iter_hash(spread(number)).filter(move |flight| board.number(flight.hash()) == number)
    }

    /// The first flight with this hash for which `is` holds.
    pub(super) fn find(&self, hash: u64, mut is: impl FnMut(&Ref<T>) -> bool) -> Option<Ref<T>> {
        let mut is = |flight: &Ref<T>| flight.hash() == hash && is(flight);
        if let Some(first) = self.first().filter(|first| is(first)) {
            return Some(Ref::clone(&first));
        }
        self.others().find(|flight| is(flight)).cloned()
    }

    fn all(&self) -> Vec<Ref<T>> {
        let first = self.first().map(|first| Ref::clone(&first));
        first.into_iter().chain(self.others().cloned()).collect()
    }

    /// Puts a flight on.
    pub(super) fn add(&mut self, flight: Ref<T>) {
        if self.first().is_none() {
            self.word().store(crowded(flight.into_raw()), Release);
            return;
        }
        let board = self.board;
        self.more.insert_unique(spread(self.number), flight, |flight| spread(board.number(flight.hash())));
    }

    /// Takes a flight off, if it is there: the reference of the board.
    fn remove(&mut self, flight: &Ref<T>) -> Option<Ref<T>> {
        if let Some(first) = self.first().filter(|first| first.is(flight)) {
            self.word().store(crowded(std::ptr::null_mut()), Release);
            return Some(ManuallyDrop::into_inner(first));
        }
        let found = self.more.find_entry(spread(self.number), |other| other.is(flight)).ok()?;
        let (taken, _) = found.remove();
        // the levels of a recursion come again and again, so that its memory is kept, but for a very deep one
        if self.more.is_empty() && self.more.capacity() > MOST_KEPT {
            *self.more = HashTable::new();
        }
        Some(taken)
    }
}

impl<T: Hashed> Drop for Opened<'_, T> {
    fn drop(&mut self) {
        if self.others().next().is_none() {
            self.word().store(unmarked(self.word().load(Relaxed)), Release);
        }
    }
}

impl<T: Hashed> Drop for Board<T> {
    fn drop(&mut self) {
        for number in 0..self.words.len() {
            let first = self.open_number(number).first();
            self.words[number].store(std::ptr::null_mut(), Relaxed);
            drop(first.map(ManuallyDrop::into_inner));
        }
    }
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::thread;

    struct Numbered {
        hash: u64,
        _alive: Arc<()>,
    }

    impl Hashed for Numbered {
        fn hash(&self) -> u64 {
            self.hash
        }
    }

    fn put(board: &Board<Numbered>, hash: u64, alive: &Arc<()>) -> Ref<Numbered> {
        match board.put_on(Ref::two(|| Numbered { hash, _alive: alive.clone() }, || hash)) {
            PutOn::Alone(mine) => mine,
            PutOn::Crowd(mine, its) => {
                board.open(hash).add(its);
                mine
            }
        }
    }

    #[test]
    fn what_was_put_on_is_found_until_it_leaves() {
        let (board, alive) = (Board::new(1), Arc::new(()));
        let flights: Vec<_> = (0..4).map(|hash| put(&board, hash, &alive)).collect();
        assert_eq!(board.all().len(), 4);
        for (hash, flight) in (0..).zip(&flights) {
            assert!(board.open(hash).find(hash, |_| true).is_some_and(|found| found.is(flight)));
            assert!(board.open(hash).find(hash, |_| false).is_none());
            board.leave(flight);
            board.leave(flight);
            assert!(board.with_hash(hash).is_empty());
            assert!(flight.is_alone());
        }
        assert!(board.is_pristine(), "the bucket is as it was");
        drop(flights);
        assert_eq!(Arc::strong_count(&alive), 1, "each was dropped, and once");
    }

    #[test]
    fn whoever_puts_one_on_is_told_of_those_in_the_bucket_whichever_have_left() {
        let (board, alive) = (Board::new(1), Arc::new(()));
        let [first, second] = [0, 1].map(|hash| put(&board, hash, &alive));
        board.leave(&first);
        let third = board.put_on(Ref::two(|| Numbered { hash: 1, _alive: alive.clone() }, || 1));
        assert!(matches!(third, PutOn::Crowd(..)), "it would compute what the second does");
        board.leave(&second);
        let fourth = board.put_on(Ref::two(|| Numbered { hash: 1, _alive: alive.clone() }, || 1));
        assert!(matches!(fourth, PutOn::Alone(_)));
    }

    #[test]
    fn a_board_drops_what_is_still_on_it() {
        let (board, alive) = (Board::new(2), Arc::new(()));
        (0..6).for_each(|hash| drop(put(&board, hash << 24, &alive)));
        assert_eq!(Arc::strong_count(&alive), 7);
        drop(board);
        assert_eq!(Arc::strong_count(&alive), 1);
    }

    #[test]
    fn a_reference_is_alone_when_all_others_are_gone() {
        let (board, alive) = (Board::new(1), Arc::new(()));
        let mine = put(&board, 1, &alive);
        let found = board.open(1).find(1, |_| true).expect("it is there");
        board.leave(&mine);
        assert!(!mine.is_alone());
        // SAFETY: `put` gives them their hash.
        let (found, mine) = unsafe { (found.into_tail::<u64>(), mine.into_tail::<u64>()) };
        assert_eq!((found, mine), (None, Some(1)));
        assert_eq!(Arc::strong_count(&alive), 1);
    }

    #[test]
    fn threads_come_and_go_and_find_each_other() {
        let (board, alive) = (Board::new(2), Arc::new(()));
        let rounds = if cfg!(miri) { 60 } else { 20_000 };
        thread::scope(|scope| {
            for thread in 0..4 {
                let (board, alive) = (&board, &alive);
                scope.spawn(move || {
                    for round in 0..rounds {
                        let hash = ((thread + round) % 3) << 24;
                        let mine = put(board, hash, alive);
                        let found = board.with_hash(hash);
                        if hash == 0 {
                            // As an invalidation would: then it may have left before it was looked for.
                            found.iter().for_each(|found| board.leave(found));
                        } else {
                            assert!(found.iter().any(|found| found.is(&mine)), "it has not left yet");
                        }
                        drop(found);
                        board.leave(&mine);
                        assert!(!board.with_hash(hash).iter().any(|found| found.is(&mine)));
                    }
                });
            }
        });
        assert!(board.all().is_empty());
        drop(board);
        assert_eq!(Arc::strong_count(&alive), 1, "each was dropped, and once");
    }
}
