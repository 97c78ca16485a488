//! Promises 20 and 21: Redis refuses, hangs, is slow, lies, is full, or moves. No call takes longer than
//! its budget, and the engine is back soon after the server is.

mod servers;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use memo_engines::conformance::wait;
use memo_engines::{
    CircuitState, Engine, Entry, Error, ErrorKind, GuardOptions, Guarded, Key, Redis, RedisOptions, Space,
    utc_now,
};
use servers::proxy::{Mood, Proxy};
use servers::{Cluster, Kind, PASSWORD, REDIS, Sentinels, Server, until};

const BUDGET: Duration = Duration::from_millis(20);
/// How late a busy machine may wake a thread.
const BUSY: Duration = Duration::from_secs(1);
/// How soon the engine must be back.
const BACK: Duration = Duration::from_secs(2);

fn key(number: u64) -> Key {
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    digest[8..16].copy_from_slice(&number.to_le_bytes());
    Key { space: Space([9; 16]), digest }
}

/// An entry that holds its key.
fn about(key: &Key) -> Entry {
    Entry::new(key.digest.repeat(8))
}

fn open(url: String) -> Redis {
    Redis::open(RedisOptions::at(url)).unwrap()
}

fn guarded(url: String) -> Guarded {
    Guarded::new(open(url), GuardOptions { budget: BUDGET, ..GuardOptions::default() })
}

/// With a budget that suffices on a busy machine, for calls that must work and not only end.
fn patient(url: String) -> Guarded {
    Guarded::new(open(url), GuardOptions { budget: servers::PATIENCE, ..GuardOptions::default() })
}

/// Calls for as long as `time` and asserts that each returns in time and none gives a wrong value.
fn bear(engine: &Guarded, time: Duration) {
    let end = Instant::now() + time;
    let mut number = 0;
    let (mut refused, mut took) = (0, Duration::ZERO);
    while Instant::now() < end {
        number = (number + 1) % 16;
        let (key, open) = (key(number), engine.circuit() == CircuitState::Open);
        let begun = Instant::now();
        let found = wait(engine.get(&key));
        let elapsed = begun.elapsed();
        assert!(elapsed < BUDGET + BUSY, "{elapsed:?}: {found:?}");
        assert!(
            found.as_ref().map_or(true, |found| found.as_ref().is_none_or(|found| *found == about(&key)))
        );
        if open && found.is_err() {
            (refused, took) = (refused + 1, took + elapsed);
        }
        // a put is as harmless
        let begun = Instant::now();
        let _ = wait(engine.put(&key, &about(&key)));
        assert!(begun.elapsed() < BUDGET + BUSY);
        std::thread::sleep(Duration::from_micros(200));
    }
    if refused > 100 {
        let each = took / refused;
        assert!(each < Duration::from_millis(1), "a call with an open circuit took {each:?}");
    }
}

/// Asserts that the engine works again soon. Returns when it does.
fn is_back(engine: &Guarded) -> Duration {
    let begun = Instant::now();
    let key = key(utc_now());
    let works = || {
        wait(engine.put(&key, &about(&key))).is_ok()
            && wait(engine.get(&key)).ok().flatten() == Some(about(&key))
    };
    while !works() {
        assert!(begun.elapsed() < BACK + BUSY, "the server is back, and the engine is not");
        std::thread::sleep(Duration::from_millis(1));
    }
    begun.elapsed()
}

fn long() -> Duration {
    Duration::from_millis(if std::env::var_os("MEMO_TEST_NIGHTLY").is_some() { 60_000 } else { 700 })
}

/// Starts a server, if Redis is installed.
fn start(kind: Kind) -> Option<Server> {
    REDIS.is_there().then(|| Server::start(REDIS, kind))
}

fn through_a_proxy(mood: Mood) {
    let Some(server) = start(Kind::default()) else { return };
    let proxy = Proxy::to(server.port());
    let engine = guarded(proxy.url());
    is_back(&engine);
    proxy.set(mood);
    bear(&engine, long());
    proxy.set(Mood::Well);
    eprintln!("{mood:?}: back after {:?}", is_back(&engine));
}

#[test]
fn promise_20_it_refuses() {
    through_a_proxy(Mood::Refusing);
}

#[test]
fn promise_20_it_hangs() {
    through_a_proxy(Mood::Hanging);
}

#[test]
fn promise_20_it_is_slow() {
    through_a_proxy(Mood::Slow(Duration::from_millis(100)));
}

#[test]
fn promise_20_it_is_half_open() {
    through_a_proxy(Mood::HalfOpen);
}

#[test]
fn promise_20_it_trickles() {
    through_a_proxy(Mood::Trickling);
}

#[test]
fn promise_20_it_closes_in_the_middle_of_a_reply() {
    through_a_proxy(Mood::ClosingMidReply);
}

#[test]
fn promise_20_it_resets_in_the_middle_of_a_reply() {
    through_a_proxy(Mood::ResettingMidReply);
}

#[test]
fn promise_20_it_sends_garbage() {
    through_a_proxy(Mood::Garbage);
}

#[test]
fn promise_20_a_connection_that_was_closed_while_idle_costs_no_miss() {
    let Some(server) = start(Kind::default()) else { return };
    let proxy = Proxy::to(server.port());
    let engine = patient(proxy.url());
    is_back(&engine);
    let key = key(1);
    wait(engine.put(&key, &about(&key))).unwrap();
    for _ in 0..5 {
        proxy.cut();
        // the end of the connection reaches the client in its own time: whenever it does, the call goes on
        assert_eq!(wait(engine.get(&key)).unwrap(), Some(about(&key)));
    }
    assert_eq!(engine.stats().opened, 0);
    assert!(proxy.connections() > 1);
}

#[test]
fn promise_20_a_connection_that_is_silent_is_replaced() {
    let Some(server) = start(Kind::default()) else { return };
    let proxy = Proxy::to(server.port());
    let engine = guarded(proxy.url());
    is_back(&engine);
    proxy.set(Mood::HalfOpen);
    let connections = proxy.connections();
    until("another connection", || {
        let _ = wait(engine.get(&key(1)));
        (proxy.connections() > connections).then_some(())
    });
}

#[test]
fn promise_20_without_a_guard_too_a_call_ends() {
    let Some(server) = start(Kind::default()) else { return };
    let engine = open(server.url());
    wait(engine.put(&key(1), &about(&key(1)))).unwrap();
    server.signal("STOP");
    let end = std::thread::spawn(move || {
        // the connection that was there, and one that cannot be made
        assert_eq!(kind(wait(engine.get(&key(1)))), ErrorKind::Timeout);
        assert_eq!(kind(wait(engine.get(&key(1)))), ErrorKind::Timeout);
    });
    until("both to end", || end.is_finished().then_some(()));
    end.join().expect("they time out");
}

#[test]
fn promise_20_the_server_stops_and_goes_on() {
    let Some(server) = start(Kind::default()) else { return };
    let engine = guarded(server.url());
    is_back(&engine);
    server.signal("STOP");
    bear(&engine, long());
    server.signal("CONT");
    eprintln!("stopped: back after {:?}", is_back(&engine));
}

#[test]
fn promise_20_the_server_pauses_its_clients() {
    let Some(server) = start(Kind::default()) else { return };
    let engine = guarded(server.url());
    is_back(&engine);
    server.ask(&["CLIENT", "PAUSE", &long().as_millis().to_string(), "ALL"]);
    bear(&engine, long());
    is_back(&engine);
}

#[test]
fn promise_20_the_server_dies_and_comes_again() {
    let Some(mut server) = start(Kind::default()) else { return };
    let engine = guarded(server.url());
    is_back(&engine);
    server.kill();
    bear(&engine, long());
    server.restart();
    eprintln!("killed: back after {:?}", is_back(&engine));
}

#[test]
fn promise_20_the_server_loads_what_it_has_saved() {
    let Some(mut server) = start(Kind::default()) else { return };
    let engine = guarded(server.url());
    is_back(&engine);
    let of_each = Duration::from_micros(700);
    let count = long().as_micros() / of_each.as_micros();
    let patient = patient(server.url());
    for thousand in 0..count.div_ceil(1000) as u64 {
        let numbers = thousand * 1000..(thousand + 1) * 1000;
        let entries: Vec<_> = numbers.map(|number| (key(number), about(&key(number)))).collect();
        wait(patient.put_many(&entries)).unwrap();
    }
    server.ask(&["SAVE"]);
    server.restart_loading(of_each);
    // one that sees it for the first time
    let first = open(server.url());
    let error = wait(first.get(&key(1))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert!(format!("{error:?}").contains("LOADING"), "{error:?}");
    let begun = Instant::now();
    while server.ask(&["PING"]) != "PONG" {
        assert!(begun.elapsed() < 3 * long() + servers::PATIENCE, "it never ends");
        bear(&engine, long() / 10);
    }
    eprintln!("loaded: back after {:?}", is_back(&engine));
    assert_eq!(wait(first.get(&key(1))).unwrap(), Some(about(&key(1))), "what it had saved");
}

fn kind(answer: Result<impl std::fmt::Debug, Error>) -> ErrorKind {
    answer.unwrap_err().kind()
}

#[test]
fn promise_20_a_wrong_password_is_an_engine_that_is_not_there() {
    let Some(server) = start(Kind { password: true, ..Kind::default() }) else { return };
    let address = format!("redis://127.0.0.1:{}", server.port());
    for (password, says) in [(None, "NOAUTH"), (Some("hunter2"), "WRONGPASS")] {
        let password = password.map(str::to_owned);
        let engine = Redis::open(RedisOptions { password, ..RedisOptions::at(&*address) }).unwrap();
        let error = wait(engine.get(&key(1))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        let told = format!("{error} {error:?}");
        assert!(told.contains(says) || told.contains("uthentication"), "{told}");
        assert!(!told.contains("hunter2") && !told.contains(PASSWORD), "{told}");
    }
    // it is let in as soon as the server takes the password
    server.ask(&["CONFIG", "SET", "requirepass", "hunter2"]);
}

#[test]
fn promise_21_a_full_server_takes_no_entries_and_gives_out_what_it_has() {
    let Some(server) = start(Kind::default()) else { return };
    let engine = patient(server.url());
    is_back(&engine);
    let (kept, other) = (key(1), key(2));
    wait(engine.put(&kept, &about(&kept))).unwrap();
    wait(engine.put(&other, &about(&other))).unwrap();
    server.ask(&["CONFIG", "SET", "maxmemory", "1"]);
    for number in 0..20 {
        assert_eq!(kind(wait(engine.put(&key(number), &about(&kept)))), ErrorKind::Full);
        assert_eq!(wait(engine.get(&kept)).unwrap(), Some(about(&kept)));
    }
    // an invalidation must not fail for want of memory
    assert!(wait(engine.remove(&other)).unwrap());
    assert_eq!(wait(engine.get(&other)).unwrap(), None);
    wait(engine.clear(&kept.space)).unwrap();
    assert_eq!(wait(engine.get(&kept)).unwrap(), None);
    assert_eq!(engine.stats().opened, 0, "it was never given up");
    server.ask(&["CONFIG", "SET", "maxmemory", "0"]);
    is_back(&engine);
    assert_eq!(wait(engine.get(&kept)).unwrap(), None, "what was cleared does not come back");
}

#[test]
fn promise_21_eviction_forgets_and_mixes_nothing_up() {
    let Some(server) = start(Kind::default().with(&["--maxmemory-policy", "allkeys-random"])) else { return };
    let engine = patient(server.url());
    is_back(&engine);
    let number = |section, name: &str| -> u64 {
        let said = server.ask(&["INFO", section]);
        let number = said.lines().find_map(|line| line.strip_prefix(name)).expect("it is said");
        number.trim().parse().unwrap()
    };
    // what the server itself takes differs
    let bound = number("memory", "used_memory:") + (2 << 20);
    server.ask(&["CONFIG", "SET", "maxmemory", &bound.to_string()]);
    let mut found = 0;
    for round in 0..6000u64 {
        // a new one, and one of a while ago
        let key = key((round / 2).saturating_sub(round % 2 * 20) % 1000);
        let entry = Entry::new(key.digest.repeat(128));
        if let Ok(Some(held)) = wait(engine.get(&key)) {
            assert_eq!(held, entry);
            found += 1;
        }
        let _ = wait(engine.put(&key, &entry));
        if round % 2500 == 2499 {
            // the generation may have been evicted: what is cleared stays so
            wait(engine.clear(&key.space)).unwrap();
            assert_eq!(wait(engine.get(&key)).unwrap(), None);
        }
    }
    assert!(found > 0 && number("stats", "evicted_keys:") > 0);
}

#[test]
fn promise_21_what_another_program_has_under_a_key_is_a_miss_and_is_replaced() {
    let Some(server) = start(Kind::default()) else { return };
    let engine = patient(server.url());
    let key = key(1);
    wait(engine.put(&key, &about(&key))).unwrap();
    let names = server.ask(&["KEYS", "memo:*"]);
    assert_eq!(names.lines().count(), 2, "{names}");
    for name in names.lines() {
        for plant in
            [&["RPUSH", name, "x"][..], &["SET", name, "x"], &["SET", name, "-1"], &["HSET", name, "x", "y"]]
        {
            server.ask(&["DEL", name]);
            server.ask(plant);
            assert_eq!(wait(engine.get(&key)).unwrap(), None, "{plant:?}");
            let (found, witness) = wait(engine.look(&key)).unwrap();
            assert_eq!(found, None);
            wait(engine.put_if(&key, &about(&key), witness)).unwrap();
            wait(engine.put(&key, &about(&key))).unwrap();
            assert_eq!(wait(engine.get(&key)).unwrap(), Some(about(&key)), "{plant:?}");
            server.ask(&["DEL", name]);
            server.ask(plant);
            wait(engine.remove(&key)).unwrap();
            wait(engine.clear(&key.space)).unwrap();
            assert_eq!(wait(engine.get(&key)).unwrap(), None, "{plant:?}");
            wait(engine.put(&key, &about(&key))).unwrap();
        }
    }
    assert_eq!(engine.stats().opened, 0);
}

#[test]
fn promise_21_a_replica_that_was_the_master_is_left() {
    let Some(server) = start(Kind::default()) else { return };
    let engine = patient(server.url());
    is_back(&engine);
    server.ask(&["REPLICAOF", "127.0.0.1", "1"]);
    assert_eq!(kind(wait(engine.put(&key(1), &about(&key(1))))), ErrorKind::Unavailable);
    server.ask(&["REPLICAOF", "NO", "ONE"]);
    is_back(&engine);
}

#[test]
fn promise_21_a_server_that_forgot_its_scripts_is_sent_them() {
    let Some(server) = start(Kind::default()) else { return };
    let engine = patient(server.url());
    is_back(&engine);
    server.ask(&["SCRIPT", "FLUSH"]);
    let entries: Vec<_> = (0..100).map(|number| (key(number), about(&key(number)))).collect();
    wait(engine.put_many(&entries)).unwrap();
    assert_eq!(engine.stats().failures, 0);
}

/// Load: some threads put, get and remove until this is dropped. Each entry that is found holds its key.
struct Load {
    over: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Load {
    fn on(engine: &Guarded) -> Self {
        let (over, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let worker = |worker: u64| {
            let (engine, over, done) = (engine.clone(), Arc::clone(&over), Arc::clone(&done));
            std::thread::spawn(move || {
                for round in 0.. {
                    if over.load(Ordering::Relaxed) {
                        return;
                    }
                    let key = key((round * 7 + worker) % 500);
                    let begun = Instant::now();
                    let worked = match wait(engine.look(&key)) {
                        Ok((Some(found), _)) => {
                            assert_eq!(found, about(&key), "another's");
                            true
                        }
                        Ok((None, witness)) => wait(engine.put_if(&key, &about(&key), witness)).is_ok(),
                        Err(_) => false,
                    };
                    done.fetch_add(u64::from(worked), Ordering::Relaxed);
                    if round % 50 == 49 {
                        let _ = wait(engine.remove(&key));
                    }
                    assert!(begun.elapsed() < 3 * (BUDGET + BUSY), "{:?}", begun.elapsed());
                    std::thread::sleep(Duration::from_millis(1));
                }
            })
        };
        let threads = (0..3).map(worker).collect();
        Self { over, done, threads }
    }

    /// Waits until so many more calls have worked.
    fn works(&self, more: u64) {
        let before = self.done.load(Ordering::Relaxed);
        until("calls that work", || (self.done.load(Ordering::Relaxed) > before + more).then_some(()));
    }

    fn end(self) {
        self.over.store(true, Ordering::Relaxed);
        self.threads.into_iter().for_each(|thread| thread.join().expect("no wrong value, no late call"));
    }
}

#[test]
fn promise_21_a_master_behind_sentinels_dies() {
    if !REDIS.is_there() {
        return;
    }
    let mut sentinels = Sentinels::start(REDIS);
    let engine = guarded(sentinels.url());
    is_back(&engine);
    let load = Load::on(&engine);
    load.works(100);
    let master = sentinels.master();
    sentinels.servers[master].kill();
    let old = sentinels.servers[master].port();
    until("another master", || (sentinels.announced().iter().all(|port| *port != old)).then_some(()));
    eprintln!("another master: back after {:?}", is_back(&engine));
    load.works(100);
    load.end();
}

#[test]
fn promise_21_a_master_of_a_cluster_dies() {
    if !REDIS.is_there() {
        return;
    }
    let mut cluster = Cluster::start(REDIS);
    let engine = guarded(cluster.url());
    is_back(&engine);
    let load = Load::on(&engine);
    load.works(100);
    let master = cluster.master();
    cluster.nodes[master].kill();
    let agrees = |cluster: &Cluster| {
        let mut others = (0..6).filter(|place| *place != master).map(|place| &cluster.nodes[place]);
        others.all(|node| node.ask(&["CLUSTER", "INFO"]).contains("cluster_state:ok"))
            && cluster.masters() == 3
    };
    until("another master", || agrees(&cluster).then_some(()));
    eprintln!("another master: back after {:?}", is_back(&engine));
    load.works(100);
    load.end();
    // every bucket, wherever it lies now
    let keys: Vec<_> = (0..2000).map(key).collect();
    until("all slots to be served", || wait(engine.get_many(&keys)).ok());
}

#[test]
fn promise_21_slots_move_under_load() {
    if !REDIS.is_there() {
        return;
    }
    let cluster = Cluster::start(REDIS);
    let engine = guarded(cluster.url());
    is_back(&engine);
    let load = Load::on(&engine);
    load.works(100);
    let before = engine.stats();
    cluster.move_slots(3000);
    load.works(100);
    let after = engine.stats();
    load.end();
    eprintln!("slots moved: {before:?} {after:?}");
    // a busy machine may be late, and nothing else may fail
    assert_eq!(after.failures, after.timeouts, "no move is a reason to give up the Cluster");
}

#[test]
fn a_lease_whose_answer_was_lost_is_given_back() {
    let Some(server) = start(Kind::default()) else { return };
    let proxy = Proxy::to(server.port());
    let engine = patient(proxy.url());
    let ttl = Duration::from_secs(3600);
    let lease = wait(engine.lease(&key(1), ttl)).unwrap().expect("it is free");
    assert!(wait(engine.release(&key(1), &lease)).unwrap());

    // it is connected by now: what it sends arrives, and the server's silence ends the call
    proxy.set(Mood::HalfOpen);
    assert!(wait(engine.lease(&key(1), ttl)).is_err());
    assert!(!server.ask(&["KEYS", "memo:*:lease"]).is_empty(), "the server has given it");
    proxy.set(Mood::Well);
    proxy.cut();
    until("it to be given back", || wait(engine.lease(&key(1), ttl)).ok().flatten());
}
