//! Forked children: they have none of the threads of their parent, and nothing in them waits for one.
#![allow(unsafe_code)]
#![cfg(all(unix, feature = "disk"))]

mod lender;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use lender::Lender;
use memo::engine::{
    Capability, Disk, DiskOptions, Engine, EngineFuture, Entry, GuardOptions, Guarded, Key, Space,
};
use memo::memoize;

/// How long a child may take that must not hang.
const DEADLINE: Duration = Duration::from_secs(60);

/// Runs `child` in a forked child, and gives what it says: whether all is as it should be.
#[track_caller]
fn forked(what: &str, child: impl FnOnce() -> bool) {
    // SAFETY: the child leaves by `_exit` and runs what this test is about: memoized calls in a forked child.
    let process = unsafe { libc::fork() };
    assert!(process >= 0, "{what}");
    if process == 0 {
        let went_well = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child)).unwrap_or(false);
        // SAFETY: it ends this process and nothing else.
        unsafe { libc::_exit(i32::from(!went_well)) }
    }
    let end = Instant::now() + DEADLINE;
    let mut status = 0;
    loop {
        // SAFETY: the status is a place of this function.
        match unsafe { libc::waitpid(process, &raw mut status, libc::WNOHANG) } {
            0 if Instant::now() < end => thread::sleep(Duration::from_millis(1)),
            0 => {
                // SAFETY: the child has not been waited for, so the number is still its own.
                unsafe { libc::kill(process, libc::SIGKILL) };
                panic!("{what}: it hangs");
            }
            _ => break,
        }
    }
    assert!(libc::WIFEXITED(status), "{what}: {status:#x}");
    assert_eq!(libc::WEXITSTATUS(status), 0, "{what}");
}

/// With a budget that a busy machine keeps.
fn patient() -> GuardOptions {
    GuardOptions { budget: Duration::from_secs(30), ..GuardOptions::default() }
}

fn register(name: &str, path: &Path) {
    let disk = Disk::open(DiskOptions::at(path)).unwrap();
    memo::engines().register(name, Guarded::new(disk, patient()));
}

#[memoize(engine = "opened before", code = "manual")]
fn opened_before(n: u64) -> u64 {
    n + 1
}

fn a_directory_that_was_opened_before_is_done_without() {
    let place = tempfile::tempdir().unwrap();
    register("opened before", place.path());
    assert_eq!(opened_before(1), 2);
    memo::engines().flush().unwrap();
    forked("opened before", || {
        let said = memo::engines().flush().unwrap_err().to_string();
        said.contains("after it") && opened_before(1) == 2 && opened_before(2) == 3
    });
    assert_eq!(opened_before(2), 3);
    memo::engines().flush().unwrap();
}

fn a_directory_that_the_child_opens_first_is_used() {
    static COMPUTED: AtomicU64 = AtomicU64::new(0);
    #[memoize(engine = "opened after", code = "manual")]
    fn f(n: u64) -> u64 {
        COMPUTED.fetch_add(1, SeqCst);
        n + 1
    }
    let place = tempfile::tempdir().unwrap();
    let options = DiskOptions::at(place.path());
    let capability = Capability { persistent: true, blocking: true, deferred: true, ..Capability::default() };
    let build = move || -> Result<std::sync::Arc<dyn Engine>, memo::engine::Error> {
        Ok(std::sync::Arc::new(Disk::open(options.clone())?))
    };
    memo::engines().register("opened after", Guarded::build("opened after", capability, build, patient()));
    for (what, computed) in [("the first child", 1), ("the second child", 0)] {
        forked(what, || {
            let found = f(1) == 2;
            // other engines are away
            let _ = memo::engines().flush();
            found && COMPUTED.load(SeqCst) == computed
        });
    }
}

fn a_key_that_was_in_flight_is_computed() {
    static GO: AtomicBool = AtomicBool::new(false);
    #[memoize]
    fn slow(n: u64) -> u64 {
        if n == 1 && !GO.load(SeqCst) {
            RUNS.store(true, SeqCst);
            while !GO.load(SeqCst) {
                thread::sleep(Duration::from_millis(1));
            }
        }
        n + 1
    }
    static RUNS: AtomicBool = AtomicBool::new(false);
    let call = thread::spawn(|| slow(1));
    while !RUNS.load(SeqCst) {
        thread::sleep(Duration::from_millis(1));
    }
    forked("in flight", || {
        GO.store(true, SeqCst);
        slow(1) == 2 && slow(1) == 2 && slow::stats().hits == 1
    });
    GO.store(true, SeqCst);
    assert_eq!(call.join().unwrap(), 2);
}

/// Whether so many leases are given back, sooner or later. A child counts on from what its parent had counted.
fn given_back(lender: &Lender, count: u64) -> bool {
    let end = Instant::now() + DEADLINE;
    while lender.count().1 < count && Instant::now() < end {
        thread::sleep(Duration::from_millis(1));
    }
    lender.count().1 == count
}

fn a_lease_of_the_parent_is_not_given_back_by_the_child() {
    static LENDER: OnceLock<Lender> = OnceLock::new();
    let lender = LENDER.get_or_init(|| Lender::named("lender"));
    #[memoize(engine = "lender", single_flight = "machine", code = "manual")]
    fn f(n: u64) -> u64 {
        if n == 1 {
            forked("with a lease", || {
                drop(std::panic::catch_unwind(|| f(2)));
                // that of the call above, and no other
                LENDER.get().is_some_and(|lender| given_back(lender, 1))
            });
        }
        n + 1
    }
    assert_eq!(f(1), 2);
    assert!(given_back(lender, 1), "the parent gives back its own");

    // the child comes out of the body that its parent runs under a lease
    #[memoize(engine = "lender", single_flight = "machine", code = "manual")]
    fn forks(n: u64) -> i32 {
        // SAFETY: the child leaves by `_exit`, below.
        if n == 3 { unsafe { libc::fork() } } else { 0 }
    }
    let process = forks(3);
    if process == 0 {
        // given back in order: behind this one, another would have been
        let went_well = forks(4) == 0 && given_back(lender, 2);
        // SAFETY: it ends this process and nothing else.
        unsafe { libc::_exit(i32::from(!went_well)) }
    }
    let mut status = 0;
    // SAFETY: the status is a place of this function.
    assert_eq!(unsafe { libc::waitpid(process, &raw mut status, 0) }, process);
    assert_eq!(status, 0, "it has given back one, its own");
}

/// Fails until it is told to answer, and has nothing then.
struct Away;

static ANSWERS: AtomicBool = AtomicBool::new(false);

impl Away {
    fn answer<T: Send + 'static>(value: T) -> EngineFuture<'static, T> {
        let error = || memo::engine::Error::new(memo::engine::ErrorKind::Unavailable, "answer");
        EngineFuture::ready(if ANSWERS.load(SeqCst) { Ok(value) } else { Err(error()) })
    }
}

impl Engine for Away {
    fn name(&self) -> &str {
        "away"
    }
    fn capability(&self) -> Capability {
        Capability::default()
    }
    fn get<'a>(&'a self, _: &'a Key) -> EngineFuture<'a, Option<Entry>> {
        Self::answer(None)
    }
    fn put<'a>(&'a self, _: &'a Key, _: &'a Entry) -> EngineFuture<'a, ()> {
        Self::answer(())
    }
    fn remove<'a>(&'a self, _: &'a Key) -> EngineFuture<'a, bool> {
        Self::answer(false)
    }
    fn clear<'a>(&'a self, _: &'a Space) -> EngineFuture<'a, ()> {
        Self::answer(())
    }
}

/// The parent has a thread that looks out for the engine. The child has not, and starts its own.
fn a_child_finds_out_that_an_engine_is_back() {
    static COMPUTED: AtomicU64 = AtomicU64::new(0);
    #[memoize(engine = "away", code = "manual")]
    fn f(n: u64) -> u64 {
        COMPUTED.fetch_add(1, SeqCst);
        n + 1
    }
    memo::engines().register("away", Away);
    assert_eq!((f(1), f(1), COMPUTED.load(SeqCst)), (2, 2, 1), "it is kept in the fallback");
    forked("an engine is back", || {
        assert_eq!((f(2), f(2), f(1), COMPUTED.load(SeqCst)), (3, 3, 2, 2));
        ANSWERS.store(true, SeqCst);
        let end = Instant::now() + DEADLINE / 2;
        // what the fallback has kept is dropped, though no call asks the engine
        while f(1) == 2 && COMPUTED.load(SeqCst) == 2 && Instant::now() < end {
            thread::sleep(Duration::from_millis(10));
        }
        COMPUTED.load(SeqCst) == 3
    });
}

/// With an engine.
#[memoize(engine = "hammered", code = "manual")]
fn hammered(n: u64) -> u64 {
    n + 1
}

/// In memory.
#[memoize]
fn near(n: u64) -> u64 {
    n + 1
}

fn children_of_a_busy_parent_do_not_hang() {
    let place = tempfile::tempdir().unwrap();
    register("hammered", place.path());
    assert_eq!(near(0), 1);
    let over = AtomicBool::new(false);
    let forks = if std::env::var_os("MEMO_TEST_NIGHTLY").is_some() { 2000 } else { 60 };
    thread::scope(|scope| {
        for thread in 0..4 {
            let over = &over;
            scope.spawn(move || {
                for n in (0..).take_while(|_| !over.load(SeqCst)) {
                    // every other one is another thread's too
                    let n = if n % 2 == 0 { n } else { n * 4 + thread };
                    assert_eq!((hammered(n), near(n)), (n + 1, n + 1));
                }
            });
        }
        let (tell, told) = channel();
        scope.spawn(move || {
            for fork in 0..forks {
                thread::sleep(Duration::from_micros(fork * 37 % 1000));
                forked(&format!("fork {fork}"), || {
                    let calls = (0..100).all(|n| hammered(n) == n + 1 && near(n) == n + 1);
                    // the engine is away
                    let _ = memo::engines().flush();
                    calls
                });
            }
            let _ = tell.send(());
        });
        // a disconnected channel is a panic of that thread
        let _ = told.recv();
        over.store(true, SeqCst);
    });
}

/// Has another thread fork wherever a watched thread allocates, and so also where it holds a lock of ours.
struct Meeting;

thread_local! {
    static WATCHED: Cell<bool> = const { Cell::new(false) };
}

/// How far the fork is that the watched thread has asked for: one of the three below.
static FORK: AtomicU8 = AtomicU8::new(DONE);
const DONE: u8 = 0;
const ASKED: u8 = 1;
/// The other thread has called `fork`, which may wait for locks.
const BEGUN: u8 = 2;

/// How many forks have waited for the watched thread.
static WAITED: AtomicU64 = AtomicU64::new(0);

#[global_allocator]
static ALLOCATOR: Meeting = Meeting;

// SAFETY: all is left to the allocator of the system.
unsafe impl GlobalAlloc for Meeting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if WATCHED.try_with(|watched| watched.replace(false)).unwrap_or(false) {
            meet();
            WATCHED.set(true);
        }
        // SAFETY: the caller's promise is the one that this asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is the one that this asks for, and the memory is from `alloc`.
        unsafe { System.dealloc(memory, layout) }
    }
}

/// Waits until the other thread has forked and its child has ended. A fork that waits for a lock of the watched thread
/// would wait for good, so that this goes on when the fork has begun and is not done a moment later.
fn meet() {
    if FORK.compare_exchange(DONE, ASKED, SeqCst, SeqCst).is_err() {
        // the last one still waits for a lock
        return;
    }
    let mut begun = None;
    while FORK.load(SeqCst) != DONE {
        if FORK.load(SeqCst) == BEGUN {
            let begun = begun.get_or_insert_with(Instant::now);
            if begun.elapsed() > Duration::from_millis(50) && !FORKED.load(SeqCst) {
                WAITED.fetch_add(1, SeqCst);
                return;
            }
        }
        thread::sleep(Duration::from_micros(50));
    }
}

/// The fork that has begun is over, and its child runs.
static FORKED: AtomicBool = AtomicBool::new(false);

extern "C" fn fork_begins() {
    FORKED.store(false, SeqCst);
    let _ = FORK.compare_exchange(ASKED, BEGUN, SeqCst, SeqCst);
}

extern "C" fn fork_ends() {
    FORKED.store(true, SeqCst);
}

/// Does `work` on a watched thread, and `child` in a child of each fork.
#[track_caller]
fn forked_during(what: &str, work: impl FnOnce() + Send, child: fn() -> bool) {
    let over = AtomicBool::new(false);
    WAITED.store(0, SeqCst);
    thread::scope(|scope| {
        scope.spawn(|| {
            WATCHED.set(true);
            work();
            WATCHED.set(false);
            over.store(true, SeqCst);
        });
        while !over.load(SeqCst) {
            if FORK.load(SeqCst) == ASKED {
                forked(what, child);
                FORK.store(DONE, SeqCst);
            }
            thread::yield_now();
        }
    });
    FORK.store(DONE, SeqCst);
    assert!(WAITED.load(SeqCst) > 0, "{what}: no lock was held at any fork");
}

/// Tells functions from each other by a number.
#[memoize(engine = "met", code = "manual")]
fn numbered<const N: usize>(n: u64) -> u64 {
    n + 1
}

/// Uses everything that other threads of the parent may have been changing.
fn child_uses_all() -> bool {
    let listening = memo::on_event(|_| {});
    memo::set_strategy(memo::DefaultStrategy);
    memo::engines().register("of a child", Away);
    #[memoize]
    fn with_strategy(n: u64) -> u64 {
        n + 1
    }
    let right = with_strategy(1) == 2 && numbered::<0>(1) == 2 && memo::engines().get("of a child").is_some();
    drop(listening);
    right
}

fn no_lock_of_another_thread_is_held_in_a_child() {
    // an engine without a lock of its own, which a child might find locked
    ANSWERS.store(true, SeqCst);
    memo::engines().register("met", Away);
    // what is set up once for the process is not what this is about
    assert_eq!(numbered::<1>(1), 2);
    // SAFETY: both are functions for the life of the program, take no arguments and do not unwind. They are registered
    // after those of the crate, so that `fork_begins` is called before any lock is waited for.
    assert_eq!(unsafe { libc::pthread_atfork(Some(fork_begins), Some(fork_ends), None) }, 0);
    let register = || (0..24).for_each(|n| memo::engines().register(format!("met {n}"), Away));
    forked_during("registering engines", register, child_uses_all);
    let listen = || drop((0..9).map(|_| memo::on_event(|_| {})).collect::<Vec<_>>());
    forked_during("adding callbacks", listen, child_uses_all);
    let call = || assert_eq!((numbered::<2>(1), numbered::<3>(1)), (2, 2));
    forked_during("calling a function for the first time", call, child_uses_all);
    let list = || drop(memo::engines().names());
    forked_during("listing engines", list, child_uses_all);
}

/// One after the other: while one test forks, another one's thread must not be inside SQLite where the child opens a
/// directory itself.
#[test]
fn children_begin_anew() {
    a_directory_that_the_child_opens_first_is_used();
    a_key_that_was_in_flight_is_computed();
    a_lease_of_the_parent_is_not_given_back_by_the_child();
    a_child_finds_out_that_an_engine_is_back();
    a_directory_that_was_opened_before_is_done_without();
    no_lock_of_another_thread_is_held_in_a_child();
    children_of_a_busy_parent_do_not_hang();
}
