//! Near tiers over Redis follow what other processes change. Promise 22: also where messages are lost.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use memo::memoize;

use crate::servers::proxy::{Mood, Proxy};
use crate::servers::{Kind, PATIENCE, REDIS, Server, until};
use crate::{Ends, Other, register};

/// What is true, in a file that all processes see.
fn truth() -> PathBuf {
    std::env::var_os("MEMO_TEST_TRUTH").expect("it is set for the children").into()
}

fn read(path: &PathBuf) -> u64 {
    std::fs::read_to_string(path).unwrap().parse().unwrap()
}

/// Puts it there in one step.
fn write(path: &PathBuf, value: u64) {
    let new = path.with_extension("new");
    std::fs::write(&new, value.to_string()).unwrap();
    std::fs::rename(new, path).unwrap();
}

#[memoize(engine = ["memory", "redis"], name = "coherence::version", code = "manual", key = ())]
fn version(path: &PathBuf) -> u64 {
    read(path)
}

/// For each line that it is given, waits until it sees the version on it, and tells how long that took.
#[test]
#[ignore = "run by the tests below, in processes of their own"]
fn child_reads() {
    let path = truth();
    for line in std::io::stdin().lines() {
        let expected: u64 = line.unwrap().parse().unwrap();
        let begun = Instant::now();
        while version(&path) < expected {
            assert!(begun.elapsed() < PATIENCE, "stale for ever");
            std::thread::yield_now();
        }
        println!("@{}", begun.elapsed().as_micros());
    }
}

fn rounds(quick: u64) -> u64 {
    if std::env::var_os("MEMO_TEST_NIGHTLY").is_some() { 10_000 } else { quick }
}

/// Tells how long something took, of those that were last.
fn tell(what: &str, mut took: Vec<Duration>) {
    took.sort();
    let place = |percent: usize| took[took.len() * percent / 100];
    let most = took[took.len() - 1];
    eprintln!("{what}: stale for {:?} (p50), {:?} (p99), {most:?} (most)", place(50), place(99));
}

#[test]
fn promise_22_near_entries_follow_what_other_processes_change() {
    mod writer {
        #[memo::memoize(engine = "coherence", name = "coherence::version", code = "manual", key = ())]
        pub(super) fn version(path: &std::path::PathBuf) -> u64 {
            super::read(path)
        }
    }
    if !REDIS.is_there() {
        return;
    }
    let server = Server::start(REDIS, Kind::default());
    let proxy = Proxy::to(server.port());
    register("coherence", &server.url());
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("truth");
    write(&path, 0);
    let variables = [("MEMO_TEST_TRUTH", path.to_str().unwrap()), ("MEMO_ENGINES__REDIS__URL", &proxy.url())];
    let mut readers = [(); 2].map(|()| Other::start("coherence::child_reads", &variables));
    let mut now = 0;
    let mut change = |cut: bool| {
        now += 1;
        if cut && now % 2 == 0 {
            proxy.cut();
        }
        write(&path, now);
        match now % 3 {
            0 => writer::version::invalidate(&path).unwrap(),
            1 => writer::version::clear().unwrap(),
            _ => drop(writer::version::refresh(&path)),
        }
        crate::flush();
        if cut && now % 2 == 1 {
            proxy.cut();
        }
        readers.iter_mut().for_each(|reader| reader.tell(now));
        let took = readers.iter_mut().map(|reader| Duration::from_micros(reader.hear().parse().unwrap()));
        took.collect::<Vec<_>>()
    };
    let quiet: Vec<_> = (0..rounds(600)).flat_map(|_| change(false)).collect();
    tell("connected", quiet);
    let cut: Vec<_> = (0..rounds(600) / 40).flat_map(|_| change(true)).collect();
    tell("connection cut in each round", cut);
}

static TRUTH: AtomicU64 = AtomicU64::new(0);

#[test]
fn promise_22_staleness_is_at_most_the_near_lifetime_and_ends_with_a_new_connection() {
    mod here {
        #[memo::memoize(engine = ["memory", "deaf"], ttl = "2s", name = "deaf::truth", code = "manual")]
        pub(super) fn truth() -> u64 {
            super::TRUTH.load(std::sync::atomic::Ordering::SeqCst)
        }
        /// The same without a lifetime.
        #[memo::memoize(engine = ["memory", "deaf"], name = "deaf::for_ever", code = "manual")]
        pub(super) fn for_ever() -> u64 {
            super::TRUTH.load(std::sync::atomic::Ordering::SeqCst)
        }
    }
    mod there {
        #[memo::memoize(engine = "hears", name = "deaf::truth", code = "manual")]
        pub(super) fn truth() -> u64 {
            super::TRUTH.load(std::sync::atomic::Ordering::SeqCst)
        }
        #[memo::memoize(engine = "hears", name = "deaf::for_ever", code = "manual")]
        pub(super) fn for_ever() -> u64 {
            super::TRUTH.load(std::sync::atomic::Ordering::SeqCst)
        }
    }
    if !REDIS.is_there() {
        return;
    }
    let server = Server::start(REDIS, Kind::default());
    let proxy = Proxy::to(server.port());
    register("deaf", &proxy.url());
    register("hears", &server.url());
    let both = || [here::truth(), here::for_ever()];
    assert_eq!(both(), [0, 0]);
    crate::flush();
    // listening, and all that came of its beginning is over
    until("near hits", || {
        let before = here::for_ever::stats().tiers[0].hits;
        both();
        std::thread::sleep(Duration::from_millis(20));
        both();
        (proxy.connections() == 2 && here::for_ever::stats().tiers[0].hits == before).then_some(())
    });
    proxy.set(Mood::HalfOpen);
    TRUTH.store(1, Ordering::SeqCst);
    there::truth::invalidate().unwrap();
    there::for_ever::invalidate().unwrap();
    let begun = Instant::now();
    until("the lifetime to be over", || (here::truth() == 1).then_some(()));
    eprintln!("messages lost: stale for {:?} of 2 s", begun.elapsed());
    assert_eq!(here::for_ever(), 0, "which nothing has told");
    proxy.set(Mood::Well);
    until("a new connection", || (here::for_ever() == 1).then_some(()));
}

/// Hears what is told on the channel of changes, and tells it again when asked: late, twice, in another order, with
/// nonsense among it.
struct Gossip {
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
    publisher: BufReader<TcpStream>,
    random: u64,
}

impl Gossip {
    fn start(port: u16, seed: u64) -> Self {
        let heard = Arc::new(Mutex::new(vec![b"nonsense".to_vec()]));
        let subscriber = TcpStream::connect(("127.0.0.1", port)).unwrap();
        (&subscriber).write_all(b"SUBSCRIBE memo:changes\r\n").unwrap();
        let hearing = Arc::clone(&heard);
        // it ends with the server
        std::thread::spawn(move || {
            let mut reader = BufReader::new(subscriber);
            while let Some(payload) = next_message(&mut reader) {
                let mut heard = hearing.lock().unwrap();
                if !heard.contains(&payload) {
                    heard.push(payload);
                }
            }
        });
        let publisher = BufReader::new(TcpStream::connect(("127.0.0.1", port)).unwrap());
        Self { heard, publisher, random: seed }
    }

    fn tell(&mut self) {
        self.random = self.random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        let payload = {
            let heard = self.heard.lock().unwrap();
            heard[(self.random >> 33) as usize % heard.len()].clone()
        };
        let head = format!("*3\r\n$7\r\nPUBLISH\r\n$12\r\nmemo:changes\r\n${}\r\n", payload.len());
        let command = [head.as_bytes(), &payload, b"\r\n"].concat();
        self.publisher.get_mut().write_all(&command).unwrap();
        let mut answer = String::new();
        self.publisher.read_line(&mut answer).unwrap();
        assert!(answer.starts_with(':'), "{answer}");
    }
}

/// What the next message on a channel says; none when the connection is over. (In RESP2.)
fn next_message(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let line = |reader: &mut dyn BufRead| {
        let mut line = String::new();
        (reader.read_line(&mut line).ok()? > 0).then_some(line)
    };
    loop {
        let parts: usize = line(reader)?.trim_end().strip_prefix('*')?.parse().ok()?;
        let mut last = Vec::new();
        for _ in 0..parts {
            // how many subscriptions there are is a number, all else has a length
            let head = line(reader)?;
            let Some(length) = head.trim_end().strip_prefix('$') else {
                last.clear();
                continue;
            };
            last = vec![0; length.parse::<usize>().ok()? + 2];
            reader.read_exact(&mut last).ok()?;
            last.truncate(last.len() - 2);
        }
        if !last.is_empty() {
            return Some(last);
        }
    }
}

static TRUTHS: [AtomicU64; 4] = [const { AtomicU64::new(0) }; 4];

#[test]
fn promise_22_messages_that_come_late_or_twice_or_in_another_order_do_no_harm() {
    mod here {
        #[memo::memoize(engine = ["memory", "gossip-here"], name = "gossip::truth", code = "manual")]
        pub(super) fn truth(place: usize) -> u64 {
            super::TRUTHS[place].load(std::sync::atomic::Ordering::SeqCst)
        }
    }
    mod there {
        #[memo::memoize(engine = "gossip-there", name = "gossip::truth", code = "manual")]
        pub(super) fn truth(place: usize) -> u64 {
            super::TRUTHS[place].load(std::sync::atomic::Ordering::SeqCst)
        }
    }
    if !REDIS.is_there() {
        return;
    }
    let server = Server::start(REDIS, Kind::default());
    register("gossip-here", &server.url());
    register("gossip-there", &server.url());
    let seed = u64::from(std::process::id());
    let mut gossip = Gossip::start(server.port(), seed);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // somebody asks all the time, also while it is told what changes
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                (0..4).for_each(|place| assert!(here::truth(place) <= rounds(600)));
            }
        });
        let over = Ends(&over);
        for round in 1..=rounds(600) {
            let place = round as usize % 4;
            (0..round % 3).for_each(|_| gossip.tell());
            TRUTHS[place].store(round, Ordering::SeqCst);
            match round % 5 {
                0 => there::truth::clear().unwrap(),
                _ => there::truth::invalidate(place).unwrap(),
            }
            (0..round % 7).for_each(|_| gossip.tell());
            until(&format!("what is true in round {round}, seed {seed}"), || {
                (here::truth(place) == round).then_some(())
            });
        }
        drop(over);
    });
    let hits = here::truth::stats().hits - here::truth::stats().tiers[0].hits;
    eprintln!("{hits} hits in memory");
    assert!(hits > 0);
}
