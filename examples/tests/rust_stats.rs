//! Runs `rust-stats` over a small tree and checks the numbers it prints.

#![allow(unsafe_code)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const LIB: &str = "\
//! A crate.

use serde::Serialize;
use std::fmt;

/// Generic.
pub struct Pair<T>(T, T);

pub fn first<T: Copy>(pair: &Pair<T>) -> T {
    // the first
    unsafe { *&raw const pair.0 }
}
";

const MAIN: &str = "\
mod twin;

fn main() {

    println!(\"// no comment\");
}
";

/// Two packages in a workspace, a file that is there twice, and three that cannot be parsed.
fn fixture(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&root);
    let deep = format!("const N: u8 = {}1{};", "(".repeat(100_000), ")".repeat(100_000));
    let files: [(&str, &[u8]); 11] = [
        ("Cargo.toml", b"[workspace]\nmembers = [\"one\", \"two\"]\n"),
        ("one/Cargo.toml", b"[package]\nname = \"first-crate\"\n"),
        ("one/src/lib.rs", LIB.as_bytes()),
        ("one/src/twin.rs", b"pub fn twin() {}\n"),
        ("two/Cargo.toml", b"[package]\nname = \"second-crate\"\n"),
        ("two/src/main.rs", MAIN.as_bytes()),
        ("two/src/twin.rs", b"pub fn twin() {}\n"),
        ("two/src/broken.rs", b"fn main() {}\nfn ( {\n"),
        ("two/src/latin1.rs", b"// caf\xe9\n"),
        ("loose/deep.rs", deep.as_bytes()),
        ("target/debug/build.rs", b"fn never_counted() {}\n"),
    ];
    for (path, content) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    root
}

fn rust_stats(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rust-stats")).args(args).output().unwrap()
}

/// The cells of the row of this table that begins with this name.
fn row<'o>(output: &'o str, table: &str, name: &str) -> Vec<&'o str> {
    let mut rows = output.lines().skip_while(|line| !line.starts_with(table)).skip(1);
    let row = rows.by_ref().take_while(|line| !line.is_empty()).find(|line| line.starts_with(name));
    row.unwrap_or_else(|| panic!("no {name} in {table}:\n{output}"))[name.len()..]
        .split_whitespace()
        .collect()
}

fn check_numbers(output: &str) {
    // files, lines, code, comment, blank, functions, generics, unsafe blocks, longest
    let sums = |table, name| row(output, table, name).join(" ");
    assert_eq!(sums("totals", "all"), "4 20 12 3 5 4 2 1 4");
    assert_eq!(sums("by crate", "first-crate"), "2 13 7 3 3 2 2 1 4");
    assert_eq!(sums("by crate", "second-crate"), "2 7 5 0 2 2 0 0 4");
    assert_eq!(sums("by directory", "one/src "), "2 13 7 3 3 2 2 1 4");

    assert_eq!(row(output, "items", "fn "), ["4"]);
    assert_eq!(row(output, "items", "use "), ["2"]);
    assert_eq!(row(output, "crates used", "serde "), ["1"]);
    assert_eq!(row(output, "longest functions", "first "), ["4", "one/src/lib.rs:9"]);

    assert_eq!(row(output, "left out", "two/src/broken.rs")[..2], ["line", "2:"]);
    assert_eq!(row(output, "left out", "two/src/latin1.rs").join(" "), "not UTF-8 from byte 6 on");
    assert_eq!(row(output, "left out", "loose/deep.rs").join(" "), "nested too deeply");
    assert!(!output.contains("never_counted"));
}

#[test]
fn prints_what_is_there_and_what_was_saved() {
    let root = fixture("rust-stats");
    let output = rust_stats(&[root.to_str().unwrap(), "--threads", "2"]);
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    check_numbers(&text);

    let last = text.lines().last().unwrap();
    let count = |word: &str| -> u64 {
        let before = last.split(&format!(" {word}")).next().unwrap();
        before.rsplit(' ').next().unwrap().replace(',', "").parse().unwrap()
    };
    assert!(last.starts_with("memoization: "), "{last}");
    assert!(count("hits") > count("misses") && count("misses") > 0, "{last}");
}

#[cfg(feature = "disk")]
#[test]
fn the_second_run_parses_what_has_changed_and_nothing_else() {
    let root = fixture("rust-stats-disk");
    let store = root.join("target/store");
    let run = || {
        let output = Command::new(env!("CARGO_BIN_EXE_rust-stats"))
            .args([root.to_str().unwrap(), "--engine", "disk"])
            .env("MEMO_ENGINES__DISK__PATH", &store)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        let kept = text.lines().find(|line| line.starts_with("disk: ")).unwrap_or_else(|| panic!("{text}"));
        (kept.to_owned(), text)
    };
    // One of two files that are the same is found in memory; what cannot be parsed is not kept.
    let (kept, text) = run();
    assert_eq!(kept, "disk: 0 found that an earlier run had kept, 5 not");
    check_numbers(&text);
    let (kept, text) = run();
    assert_eq!(kept, "disk: 3 found that an earlier run had kept, 2 not");
    check_numbers(&text);
    fs::write(root.join("one/src/lib.rs"), LIB.replace("the first", "the only")).unwrap();
    let (kept, text) = run();
    assert_eq!(kept, "disk: 2 found that an earlier run had kept, 3 not");
    check_numbers(&text);
}

#[test]
fn the_numbers_are_the_same_without_memoization() {
    let root = fixture("rust-stats-no-memo");
    let output = rust_stats(&["--no-memo", root.to_str().unwrap()]);
    let text = String::from_utf8(output.stdout).unwrap();
    check_numbers(&text);
    assert!(text.lines().last().unwrap().starts_with("memoization: off"), "{text}");
}

#[test]
fn what_cannot_be_done_is_said() {
    let missing = rust_stats(&["/nowhere/at/all"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("/nowhere/at/all"));

    let wrong = rust_stats(&["--frobnicate"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("unknown option --frobnicate"));

    let help = rust_stats(&["--help"]);
    assert!(help.status.success() && String::from_utf8_lossy(&help.stdout).contains("Usage: rust-stats"));
}
