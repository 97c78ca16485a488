//! Each mistake has its error, and what is accepted compiles and runs. See the crate's documentation for how to add a
//! case and how to write the errors anew.

use std::env;
use std::process::Command;

/// The compiler whose words are in the `.stderr` files.
const COMPILER: &str = "rustc 1.95.";

#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/pass/*.rs");
    if compiler().starts_with(COMPILER) {
        cases.compile_fail("tests/ui/*.rs");
    } else {
        eprintln!("the errors are not compared: they are those of {COMPILER}x");
    }
}

fn compiler() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().expect("a compiler that tells its version");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
