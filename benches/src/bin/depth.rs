//! `depth`: how deep a memoized recursion goes on a thread of 2 MiB, and what a level takes of the stack.
//!
//! Run it as it is built for debugging and with `--release`: they differ by half. `benches/build-cost.sh` does both.
//!
//! A recursion runs in a process of its own, deeper and deeper, until that dies of its stack.

use std::hint::black_box;
use std::pin::pin;
use std::process::{Command, ExitCode, Stdio};
use std::task::{Context, Poll, Waker};

use memo_benches::goals;
use memo_benches::report::{Row, Table};

/// What a thread of std's has.
const STACK: usize = 2 << 20;

/// A recursion of so many levels.
type Recursion = fn(u64) -> u64;

const SYNC: &[(&str, Recursion)] =
    &[("plain", plain), ("memo", by_memory), ("memo thread", by_thread), ("cached", by_cached)];

const ASYNC: &[(&str, Recursion)] = &[
    ("plain", |n| finished(plain_async(n))),
    ("memo", |n| finished(by_memory_async(n))),
    ("cached", |n| finished(by_cached_async(n))),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [] => measure(),
        [kind, name, stack, levels] => {
            let all = if kind == "sync" { SYNC } else { ASYNC };
            let (_, recursion) = all.iter().find(|(it, _)| it == name).expect("a contender");
            descend(*recursion, stack.parse().expect("bytes"), levels.parse().expect("a number"));
        }
        _ => {
            eprintln!("depth takes no arguments");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn measure() {
    println!("{}", if cfg!(debug_assertions) { "built for debugging" } else { "built for release" });
    let mut tables = Vec::new();
    for (kind, all, [levels, bytes], about) in [
        ("sync", SYNC, ["levels", "stack"], "a recursion from u64 to u64"),
        ("async", ASYNC, ["levels-async", "stack-async"], "the same by async functions, boxed at each level"),
    ] {
        let deepest: Vec<_> =
            all.iter().map(|(name, _)| [STACK, 2 * STACK].map(|stack| deepest(kind, name, stack))).collect();
        let table = |case, unit, figure: fn([u64; 2]) -> f64| {
            let rows = all.iter().zip(&deepest);
            let against = |name: &str| (name != "cached").then_some("cached");
            let rows = rows.map(|((name, _), &deepest)| Row::new(name, against(name), vec![figure(deepest)]));
            Table { case, about, unit, rows: rows.collect() }
        };
        tables.push(table(levels, "levels in 2 MiB", |[once, _]| once as f64));
        // what a thread takes before its first level is in both, so that it is in neither
        tables.push(table(bytes, "bytes a level", |[once, twice]| STACK as f64 / (twice - once) as f64));
    }
    tables.iter().for_each(|table| print!("{table}"));
    println!("\ngoals: the stack");
    goals::STACK.iter().for_each(|goal| println!("{}", goal.judge(&tables)));
}

/// The most levels that a stack of so many bytes bears.
fn deepest(kind: &str, name: &str, stack: usize) -> u64 {
    let bears = |levels: u64| {
        let mut itself = Command::new(std::env::current_exe().expect("a path to this program"));
        itself.args([kind, name, &stack.to_string(), &levels.to_string()]).stderr(Stdio::null());
        itself.status().expect("a process").success()
    };
    let mut fits = 16;
    assert!(bears(fits), "{name} does not run");
    while bears(2 * fits) {
        fits *= 2;
    }
    let mut too_deep = 2 * fits;
    while too_deep - fits > 1 {
        let middle = fits.midpoint(too_deep);
        if bears(middle) {
            fits = middle;
        } else {
            too_deep = middle;
        }
    }
    fits
}

fn descend(recursion: Recursion, stack: usize, levels: u64) {
    let thread = std::thread::Builder::new().stack_size(stack).spawn(move || recursion(black_box(levels)));
    assert_eq!(thread.expect("a thread").join().expect("no panic"), levels);
}

/// What a future gives that is never pending.
fn finished(future: impl Future<Output = u64>) -> u64 {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("nobody else is here to wait for"),
    }
}

/// The same function under different attributes.
///
/// What comes back from below goes through `black_box`, so that no compiler makes a loop of the recursion.
macro_rules! sync {
    ($($name:ident: $(#[$($attribute:tt)*])?;)*) => {$(
        $(#[$($attribute)*])?
        fn $name(n: u64) -> u64 {
            if n == 0 { 0 } else { 1 + black_box($name(n - 1)) }
        }
    )*};
}

/// The same for async functions.
macro_rules! asynchronous {
    ($($name:ident: $(#[$($attribute:tt)*])?;)*) => {$(
        $(#[$($attribute)*])?
        async fn $name(n: u64) -> u64 {
            if n == 0 { 0 } else { 1 + black_box(Box::pin($name(n - 1)).await) }
        }
    )*};
}

sync! {
    plain:;
    by_memory: #[memo::memoize(engine = "memory", capacity = "unbounded")];
    by_thread: #[memo::memoize(engine = "thread", capacity = "unbounded")];
    by_cached: #[cached::macros::cached];
}

// `engine = "thread"` is not for these: their futures may go from thread to thread
asynchronous! {
    plain_async:;
    by_memory_async: #[memo::memoize(engine = "memory", capacity = "unbounded")];
    by_cached_async: #[cached::macros::cached];
}
