//! `Ok` is stored, `Err` is not: a failure may pass. `cache_err` keeps those which will not.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::Duration,
};

use memo::memoize;

static ATTEMPTS: AtomicU32 = AtomicU32::new(0);

/// Fails twice, then works.
#[memoize]
fn fetch(url: &str) -> Result<String, String> {
    match ATTEMPTS.fetch_add(1, Ordering::Relaxed) {
        0 | 1 => Err(format!("{url}: timed out")),
        _ => Ok(format!("the page at {url}")),
    }
}

/// What is no number now will be none later.
#[memoize(cache_err = true)]
fn parse(text: &str) -> Result<u32, std::num::ParseIntError> {
    println!("  parsing {text:?}");
    text.parse()
}

/// Threads that wait for a computation which fails are handed its error, where it can be cloned.
#[memoize]
fn slow_failure(id: u32) -> Result<u32, String> {
    thread::sleep(Duration::from_millis(200));
    Err(format!("no row {id}"))
}

fn main() {
    for attempt in 1..=4 {
        println!("attempt {attempt}: {:?}", fetch("memo.example"));
    }
    assert_eq!(ATTEMPTS.load(Ordering::Relaxed), 3, "two failures, one success, and one hit");

    assert!(parse("twelve").is_err() && parse("twelve").is_err());
    assert_eq!(parse::stats().computes, 1);

    thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| slow_failure(7))).collect();
        threads.into_iter().for_each(|thread| assert!(thread.join().unwrap().is_err()));
    });
    println!("8 threads shared {} failure(s)", slow_failure::stats().computes);
    assert!(slow_failure::stats().computes < 8);
    assert_eq!(slow_failure::peek(7), None, "and it was not stored");
}
