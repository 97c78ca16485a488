//! `cargo bench -p memo-benches --features disk --bench disk -- [--quick] [case filter]`
//!
//! What a memoized call costs whose results are on disk, encoding included: `#[memoize(engine = "disk")]` beside
//! `cached`'s attribute over redb, and beside the bare stores. Warm page cache, one thread, no fsync.

use std::cell::Cell;
use std::fs;
use std::hint::black_box;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use memo::engine::{
    Capability, Disk, DiskOptions, Engine, EngineFuture, Entry, Error, ErrorKind, GuardOptions, Guarded, Key,
    Space,
};
use memo_benches::goals::DISK;
use memo_benches::report::{Row, Table};
use memo_benches::turns::{Span, in_turns};
use rusqlite::{Connection, OptionalExtension};

const SMALL: usize = 1 << 10;
const LARGE: usize = 1 << 20;

/// The result of every function here: as many bytes of text.
fn text(len: usize) -> String {
    "text".repeat(len / 4)
}

fn bytes(len: usize) -> Vec<u8> {
    text(len).into_bytes()
}

mod ours {
    use super::{LARGE, SMALL};

    #[memo::memoize(engine = "disk")]
    pub(crate) fn small_text(_number: u64) -> String {
        super::text(SMALL)
    }

    #[memo::memoize(engine = "disk")]
    pub(crate) fn large_text(_number: u64) -> String {
        super::text(LARGE)
    }

    #[memo::memoize(engine = "disk")]
    pub(crate) fn large_bytes(_number: u64) -> Vec<u8> {
        super::bytes(LARGE)
    }

    #[memo::memoize(engine = "gone")]
    pub(crate) fn of_an_engine_that_is_gone(number: u64) -> u64 {
        number
    }

    #[memo::memoize(engine = "memory")]
    pub(crate) fn of_memory(number: u64) -> u64 {
        number
    }

    #[memo::memoize(engine = "strict")]
    pub(crate) fn strictly(_number: u64) -> String {
        super::text(SMALL)
    }

    #[memo::memoize(engine = "disk of one")]
    pub(crate) fn rewritten(_number: u64) -> String {
        super::text(SMALL)
    }

    #[memo::memoize(engine = "disk of 10,000")]
    pub(crate) fn of_ten_thousand(_number: u64) -> String {
        super::text(SMALL)
    }

    #[memo::memoize(engine = "disk of a million")]
    pub(crate) fn of_a_million(_number: u64) -> String {
        super::text(SMALL)
    }
}

mod peer {
    use cached::RedbCache;
    use cached::macros::concurrent_cached;

    use super::{LARGE, SMALL};

    fn redb<V: serde::Serialize + serde::de::DeserializeOwned>(name: &str) -> RedbCache<u64, V> {
        let path = super::place().join(name);
        RedbCache::builder(name).disk_dir(path).durable(false).build().expect("redb opens")
    }

    #[concurrent_cached(
        ty = "RedbCache<u64, String>",
        create = r#"{ redb("small-text") }"#,
        map_error = r#"|error| error.to_string()"#
    )]
    pub(crate) fn small_text(_number: u64) -> Result<String, String> {
        Ok(super::text(SMALL))
    }

    #[concurrent_cached(
        ty = "RedbCache<u64, String>",
        create = r#"{ redb("large-text") }"#,
        map_error = r#"|error| error.to_string()"#
    )]
    pub(crate) fn large_text(_number: u64) -> Result<String, String> {
        Ok(super::text(LARGE))
    }

    #[concurrent_cached(
        ty = "RedbCache<u64, Vec<u8>>",
        create = r#"{ redb("large-bytes") }"#,
        map_error = r#"|error| error.to_string()"#
    )]
    pub(crate) fn large_bytes(_number: u64) -> Result<Vec<u8>, String> {
        Ok(super::bytes(LARGE))
    }
}

/// The directory of all stores.
static PLACE: OnceLock<PathBuf> = OnceLock::new();

fn place() -> &'static Path {
    PLACE.get().expect("it is set first")
}

fn register(name: &str) {
    let options = DiskOptions { max_size: 4 << 30, queue: 256 << 20, ..DiskOptions::at(place().join(name)) };
    memo::engines().register(name, Disk::open(options).expect("the disk opens"));
}

fn settle() {
    memo::engines().flush().expect("the disk writes");
}

/// A store of results of one length.
struct Contender<'s> {
    name: &'static str,
    /// Calls for a number, and tells how long the result is.
    call: Box<dyn Fn(u64) -> usize + 's>,
    /// The same where the number is new; for bare stores, only stores.
    miss: Box<dyn Fn(u64) + 's>,
    /// Waits until what was put has been written.
    settle: fn(),
}

impl<'s> Contender<'s> {
    fn memoized(name: &'static str, call: impl Fn(u64) -> usize + Copy + 's) -> Self {
        Self { name, call: Box::new(call), miss: Box::new(move |number| _ = call(number)), settle: || () }
    }
}

/// How much of everything.
struct Sizes {
    rounds: usize,
    many: u64,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let Some(("--reader", path)) = arguments.first().map(String::as_str).zip(arguments.get(1)) {
        return read_for_another(path);
    }
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let filters: Vec<_> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let wanted =
        |name: &str| filters.is_empty() || filters.iter().any(|filter| name.contains(filter.as_str()));
    let sizes =
        if quick { Sizes { rounds: 20, many: 100_000 } } else { Sizes { rounds: 100, many: 1_000_000 } };

    let directory = tempfile::tempdir().expect("a directory for the stores");
    PLACE.set(directory.path().to_owned()).expect("only here");
    register("disk");

    let mut tables = Vec::new();
    let sqlite = bare_sqlite();
    let small = [
        Contender { settle, ..Contender::memoized("memo", |number| ours::small_text(number).len()) },
        Contender::memoized("cached redb", |number| peer::small_text(number).map_or(0, |text| text.len())),
        Contender {
            name: "bare SQLite",
            call: Box::new(|number| sqlite.get(number)),
            miss: Box::new(|number| sqlite.put(number, &text(SMALL))),
            settle: || (),
        },
    ];
    compare(["get-1k", "put-1k", "settled-1k"], &small, (1000, 200), &sizes, &wanted, &mut tables);
    let file = |number: u64| place().join(format!("{number:x}.file"));
    let bare_file = || Contender {
        name: "bare file",
        call: Box::new(|number| fs::read(file(number)).map_or(0, |bytes| bytes.len())),
        miss: Box::new(|number| {
            let temporary = place().join("temporary");
            fs::write(&temporary, bytes(LARGE)).expect("a file");
            fs::rename(temporary, file(number)).expect("a file");
        }),
        settle: || (),
    };
    let large = [
        Contender { settle, ..Contender::memoized("memo", |number| ours::large_text(number).len()) },
        Contender::memoized("cached redb", |number| peer::large_text(number).map_or(0, |text| text.len())),
        bare_file(),
    ];
    compare(["get-1m", "put-1m", "settled-1m"], &large, (16, 4), &sizes, &wanted, &mut tables);
    let large = [
        Contender { settle, ..Contender::memoized("memo", |number| ours::large_bytes(number).len()) },
        Contender::memoized("cached redb", |number| peer::large_bytes(number).map_or(0, |bytes| bytes.len())),
        bare_file(),
    ];
    compare(
        ["get-bytes-1m", "put-bytes-1m", "settled-bytes-1m"],
        &large,
        (16, 2),
        &sizes,
        &wanted,
        &mut tables,
    );
    if wanted("many") {
        tables.push(many(&sizes));
    }
    if wanted("circuit") {
        tables.extend(circuit(&sizes));
    }
    if wanted("strict") {
        tables.push(strict(&sizes));
    }
    if wanted("rewritten") {
        tables.push(rewritten(&sizes));
    }
    if wanted("two-processes") {
        tables.push(two_processes(&sizes));
    }
    for table in &tables {
        print!("{table}");
    }
    println!("\ngoals");
    for goal in &DISK {
        println!("{}", goal.judge(&tables));
    }
}

/// A look-up, a store as its caller sees it, a store until it has been written.
fn compare(
    names: [&'static str; 3],
    contenders: &[Contender<'_>],
    (keys, calls): (u64, u64),
    sizes: &Sizes,
    wanted: &dyn Fn(&str) -> bool,
    tables: &mut Vec<Table>,
) {
    if !names.into_iter().any(wanted) {
        return;
    }
    for contender in contenders {
        (0..keys).for_each(&contender.miss);
        (contender.settle)();
        let len = (contender.call)(0);
        assert!(
            len >= SMALL && (0..keys).all(|key| (contender.call)(key) == len),
            "{}: not what was put",
            contender.name
        );
    }
    let next = Cell::new(keys);
    for (at, name) in names.into_iter().enumerate().filter(|(_, name)| wanted(name)) {
        let sample = |contender: &Contender<'_>| {
            let span = Span::of(|| {
                for _ in 0..calls {
                    next.set(next.get() + 1);
                    match at {
                        0 => _ = black_box((contender.call)(black_box(next.get() * 7 % keys))),
                        _ => (contender.miss)(black_box(next.get())),
                    }
                }
                if at == 2 {
                    (contender.settle)();
                }
            });
            if at == 1 {
                (contender.settle)();
            }
            Some(span.took().as_secs_f64() * 1e6 / calls as f64)
        };
        let samples = in_turns(contenders, sizes.rounds, sample);
        let rows = contenders.iter().zip(samples).map(|(contender, samples)| {
            Row::new(contender.name, (contender.name == "memo").then_some("cached redb"), samples)
        });
        let about =
            ["a call that finds", "a call that misses", "the same, until all is written in batches"][at];
        tables.push(Table { case: name, about, unit: "µs", rows: rows.collect() });
    }
}

/// Calls of one sample of [`many`]: so few that it is over before another program has its turn.
const MANY_CALLS: usize = 100;

/// A call that finds, in a small store and in a large one, each key as likely as any other.
fn many(sizes: &Sizes) -> Table {
    const FEW: u64 = 10_000;
    let contenders = [
        ("in 10,000", "disk of 10,000", FEW, ours::of_ten_thousand as fn(u64) -> String),
        ("in many", "disk of a million", sizes.many, ours::of_a_million),
    ];
    for (_, engine, keys, call) in contenders {
        register(engine);
        for number in 0..keys {
            call(number);
            if number % 10_000 == 9_999 {
                settle();
            }
        }
    }
    let random = Cell::new(1u64);
    let samples = in_turns(&contenders, 10 * sizes.rounds, |(_, _, keys, call)| {
        let span = Span::of(|| {
            for _ in 0..MANY_CALLS {
                random.set(random.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
                black_box(call(black_box((random.get() >> 33) % keys)));
            }
        });
        Some(span.took().as_secs_f64() * 1e6 / MANY_CALLS as f64)
    });
    let rows = contenders
        .iter()
        .zip(samples)
        .map(|((name, ..), samples)| Row::new(name, (*name == "in many").then_some("in 10,000"), samples));
    Table {
        case: "many",
        about: "a call that finds 1 KiB, in stores of two sizes",
        unit: "µs",
        rows: rows.collect(),
    }
}

/// A call that finds, made on the caller's thread and on one that the caller may leave.
fn strict(sizes: &Sizes) -> Table {
    const KEYS: u64 = 1000;
    let options = DiskOptions::at(place().join("strict"));
    let guard = GuardOptions { strict: true, ..GuardOptions::default() };
    memo::engines().register("strict", Guarded::new(Disk::open(options).expect("the disk opens"), guard));
    let contenders = [("direct", ours::small_text as fn(u64) -> String), ("strict", ours::strictly)];
    for (_, call) in contenders {
        (0..KEYS).for_each(|number| drop(call(number)));
    }
    settle();
    let next = Cell::new(0);
    let samples = in_turns(&contenders, 10 * sizes.rounds, |(_, call)| {
        let span = Span::of(|| {
            for _ in 0..MANY_CALLS {
                next.set(next.get() + 1);
                black_box(call(black_box(next.get() * 7 % KEYS)));
            }
        });
        Some(span.took().as_secs_f64() * 1e6 / MANY_CALLS as f64)
    });
    let rows = contenders
        .iter()
        .zip(samples)
        .map(|((name, _), samples)| Row::new(name, (*name == "strict").then_some("direct"), samples));
    Table {
        case: "strict",
        about: "a call that finds 1 KiB, under a guard of each kind",
        unit: "µs",
        rows: rows.collect(),
    }
}

/// An engine that is not there.
struct Gone;

fn gone<'a, T>() -> EngineFuture<'a, T> {
    EngineFuture::ready(Err(Error::new(ErrorKind::Unavailable, "reach the engine")))
}

impl Engine for Gone {
    fn name(&self) -> &str {
        "gone"
    }
    fn capability(&self) -> Capability {
        Capability { blocking: true, ..Capability::default() }
    }
    fn get<'a>(&'a self, _: &'a Key) -> EngineFuture<'a, Option<Entry>> {
        gone()
    }
    fn put<'a>(&'a self, _: &'a Key, _: &'a Entry) -> EngineFuture<'a, ()> {
        gone()
    }
    fn remove<'a>(&'a self, _: &'a Key) -> EngineFuture<'a, bool> {
        gone()
    }
    fn clear<'a>(&'a self, _: &'a Space) -> EngineFuture<'a, ()> {
        gone()
    }
}

/// A call while the circuit of its engine is open and memory stands in, beside one of a function in memory: found, and
/// not found.
fn circuit(sizes: &Sizes) -> [Table; 2] {
    const KEYS: u64 = 1000;
    // So few that a sample is over before another program has its turn.
    const CALLS: u64 = 200;
    memo::engines().register("gone", Gone);
    let contenders = [
        ("memory alone", ours::of_memory as fn(u64) -> u64),
        ("circuit open", ours::of_an_engine_that_is_gone),
    ];
    for (_, call) in contenders {
        (0..KEYS).for_each(|number| assert_eq!(call(number), number));
    }
    let next = Cell::new(0);
    let case = |case, about, number: &dyn Fn(u64) -> u64| {
        let samples = in_turns(&contenders, 10 * sizes.rounds, |(_, call)| {
            let span = Span::of(|| {
                for _ in 0..CALLS {
                    next.set(next.get() + 1);
                    black_box(call(black_box(number(next.get()))));
                }
            });
            Some(span.took().as_secs_f64() * 1e6 / CALLS as f64)
        });
        let rows = contenders.iter().zip(samples).map(|((name, _), samples)| {
            Row::new(name, (*name == "circuit open").then_some("memory alone"), samples)
        });
        Table { case, about, unit: "µs", rows: rows.collect() }
    };
    let found =
        case("circuit-found", "a call that finds in memory while its engine is gone", &|n| n * 7 % KEYS);
    let computed = ours::of_an_engine_that_is_gone::stats().computes;
    assert_eq!(computed, KEYS, "memory stands in");
    [found, case("circuit-missed", "a call that misses while its engine is gone", &|n| KEYS + n)]
}

/// A call that finds, before and after its key has been written a hundred thousand times. Each look-up follows a
/// store, so that it finds the row anew.
fn rewritten(sizes: &Sizes) -> Table {
    register("disk of one");
    let sample = || {
        ours::rewritten::refresh(1);
        settle();
        ours::rewritten(1);
        Span::of(|| drop(black_box(ours::rewritten(black_box(1))))).took().as_secs_f64() * 1e6
    };
    let first: Vec<f64> = (0..10 * sizes.rounds).map(|_| sample()).collect();
    for times in 1..=sizes.many / 10 {
        ours::rewritten::refresh(1);
        if times % 1000 == 0 {
            settle();
        }
    }
    let then: Vec<f64> = (0..10 * sizes.rounds).map(|_| sample()).collect();
    Table {
        case: "rewritten",
        about: "a call that finds 1 KiB whose key was written again and again",
        unit: "µs",
        rows: vec![Row::new("at first", None, first), Row::new("at last", Some("at first"), then)],
    }
}

/// Calls of one sample of [`two_processes`].
const CALLS: u64 = 4000;

fn read_all() -> Duration {
    Span::of(|| (0..CALLS).for_each(|number| drop(black_box(ours::small_text(number * 7 % 1000))))).took()
}

/// Two processes that read the same store: each alone, and both at once.
fn two_processes(sizes: &Sizes) -> Table {
    (0..1000).for_each(|number| drop(ours::small_text(number)));
    settle();
    let mut other = Other::start();
    let mut samples: [Vec<f64>; 4] = Default::default();
    let each = |took: Duration| took.as_secs_f64() * 1e6 / CALLS as f64;
    for _ in 0..sizes.rounds {
        samples[0].push(each(read_all()));
        other.begin();
        samples[2].push(each(other.end()));
        other.begin();
        let mine = read_all();
        let its = other.end();
        samples[1].push(each(mine));
        samples[3].push(each(its));
    }
    let names = ["one alone", "one of two", "the other alone", "the other of two"];
    let rows = names.into_iter().zip(samples).enumerate();
    Table {
        case: "two-processes",
        about: "a call that finds 1 KiB, by two processes",
        unit: "µs",
        rows: rows
            .map(|(at, (name, samples))| Row::new(name, (at % 2 == 1).then(|| names[at - 1]), samples))
            .collect(),
    }
}

/// Another process, which reads when it is told to.
struct Other {
    child: Child,
    answers: BufReader<std::process::ChildStdout>,
}

impl Other {
    fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this program has a path"))
            .arg("--reader")
            .arg(place())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("another process starts");
        let answers = BufReader::new(child.stdout.take().expect("it is piped"));
        Self { child, answers }
    }

    fn begin(&mut self) {
        self.child.stdin.as_mut().expect("it is piped").write_all(b"\n").expect("it listens");
    }

    fn end(&mut self) -> Duration {
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("it answers");
        Duration::from_nanos(answer.trim().parse().expect("a number"))
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn read_for_another(path: &str) {
    PLACE.set(path.into()).expect("only here");
    register("disk");
    for line in std::io::stdin().lines() {
        line.expect("a line");
        println!("{}", read_all().as_nanos());
    }
    let stats = ours::small_text::stats();
    assert_eq!(stats.computes, 0, "all was there: {stats:?}");
}

/// One table of SQLite, and a statement to get and one to put.
struct BareSqlite(Connection);

fn bare_sqlite() -> BareSqlite {
    let sqlite = Connection::open(place().join("bare.sqlite")).expect("SQLite opens");
    sqlite
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
             CREATE TABLE entry (key INTEGER PRIMARY KEY, content BLOB NOT NULL);",
        )
        .expect("SQLite makes a table");
    BareSqlite(sqlite)
}

impl BareSqlite {
    fn get(&self, number: u64) -> usize {
        let mut get = self.0.prepare_cached("SELECT content FROM entry WHERE key = ?1").expect("a statement");
        let found: Option<Vec<u8>> =
            get.query_row([number as i64], |row| row.get(0)).optional().expect("a row");
        found.map_or(0, |bytes| bytes.len())
    }

    fn put(&self, number: u64, text: &str) {
        let mut put =
            self.0.prepare_cached("INSERT OR REPLACE INTO entry VALUES (?1, ?2)").expect("a statement");
        put.execute((number as i64, text.as_bytes())).expect("a row");
    }
}
