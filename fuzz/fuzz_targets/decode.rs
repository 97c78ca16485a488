//! Whatever the bytes of a stored result, reading them ends, and takes no more memory than is allowed for so many.
//! Elements without size, of which there may be millions in a few bytes, have tests of their own: they take their time.
#![no_main]

#[path = "../../memo/src/far/bounded.rs"]
mod bounded;
#[allow(dead_code, reason = "nothing is written here")]
#[path = "../../memo/src/far/codec.rs"]
mod codec;
#[path = "../../memo/src/far/detached.rs"]
mod detached;
#[allow(dead_code, reason = "no type is fingerprinted here")]
#[path = "../../memo/src/far/fingerprint.rs"]
mod fingerprint;

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};

use codec::Codec;
use detached::{Detached, Plainly};
use libfuzzer_sys::fuzz_target;
use serde::{Deserialize, Serialize};

/// As in `memo`.
const ROOM: usize = memo_engines::entry::LABEL_LEN;

/// The system's allocator, which knows how much is held, and the most that was.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

fn took(size: usize) {
    MOST.fetch_max(HELD.fetch_add(size, Ordering::Relaxed) + size, Ordering::Relaxed);
}

// SAFETY: it hands everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        took(layout.size());
        // SAFETY: the caller keeps the contract
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

type Large = Option<[[u64; 32]; 16]>;

#[derive(Serialize, Deserialize)]
struct Chain(Option<Box<Chain>>);

#[derive(Serialize, Deserialize)]
enum Tree {
    Leaf,
    One(Box<Tree>),
    Many(Vec<Tree>),
    Named { tree: HashMap<String, Tree>, large: Box<Large> },
}

#[derive(Serialize, Deserialize)]
struct Mixed {
    tree: Tree,
    large: Vec<Large>,
    pairs: BTreeMap<u8, Large>,
    chain: Chain,
}

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    let codec = [Codec::Postcard, Codec::MessagePack, Codec::Json][usize::from(kind % 3)];
    let (before, read) = (HELD.load(Ordering::Relaxed), bytes.to_vec());
    MOST.store(before, Ordering::Relaxed);
    match kind / 3 % 6 {
        0 => drop(codec.read::<Chain, Plainly>(read)),
        1 => drop(codec.read::<Tree, Plainly>(read)),
        2 => drop(codec.read::<Vec<Large>, Plainly>(read)),
        3 => drop(codec.read::<Vec<Box<Large>>, Detached>(read)),
        4 => drop(codec.read::<BTreeMap<u8, Large>, Detached>(read)),
        _ => drop(codec.read::<Mixed, Detached>(read)),
    }
    let most = MOST.load(Ordering::Relaxed) - before;
    // a node of a B-tree has room for eleven entries
    let allowed = 12 * ((64 << 20) + 64 * bytes.len());
    assert!(most < allowed, "{most} bytes for {}", bytes.len());
});
