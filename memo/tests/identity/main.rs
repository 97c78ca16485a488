//! Promise 25: two things of one name never share a result that outlives the process.
//!
//! Each test runs in processes of its own, one after the other, which share a directory.
#![cfg(all(feature = "disk", feature = "config"))]

mod functions;
#[cfg(target_os = "linux")]
mod programs;
mod types;

use std::path::Path;
use std::process::Command;

const ROLE: &str = "MEMO_IDENTITY_TEST_ROLE";

/// The role of this process, if it is one of those that a test has started.
fn role() -> Option<String> {
    std::env::var(ROLE).ok()
}

/// Runs the test `test` as `role` in the program `program`, and gives what that has said on its standard error.
fn run(program: &Path, test: &str, role: &str, variables: &[(&str, &Path)]) -> String {
    let output = Command::new(program)
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(ROLE, role)
        // a machine that is busy makes nobody give up
        .env("MEMO_ENGINES__DISK__BUDGET", "30s")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{role}: {printed}\n{said}");
    assert!(printed.contains("1 passed"), "{test} is no test: {printed}");
    said
}

/// Runs `body` in a process for each of `roles`, and gives what these have said on their standard errors; nothing in
/// such a process. `test` is the path of the test that calls this.
fn in_processes(test: &str, roles: &[&str], body: impl FnOnce(&str)) -> Option<Vec<String>> {
    if let Some(role) = role() {
        body(&role);
        memo::engines().flush().unwrap();
        return None;
    }
    let (place, this) = (tempfile::tempdir().unwrap(), std::env::current_exe().unwrap());
    let store = place.path().join("store");
    let variables = [("MEMO_ENGINES__DISK__PATH", &*store)];
    Some(roles.iter().map(|role| run(&this, test, role, &variables)).collect())
}

/// The lines that `memo` has written.
fn warnings(said: &str) -> Vec<&str> {
    said.lines().filter(|line| line.starts_with("memo: ")).collect()
}
