//! A command line that is run twice: the first time it computes and stores on disk, the second time it reads.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::work::number;

/// The documents that it sums up.
const DOCUMENTS: u64 = 200;
/// What a summary takes: some 0.3 ms.
const ROUNDS: u64 = 200_000;

/// Somebody who runs it, with a directory for what is stored.
#[derive(Clone, Copy)]
pub struct Contender {
    /// What the tables call it.
    pub name: &'static str,
    /// Runs it once.
    pub run: fn(&Path),
}

/// All of them.
pub const CONTENDERS: [Contender; 3] = [
    Contender { name: "without", run: |_| report(work) },
    Contender { name: "memo", run: ours },
    Contender { name: "cached redb", run: peer },
];

/// A document's summary: 64 numbers.
fn work(document: u64) -> Vec<u64> {
    let mut state = number(document);
    (0..ROUNDS).for_each(|_| state = number(state ^ (state >> 29)));
    (0..64).map(|at| number(state ^ at)).collect()
}

fn report(summary: impl Fn(u64) -> Vec<u64>) {
    let sum = (0..DOCUMENTS).flat_map(summary).fold(0u64, u64::wrapping_add);
    println!("{sum}");
}

#[memo::memoize(engine = ["memory", "disk"])]
fn by_memo(document: u64) -> Vec<u64> {
    work(document)
}

fn ours(directory: &Path) {
    let options = memo::engine::DiskOptions::at(directory.join("memo"));
    let disk = memo::engine::Disk::open(options).expect("the disk opens");
    memo::engines().register("disk", disk);
    report(by_memo);
}

static PLACE: OnceLock<PathBuf> = OnceLock::new();

#[cached::macros::concurrent_cached(
    ty = "cached::RedbCache<u64, Vec<u64>>",
    create = r#"{ redb() }"#,
    map_error = r#"|error| error.to_string()"#
)]
fn by_redb(document: u64) -> Result<Vec<u64>, String> {
    Ok(work(document))
}

/// Durable, as it is by default: what is not is lost when the process ends, since a `static` is never dropped.
fn redb() -> cached::RedbCache<u64, Vec<u64>> {
    let place = PLACE.get().expect("it is set first");
    cached::RedbCache::builder("summaries").disk_dir(place).build().expect("redb opens")
}

fn peer(directory: &Path) {
    PLACE.set(directory.join("redb")).expect("only here");
    report(|document| by_redb(document).expect("redb reads and writes"));
}
