//! Promise 25: two things of one name never share a result that outlives the process.
//!
//! Each test runs in processes of its own, one after the other, which share a directory.
#![cfg(all(feature = "disk", feature = "config"))]

mod functions;
mod types;

use std::process::Command;

const ROLE: &str = "MEMO_IDENTITY_TEST_ROLE";

/// Runs `body` in a process for each of `roles`, and gives what these have said on their standard errors; nothing in
/// such a process. `test` is the path of the test that calls this.
fn in_processes(test: &str, roles: &[&str], body: impl FnOnce(&str)) -> Option<Vec<String>> {
    if let Ok(role) = std::env::var(ROLE) {
        body(&role);
        memo::engines().flush().unwrap();
        return None;
    }
    let place = tempfile::tempdir().unwrap();
    let said = roles.iter().map(|role| {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture", "--test-threads=1"])
            .env(ROLE, role)
            .env("MEMO_ENGINES__DISK__PATH", place.path().join("store"))
            // a machine that is busy makes nobody give up
            .env("MEMO_ENGINES__DISK__BUDGET", "30s")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{role}: {printed}\n{said}");
        assert!(printed.contains("1 passed"), "{test} is no test: {printed}");
        said
    });
    Some(said.collect())
}

/// The lines that `memo` has written.
fn warnings(said: &str) -> Vec<&str> {
    said.lines().filter(|line| line.starts_with("memo: ")).collect()
}
