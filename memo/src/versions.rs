//! A value that calls read without a lock while a reload replaces it.
//!
//! No version is freed while the record lives, since a call may still use it. A version that comes back is used again: there
//! are as many as there have been different ones, however often they change.

#[cfg(any(feature = "config", feature = "engines"))]
use std::sync::{
    Mutex, OnceLock, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

/// A `T` and what has replaced it.
pub(crate) struct Versions<T> {
    first: T,
    #[cfg(any(feature = "config", feature = "engines"))]
    current: AtomicUsize,
    #[cfg(any(feature = "config", feature = "engines"))]
    later: OnceLock<Box<Later<T>>>,
}

/// All but the first: rows of twice the size each time, so that nothing ever moves.
#[cfg(any(feature = "config", feature = "engines"))]
struct Later<T> {
    rows: [OnceLock<Box<[OnceLock<T>]>>; ROWS],
    /// How many there are.
    count: Mutex<usize>,
}

/// The places in the first row.
#[cfg(any(feature = "config", feature = "engines"))]
const FIRST: usize = 4;
#[cfg(any(feature = "config", feature = "engines"))]
const ROWS: usize = 16;

impl<T> Versions<T> {
    pub(crate) fn new(first: T) -> Self {
        Versions {
            first,
            #[cfg(any(feature = "config", feature = "engines"))]
            current: AtomicUsize::new(0),
            #[cfg(any(feature = "config", feature = "engines"))]
            later: OnceLock::new(),
        }
    }

    /// The current version. A caller that needs two parts of it that belong together keeps the reference.
    #[inline]
    pub(crate) fn current(&self) -> &T {
        #[cfg(any(feature = "config", feature = "engines"))]
        match self.current.load(Ordering::Acquire) {
            0 => {}
            number => return self.number(number).unwrap_or(&self.first),
        }
        &self.first
    }
}

#[cfg(any(feature = "config", feature = "engines"))]
impl<T> Versions<T> {
    /// Makes `next` the current version. If an earlier version is the `same`, that one becomes current, and `next` is
    /// returned for the caller to drop.
    ///
    /// `same` runs under a lock.
    pub(crate) fn replace(&self, next: T, same: impl Fn(&T) -> bool) -> Option<T> {
        let later = self.later.get_or_init(|| {
            Box::new(Later { rows: [const { OnceLock::new() }; ROWS], count: Mutex::new(0) })
        });
        let mut count = later.count.lock().unwrap_or_else(PoisonError::into_inner);
        let known = (0..=*count).find(|number| self.number(*number).is_some_and(&same));
        if let Some(number) = known {
            self.current.store(number, Ordering::Release);
            return Some(next);
        }
        let (row, place) = at(*count);
        let Some(row) = later.rows.get(row).map(|cell| (cell, FIRST << row)) else { return Some(next) };
        let row = row.0.get_or_init(|| (0..row.1).map(|_| OnceLock::new()).collect());
        if let Err(next) = row[place].set(next) {
            return Some(next);
        }
        *count += 1;
        self.current.store(*count, Ordering::Release);
        None
    }

    #[cold]
    fn number(&self, number: usize) -> Option<&T> {
        let Some(index) = number.checked_sub(1) else { return Some(&self.first) };
        let (row, place) = at(index);
        self.later.get()?.rows.get(row)?.get()?[place].get()
    }
}

/// The row, and the place in it, of the later version at `index`.
#[cfg(any(feature = "config", feature = "engines"))]
fn at(index: usize) -> (usize, usize) {
    let row = (index / FIRST + 1).ilog2() as usize;
    (row, index - FIRST * ((1 << row) - 1))
}

#[cfg(all(test, any(feature = "config", feature = "engines"), not(memo_shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn what_comes_back_is_used_again() {
        let versions = Versions::new(0);
        for round in 0..3 {
            for next in 0..100 {
                let unused = versions.replace(next, |known| *known == next);
                assert_eq!(unused.is_some(), round > 0 || next == 0, "{next} in round {round}");
                assert_eq!(*versions.current(), next);
            }
        }
    }

    #[test]
    fn those_who_read_keep_what_they_have() {
        let versions = Versions::new(String::from("first"));
        let first = versions.current();
        for n in 0..1_000 {
            let next = n.to_string();
            assert!(versions.replace(next.clone(), |known| *known == next).is_none());
        }
        assert_eq!((first.as_str(), versions.current().as_str()), ("first", "999"));
    }
}
