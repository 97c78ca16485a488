//! The suite that every engine runs, ours and yours (feature `conformance`).
//!
//! ```no_run
//! # use memo_engines::{Engine, conformance};
//! # fn open_engine() -> Box<dyn Engine> { unimplemented!() }
//! #[test]
//! fn it_conforms() {
//!     conformance::all(open_engine);
//! }
//! ```
//!
//! What is tested beyond the four needed methods follows from the engine's [`Capability`]. Each check works on
//! spaces of its own, drawn at random: the engine may hold other entries, and a server need not be emptied.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, mpsc};
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, Instant};

use crate::block_on::block_on;
use crate::engine::{Capability, Change, Engine, Entry, Key, Reach, Space, Witness, utc_now};
use crate::error::{Error, ErrorKind};
use crate::random::token;

/// One check: what it asks of an engine, and the asking. `open` opens the same store each time, as far as the
/// engine outlives itself.
type Check = (&'static str, fn(open: &dyn Fn() -> Box<dyn Engine>));

const CHECKS: &[Check] = &[
    ("a key that was never put is not there", never_put),
    ("what was put is got, whole, of any size", put_and_got),
    ("the last put wins", last_put_wins),
    ("keys that differ in one bit are two keys", one_bit),
    ("what was removed is gone", removed),
    ("a removal is not undone by a put that came before it", removal_after_put),
    ("clear drops its space and nothing else", cleared),
    ("an entry is not given out when its time is over", expired),
    ("batches do what their parts would", batches),
    ("what is too large is refused, and what was there is not mixed up", too_large),
    ("threads never see half an entry or another's", threads),
    ("its futures are ready at once if it blocks", ready_at_once),
    ("what it cannot do it says", unsupported),
    ("keys lists each key once", lists),
    ("a result computed before an invalidation is not stored after it", witnesses),
    ("a lease has one holder", leases),
    ("another who opens the store sees what was flushed", seen_by_others),
    ("what another changes is told", told),
];

/// Runs every check on engines that `open` opens. Each call opens the same store again, as far as the engine
/// outlives itself; the one before may still be open, if the engine says that it reaches beyond this process or watches.
///
/// # Panics
/// At the first thing that is not as it should be, saying which check it was.
pub fn all<E: Engine>(open: impl Fn() -> E) {
    let open = || -> Box<dyn Engine> { Box::new(open()) };
    for (name, check) in CHECKS {
        eprintln!("conformance: {name}");
        check(&open);
    }
}

/// Waits for a future without any runtime: the thread parks.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    block_on(future)
}

/// A space that nobody else uses.
fn space() -> Space {
    Space(token())
}

/// The keys of a space, by number.
fn key(space: Space, number: u64) -> Key {
    let mut digest = [0; 32];
    digest[..16].copy_from_slice(&space.0);
    digest[16..24].copy_from_slice(&number.to_le_bytes());
    // Engines may look at any part of a digest and take it for random.
    let mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    digest[..8].iter_mut().zip(mixed.to_le_bytes()).for_each(|(byte, mix)| *byte ^= mix);
    Key { space, digest }
}

/// An entry that says whose it is, in every part of it.
fn about(key: &Key, version: u64, len: usize) -> Entry {
    let mut seed = [0; 40];
    seed[..32].copy_from_slice(&key.digest);
    seed[32..].copy_from_slice(&version.to_le_bytes());
    Entry::new(seed.iter().copied().cycle().take(len.max(40)).collect::<Vec<u8>>())
}

/// Whether this is a whole entry about this key.
fn is_about(entry: &Entry, key: &Key) -> bool {
    let Some((seed, _)) = entry.bytes.split_first_chunk::<40>() else { return false };
    seed[..32] == key.digest && entry.bytes.iter().zip(seed.iter().cycle()).all(|(byte, seed)| byte == seed)
}

fn get(engine: &dyn Engine, key: &Key) -> Option<Entry> {
    wait(engine.get(key)).expect("failed to get")
}

fn put(engine: &dyn Engine, key: &Key, entry: &Entry) {
    // An engine whose queue is full says so; waiting until it is empty is all it takes.
    for _ in 0..10 {
        match wait(engine.put(key, entry)) {
            Err(error) if error.kind() == ErrorKind::Full => wait(engine.flush()).expect("failed to flush"),
            done => return done.expect("failed to put"),
        }
    }
    panic!("failed to put ten times, with a flush after each");
}

fn never_put(open: &dyn Fn() -> Box<dyn Engine>) {
    let engine = open();
    let key = key(space(), 0);
    assert_eq!(get(&*engine, &key), None);
    assert!(!wait(engine.remove(&key)).expect("failed to remove what is not there"));
    wait(engine.clear(&key.space)).expect("failed to clear an empty space");
}

fn put_and_got(open: &dyn Fn() -> Box<dyn Engine>) {
    let engine = open();
    let space = space();
    let largest = engine.capability().largest.unwrap_or(u64::MAX);
    let sizes = [0, 1, 127, 128, 1000, 4096, 65_535, 65_536, 65_537, 1 << 20];
    for (number, size) in (0..).zip(sizes.into_iter().filter(|size| *size as u64 <= largest)) {
        let key = key(space, number);
        let bytes: Vec<u8> = (0..size).map(|at| (at * 31 % 251) as u8).collect();
        let entry = Entry::new(bytes);
        put(&*engine, &key, &entry);
        assert_eq!(get(&*engine, &key).as_ref(), Some(&entry), "{size} bytes, at once");
        wait(engine.flush()).expect("failed to flush");
        assert_eq!(get(&*engine, &key).as_ref(), Some(&entry), "{size} bytes, flushed");
    }
    let entry = Entry::new(vec![7]).expires_at(utc_now() + 3_600_000);
    let key = key(space, 1000);
    put(&*engine, &key, &entry);
    wait(engine.flush()).expect("failed to flush");
    assert_eq!(get(&*engine, &key), Some(entry), "the end of its time comes back with it");
}

fn last_put_wins(open: &dyn Fn() -> Box<dyn Engine>) {
    let engine = open();
    let key = key(space(), 0);
    for (version, len) in [(0, 100), (1, 100_000), (2, 50), (3, 200_000), (4, 100_000), (5, 40)] {
        let entry = about(&key, version, len);
        put(&*engine, &key, &entry);
        assert_eq!(get(&*engine, &key).as_ref(), Some(&entry), "version {version}, at once");
        if version % 2 == 0 {
            wait(engine.flush()).expect("failed to flush");
            assert_eq!(get(&*engine, &key).as_ref(), Some(&entry), "version {version}, flushed");
        }
    }
}

fn one_bit(open: &dyn Fn() -> Box<dyn Engine>) {
    let engine = open();
    let first = key(space(), 0);
    let others: Vec<Key> = (0..256)
        .map(|bit| {
            let mut other = first;
            other.digest[bit / 8] ^= 1 << (bit % 8);
            other
        })
        .collect();
    put(&*engine, &first, &about(&first, 0, 64));
    for other in &others {
        assert_eq!(get(&*engine, other), None);
    }
    for other in &others {
        put(&*engine, other, &about(other, 0, 64));
    }
    wait(engine.flush()).expect("failed to flush");
    for key in others.iter().chain([&first]) {
        // It may forget, but not mix up. (Keys that share their first 8 bytes may replace each other.)
        assert!(get(&*engine, key).is_none_or(|entry| is_about(&entry, key)));
    }
}

fn removed(open: &dyn Fn() -> Box<dyn Engine>) {
    let engine = open();
    let space = space();
    let (gone, stays) = (key(space, 0), key(space, 1));
    for key in [&gone, &stays] {
        put(&*engine, key, &about(key, 0, 64));
    }
    assert!(wait(engine.remove(&gone)).expect("failed to remove"));
    assert_eq!(get(&*engine, &gone), None);
    assert!(!wait(engine.remove(&gone)).expect("failed to remove again"));
    assert!(get(&*engine, &stays).is_some());
    put(&*engine, &gone, &about(&gone, 1, 64));
    assert!(get(&*engine, &gone).is_some(), "put again after it was removed");
}

fn removal_after_put(open: &dyn Fn() -> Box<dyn Engine>) {
    let engine = open();
    let space = space();
    for number in 0..200 {
        let key = key(space, number);
        put(&*engine, &key, &about(&key, 0, 64));
        assert!(wait(engine.remove(&key)).expect("failed to remove"));
        assert_eq!(get(&*engine, &key), None);
    }
    wait(engine.flush()).expect("failed to flush");
    for number in 0..200 {
        assert_eq!(get(&*engine, &key(space, number)), None);
    }
}

fn cleared(open: &dyn Fn() -> Box<dyn Engine>) {
    let engine = open();
    let (dropped, kept) = (space(), space());
    for number in 0..50 {
        for space in [dropped, kept] {
            let key = key(space, number);
            put(&*engine, &key, &about(&key, 0, 64));
        }
    }
    wait(engine.clear(&dropped)).expect("failed to clear");
    for number in 0..50 {
        assert_eq!(get(&*engine, &key(dropped, number)), None);
        assert!(get(&*engine, &key(kept, number)).is_some());
    }
    let again = key(dropped, 7);
    put(&*engine, &again, &about(&again, 1, 64));
    assert!(get(&*engine, &again).is_some(), "put after its space was cleared");
    wait(engine.flush()).expect("failed to flush");
    assert_eq!(get(&*engine, &again), Some(about(&again, 1, 64)));
    assert!(wait(engine.remove(&again)).expect("failed to remove"));
}

fn expired(open: &dyn Fn() -> Box<dyn Engine>) {
    let engine = open();
    let space = space();
    let (over, soon, later) = (key(space, 0), key(space, 1), key(space, 2));
    put(&*engine, &over, &about(&over, 0, 64).expires_at(utc_now().saturating_sub(1)));
    assert_eq!(get(&*engine, &over), None, "its time was over before it was put");
    put(&*engine, &over, &about(&over, 1, 64).expires_at(0));
    assert_eq!(get(&*engine, &over), None);
    put(&*engine, &later, &about(&later, 0, 64).expires_at(u64::MAX - 1));
    let end = utc_now() + 250;
    put(&*engine, &soon, &about(&soon, 0, 64).expires_at(end));
    let found = get(&*engine, &soon);
    assert!(found.is_some() || utc_now() >= end, "its time is not over yet");
    thread::sleep(Duration::from_millis(300));
    assert_eq!(get(&*engine, &soon), None);
    assert!(get(&*engine, &later).is_some());
    assert!(!wait(engine.remove(&soon)).expect("failed to remove"), "it is as if it were not there");
}

fn batches(open: &dyn Fn() -> Box<dyn Engine>) {
    let engine = open();
    let space = space();
    let entries: Vec<(Key, Entry)> = (0..20)
        .map(|number| {
            let key = key(space, number);
            (key, about(&key, 0, 64 + number as usize))
        })
        .collect();
    wait(engine.put_many(&entries)).expect("failed to put many");
    let keys: Vec<Key> = (0..25).map(|number| key(space, number)).collect();
    let found = wait(engine.get_many(&keys)).expect("failed to get many");
    let expected: Vec<_> = (0..25).map(|at| entries.get(at).map(|(_, entry)| entry.clone())).collect();
    assert_eq!(found, expected);
    assert_eq!(wait(engine.remove_many(&keys[10..])).expect("failed to remove many"), 10);
    for (number, key) in keys.iter().enumerate() {
        assert_eq!(get(&*engine, key).is_some(), number < 10);
    }
    wait(engine.put_many(&[])).expect("failed to put none");
    assert_eq!(wait(engine.get_many(&[])).expect("failed to get none"), []);
    assert_eq!(wait(engine.remove_many(&[])).expect("failed to remove none"), 0);
}

fn too_large(open: &dyn Fn() -> Box<dyn Engine>) {
    let engine = open();
    let key = key(space(), 0);
    let Some(largest) = engine.capability().largest.filter(|largest| *largest < 256 << 20) else { return };
    put(&*engine, &key, &about(&key, 0, 64));
    let entry = Entry::new(vec![0; largest as usize + 1]);
    let refused = wait(engine.put(&key, &entry)).expect_err("it took more than its largest");
    assert_eq!(refused.kind(), ErrorKind::TooLarge);
    assert!(!refused.is_engine_failure());
    assert!(get(&*engine, &key).is_none_or(|entry| is_about(&entry, &key)));
}

fn threads(open: &dyn Fn() -> Box<dyn Engine>) {
    let engine = open();
    let engine = &*engine;
    let space = space();
    let until = Instant::now() + Duration::from_millis(300);
    thread::scope(|scope| {
        for worker in 0..4_u64 {
            scope.spawn(move || {
                let mut state = worker + 1;
                for version in 0.. {
                    if Instant::now() > until {
                        break;
                    }
                    state =
                        state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let key = key(space, (state >> 33) % 8);
                    match (state >> 40) % 10 {
                        0 => drop(wait(engine.remove(&key)).expect("failed to remove")),
                        1..4 => {
                            let len = 40 + (state >> 45) as usize % 3000;
                            put(engine, &key, &about(&key, version << 8 | worker, len));
                        }
                        _ => {
                            let found = get(engine, &key);
                            assert!(found.is_none_or(|entry| is_about(&entry, &key)), "mixed up");
                        }
                    }
                }
            });
        }
    });
}

fn ready_at_once(open: &dyn Fn() -> Box<dyn Engine>) {
    let engine = open();
    if !engine.capability().blocking {
        return;
    }
    fn poll_once<T>(future: impl Future<Output = Result<T, Error>>) {
        let mut context = Context::from_waker(Waker::noop());
        assert!(pin!(future).poll(&mut context).is_ready(), "not ready at the first poll");
    }
    let key = key(space(), 0);
    let entry = about(&key, 0, 64);
    poll_once(engine.put(&key, &entry));
    poll_once(engine.get(&key));
    poll_once(engine.look(&key));
    poll_once(engine.put_if(&key, &entry, Witness::default()));
    poll_once(engine.put_many(&[(key, entry.clone())]));
    poll_once(engine.get_many(&[key]));
    poll_once(engine.remove(&key));
    poll_once(engine.remove_many(&[key]));
    poll_once(engine.clear(&key.space));
    poll_once(engine.flush());
}

fn unsupported(open: &dyn Fn() -> Box<dyn Engine>) {
    fn refuses<T>(answer: Result<T, Error>) {
        let error = answer.err().expect("it does what it says it cannot");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }
    let engine = open();
    let Capability { iterates, leases, .. } = engine.capability();
    let key = key(space(), 0);
    if !iterates {
        refuses(wait(engine.keys(&key.space, None, 1)));
    }
    if !leases {
        refuses(wait(engine.lease(&key, Duration::from_secs(1))));
    }
    assert!(!engine.name().is_empty());
    assert_eq!(engine.capability(), engine.capability());
}

fn lists(open: &dyn Fn() -> Box<dyn Engine>) {
    let engine = open();
    if !engine.capability().iterates {
        return;
    }
    let (listed, other) = (space(), space());
    for number in 0..57 {
        for space in [listed, other] {
            let key = key(space, number);
            put(&*engine, &key, &about(&key, 0, 64));
        }
    }
    wait(engine.remove(&key(listed, 56))).expect("failed to remove");
    let over = key(listed, 55);
    put(&*engine, &over, &about(&over, 1, 64).expires_at(1));
    let mut seen = BTreeSet::new();
    let mut after = None;
    loop {
        let keys = wait(engine.keys(&listed, after.as_ref(), 10)).expect("failed to list keys");
        assert!(keys.len() <= 10);
        let Some(last) = keys.last() else { break };
        after = Some(*last);
        for key in keys {
            assert!(seen.insert(key), "twice");
        }
    }
    assert_eq!(seen, (0..55).map(|number| key(listed, number)).collect());
    wait(engine.clear(&listed)).expect("failed to clear");
    assert_eq!(wait(engine.keys(&listed, None, 10)).expect("failed to list keys"), []);
}

fn witnesses(open: &dyn Fn() -> Box<dyn Engine>) {
    let engine = open();
    let space = space();
    let (key, other) = (key(space, 0), key(space, 1));
    let entry = about(&key, 0, 64);
    let look = || wait(engine.look(&key)).expect("failed to look");
    let put_if = |witness| wait(engine.put_if(&key, &entry, witness)).expect("failed to put");

    let (found, witness) = look();
    assert_eq!(found, None);
    assert!(put_if(witness), "nothing happened since");
    assert_eq!(look().0, Some(entry.clone()));
    if !engine.capability().witnesses {
        return;
    }
    let (_, witness) = look();
    assert!(wait(engine.remove(&key)).expect("failed to remove"));
    put_if(witness);
    wait(engine.flush()).expect("failed to flush");
    assert_eq!(get(&*engine, &key), None, "it was removed since");

    let (_, witness) = look();
    wait(engine.clear(&space)).expect("failed to clear");
    put_if(witness);
    wait(engine.flush()).expect("failed to flush");
    assert_eq!(get(&*engine, &key), None, "its space was cleared since");

    put(&*engine, &key, &entry);
    let (found, witness) = look();
    assert!(found.is_some());
    wait(engine.remove(&other)).expect("failed to remove");
    assert!(put_if(witness), "another key was removed since");
    wait(engine.flush()).expect("failed to flush");
    assert_eq!(get(&*engine, &key), Some(entry.clone()));
}

fn leases(open: &dyn Fn() -> Box<dyn Engine>) {
    let engine = open();
    if !engine.capability().leases {
        return;
    }
    let space = space();
    let (key, other) = (key(space, 0), key(space, 1));
    let long = Duration::from_secs(60);
    let lease = |key, ttl| wait(engine.lease(key, ttl)).expect("failed to lease");

    let first = lease(&key, long).expect("nobody holds it");
    assert_eq!(lease(&key, long), None, "it is held");
    let another = lease(&other, long).expect("another key's is free");
    assert!(!wait(engine.release(&key, &another)).expect("failed to release"), "not this holder's");
    assert!(wait(engine.renew(&key, &first, long)).expect("failed to renew"));
    assert!(wait(engine.release(&key, &first)).expect("failed to release"));
    assert!(!wait(engine.release(&key, &first)).expect("failed to release"), "released before");
    assert!(!wait(engine.renew(&key, &first, long)).expect("failed to renew"), "released before");

    let short = lease(&key, Duration::from_millis(50)).expect("it was released");
    assert_ne!(short, first);
    thread::sleep(Duration::from_millis(100));
    assert!(!wait(engine.renew(&key, &short, long)).expect("failed to renew"), "its time was over");
    let next = lease(&key, long).expect("its time was over");
    assert!(wait(engine.release(&key, &next)).expect("failed to release"));

    // Who gets it next sees what was put before it was given back, without a flush.
    if engine.capability().reach > Reach::Process {
        let second = open();
        for round in 0..20 {
            let held = lease(&key, long).expect("it was released");
            put(&*engine, &key, &about(&key, round, 64));
            assert!(wait(engine.release(&key, &held)).expect("failed to release"));
            let next = wait(second.lease(&key, long)).expect("failed to lease").expect("it was released");
            assert_eq!(get(&*second, &key), Some(about(&key, round, 64)), "put before the release");
            assert!(wait(second.release(&key, &next)).expect("failed to release"));
        }
    }

    // Many ask at once, one gets it.
    let engine = &*engine;
    let key = &key;
    let taken: usize = thread::scope(|scope| {
        let ask = || scope.spawn(move || wait(engine.lease(key, long)).expect("failed to lease").is_some());
        let asking: Vec<_> = (0..8).map(|_| ask()).collect();
        asking.into_iter().map(|taken| usize::from(taken.join().expect("it does not panic"))).sum()
    });
    assert_eq!(taken, 1);
}

fn told(open: &dyn Fn() -> Box<dyn Engine>) {
    let engine = open();
    if !engine.capability().watches {
        return;
    }
    // only now: an engine may be such that one process at a time has it open, once
    let other = open();
    let (space, elsewhere) = (space(), space());
    let (tell, told) = mpsc::channel();
    let watcher: Arc<dyn Fn(Change) + Send + Sync> =
        Arc::new(move |change| tell.send(change).unwrap_or_default());
    engine.watch(&space, Arc::downgrade(&watcher));
    let next = || told.recv_timeout(Duration::from_secs(30)).expect("nothing is told");
    assert_eq!(next(), Change::Unknown, "from now on all is told");

    let of = |number| key(space, number);
    // what it changes itself is not told, and no other space's changes
    put(&*engine, &of(0), &about(&of(0), 0, 64));
    wait(engine.remove(&of(0))).expect("failed to remove");
    put(&*other, &key(elsewhere, 0), &about(&key(elsewhere, 0), 0, 64));
    wait(other.clear(&elsewhere)).expect("failed to clear");
    put(&*other, &of(1), &about(&of(1), 0, 64));
    wait(other.flush()).expect("failed to flush");
    assert_eq!(next(), Change::Entry(of(1)), "put");
    wait(other.remove(&of(1))).expect("failed to remove");
    assert_eq!(next(), Change::Entry(of(1)), "removed");
    wait(other.remove(&of(1))).expect("failed to remove");
    assert_eq!(next(), Change::Entry(of(1)), "removed where it was not: it may be elsewhere");
    let (_, witness) = wait(other.look(&of(2))).expect("failed to look");
    assert!(wait(other.put_if(&of(2), &about(&of(2), 0, 64), witness)).expect("failed to put"));
    assert_eq!(next(), Change::Entry(of(2)), "put with a witness");
    wait(other.clear(&space)).expect("failed to clear");
    assert_eq!(next(), Change::Space(space), "cleared");
    let many: Vec<_> = (10..20).map(|number| (of(number), about(&of(number), 0, 64))).collect();
    wait(other.put_many(&many)).expect("failed to put many");
    wait(other.flush()).expect("failed to flush");
    let put: BTreeSet<_> = many.iter().map(|_| format!("{:?}", next())).collect();
    assert_eq!(put, many.iter().map(|(key, _)| format!("{:?}", Change::Entry(*key))).collect());

    // the engine does not keep it
    drop(watcher);
    wait(other.remove(&of(10))).expect("failed to remove");
    assert_eq!(told.recv_timeout(Duration::from_secs(30)), Err(mpsc::RecvTimeoutError::Disconnected));
}

fn seen_by_others(open: &dyn Fn() -> Box<dyn Engine>) {
    let first = open();
    let Capability { persistent, reach, .. } = first.capability();
    let space = space();
    let (kept, dropped) = (key(space, 0), key(space, 1));
    for key in [&kept, &dropped] {
        put(&*first, key, &about(key, 0, 64));
    }
    wait(first.flush()).expect("failed to flush");
    if reach > Reach::Process {
        let second = open();
        assert_eq!(get(&*second, &kept), Some(about(&kept, 0, 64)));
        assert!(get(&*second, &dropped).is_some());
        assert!(wait(first.remove(&dropped)).expect("failed to remove"));
        assert_eq!(get(&*second, &dropped), None, "removed by another");
        put(&*first, &kept, &about(&kept, 1, 64));
        wait(first.flush()).expect("failed to flush");
        assert_eq!(get(&*second, &kept), Some(about(&kept, 1, 64)), "put by another");
        wait(second.clear(&space)).expect("failed to clear");
        assert_eq!(get(&*first, &kept), None, "cleared by another");
        put(&*first, &kept, &about(&kept, 0, 64));
        wait(first.flush()).expect("failed to flush");
    }
    if persistent {
        drop(first);
        assert_eq!(get(&*open(), &kept), Some(about(&kept, 0, 64)), "opened again");
    }
}
