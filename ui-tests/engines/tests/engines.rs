//! Each mistake has its error, and what is accepted compiles and runs: as in `ui-tests/`, which says how to add a case.

use std::env;
use std::process::Command;

/// The compiler whose words are in the `.stderr` files.
const COMPILER: &str = "rustc 1.95.";

#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/pass/*.rs");
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().expect("a compiler that tells its version");
    if version.stdout.starts_with(COMPILER.as_bytes()) {
        cases.compile_fail("tests/ui/*.rs");
    } else {
        eprintln!("the errors are not compared: they are those of {COMPILER}x");
    }
}
