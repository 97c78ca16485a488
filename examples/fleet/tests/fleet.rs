//! Promise 20, as the customers of a fleet see it: Redis is killed and comes back, and no request fails.

use std::process::{Command, Stdio};

#[test]
fn promise_20_a_fleet_outlives_its_redis() {
    let version = Command::new("redis-server").arg("--version").stdout(Stdio::null()).status();
    if !version.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: redis-server is not installed");
        return;
    }
    let seconds = if std::env::var_os("MEMO_TEST_NIGHTLY").is_some() { "20" } else { "2" };
    let run = Command::new(env!("CARGO_BIN_EXE_memo-fleet")).args(["--seconds", seconds]).output().unwrap();
    let (table, errors) = (String::from_utf8(run.stdout).unwrap(), String::from_utf8(run.stderr).unwrap());
    assert!(run.status.success(), "{table}{errors}");
    eprintln!("{table}");
    let phase = |name: &str| -> Vec<f64> {
        let row = table.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{table}"));
        row.split_whitespace().map(|number| number.parse().unwrap()).collect()
    };
    let [before, dead, back] = ["before", "Redis is dead", "Redis is back"].map(phase);
    for phase in [&before, &dead, &back] {
        let [requests, errors, wrong, computes, memory_hits, ..] = phase[..] else { panic!("{table}") };
        assert!(requests > 0.0 && computes > 0.0 && memory_hits > 0.0, "{table}");
        assert_eq!((errors, wrong), (0.0, 0.0), "{table}");
    }
    assert!(before[5] > 0.0 && back[5] > 0.0, "what one computed another found:\n{table}");
    assert!(dead[5] * 5.0 < before[5], "at most what came in the moment before it died:\n{table}");
}
