//! What a child process does while its disk is being disturbed: it calls memoized functions, and ends well only if
//! each call gave what the function returns.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use memo::engine::{Capability, Disk, DiskOptions, GuardOptions, Guarded};
use memo::memoize;

/// How many results are large enough for a file of their own.
pub(crate) const LARGE: u64 = 2;
const SMALL: u64 = 4;

/// Tells a child what to do.
pub(crate) const ROLE: &str = "MEMO_TEST_CHILD";

/// The options that parents and children use alike.
pub(crate) fn options(path: &Path) -> DiskOptions {
    DiskOptions {
        max_size: 16 << 20,
        large_over: 8 << 10,
        wait: Duration::from_millis(500),
        busy_timeout: Duration::from_millis(200),
        ..DiskOptions::at(path)
    }
}

/// The paths by which a disk engine's files are known, for `strace -P`: those of content files are known by their
/// directory.
pub(crate) fn store_paths(path: &Path) -> Vec<PathBuf> {
    let v1 = path.join("v1");
    let names = ["content", "lock", "index.1.sqlite", "index.1.sqlite-wal", "index.1.sqlite-shm"];
    let inner = names.map(|name| v1.join(name));
    [path.to_owned(), v1].into_iter().chain(inner).collect()
}

/// The disk in a directory as the engine `disk` of this process, opened by the first call that needs it.
pub(crate) fn register(options: DiskOptions, guard: GuardOptions) -> Guarded {
    let capability = Capability { blocking: true, deferred: true, witnesses: true, ..Default::default() };
    let open = move || Ok(Arc::new(Disk::open(options.clone())?) as Arc<dyn memo::Engine>);
    let guarded = Guarded::build("disk", capability, open, guard);
    memo::engines().register("disk", guarded.clone());
    guarded
}

/// What the world is like, outside of the arguments: results change with it.
static WORLD: AtomicU64 = AtomicU64::new(0);

#[memoize(engine = "disk", name = "workload::small", code = "manual")]
fn small(n: u64) -> String {
    format!("the result for {n}")
}

#[memoize(engine = "disk", name = "workload::large", code = "manual")]
fn large(n: u64) -> Vec<u8> {
    vec![n as u8 + 1; 20_000]
}

#[memoize(engine = "disk", name = "workload::worldly", code = "manual")]
fn worldly(n: u64) -> String {
    format!("{n} in {}", WORLD.load(Ordering::SeqCst))
}

/// Every call gives what the body would.
fn call_all() {
    for n in 0..SMALL {
        assert_eq!(small(n), small::uncached(n));
    }
    for n in 0..LARGE {
        assert_eq!(large(n), large::uncached(n));
    }
}

/// Calls, has it written, drops some of it, calls again. What `invalidate` and `flush` answer is theirs to say; what a
/// call gives is not.
fn run(path: &Path) {
    register(options(path), GuardOptions { backoff: Duration::from_millis(1), ..Default::default() });
    call_all();
    let before = worldly(1);
    let _ = memo::engines().flush();
    call_all();
    WORLD.fetch_add(1, Ordering::SeqCst);
    let invalidated = [worldly::invalidate(1), large::invalidate(1)];
    let after = worldly(1);
    if invalidated[0].is_ok() {
        assert_eq!(after, worldly::uncached(1), "it was invalidated");
    } else {
        assert!(after == before || after == worldly::uncached(1));
    }
    call_all();
    let _ = memo::engines().flush();
    call_all();
}

/// The control: a file that is written in place and believed as it is read.
fn naive_get(path: &Path, n: u64, body: impl Fn(u64) -> Vec<u8>) -> Vec<u8> {
    let file = path.join(format!("{n}"));
    if let Ok(found) = fs::read(&file) {
        return found;
    }
    let result = body(n);
    if let Ok(mut file) = File::create(file) {
        let _ = result.chunks(4096).try_for_each(|part| file.write_all(part));
    }
    result
}

fn run_naive(path: &Path) {
    let body = |n| vec![n as u8 + 1; 20_000];
    for n in (0..LARGE).chain(0..LARGE) {
        assert_eq!(naive_get(path, n, body), body(n));
    }
}

#[test]
fn child() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let Some((what, path)) = role.split_once(' ') else { return };
    let path = Path::new(path);
    // To write a word may be what fails.
    std::panic::set_hook(Box::new(|panic| {
        let _ = writeln!(std::io::stderr(), "{panic}");
    }));
    let well = std::panic::catch_unwind(|| match what {
        "workload" => run(path),
        "naive" => run_naive(path),
        "hanging" => crate::hanging::run(path, false),
        "hanging-strict" => crate::hanging::run(path, true),
        "hanging-naive" => crate::hanging::run_naive(path),
        other => panic!("no role {other}"),
    });
    std::process::exit(if well.is_ok() { 0 } else { 101 });
}
