//! The limit: a hashbrown table with foldhash that one thread owns. Nothing is shared, locked,
//! counted or evicted on a hit, so nothing that is shared can be expected to be faster.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::hash::Hash;

use rustc_hash::FxHashMap;

use crate::contender::{Contender, Recursive};
use crate::entrants::Entrants;
use crate::work::{CAPACITY, Calls, PairRef, RESIDENT, render, score, step};

type Table<K, V> = hashbrown::HashMap<K, V, foldhash::fast::RandomState>;

/// What the tables call it.
pub(crate) const NAME: &str = "limit";

pub(crate) fn enter(all: &mut Entrants) {
    let calls = Calls::new();

    let table = filled(calls.numbers.iter().map(|&x| (x, step(x))));
    all.number(NAME, move |x| table.get(&x).copied().unwrap_or_else(|| step(x)));

    let table = filled(calls.numbers.iter().map(|&x| (x, step(x))));
    all.by_thread.push(Contender::new(NAME, move |x| table.get(&x).copied().unwrap_or_else(|| step(x))));

    thread_local! {
        static OWN: RefCell<FxHashMap<u64, u64>> = RefCell::default();
    }
    all.by_thread.push(Contender::new("by hand", |x| {
        if let Some(known) = OWN.with_borrow(|own| own.get(&x).copied()) {
            return known;
        }
        let value = step(x);
        OWN.with_borrow_mut(|own| own.insert(x, value));
        value
    }));

    let table = filled(calls.pairs.iter().map(|&(s, n)| ((s.to_owned(), n), score(s, n))));
    all.pairs.push(Contender::new(NAME, move |(s, n)| {
        table.get(&PairRef(s, n)).copied().unwrap_or_else(|| score(s, n))
    }));

    let table = filled(calls.texts.iter().map(|&s| (s.to_owned(), render(s))));
    all.texts.push(Contender::new(NAME, move |s| table.get(s).cloned().unwrap_or_else(|| render(s))));

    thread_local! {
        static BOUNDED: RefCell<Fifo> = RefCell::default();
    }
    all.misses.push(Contender::new(NAME, |x| BOUNDED.with_borrow_mut(|fifo| fifo.remember(x, || step(x)))));

    thread_local! {
        static FIB: RefCell<Table<u64, u64>> = RefCell::default();
    }
    all.recursive.push(Recursive::new(
        NAME,
        || FIB.with_borrow_mut(Table::clear),
        |n| FIB.with_borrow_mut(|table| fib(table, n)),
    ));
}

/// A table of these entries and no larger than they need.
fn filled<K: Hash + Eq, V>(entries: impl Iterator<Item = (K, V)>) -> Table<K, V> {
    let mut table = Table::with_capacity_and_hasher(RESIDENT as usize, Default::default());
    for (key, value) in entries {
        table.entry(key).or_insert(value);
    }
    table
}

fn fib(table: &mut Table<u64, u64>, n: u64) -> u64 {
    if let Some(&known) = table.get(&n) {
        return known;
    }
    let value = if n < 2 { n } else { fib(table, n - 1) + fib(table, n - 2) };
    table.insert(n, value);
    value
}

/// The cheapest bound: first in, first out.
#[derive(Default)]
struct Fifo {
    table: Table<u64, u64>,
    order: VecDeque<u64>,
}

impl Fifo {
    fn remember(&mut self, key: u64, body: impl FnOnce() -> u64) -> u64 {
        if let Some(&known) = self.table.get(&key) {
            return known;
        }
        let value = body();
        if self.order.len() == CAPACITY
            && let Some(oldest) = self.order.pop_front()
        {
            self.table.remove(&oldest);
        }
        self.table.insert(key, value);
        self.order.push_back(key);
        value
    }
}
