//! Whether an entry that was found has not expired, and what is noted of its use.

use super::entry::{COARSE, FOREVER, MARKS, UNTIMED, USES};
use super::index::Found;
use crate::clock::{coarse, exact, tick};
use std::sync::atomic::Ordering::Relaxed;

/// The marks of an entry that asks for no exact time: none for its lifetime, and none for its uses.
const NO_EXACT_TIME: u64 = COARSE | UNTIMED;

/// Whether an entry has not expired, and there is nothing to be noted about its use.
#[inline(always)]
pub(super) fn is_fast(word: u64) -> bool {
    const { assert!(NO_EXACT_TIME | USES == MARKS) };
    // All bits are set where there is no lifetime, all marks where one goes by the coarse clock: the next number has none
    // of them, which takes fewer instructions to find. That it is one more is a nanosecond.
    let next = word.wrapping_add(1);
    next == 0 || (next & MARKS == 0 && tick() < next)
}

/// Whether an entry is fresh; if `uses`, finding it is a use, which is counted.
#[inline]
pub(super) fn is_alive(found: &Found<'_>, tti: u64, uses: bool) -> bool {
    if let Some(ages) = found.ages() {
        let now = now(found);
        return ages.is_fresh(now) && is_there(found, now, tti, uses);
    }
    let word = found.word.load(Relaxed);
    if word & NO_EXACT_TIME != NO_EXACT_TIME {
        return is_there(found, now(found), tti, uses);
    }
    let alive = word >= FOREVER || coarse() < word;
    if alive && uses && word & USES != USES {
        found.word.store(word + 1, Relaxed);
    }
    alive
}

/// The time now, by the clock that an entry needs.
pub(super) fn now(found: &Found<'_>) -> u64 {
    if found.word.load(Relaxed) & COARSE == 0 { exact() } else { coarse() }
}

/// Whether an entry is not gone; if `uses`, finding it is a use, which is counted. The idle time starts anew.
pub(super) fn is_there(found: &Found<'_>, now: u64, tti: u64, uses: bool) -> bool {
    let there = now < found.ends(tti);
    if there && uses {
        let word = found.word.load(Relaxed);
        if word & USES != USES {
            // not by a store: it might undo that the entry has been expired meanwhile
            let _ = found.word.compare_exchange(word, word + 1, Relaxed, Relaxed);
        }
        // By the coarse clock a written line of memory per tick, not per hit.
        if let Some(read) = found.read()
            && read.load(Relaxed) < now
        {
            read.store(now, Relaxed);
        }
    }
    there
}
