//! Hints: the rows where keys were last seen. A hint saves the descent through the index over the keys.
//! That is a third of a look-up's time while all pages are in memory. With a million entries it is half of
//! the pages that have to be read.
//!
//! A hint is a guess. A reader compares the whole key in the row, and descends through the index if it is
//! another's. So a hint need not be taken back, whatever other processes do.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// How many slots a key may be in: those of one cache line.
const WAYS: usize = 8;
/// The number of slots of the first table. Each further table has four times as many. The last has 2²¹,
/// which is 16 MiB.
const FIRST: usize = 1 << 11;
const TABLES: usize = 6;

/// The bits of a slot that hold the row. The others hold some of the key's. 0 is an empty slot.
const ROW_BITS: u32 = 40;

type Slots = Box<[AtomicU64]>;

/// Rows by key. When a table is nearly full, the next is used. Entries move into it when they are looked up
/// again.
#[derive(Default)]
pub(in crate::disk) struct Hints {
    tables: [OnceLock<Slots>; TABLES],
    /// The table in use.
    at: AtomicUsize,
    /// How many slots of the table are taken, approximately.
    taken: AtomicUsize,
}

impl Hints {
    /// The row where this key was last seen.
    pub(in crate::disk) fn get(&self, id: i64) -> Option<i64> {
        let at = self.at.load(Ordering::Relaxed);
        let tag = tag(id);
        let find = |slots: &Slots| {
            let mut line = line(slots, id).iter().map(|slot| slot.load(Ordering::Relaxed));
            line.find(|slot| *slot != 0 && slot >> ROW_BITS == tag)
        };
        // The newest table nearly always has it.
        let tables = self.tables.iter().enumerate().take(at + 1).rev();
        let (table, found) =
            tables.filter_map(|(table, slots)| Some((table, slots.get().and_then(find)?))).next()?;
        let row = (found & ((1 << ROW_BITS) - 1)).cast_signed();
        if table < at {
            self.set(id, row);
        }
        Some(row)
    }

    /// Remembers the row of a key.
    pub(in crate::disk) fn set(&self, id: i64, row: i64) {
        if row <= 0 || row >= 1 << ROW_BITS {
            return;
        }
        let at = self.at.load(Ordering::Relaxed);
        let Some(table) = self.tables.get(at) else { return };
        let slots = table.get_or_init(|| (0..FIRST << (2 * at)).map(|_| AtomicU64::new(0)).collect());
        let (tag, line) = (tag(id), line(slots, id));
        let now = || line.iter().map(|slot| slot.load(Ordering::Relaxed));
        let place = now().position(|slot| slot != 0 && slot >> ROW_BITS == tag);
        let place = place.or_else(|| {
            let free = now().position(|slot| slot == 0)?;
            let taken = self.taken.fetch_add(1, Ordering::Relaxed);
            if taken >= slots.len() / 8 * 5 && at + 1 < TABLES {
                self.taken.store(0, Ordering::Relaxed);
                self.at.store(at + 1, Ordering::Relaxed);
            }
            Some(free)
        });
        // In a full line, another key's slot is taken, in turn by row.
        let place = place.unwrap_or(row as usize % WAYS);
        line[place].store(tag << ROW_BITS | row.cast_unsigned(), Ordering::Relaxed);
    }
}

/// Keys are digests: any of their bits are as good as others.
fn tag(id: i64) -> u64 {
    id.cast_unsigned() >> ROW_BITS
}

fn line(slots: &[AtomicU64], id: i64) -> &[AtomicU64] {
    let line = id.cast_unsigned() as usize % (slots.len() / WAYS) * WAYS;
    &slots[line..line + WAYS]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Digests of small numbers, as far as this needs.
    fn id(number: i64) -> i64 {
        number.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64.cast_signed()).rotate_left(29)
    }

    #[test]
    fn what_was_seen_last_is_what_is_guessed() {
        let hints = Hints::default();
        assert_eq!(hints.get(id(1)), None);
        hints.set(id(1), 7);
        hints.set(id(2), 8);
        assert_eq!((hints.get(id(1)), hints.get(id(2))), (Some(7), Some(8)));
        hints.set(id(1), 9);
        assert_eq!(hints.get(id(1)), Some(9));
        assert_eq!(hints.get(id(3)), None);
    }

    #[test]
    fn a_row_that_no_slot_holds_is_not_remembered() {
        let hints = Hints::default();
        for row in [i64::MIN, -1, 0, 1 << ROW_BITS, i64::MAX] {
            hints.set(id(1), row);
            assert_eq!(hints.get(id(1)), None, "{row}");
        }
        hints.set(id(1), (1 << ROW_BITS) - 1);
        assert_eq!(hints.get(id(1)), Some((1 << ROW_BITS) - 1));
    }

    #[test]
    fn it_grows_with_what_is_met_and_no_further_than_its_last_table() {
        let hints = Hints::default();
        let most = FIRST << (2 * (TABLES - 1));
        let known = |range: std::ops::Range<i64>| {
            let all = range.end - range.start;
            let known = range.filter(|number| hints.get(id(*number)) == Some(number + 1)).count();
            known as f64 / all as f64
        };
        (0..1000).for_each(|number| hints.set(id(number), number + 1));
        assert!(known(0..1000) > 0.99, "{}", known(0..1000));
        (0..1_000_000).for_each(|number| hints.set(id(number), number + 1));
        assert!(known(0..1_000_000) > 0.95, "{}", known(0..1_000_000));
        (0..4_000_000).for_each(|number| hints.set(id(number), number + 1));
        let slots: usize = hints.tables.iter().filter_map(OnceLock::get).map(|slots| slots.len()).sum();
        assert!(slots < most * 4 / 3 + 1, "{slots}");
        assert!(known(3_900_000..4_000_000) > 0.9, "those that came last: {}", known(3_900_000..4_000_000));
    }
}
