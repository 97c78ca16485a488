//! `cargo bench -p memo-benches --bench traces -- [DIR] [--filter TEXT]`
//!
//! How much of what is asked for is found: the hits in % of each contender, on traces of programs and on made-up ones,
//! beside Belady's optimum. A directory holds traces as `NAME.u32` or `NAME.u32.zst` (those are read by the
//! command `zstd`): the keys in the order in which they were asked for, as little-endian numbers of 32 bits.
//!
//! Capacities are those that are known for a trace of that name, else a hundredth, a tenth and a third of its keys.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use cached::{Cached, LruCache};
use memo::__private::engine::Engine;
use quick_cache::UnitWeighter;
use quick_cache::sync::{Cache, DefaultLifecycle};

fn main() {
    let mut directory = None;
    let mut filter = String::new();
    let mut args = env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            // Cargo says so to every benchmark.
            "--bench" => {}
            "--filter" => filter = args.next().expect("what to look for comes after --filter"),
            _ => directory = Some(PathBuf::from(arg)),
        }
    }
    let real = directory.map_or_else(Vec::new, |directory| of(&directory));
    table("traces of programs", real, &filter);
    table("made up", made_up(), &filter);
}

/// A trace, and the capacities to replay it with.
struct Trace {
    name: String,
    keys: Vec<u32>,
    capacities: Vec<usize>,
}

/// Replays a trace with a capacity; how many were found.
type Contender = (&'static str, fn(&[u32], usize) -> u64);

const CONTENDERS: [Contender; 5] =
    [("optimum", optimum), ("memo", memo), ("quick_cache", quick), ("moka", moka), ("LRU (cached)", lru)];

fn table(title: &str, traces: Vec<Trace>, filter: &str) {
    let traces: Vec<_> = traces.into_iter().filter(|trace| trace.name.contains(filter)).collect();
    if traces.is_empty() {
        return;
    }
    println!("\nhits in %, {title}\n");
    print!("| trace, capacity |");
    CONTENDERS.iter().for_each(|(name, _)| print!(" {name} |"));
    println!("\n|---|{}", "---:|".repeat(CONTENDERS.len()));
    let mut sums = [0.0; CONTENDERS.len()];
    let mut rows = 0.0;
    for trace in traces {
        for capacity in trace.capacities {
            print!("| {}, {capacity} |", trace.name);
            for (sum, (_, replay)) in sums.iter_mut().zip(CONTENDERS) {
                let part = 100.0 * replay(&trace.keys, capacity) as f64 / trace.keys.len() as f64;
                *sum += part;
                print!(" {part:.2} |");
            }
            println!();
            rows += 1.0;
        }
    }
    print!("| **mean** |");
    sums.iter().for_each(|sum| print!(" {:.2} |", sum / rows));
    println!();
}

/// The traces in a directory, by name.
fn of(directory: &Path) -> Vec<Trace> {
    let files = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut paths: Vec<_> = files.filter_map(|file| Some(file.ok()?.path())).collect();
    paths.sort();
    paths.iter().filter_map(|path| read(path)).collect()
}

fn read(path: &Path) -> Option<Trace> {
    let file = path.file_name()?.to_str()?;
    let (name, bytes) = if let Some(name) = file.strip_suffix(".u32") {
        (name, fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    } else {
        let name = file.strip_suffix(".u32.zst")?;
        let out = Command::new("zstd").args(["-dcq"]).arg(path).output().expect("the command zstd is there");
        assert!(out.status.success(), "{}: {}", path.display(), String::from_utf8_lossy(&out.stderr));
        (name, out.stdout)
    };
    let (words, _) = bytes.as_chunks::<4>();
    let keys: Vec<u32> = words.iter().map(|&word| u32::from_le_bytes(word)).collect();
    let capacities = match name {
        "lirs-2_pools" => vec![450],
        "lirs-cpp" => vec![35, 100],
        "lirs-cs" => vec![500, 1000],
        "lirs-gli" => vec![500, 1500],
        "lirs-loop" => vec![500, 900],
        "lirs-multi1" => vec![500, 1500],
        "lirs-multi2" => vec![1000, 2500],
        "lirs-zigzag" => vec![500],
        "corda" => vec![512, 1024],
        "web07" | "web12" => vec![500, 2000],
        "arc-OLTP" => vec![1000, 5000, 15_000],
        _ => {
            let distinct = keys.iter().collect::<std::collections::HashSet<_>>().len();
            [100, 10, 3].map(|part| distinct.div_ceil(part)).to_vec()
        }
    };
    Some(Trace { name: name.to_owned(), keys, capacities })
}

/// Looks for all keys, and puts those that are not there.
fn play(trace: &[u32], mut get: impl FnMut(u32) -> bool, mut put: impl FnMut(u32)) -> u64 {
    let mut hits = 0;
    for &key in trace {
        if get(key) {
            hits += 1;
        } else {
            put(key);
        }
    }
    hits
}

fn memo(trace: &[u32], capacity: usize) -> u64 {
    let store = Engine::<u32, u32>::new(Some(capacity as u64));
    play(trace, |key| store.get(&key).is_some(), |key| store.insert(key, key, 1, None))
}

fn quick(trace: &[u32], capacity: usize) -> u64 {
    let options = quick_cache::OptionsBuilder::new()
        .shards(1)
        .estimated_items_capacity(capacity)
        .weight_capacity(capacity as u64)
        .build()
        .expect("all is said");
    let store: Cache<u32, u32> =
        Cache::with_options(options, UnitWeighter, Default::default(), DefaultLifecycle::default());
    play(trace, |key| store.get(&key).is_some(), |key| store.insert(key, key))
}

/// Its maintenance runs after each call, as it would in a program that has time for it.
fn moka(trace: &[u32], capacity: usize) -> u64 {
    let store = moka::sync::Cache::new(capacity as u64);
    let get = |key| {
        let found = store.get(&key).is_some();
        store.run_pending_tasks();
        found
    };
    let put = |key| {
        store.insert(key, key);
        store.run_pending_tasks();
    };
    play(trace, get, put)
}

fn lru(trace: &[u32], capacity: usize) -> u64 {
    let store = LruCache::builder().max_size(capacity).build().expect("a size is enough");
    let store = std::cell::RefCell::new(store);
    play(
        trace,
        |key| store.borrow_mut().cache_get(&key).is_some(),
        |key| {
            store.borrow_mut().cache_set(key, key);
        },
    )
}

/// Belady's: what is asked for again last, or never, leaves first, or does not come in.
fn optimum(trace: &[u32], capacity: usize) -> u64 {
    // When each call's key is asked for again; those that never are, all at different times after the end.
    let mut next = vec![0; trace.len()];
    let mut later = HashMap::new();
    for (at, key) in trace.iter().enumerate().rev() {
        next[at] = later.insert(key, at).unwrap_or(trace.len() + at);
    }
    let (mut kept, mut hits) = (BTreeSet::new(), 0);
    for (at, next) in next.into_iter().enumerate() {
        hits += u64::from(kept.remove(&at));
        kept.insert(next);
        if kept.len() > capacity {
            kept.pop_last();
        }
    }
    hits
}

/// A die.
struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 20) % most
    }

    /// So many draws from Zipf over so many keys.
    fn zipf(&mut self, keys: u32, exponent: f64, calls: usize) -> Vec<u32> {
        let mut sum = 0.0;
        let sums: Vec<f64> = (1..=keys)
            .map(|rank| {
                sum += f64::from(rank).powf(-exponent);
                sum
            })
            .collect();
        let mut draw = || {
            let drawn = self.below(1 << 40) as f64 / (1_u64 << 40) as f64 * sum;
            sums.partition_point(|&at| at < drawn) as u32
        };
        (0..calls).map(|_| draw()).collect()
    }
}

fn made_up() -> Vec<Trace> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut traces = Vec::new();
    let mut add = |name: &str, capacity, keys| {
        traces.push(Trace { name: name.to_owned(), keys, capacities: vec![capacity] });
    };
    for exponent in [0.6, 0.8, 1.0, 1.2] {
        add(&format!("Zipf {exponent:.1}"), 1000, random.zipf(20_000, exponent, 400_000));
    }
    add("Zipf 1.0", 10_000, random.zipf(100_000, 1.0, 1_000_000));
    for length in [1010, 1100, 1500, 2000] {
        add(&format!("loop of {length}"), 1000, (0..200_000).map(|at| at % length).collect());
    }
    // From here on keys have a kind in their highest bits.
    let apart = |kind: u32, keys: Vec<u32>| keys.into_iter().map(move |key| kind << 24 | key);
    let scans = random.zipf(10_000, 1.0, 400_000);
    let scan = |at: usize| (0..5000).map(move |step| 1 << 24 | (at as u32 * 5000 + step));
    let scans = scans.chunks(10_000).enumerate();
    add("Zipf and scans", 1000, scans.flat_map(|(at, part)| part.iter().copied().chain(scan(at))).collect());
    let once = random.zipf(10_000, 0.9, 300_000).into_iter().zip(1 << 24..);
    add("Zipf and what comes once", 1000, once.flat_map(|(key, new)| [key, new]).collect());
    let drifting = random.zipf(10_000, 1.0, 500_000).into_iter().zip(0_u32..);
    let drift = drifting.map(|(key, at)| key.wrapping_mul(0x9e37_79b1) % 1_000_003 + at / 50).collect();
    add("a Zipf that drifts", 1000, drift);
    let soon = (200..200_000_u32).flat_map(|key| [key, key - 1 - random.below(40) as u32]).collect();
    add("soon or never", 1000, soon);
    let mut changes: Vec<u32> = random.zipf(10_000, 1.0, 200_000);
    changes.extend(apart(1, (0..200_000).map(|at| at % 1500).collect()));
    changes.extend(apart(2, random.zipf(10_000, 1.0, 200_000)));
    add("Zipf, a loop of 1500, another Zipf", 1000, changes);
    let mut place = 0;
    let mut walk = || {
        place += random.below(7);
        place = place.saturating_sub(2);
        let near = random.below(400);
        (place + near * near / 400) as u32
    };
    add("a walk", 300, (0..400_000).map(|_| walk()).collect());
    traces
}
