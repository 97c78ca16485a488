//! One computation per key in a fleet: processes that share a server.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use memo::engine::{GuardOptions, Guarded, Redis, RedisOptions};
use memo::memoize;
use memo_tests::{nightly, size};

use crate::servers::proxy::{Mood, Proxy};
use crate::servers::{Kind, REDIS, Server, until};
use crate::{Other, in_a_process};

/// How many tasks of each process ask at once.
const ASKING: usize = 64;

#[memoize(engine = ["memory", "redis"], single_flight = "fleet", code = "manual")]
async fn slow(number: u64) -> u64 {
    let log = std::env::var_os("MEMO_TEST_LOG").expect("where to say that it computes");
    let mut log = std::fs::OpenOptions::new().append(true).create(true).open(log).unwrap();
    writeln!(log, "{number}").unwrap();
    if std::env::var_os("MEMO_TEST_HANGS").is_some() {
        println!("@computing");
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(Duration::from_millis(5)).await;
    // whose result it is
    number * 1000 + u64::from(std::process::id() % 1000)
}

#[test]
#[ignore = "run by the tests below, in processes of their own"]
fn child_asks() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    for line in std::io::stdin().lines() {
        let number: u64 = line.unwrap().parse().unwrap();
        let results: Vec<u64> = runtime.block_on(async {
            let calls: Vec<_> = (0..ASKING).map(|_| tokio::spawn(slow(number))).collect();
            let mut results = Vec::new();
            for call in calls {
                results.push(call.await.unwrap());
            }
            results
        });
        assert!(results.iter().all(|result| *result == results[0]), "{results:?}");
        println!("@{}", results[0]);
    }
}

fn start(server: &Server, log: &Path, more: &[(&str, &str)]) -> Other {
    let url = server.url();
    let variables = [
        ("MEMO_ENGINES__REDIS__URL", url.as_str()),
        // a call that gives up waiting for the server computes, as it should; here the machine may be that busy
        ("MEMO_ENGINES__REDIS__BUDGET", "30s"),
        ("MEMO_TEST_LOG", log.to_str().unwrap()),
    ];
    Other::start("leases::child_asks", &[&variables, more].concat())
}

/// How often it was said that this number is computed.
fn computed(log: &Path, number: usize) -> usize {
    let log = std::fs::read_to_string(log).unwrap_or_default();
    log.lines().filter(|line| *line == number.to_string()).count()
}

#[test]
fn three_processes_of_many_tasks_compute_once() {
    if !REDIS.is_there() {
        return;
    }
    let server = Server::start(REDIS, Kind::default());
    let place = tempfile::tempdir().unwrap();
    let log = place.path().join("log");
    let mut processes = [(); 3].map(|()| start(&server, &log, &[]));
    for round in 0..size(50, 1000) {
        processes.iter_mut().for_each(|process| process.tell(round));
        let results = processes.each_mut().map(Other::hear);
        assert!(results.iter().all(|result| *result == results[0]), "round {round}: {results:?}");
        assert_eq!(computed(&log, round), 1, "round {round}");
    }
}

#[test]
fn a_process_that_was_killed_is_taken_over_from_once() {
    if !REDIS.is_there() {
        return;
    }
    let server = Server::start(REDIS, Kind::default());
    for round in 0..size(3, 10) {
        let place = tempfile::tempdir().unwrap();
        let log = place.path().join("log");
        let mut owner = start(&server, &log, &[("MEMO_TEST_HANGS", "1")]);
        let mut others = [(); 2].map(|()| start(&server, &log, &[]));
        owner.tell(round);
        assert_eq!(owner.hear(), "computing");
        others.iter_mut().for_each(|process| process.tell(round));
        // each asks for the lease again and again, and gets none
        let asked = || {
            let stats = server.ask(&["INFO", "commandstats"]);
            let calls = stats.split_once("cmdstat_set:calls=").and_then(|(_, rest)| rest.split_once(','));
            calls.and_then(|(calls, _)| calls.parse::<u64>().ok()).unwrap_or(0)
        };
        let before = asked();
        until("the others to ask", || (asked() > before + 20).then_some(()));
        assert_eq!(computed(&log, round), 1, "while the owner lives nobody else computes");
        owner.kill();
        if !nightly() {
            // as if most of the lease's time were over already
            let lease = server.ask(&["KEYS", "memo:*:lease"]);
            server.ask(&["PEXPIRE", lease.trim(), "200"]);
        }
        let results = others.each_mut().map(Other::hear);
        assert_eq!(results[0], results[1]);
        assert_eq!(computed(&log, round), 2, "the one that was killed, and one of the others");
    }
}

/// The names of all leases on the server.
fn held(server: &Server) -> String {
    server.ask(&["KEYS", "memo:*:lease"]).trim().to_owned()
}

#[test]
fn a_lease_whose_end_was_lost_with_the_connection_keeps_nobody() {
    #[memoize(engine = "redis through a proxy", single_flight = "fleet", code = "manual")]
    fn f(number: u64) -> Result<u64, String> {
        let (server, proxy) = PLACE.get().unwrap();
        if number == CUT.swap(u64::MAX, SeqCst) {
            // for longer than this test waits, and less than what is no lease any more
            server.ask(&["PEXPIRE", &held(server), "19000"]);
            proxy.set(Mood::Refusing);
            return Err("nothing is stored".into());
        }
        Ok(number)
    }
    static PLACE: OnceLock<(Server, Proxy)> = OnceLock::new();
    static CUT: AtomicU64 = AtomicU64::new(1);
    if !REDIS.is_there() {
        return;
    }
    let server = Server::start(REDIS, Kind::default());
    let proxy = Proxy::to(server.port());
    let (server, proxy) = PLACE.get_or_init(|| (server, proxy));
    let redis = Redis::open(RedisOptions::at(proxy.url())).unwrap();
    let guard = GuardOptions { budget: Duration::from_secs(30), ..GuardOptions::default() };
    memo::engines().register("redis through a proxy", Guarded::new(redis, guard));
    assert!(f(1).is_err());
    assert!(!held(server).is_empty(), "it could not be given back");
    proxy.set(Mood::Well);
    let begun = Instant::now();
    assert_eq!(f(1), Ok(1));
    assert!(begun.elapsed() < Duration::from_secs(15), "nobody computed, and it waited");
    until("the lease to be given back", || held(server).is_empty().then_some(()));
}

/// What `redis-cli` says to this.
fn cli(words: &[&str]) -> String {
    let url = std::env::var("MEMO_ENGINES__REDIS__URL").unwrap();
    let output = Command::new("redis-cli").arg("-u").arg(url).args(words).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
#[ignore = "run by the test below, in a process of its own"]
fn child_finds_what_is_no_lease() {
    #[memoize(engine = "redis", single_flight = "fleet", code = "manual")]
    fn f(number: u64) -> Result<u64, String> {
        if number == 0 { Err(cli(&["KEYS", "memo:*:lease"])) } else { Ok(number) }
    }
    let lease = f(0).unwrap_err();
    assert!(lease.starts_with("memo:") && lease.lines().count() == 1, "{lease}");
    until("it is given back", || cli(&["KEYS", "memo:*:lease"]).is_empty().then_some(()));
    for words in [&["SET", &lease, "mine"][..], &["RPUSH", &lease, "mine", "too"]] {
        cli(&["DEL", &lease]);
        cli(words);
        assert_eq!(f(0), Err(lease.clone()));
    }
    assert_eq!(cli(&["TYPE", &lease]), "list", "it is somebody's");
}

#[test]
fn what_is_no_lease_keeps_nobody_and_is_said_once() {
    if !REDIS.is_there() {
        return;
    }
    let server = Server::start(REDIS, Kind::default());
    let url = server.url();
    let variables = [("MEMO_ENGINES__REDIS__URL", url.as_str()), ("MEMO_ENGINES__REDIS__BUDGET", "30s")];
    let said = in_a_process("leases::child_finds_what_is_no_lease", &variables);
    let warnings: Vec<_> = said.lines().filter(|line| line.contains("memo: warning")).collect();
    assert_eq!(warnings.len(), 1, "{said}");
    assert!(warnings[0].contains("is no lease, for its time does not end soon"), "{said}");
}
