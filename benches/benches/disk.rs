//! `cargo bench -p memo-benches --features disk --bench disk -- [--quick] [case filter]`
//!
//! What a look-up and a store on disk cost: the engine with the digest of its key and the label of its entry,
//! beside `cached`'s store over redb and beside the bare stores. Warm page cache, one thread, no fsync.

use std::cell::RefCell;
use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;

use cached::{ConcurrentCached, RedbCache};
use memo_benches::report::{Row, Table};
use memo_benches::turns::{Span, in_turns};
use memo_engines::conformance::wait;
use memo_engines::entry::{Codec, Expected, LABEL_LEN, Label, Stored};
use memo_engines::{Disk, DiskOptions, Engine, Entry, Key, Space, utc_now};
use rusqlite::{Connection, OptionalExtension};

/// A store of texts of one length.
struct Contender<'s> {
    name: &'static str,
    get: Box<dyn Fn(u64) -> usize + 's>,
    put: Box<dyn Fn(u64) + 's>,
    /// Waits until what was put has been written.
    settle: Box<dyn Fn() + 's>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let filters: Vec<_> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let wanted =
        |name: &str| filters.is_empty() || filters.iter().any(|filter| name.contains(filter.as_str()));
    let rounds = if quick { 20 } else { 100 };

    for (size, keys, calls, names) in [
        (1 << 10, 1000, 200, ["get-1k", "put-1k", "put-1k-settled"]),
        (1 << 20, 16, 8, ["get-1m", "put-1m", "put-1m-settled"]),
    ] {
        if !names.iter().any(|name| wanted(name)) {
            continue;
        }
        let directory = tempfile::tempdir().expect("a directory for the stores");
        let stores = Stores::new(directory.path(), size);
        let contenders = stores.contenders();
        for contender in &contenders {
            (0..keys).for_each(&contender.put);
            (contender.settle)();
            assert!(
                (0..keys).all(|key| (contender.get)(key) == size),
                "{}: not what was put",
                contender.name
            );
        }
        let next = RefCell::new(keys);
        // The first is the look-up; then the store as its caller sees it; then until it has been written.
        for (at, name) in names.into_iter().enumerate().filter(|(_, name)| wanted(name)) {
            let sample = |contender: &Contender<'_>| {
                let mut number = next.borrow_mut();
                let span = Span::of(|| {
                    for _ in 0..calls {
                        *number += 1;
                        match at {
                            0 => drop(black_box((contender.get)(black_box(*number * 7 % keys)))),
                            _ => (contender.put)(black_box(keys + *number % (4 * keys))),
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
            let samples = in_turns(&contenders, rounds, sample);
            let rows = contenders.iter().zip(samples).map(|(contender, samples)| {
                Row::new(contender.name, (contender.name == "disk").then_some("cached redb String"), samples)
            });
            let about =
                ["a look-up", "a store, until the caller goes on", "a store, until it is written"][at];
            print!("{}", Table { case: name, about, unit: "µs", rows: rows.collect() });
        }
    }
}

/// All that is compared, in directories of their own.
struct Stores {
    disk: Disk,
    redb_text: RedbCache<String, String>,
    redb_bytes: RedbCache<String, Vec<u8>>,
    sqlite: Connection,
    files: std::path::PathBuf,
    text: String,
    small: bool,
}

const IDENTITY: [u8; 16] = [1; 16];

fn key(number: u64) -> Key {
    let digest = *blake3::hash(&[&IDENTITY[..], &number.to_le_bytes()].concat()).as_bytes();
    Key { space: Space(IDENTITY), digest }
}

impl Stores {
    fn new(path: &Path, size: usize) -> Self {
        let redb = |name: &str| path.join(name);
        let sqlite = Connection::open(path.join("bare.sqlite")).expect("SQLite opens");
        sqlite
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
                 CREATE TABLE entry (key BLOB PRIMARY KEY, content BLOB NOT NULL) WITHOUT ROWID;",
            )
            .expect("SQLite makes a table");
        let files = path.join("files");
        std::fs::create_dir(&files).expect("a directory for files");
        Self {
            disk: Disk::open(DiskOptions { queue: 256 << 20, ..DiskOptions::at(path.join("disk")) })
                .expect("the disk opens"),
            redb_text: RedbCache::builder("text")
                .disk_dir(redb("text"))
                .durable(false)
                .build()
                .expect("redb"),
            redb_bytes: RedbCache::builder("bytes")
                .disk_dir(redb("bytes"))
                .durable(false)
                .build()
                .expect("redb"),
            sqlite,
            files,
            text: "text".repeat(size / 4),
            small: size < 1 << 16,
        }
    }

    fn contenders(&self) -> Vec<Contender<'_>> {
        let nothing = || Box::new(|| ()) as Box<dyn Fn()>;
        let bare = if self.small {
            Contender {
                name: "bare SQLite",
                get: Box::new(|number| {
                    let mut get = self
                        .sqlite
                        .prepare_cached("SELECT content FROM entry WHERE key = ?1")
                        .expect("a statement");
                    let found: Option<Vec<u8>> =
                        get.query_row([key(number).digest], |row| row.get(0)).optional().expect("a row");
                    found.map_or(0, |bytes| bytes.len())
                }),
                put: Box::new(|number| {
                    self.sqlite
                        .prepare_cached("INSERT OR REPLACE INTO entry VALUES (?1, ?2)")
                        .and_then(|mut put| put.execute((key(number).digest, self.text.as_bytes())))
                        .expect("a row");
                }),
                settle: nothing(),
            }
        } else {
            let file = |number: u64| self.files.join(format!("{number:x}"));
            Contender {
                name: "bare file",
                get: Box::new(move |number| std::fs::read(file(number)).expect("a file").len()),
                put: Box::new(move |number| {
                    let temporary = self.files.join("temporary");
                    let mut new = std::fs::File::create(&temporary).expect("a file");
                    new.write_all(self.text.as_bytes()).expect("a file");
                    std::fs::rename(temporary, file(number)).expect("a file");
                }),
                settle: nothing(),
            }
        };
        vec![
            Contender {
                name: "disk",
                get: Box::new(|number| {
                    let key = key(number);
                    let Some(entry) = wait(self.disk.get(&key)).expect("the disk reads") else { return 0 };
                    let expected = Expected {
                        identity: IDENTITY,
                        key: key.digest,
                        fingerprint: 1,
                        codec: Codec::RAW,
                        now: utc_now(),
                    };
                    Stored::open(&entry.bytes, &expected).expect("it fits");
                    String::from_utf8(Stored::into_payload(entry.bytes)).expect("it is text").len()
                }),
                put: Box::new(|number| {
                    let key = key(number);
                    let label = Label {
                        identity: IDENTITY,
                        key: key.digest,
                        fingerprint: 1,
                        created: utc_now(),
                        expires: None,
                        cost: 1,
                        codec: Codec::RAW,
                    };
                    let mut payload = Vec::with_capacity(self.text.len() + LABEL_LEN);
                    payload.extend_from_slice(self.text.as_bytes());
                    wait(self.disk.put(&key, &Entry::new(label.seal(payload)))).expect("there is room");
                }),
                settle: Box::new(|| wait(self.disk.flush()).expect("the disk writes")),
            },
            Contender {
                name: "cached redb String",
                get: Box::new(|number| {
                    self.redb_text.cache_get(&number.to_string()).expect("redb").map_or(0, |text| text.len())
                }),
                put: Box::new(|number| {
                    self.redb_text.cache_set(number.to_string(), self.text.clone()).expect("redb");
                }),
                settle: nothing(),
            },
            Contender {
                name: "cached redb Vec<u8>",
                get: Box::new(|number| {
                    self.redb_bytes
                        .cache_get(&number.to_string())
                        .expect("redb")
                        .map_or(0, |bytes| bytes.len())
                }),
                put: Box::new(|number| {
                    let bytes = self.text.as_bytes().to_vec();
                    self.redb_bytes.cache_set(number.to_string(), bytes).expect("redb");
                }),
                settle: nothing(),
            },
            bare,
        ]
    }
}
