//! The engine `memory` by itself, beside quick_cache and moka: what the whole memoized call hides.
//!
//! `engine miss|storm|ratio|memory|threads|tail|get`

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use memo::__private::engine::Engine;
use memo_benches::goals;
use memo_benches::report::{Row, Table};
use memo_benches::turns::in_turns;
use quick_cache::UnitWeighter;
use quick_cache::sync::{Cache, DefaultLifecycle};

/// Counts what is allocated.
struct Counting;

static BYTES: AtomicI64 = AtomicI64::new(0);
static COUNTS: AtomicBool = AtomicBool::new(false);

// SAFETY: it is the system's allocator, and a number.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if COUNTS.load(Relaxed) {
            BYTES.fetch_add(used(layout.size()), Relaxed);
        }
        // SAFETY: as the caller says.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        if COUNTS.load(Relaxed) {
            BYTES.fetch_sub(used(layout.size()), Relaxed);
        }
        // SAFETY: as the caller says.
        unsafe { System.dealloc(at, layout) }
    }
}

/// What glibc takes for so many bytes.
fn used(size: usize) -> i64 {
    (size + 8).next_multiple_of(16).max(32) as i64
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

trait Store: Sync {
    fn get(&self, key: u64) -> Option<u64>;
    fn put(&self, key: u64, value: u64);
}

impl Store for Engine<u64, u64> {
    #[inline(always)]
    fn get(&self, key: u64) -> Option<u64> {
        Engine::get(self, &key)
    }
    #[inline(always)]
    fn put(&self, key: u64, value: u64) {
        self.insert(key, value, 1, None);
    }
}

type Quick = Cache<u64, u64, UnitWeighter, foldhash::fast::RandomState>;

impl Store for Quick {
    #[inline(always)]
    fn get(&self, key: u64) -> Option<u64> {
        Cache::get(self, &key)
    }
    #[inline(always)]
    fn put(&self, key: u64, value: u64) {
        self.insert(key, value);
    }
}

type Moka = moka::sync::Cache<u64, u64>;

impl Store for Moka {
    fn get(&self, key: u64) -> Option<u64> {
        moka::sync::Cache::get(self, &key)
    }
    fn put(&self, key: u64, value: u64) {
        self.insert(key, value);
    }
}

fn quick(capacity: usize) -> Quick {
    let lifecycle = DefaultLifecycle::default();
    Cache::with(capacity, capacity as u64, UnitWeighter, foldhash::fast::RandomState::default(), lifecycle)
}

fn ours(capacity: usize) -> Engine<u64, u64> {
    Engine::new(Some(capacity as u64))
}

fn main() {
    let case = std::env::args().nth(1).unwrap_or_default();
    match case.as_str() {
        "miss" => {
            judge(&[misses("store-miss", 1), misses("store-miss-two-threads", 2)]);
        }
        "miss-ours" => {
            let ours = ours(10_000);
            let threads = std::env::args().nth(2).map_or(1, |n| n.parse().expect("a number"));
            for _ in 0..40 {
                println!("{:.1}", miss(&ours, threads));
            }
        }
        "get" => {
            let ours = ours(10_000);
            (0..1000).for_each(|key| ours.put(key * 7919, key));
            let mut best = f64::MAX;
            for _ in 0..400 {
                let start = Instant::now();
                for _ in 0..20 {
                    for key in 0..1000 {
                        black_box(ours.get(&black_box(key * 7919)));
                    }
                }
                best = best.min(start.elapsed().as_secs_f64() * 1e9 / 20_000.0);
            }
            println!("get of the bare engine, ns: {best:.2}");
        }
        "storm" => {
            println!(
                "a hit while another thread inserts and evicts without end, ns: the least of 15, quiet and not"
            );
            storm("memory", &ours(10_000));
            storm("quick_cache", &quick(10_000));
            storm("moka", &Moka::new(10_000));
        }
        "threads" => {
            println!(
                "hits and inserts of never-repeating keys by many threads, ns of the processors per call"
            );
            for threads in [1, 2, 16, 64] {
                crowd("memory", &ours(10_000), threads);
                crowd("quick_cache", &quick(10_000), threads);
            }
        }
        "tail" => {
            println!(
                "ns: median, 99 %, 99.9 %, 99.99 % of single calls while another thread inserts (each with a clock's 20)"
            );
            tail("memory", &ours(10_000));
            tail("quick_cache", &quick(10_000));
        }
        "ratio" => ratio(),
        "memory" => judge(&[memory()]),
        _ => eprintln!("engine miss|storm|threads|tail|ratio|memory|get"),
    }
}

/// Prints what was measured, and the goals for it.
fn judge(tables: &[Table]) {
    tables.iter().for_each(|table| print!("{table}"));
    println!("\ngoals: the store by itself");
    goals::STORE.iter().for_each(|goal| println!("{}", goal.judge(tables)));
}

/// `n` keys that never come again.
fn fresh(n: u64) -> std::ops::Range<u64> {
    static NEXT: AtomicU64 = AtomicU64::new(1 << 40);
    let first = NEXT.fetch_add(n, Relaxed);
    first..first + n
}

fn miss(store: &impl Store, threads: usize) -> f64 {
    const CALLS: u64 = 60_000;
    let start = std::sync::Barrier::new(threads);
    let total: f64 = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let keys = fresh(CALLS);
                    start.wait();
                    let start = Instant::now();
                    for key in keys {
                        if store.get(black_box(key)).is_none() {
                            store.put(key, key);
                        }
                    }
                    start.elapsed().as_secs_f64()
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().expect("no panic")).sum()
    });
    total * 1e9 / (threads as f64 * CALLS as f64)
}

/// Both stores in turns.
fn misses(case: &'static str, threads: usize) -> Table {
    let (ours, quick) = (ours(10_000), quick(10_000));
    let samples = in_turns(&[false, true], 15, |&peer| {
        Some(if peer { miss(&quick, threads) } else { miss(&ours, threads) })
    });
    let rows = ["memory", "quick_cache"].into_iter().zip(samples);
    let rows = rows.map(|(name, samples)| Row::new(name, None, samples)).collect();
    let about = "get in vain, insert, evict, over 10,000 entries";
    Table { case, about, unit: "ns per call of each thread", rows }
}

fn hits(store: &impl Store) -> f64 {
    const CALLS: u64 = 100_000;
    let start = Instant::now();
    for call in 0..CALLS {
        // A few hot keys, so that they stay; put back if they do not.
        let key = call % 500;
        if black_box(store.get(black_box(key))).is_none() {
            store.put(key, key);
        }
    }
    start.elapsed().as_secs_f64() * 1e9 / CALLS as f64
}

fn storm(name: &str, store: &impl Store) {
    (0..500).for_each(|key| store.put(key, key));
    let least = |store| (0..15).map(|_| hits(store)).fold(f64::MAX, f64::min);
    let quiet = least(store);
    let done = AtomicBool::new(false);
    let busy = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Relaxed) {
                fresh(100).for_each(|key| store.put(key, key));
            }
        });
        std::thread::sleep(Duration::from_millis(20));
        let busy = least(store);
        done.store(true, Relaxed);
        busy
    });
    println!("  {name:<12} quiet {quiet:6.2}  busy {busy:6.2}  ratio {:.2}", busy / quiet);
}

fn crowd(name: &str, store: &impl Store, threads: usize) {
    let calls = 1_000_000 / threads as u64;
    let cores = std::thread::available_parallelism().map_or(1, usize::from).min(threads) as f64;
    let timed = |work: &(dyn Fn() + Sync)| {
        let start = Instant::now();
        std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
        start.elapsed().as_secs_f64() * 1e9 * cores / (calls * threads as u64) as f64
    };
    (0..500).for_each(|key| store.put(key, key));
    (0..2000).for_each(|key| _ = store.get(key % 500));
    let least = |work: &(dyn Fn() + Sync)| (0..5).map(|_| timed(work)).fold(f64::MAX, f64::min);
    let hit = least(&|| (0..calls).for_each(|call| _ = black_box(store.get(black_box(call % 500)))));
    let put = least(&|| fresh(calls).for_each(|key| store.put(key, key)));
    println!("  {threads:3} threads  {name:<12} hit {hit:6.2}  insert {put:6.1}");
}

fn tail(name: &str, store: &impl Store) {
    (0..500).for_each(|key| store.put(key, key));
    let done = AtomicBool::new(false);
    let single = |work: &dyn Fn(u64)| {
        let mut times: Vec<u64> = (0..300_000)
            .map(|call| {
                let start = Instant::now();
                work(call);
                start.elapsed().as_nanos() as u64
            })
            .collect();
        times.sort_unstable();
        [0.5, 0.99, 0.999, 0.9999].map(|at| times[(times.len() as f64 * at) as usize])
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Relaxed) {
                fresh(100).for_each(|key| store.put(key, key));
            }
        });
        println!("  {name:<12} hit    {:?}", single(&|call| _ = black_box(store.get(call % 500))));
        println!("  {name:<12} insert {:?}", single(&|_| fresh(1).for_each(|key| store.put(key, key))));
        done.store(true, Relaxed);
    });
}

/// A die for the traces.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

const KEYS: usize = 100_000;

/// Draws from Zipf(1.0) over 100,000 keys.
struct Zipf(Vec<f64>);

impl Zipf {
    fn new() -> Self {
        let mut sum = 0.0;
        Zipf(
            (1..=KEYS)
                .map(|rank| {
                    sum += 1.0 / rank as f64;
                    sum
                })
                .collect(),
        )
    }

    fn draw(&self, random: &mut Random) -> u64 {
        let at = random.unit() * self.0[KEYS - 1];
        self.0.partition_point(|&sum| sum < at) as u64
    }
}

/// The traces: Zipf, and Zipf mixed with scans (a third of the calls each walk through keys of their own, in runs).
fn traces() -> [(&'static str, Vec<u64>); 2] {
    let zipf = Zipf::new();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let plain: Vec<u64> = (0..3_000_000).map(|_| zipf.draw(&mut random)).collect();
    let mut mixed = Vec::with_capacity(3_000_000);
    let mut next = 0;
    while mixed.len() < 3_000_000 {
        mixed.extend((0..20_000).map(|_| zipf.draw(&mut random)));
        // A loop over more than fits, and keys that never come again.
        mixed.extend((0..10_000).map(|i| {
            next += 1;
            if i % 2 == 0 { (1 << 32) | next } else { (1 << 33) | (next % 60_000) }
        }));
    }
    [("Zipf(1.0)", plain), ("Zipf and scans", mixed)]
}

fn ratio() {
    println!("hits in % of 3,000,000 calls (the first fifth not counted)");
    let mut sums = [0.0; 3];
    for (name, trace) in traces() {
        for capacity in [KEYS / 100, KEYS / 10] {
            let figures = [
                played(&ours(capacity), &trace),
                played(&quick(capacity), &trace),
                played(&Moka::new(capacity as u64), &trace),
            ];
            sums.iter_mut().zip(figures).for_each(|(sum, figure)| *sum += figure / 4.0);
            println!(
                "  {name:<16} {capacity:6}  memory {:.2}  quick_cache {:.2}  moka {:.2}",
                figures[0], figures[1], figures[2]
            );
        }
    }
    println!("  mean  memory {:.2}  quick_cache {:.2}  moka {:.2}", sums[0], sums[1], sums[2]);
}

fn played(store: &impl Store, trace: &[u64]) -> f64 {
    let warm = trace.len() / 5;
    let mut hits = 0;
    for (call, &key) in trace.iter().enumerate() {
        match store.get(key) {
            Some(_) => hits += usize::from(call >= warm),
            None => store.put(key, key),
        }
    }
    100.0 * hits as f64 / (trace.len() - warm) as f64
}

/// Prints each capacity, and gives the most of each store.
fn memory() -> Table {
    println!("bytes per entry over key and value (16), as glibc allocates");
    let mut most = ["memory full", "memory unbounded", "quick_cache"].map(|name| (name, f64::MIN));
    let measured = |fill: &dyn Fn() -> (Box<dyn std::any::Any>, u64)| {
        BYTES.store(0, Relaxed);
        COUNTS.store(true, Relaxed);
        let (store, entries) = fill();
        COUNTS.store(false, Relaxed);
        std::mem::forget(store);
        BYTES.load(Relaxed) as f64 / entries as f64 - 16.0
    };
    for capacity in [1_000_u64, 5_000, 10_000, 12_000, 50_000, 100_000, 1_000_000] {
        let ours = measured(&|| {
            let store = Engine::<u64, u64>::new(Some(capacity));
            (0..capacity * 3 / 2).for_each(|key| store.put(key, key));
            let entries = store.entries();
            (Box::new(store), entries)
        });
        let open = measured(&|| {
            let store = Engine::<u64, u64>::new(None);
            (0..capacity).for_each(|key| store.put(key, key));
            let entries = store.entries();
            (Box::new(store), entries)
        });
        let quick = measured(&|| {
            let store = quick(capacity as usize);
            (0..capacity * 3 / 2).for_each(|key| store.put(key, key));
            let entries = store.len() as u64;
            (Box::new(store), entries)
        });
        println!("  {capacity:8}: memory full {ours:.1}, unbounded {open:.1}; quick_cache full {quick:.1}");
        most.iter_mut().zip([ours, open, quick]).for_each(|((_, most), bytes)| *most = most.max(bytes));
    }
    Table {
        case: "store-bytes",
        about: "what an entry takes over its key and value, at the capacity where that is most",
        unit: "bytes",
        rows: most.into_iter().map(|(name, bytes)| Row::new(name, None, vec![bytes])).collect(),
    }
}
