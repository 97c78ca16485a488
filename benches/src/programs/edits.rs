//! The edit distance of two texts, from the top down.

use super::everybody::{contenders, everybody};
use super::{Contender, timed, timed_by_two};

const LENGTH: usize = 400;

static FROM: [u8; LENGTH] = text(1);
static TO: [u8; LENGTH] = text(2);

/// A text of four letters, in no order.
const fn text(seed: u64) -> [u8; LENGTH] {
    let mut text = [0; LENGTH];
    let mut state = seed;
    let mut at = 0;
    while at < LENGTH {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text[at] = b'a' + (state >> 62) as u8;
        at += 1;
    }
    text
}

everybody! {
    (i: usize, j: usize) -> usize {
        if i == 0 || j == 0 {
            return i + j;
        }
        let changed = usize::from(FROM[i - 1] != TO[j - 1]) + state(i - 1, j - 1);
        changed.min(1 + state(i - 1, j)).min(1 + state(i, j - 1))
    }
}

/// The same from the bottom up, for checks.
fn expected() -> u64 {
    let mut row: Vec<usize> = (0..=LENGTH).collect();
    for (i, from) in FROM.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in TO.iter().enumerate() {
            let changed = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(1 + diagonal).min(1 + row[j]);
        }
    }
    row[LENGTH] as u64
}

const ALL: usize = LENGTH;

pub(super) fn contenders() -> Vec<Contender> {
    macro_rules! run {
        ($by:ident) => {
            || timed(|| $by::state(ALL, ALL) as u64, expected())
        };
    }
    contenders!(run)
}

pub(super) fn by_two() -> Vec<Contender> {
    macro_rules! run {
        ($by:ident) => {
            || timed_by_two(|_| $by::state(ALL, ALL) as u64, [expected(); 2])
        };
    }
    contenders!(run)
}
