//! A process that ends right after it has computed: what it handed over is on the server.

use std::path::Path;

use memo::memoize;

use crate::in_a_process;
use crate::servers::{Kind, REDIS, Server};

const RESULTS: u64 = 50;

#[memoize(engine = ["memory", "redis"], code = "manual")]
fn kept(n: u64) -> u64 {
    use std::io::Write as _;
    let log = std::env::var_os("MEMO_TEST_LOG").expect("where to say that it computes");
    let mut log = std::fs::OpenOptions::new().append(true).create(true).open(log).unwrap();
    writeln!(log, "{n}").unwrap();
    n + 1
}

#[test]
#[ignore = "run by the tests below, in processes of their own"]
fn child_computes_and_exits() {
    assert!((0..RESULTS).all(|n| kept(n) == n + 1));
    std::process::exit(0);
}

fn computed(log: &Path) -> u64 {
    std::fs::read_to_string(log).unwrap().lines().count() as u64
}

#[test]
fn what_was_computed_before_the_end_is_kept() {
    if !REDIS.is_there() {
        return;
    }
    let server = Server::start(REDIS, Kind::default());
    let place = tempfile::tempdir().unwrap();
    let (log, url) = (place.path().join("log"), server.url());
    let variables = [
        ("MEMO_ENGINES__REDIS__URL", url.as_str()),
        // here the machine may be busy
        ("MEMO_ENGINES__REDIS__BUDGET", "30s"),
        ("MEMO_TEST_LOG", log.to_str().unwrap()),
    ];
    for run in 0..3 {
        let said = in_a_process("exit::child_computes_and_exits", &variables);
        assert!(!said.contains("memo: "), "run {run}: {said}");
        assert_eq!(computed(&log), RESULTS, "run {run}");
    }
}
