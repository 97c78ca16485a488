//! Tests that say so where they cannot run.

/// Says past the test harness, which keeps what a passing test prints to itself, that a test did not run.
pub fn skipped(why: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}
