//! The end of a process: what functions have computed is kept, however it ends. The program of this test is what ends; it
//! starts itself.

#![allow(unsafe_code)]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio, exit};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use memo::engine::{Capability, Engine, EngineFuture, Entry, GuardOptions, Key, Space};
use memo::memoize;

const LOG: &str = "MEMO_EXIT_TEST_LOG";
const WAY: &str = "MEMO_EXIT_TEST_WAY";

/// How many results a process computes.
const RESULTS: u64 = 20;

fn log(line: &str) {
    let log = std::env::var_os(LOG).expect("where to say that it computes");
    let mut log = std::fs::OpenOptions::new().append(true).create(true).open(log).expect("a log");
    writeln!(log, "{line}").expect("there is room");
}

#[memoize(engine = "disk", code = "manual")]
fn kept(n: u64) -> u64 {
    log(&format!("{n}"));
    n + 1
}

#[memoize(engine = "disk", code = "manual")]
fn hammered(n: u64) -> u64 {
    n
}

#[memoize(engine = "disk", code = "manual")]
fn exits(n: u64) -> u64 {
    if n == 0 { n } else { exit(0) }
}

#[memoize(engine = "stuck", code = "manual")]
fn stuck(n: u64) -> u64 {
    n
}

/// Takes entries and never writes them.
struct Stuck;

const BUDGET: Duration = Duration::from_millis(300);

impl Engine for Stuck {
    fn name(&self) -> &str {
        "stuck"
    }

    fn capability(&self) -> Capability {
        Capability { deferred: true, persistent: true, ..Capability::default() }
    }

    fn guard_options(&self) -> GuardOptions {
        GuardOptions { budget: BUDGET, ..GuardOptions::default() }
    }

    fn get<'a>(&'a self, _: &'a Key) -> EngineFuture<'a, Option<Entry>> {
        EngineFuture::ready(Ok(None))
    }

    fn put<'a>(&'a self, _: &'a Key, _: &'a Entry) -> EngineFuture<'a, ()> {
        EngineFuture::ready(Ok(()))
    }

    fn remove<'a>(&'a self, _: &'a Key) -> EngineFuture<'a, bool> {
        EngineFuture::ready(Ok(false))
    }

    fn clear<'a>(&'a self, _: &'a Space) -> EngineFuture<'a, ()> {
        EngineFuture::ready(Ok(()))
    }

    fn flush(&self) -> EngineFuture<'_, ()> {
        EngineFuture::new(std::future::pending())
    }

    fn unwritten(&self) -> Option<usize> {
        Some(3)
    }
}

fn compute() {
    assert!((0..RESULTS).all(|n| kept(n) == n + 1));
}

static TERMINATED: AtomicBool = AtomicBool::new(false);

extern "C" fn terminated(_: i32) {
    TERMINATED.store(true, Ordering::Relaxed);
}

/// A process that computes and ends in this way.
fn run(way: &str) -> Result<(), String> {
    match way {
        "nothing" => {}
        "return" => compute(),
        "exit" => {
            compute();
            exit(0);
        }
        "panic" => {
            compute();
            panic!("as it should");
        }
        "error" => {
            compute();
            return Err("as it should".into());
        }
        "thread" => {
            compute();
            thread::spawn(|| exit(0)).join().expect("it ends no sooner than the process");
        }
        "body" => {
            compute();
            exits(1);
        }
        "hammering" => {
            for thread in 0..2 {
                thread::spawn(move || {
                    for n in 0_u64.. {
                        assert_eq!(hammered(n * 2 + thread), n * 2 + thread);
                    }
                });
            }
            compute();
        }
        "signal" => {
            // SAFETY: the handler does nothing but store an atomic.
            unsafe { libc::signal(libc::SIGTERM, terminated as *const () as libc::sighandler_t) };
            thread::spawn(|| {
                while !TERMINATED.load(Ordering::Relaxed) {
                    thread::sleep(Duration::from_millis(1));
                }
                exit(0);
            });
            compute();
            // SAFETY: it sends a signal to this very process.
            unsafe { libc::kill(libc::getpid(), libc::SIGTERM) };
            loop {
                thread::park();
            }
        }
        "stuck" => {
            memo::engines().register("stuck", Stuck);
            assert_eq!(stuck(1), 1);
        }
        other => panic!("what is {other}?"),
    }
    Ok(())
}

/// Ends a process in this way, and gives what it wrote to its standard error.
fn end(place: &Path, way: &str) -> String {
    let mut command = Command::new(std::env::current_exe().expect("a path"));
    command
        .env("MEMO_ENGINES__DISK__PATH", place.join("store"))
        // a machine that is busy with other tests
        .env("MEMO_ENGINES__DISK__BUDGET", "30s")
        .env(LOG, place.join("log"))
        .env(WAY, way)
        .stdin(Stdio::null());
    let output = command.output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let fails = matches!(way, "panic" | "error");
    assert_eq!(output.status.success(), !fails, "{way}: {:?}: {said}", output.status);
    said
}

fn computed(place: &Path) -> u64 {
    std::fs::read_to_string(place.join("log")).unwrap_or_default().lines().count() as u64
}

fn what_was_computed_is_kept(way: &str) {
    let place = tempfile::tempdir().expect("a place");
    let said = end(place.path(), way);
    assert!(!said.contains("memo: "), "{way}: {said}");
    assert_eq!(computed(place.path()), RESULTS, "{way}");
    end(place.path(), "return");
    assert_eq!(computed(place.path()), RESULTS, "{way}: the next process computes nothing");
}

fn an_engine_that_hangs_delays_the_end_by_its_budget_and_is_told_of_once() {
    let place = tempfile::tempdir().expect("a place");
    let begun = Instant::now();
    let said = end(place.path(), "stuck");
    let took = begun.elapsed();
    assert!(took >= BUDGET, "{took:?}");
    // the flush alone would take half a minute
    assert!(took < Duration::from_secs(20), "{took:?}");
    let lines: Vec<_> = said.lines().filter(|line| line.starts_with("memo: ")).collect();
    assert_eq!(lines.len(), 1, "{said}");
    let expected = "memo: warning: 3 results of the engine \"stuck\" may not have been written before the program ended: its time \
         budget of 300ms is over";
    assert!(lines[0].starts_with(expected), "{said}");
}

fn a_process_that_computed_nothing_ends_in_silence() {
    let place = tempfile::tempdir().expect("a place");
    assert_eq!(end(place.path(), "nothing"), "");
    assert!(!place.path().join("store").exists(), "nothing was opened");
}

fn main() -> Result<ExitCode, String> {
    if let Ok(way) = std::env::var(WAY) {
        return run(&way).map(|()| ExitCode::SUCCESS);
    }
    for way in ["return", "exit", "panic", "error", "thread", "body", "hammering", "signal"] {
        what_was_computed_is_kept(way);
        println!("what was computed is kept: {way} ... ok");
    }
    an_engine_that_hangs_delays_the_end_by_its_budget_and_is_told_of_once();
    println!("an engine that hangs delays the end by its budget and is told of once ... ok");
    a_process_that_computed_nothing_ends_in_silence();
    println!("a process that computed nothing ends in silence ... ok");
    Ok(ExitCode::SUCCESS)
}
