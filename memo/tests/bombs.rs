//! Promise 31: an entry that is packed to explode is a miss, whatever its codec. Each is read on a thread with a stack of
//! 2 MiB, and takes no more memory than what is allowed for as many bytes.
#![allow(unsafe_code)]
#![cfg(feature = "engines")]

mod shelf;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::{BTreeMap, HashMap, LinkedList};
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use shelf::Shelf;

/// The system's allocator, which knows of each thread how much it holds, and the most that it held.
struct Counting;

thread_local! {
    static HELD: Cell<(isize, isize)> = const { Cell::new((0, 0)) };
}

fn held(change: isize) {
    let _ = HELD.try_with(|held| {
        let (now, most) = held.get();
        held.set((now + change, most.max(now + change)));
    });
}

/// More than any of the tests may take: what asks for it is refused, so that a failure does not take the machine along.
const TOO_MUCH: usize = 2 << 30;

// SAFETY: it hands everything on to the system's allocator, or refuses.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() > TOO_MUCH {
            return std::ptr::null_mut();
        }
        held(layout.size() as isize);
        // SAFETY: the caller keeps the contract
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        held(-(layout.size() as isize));
        // SAFETY: the caller keeps the contract
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if size > TOO_MUCH {
            return std::ptr::null_mut();
        }
        held(size as isize - layout.size() as isize);
        // SAFETY: the caller keeps the contract
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most that this thread holds in `call` beyond what it held before.
fn most_in(call: impl FnOnce()) -> usize {
    let (before, _) = HELD.get();
    HELD.set((before, before));
    call();
    (HELD.get().1 - before) as usize
}

/// The engine of all tests, for one of them.
fn shelf() -> (Shelf, MutexGuard<'static, ()>) {
    static SHELF: LazyLock<Shelf> = LazyLock::new(|| Shelf::named("shelf"));
    static ONE: Mutex<()> = Mutex::new(());
    let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    (SHELF.clone(), one)
}

/// A function with a result of type `$ty`, written by `$codec`, whose stored result is then `$payload`.
macro_rules! bombs {
    ($($name:ident $called:literal: $codec:literal $ty:ty = $payload:expr;)*) => {$(
        #[test]
        fn $name() {
            #[memo::memoize(engine = "shelf", codec = $codec, name = $called)]
            fn result() -> $ty {
                <$ty>::default()
            }
            let (shelf, _one_at_a_time) = shelf();
            let payload: Vec<u8> = $payload;
            let test = move || {
                result();
                result();
                assert_eq!(result::stats().tiers[0].hits, 1, "it is stored");
                shelf.forge(|_, stored| stored.clone_from(&payload));
                let most = most_in(|| drop(result()));
                let tier = &result::stats().tiers[0];
                assert_eq!((tier.hits, tier.misses), (1, 2), "it is a miss");
                assert_eq!(tier.misfits.iter().map(|misfit| misfit.1).sum::<u64>(), 1, "and counted");
                // a vector that grows has room for twice what is in it, and for a while the room that it had before
                let allowed = 3 * ((64 << 20) + 64 * payload.len());
                assert!(most < allowed, "{most} bytes for {}, more than {allowed}", payload.len());
                result();
                assert_eq!(result::stats().tiers[0].hits, 2, "what was computed is in its place");
                result::clear().unwrap();
            };
            std::thread::Builder::new().stack_size(2 << 20).spawn(test).unwrap().join().unwrap();
        }
    )*};
}

type Large = Option<[[u64; 32]; 16]>;

/// What the payload of one byte after another, of those that mean much to a codec, is read as.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Mixed {
    list: List,
    large: Vec<Large>,
    folder: Folder,
    pairs: BTreeMap<u8, Box<Large>>,
    texts: HashMap<String, Vec<Chain>>,
    tree: Tree,
}

/// Nested by options.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Chain(Option<Box<Chain>>);

/// Nested by vectors.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Tree(Vec<Tree>);

/// Nested by variants.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
enum List {
    #[default]
    End,
    More(Box<List>),
}

/// Nested by maps.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Folder(BTreeMap<u8, Folder>);

/// Nested by structs, each large on the stack.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Heavy<W> {
    next: Option<Box<Heavy<W>>>,
    weight: Option<W>,
}

/// Makes room for as many as it is told of.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(transparent)]
struct Eager<T>(Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Eager<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Elements<T> {
            type Value = Eager<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("elements")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Eager<T>, A::Error> {
                let mut all = Vec::with_capacity(elements.size_hint().unwrap_or(0));
                while let Some(element) = elements.next_element()? {
                    all.push(element);
                }
                Ok(Eager(all))
            }
        }
        deserializer.deserialize_seq(Elements(PhantomData))
    }
}

/// The length `n` as postcard writes it, and `rest`.
fn postcard(mut n: u64, rest: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    while n >= 0x80 {
        bytes.push(n as u8 | 0x80);
        n >>= 7;
    }
    bytes.push(n as u8);
    bytes.extend_from_slice(rest);
    bytes
}

/// Reads payloads of bytes that are chosen at random among `bytes`, and of any.
fn any_payload(read: impl Fn(), shelf: &Shelf, bytes: &[u8]) {
    let rounds = if std::env::var_os("MEMO_TEST_NIGHTLY").is_some() { 100_000 } else { 2_000 };
    let seed = std::env::var("MEMO_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| memo_engines::utc_now() | 1);
    eprintln!("MEMO_TEST_SEED={seed}");
    let mut state = seed;
    let mut random = || {
        // xorshift64
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as usize
    };
    for _ in 0..rounds {
        let length = random() % 300;
        let any = random() % 10;
        let mut byte = || if random() % 10 < any { random() as u8 } else { bytes[random() % bytes.len()] };
        let payload: Vec<u8> = (0..length).map(|_| byte()).collect();
        shelf.forge(|_, stored| stored.clone_from(&payload));
        let most = most_in(&read);
        assert!(most < 64 << 20, "{most} bytes for {payload:?}");
    }
}

macro_rules! any_payloads {
    ($($name:ident $called:literal: $codec:literal $bytes:expr;)*) => {$(
        #[test]
        fn $name() {
            #[memo::memoize(engine = "shelf", codec = $codec, name = $called)]
            fn result() -> Mixed {
                Mixed::default()
            }
            let (shelf, _one_at_a_time) = shelf();
            let test = move || {
                result();
                any_payload(|| drop(result()), &shelf, $bytes);
                let tier = &result::stats().tiers[0];
                assert!(tier.misfits.iter().map(|misfit| misfit.1).sum::<u64>() > 0, "most are refused");
                result::clear().unwrap();
            };
            std::thread::Builder::new().stack_size(2 << 20).spawn(test).unwrap().join().unwrap();
        }
    )*};
}

any_payloads! {
    postcard_any_payload "postcard_any_payload": "postcard" &[0, 0, 1, 1, 1, 2, 3, 0x7f, 0xff];
}

const MANY: usize = 4_000_000;
const DEEP: usize = 1_000_000;

bombs! {
    postcard_options "postcard_options": "postcard" Chain = vec![1; DEEP];
    postcard_vectors "postcard_vectors": "postcard" Tree = vec![1; DEEP];
    postcard_variants "postcard_variants": "postcard" List = vec![1; DEEP];
    postcard_maps "postcard_maps": "postcard" Folder = vec![1; DEEP];
    postcard_structs "postcard_structs": "postcard" Heavy<[[u64; 16]; 16]> = vec![1; DEEP];
    postcard_structs_of_8_kib "postcard_structs_of_8_kib": "postcard" Heavy<[[u64; 32]; 32]> = vec![1; DEEP];
    postcard_large_elements "postcard_large_elements": "postcard" Vec<Large> = postcard(MANY as u64, &vec![0; MANY]);
    postcard_large_boxes "postcard_large_boxes": "postcard" Vec<Box<Large>> = postcard(MANY as u64, &vec![0; MANY]);
    postcard_large_boxes_in_options "postcard_large_boxes_in_options": "postcard" Vec<Option<Box<Large>>> =
        postcard(MANY as u64 / 2, &[1, 0].repeat(MANY / 2));
    postcard_large_values "postcard_large_values": "postcard" BTreeMap<u32, Large> = {
        let pairs: Vec<_> = (0..MANY as u64 / 4).flat_map(|n| postcard(n, &[0])).collect();
        postcard(MANY as u64 / 4, &pairs)
    };
    postcard_length "postcard_length": "postcard" Vec<u64> = postcard(1 << 60, &[]);
    postcard_length_of_text "postcard_length_of_text": "postcard" Vec<String> = postcard(1, &postcard(1 << 60, b"text"));
    postcard_length_of_a_map "postcard_length_of_a_map": "postcard" HashMap<u64, u64> = postcard(1 << 60, &[]);
    postcard_length_believed "postcard_length_believed": "postcard" Eager<u64> = postcard(1 << 60, &[]);
    postcard_length_believed_of_large_elements "postcard_length_believed_of_large_elements": "postcard" Eager<Large> = postcard(1 << 60, &[]);
    postcard_nothing "postcard_nothing": "postcard" Vec<()> = postcard(1 << 60, &[]);
    postcard_nodes_of_nothing "postcard_nodes_of_nothing": "postcard" LinkedList<()> = postcard(1 << 60, &[]);
    postcard_pairs_of_nothing "postcard_pairs_of_nothing": "postcard" HashMap<(), ()> = postcard(1 << 60, &[]);
    postcard_counted_pointers_to_nothing "postcard_counted_pointers_to_nothing": "postcard" Vec<Arc<()>> = postcard(1 << 60, &[]);
}

#[cfg(feature = "messagepack")]
mod messagepack {
    use super::*;

    any_payloads! {
        // as an array: fields by their places
        messagepack_any_payload "messagepack_any_payload": "messagepack"
            &[0x96, 0x91, 0x92, 0x93, 0x81, 0x82, 0xc0, 0xc0, 0, 1, 0xa1, b'a', 0xdd, 0xff];
    }

    /// An array of so many elements, and `rest`.
    fn array(n: u32, rest: &[u8]) -> Vec<u8> {
        [&[0xdd][..], &n.to_be_bytes(), rest].concat()
    }

    bombs! {
        // an option that is there and a newtype take no byte: one is enough for any number of them
        messagepack_options "messagepack_options": "messagepack" Chain = vec![1];
        messagepack_vectors "messagepack_vectors": "messagepack" Tree = vec![0x91; DEEP];
        messagepack_variants "messagepack_variants": "messagepack" List = [&[0x81, 0xa4][..], b"More"].concat().repeat(DEEP / 6);
        messagepack_maps "messagepack_maps": "messagepack" Folder = [0x81, 1].repeat(DEEP / 2);
        messagepack_large_elements "messagepack_large_elements": "messagepack" Vec<Large> = array(MANY as u32, &vec![0xc0; MANY]);
        messagepack_large_boxes "messagepack_large_boxes": "messagepack" Vec<Box<Large>> = array(MANY as u32, &vec![0xc0; MANY]);
        messagepack_length "messagepack_length": "messagepack" Vec<u64> = array(u32::MAX, &[]);
        messagepack_length_believed "messagepack_length_believed": "messagepack" Eager<Large> = array(u32::MAX, &[]);
        messagepack_nothing "messagepack_nothing": "messagepack" LinkedList<()> = array(MANY as u32, &vec![0xc0; MANY - 1]);
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;

    any_payloads! {
        json_any_payload "json_any_payload": "json" b"[[[]],,nullu{}\"\"::10";
    }

    bombs! {
        json_options "json_options": "json" Chain = b"1".to_vec();
        json_vectors "json_vectors": "json" Tree = vec![b'['; DEEP];
        json_variants "json_variants": "json" List = b"{\"More\":".repeat(DEEP / 8);
        json_maps "json_maps": "json" Folder = b"{\"1\":".repeat(DEEP / 5);
        json_large_elements "json_large_elements": "json" Vec<Large> = format!("[{}null]", "null,".repeat(MANY / 5)).into();
        json_large_boxes "json_large_boxes": "json" Vec<Box<Large>> = format!("[{}null]", "null,".repeat(MANY / 5)).into();
        json_nothing "json_nothing": "json" LinkedList<()> = format!("[{}", "null,".repeat(MANY / 5)).into();
    }
}

/// A chain of so many links: each is two levels, a newtype and an option.
fn chain(links: usize) -> Chain {
    (0..links).fold(Chain(None), |chain, _| Chain(Some(Box::new(chain))))
}

#[test]
fn what_is_as_deep_as_is_allowed_is_read_and_what_is_deeper_is_computed_again() {
    #[memo::memoize(engine = "shelf")]
    fn of(links: usize) -> Chain {
        chain(links)
    }
    let (_shelf, _one_at_a_time) = shelf();
    for links in [1, 63] {
        of(links);
        of(links);
    }
    assert_eq!(of::stats().tiers[0].hits, 2);
    of(64);
    let links = std::iter::successors(Some(&of(64)), |chain| chain.0.as_deref()).count();
    assert_eq!(links, 65, "the caller has it");
    assert_eq!(of::stats().tiers[0].hits, 2);
    of::clear().unwrap();
}

#[test]
fn honest_values_are_read_however_few_bytes_they_take() {
    #[memo::memoize(engine = "shelf")]
    fn large(count: usize) -> Vec<Large> {
        vec![None; count]
    }
    #[memo::memoize(engine = "shelf")]
    fn maps(count: usize) -> Vec<HashMap<u64, u64>> {
        vec![HashMap::new(); count]
    }
    #[memo::memoize(engine = "shelf")]
    fn vectors(count: usize) -> Vec<Vec<Vec<u8>>> {
        vec![vec![Vec::new()]; count]
    }
    #[memo::memoize(engine = "shelf")]
    fn nothing(count: usize) -> Vec<()> {
        vec![(); count]
    }
    let (_shelf, _one_at_a_time) = shelf();
    let lengths =
        || (large(16_000).len(), maps(2_000_000).len(), vectors(1_000_000).len(), nothing(2_000_000).len());
    assert_eq!(lengths(), lengths());
    let hits =
        [large::stats(), maps::stats(), vectors::stats(), nothing::stats()].map(|stats| stats.tiers[0].hits);
    assert_eq!(hits, [1; 4]);
    large::clear().unwrap();
    maps::clear().unwrap();
    vectors::clear().unwrap();
    nothing::clear().unwrap();
}
