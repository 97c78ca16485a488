//! Whether an entry that was found has not expired, and what is noted of its use.

use super::entry::{COARSE, FOREVER, MARKS, UNTIMED, USES};
use super::index::Found;
use crate::clock::{coarse, exact, tick};
use std::sync::atomic::Ordering::Relaxed;

/// In a word: no time is to be kept but by the coarse clock.
const PLAIN: u64 = COARSE | UNTIMED;

/// Whether an entry has not expired, and there is nothing to be noted about its use.
#[inline(always)]
pub(super) fn is_fast(word: u64) -> bool {
    const { assert!(PLAIN | USES == MARKS) };
    // All bits are set where there is no lifetime, all marks where one goes by the coarse clock: the next number has none
    // of them, which takes fewer instructions to find. That it is one more is a nanosecond.
    let next = word.wrapping_add(1);
    next == 0 || (next & MARKS == 0 && tick() < next)
}

/// Whether an entry has not expired; if `uses`, finding it is a use, which is counted.
#[inline]
pub(super) fn is_alive(found: &Found<'_>, tti: u64, uses: bool) -> bool {
    let word = found.word.load(Relaxed);
    if word & PLAIN != PLAIN {
        return is_alive_in_time(found, word, tti, uses);
    }
    let alive = word >= FOREVER || coarse() < word;
    if alive && uses && word & USES != USES {
        found.word.store(word + 1, Relaxed);
    }
    alive
}

/// As [`is_alive`], for an entry that needs the exact clock or has an idle time. The idle time starts anew.
fn is_alive_in_time(found: &Found<'_>, word: u64, tti: u64, uses: bool) -> bool {
    let now = if word & COARSE == 0 { exact() } else { coarse() };
    let alive = now < found.ends(tti);
    if alive && uses {
        if word & USES != USES {
            found.word.store(word + 1, Relaxed);
        }
        // By the coarse clock a written line of memory per tick, not per hit.
        if let Some(read) = found.read()
            && read.load(Relaxed) < now
        {
            read.store(now, Relaxed);
        }
    }
    alive
}
