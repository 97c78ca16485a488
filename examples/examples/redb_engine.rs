//! An engine of your own: results in a [redb](https://docs.rs/redb) database.
//!
//! Four methods are needed; this one also lists its keys and can be flushed, as its `capability` says. Then it
//! runs the suite that all engines run.
//!
//! `cargo run -p memo-examples --example redb_engine`

use std::path::Path;

use memo_engines::conformance;
use memo_engines::{Capability, Engine, EngineFuture, Entry, Error, ErrorKind, Key, Reach, Space, utc_now};
use redb::{Database, Durability, ReadableDatabase, TableDefinition};

/// Under space and digest: the moment at which the entry's time is over, and its bytes behind that.
const ENTRIES: TableDefinition<'_, [u8; 48], &[u8]> = TableDefinition::new("entries");

/// Entries in one database file, which one process at a time may open.
struct Redb(Database);

impl Redb {
    fn open(path: &Path) -> Result<Self, Error> {
        let database = Database::create(path).map_err(|error| failed("open the database", error))?;
        let engine = Self(database);
        // So that reading finds a table, if an empty one.
        engine.write(Durability::Immediate, |_| Ok(()))?;
        Ok(engine)
    }

    /// Changes the table in a transaction of its own.
    fn write<T>(
        &self,
        durability: Durability,
        change: impl FnOnce(&mut redb::Table<'_, [u8; 48], &'static [u8]>) -> Result<T, redb::StorageError>,
    ) -> Result<T, Error> {
        let mut transaction = self.0.begin_write().map_err(|error| failed("begin to write", error))?;
        transaction.set_durability(durability).map_err(|error| failed("begin to write", error))?;
        let value = {
            let mut table =
                transaction.open_table(ENTRIES).map_err(|error| failed("open the table", error))?;
            change(&mut table).map_err(|error| failed("write", error))?
        };
        transaction.commit().map_err(|error| failed("commit", error))?;
        Ok(value)
    }

    fn read(&self, key: &Key) -> Result<Option<Entry>, Error> {
        let transaction = self.0.begin_read().map_err(|error| failed("begin to read", error))?;
        let table = transaction.open_table(ENTRIES).map_err(|error| failed("open the table", error))?;
        let found = table.get(name(key)).map_err(|error| failed("read", error))?;
        let entry = found.and_then(|found| unpack(found.value()));
        Ok(entry.filter(|entry| !entry.is_expired(utc_now())))
    }
}

/// Spaces first, so that one space is one range of the table.
fn name(key: &Key) -> [u8; 48] {
    let mut name = [0; 48];
    name[..16].copy_from_slice(&key.space.0);
    name[16..].copy_from_slice(&key.digest);
    name
}

fn pack(entry: &Entry) -> Vec<u8> {
    [&entry.expires.unwrap_or(u64::MAX).to_le_bytes(), &entry.bytes[..]].concat()
}

fn unpack(packed: &[u8]) -> Option<Entry> {
    let (expires, bytes) = packed.split_first_chunk()?;
    let expires = u64::from_le_bytes(*expires);
    Some(Entry { bytes: bytes.into(), expires: (expires != u64::MAX).then_some(expires) })
}

fn failed(context: &str, error: impl Into<redb::Error>) -> Error {
    let error = error.into();
    let kind = match &error {
        redb::Error::Corrupted(_) => ErrorKind::Corrupt,
        redb::Error::DatabaseAlreadyOpen => ErrorKind::Unavailable,
        redb::Error::ValueTooLarge(_) => ErrorKind::TooLarge,
        _ => ErrorKind::Io,
    };
    Error::new(kind, context).of("redb").caused_by(error)
}

impl Engine for Redb {
    fn name(&self) -> &str {
        "redb"
    }

    fn capability(&self) -> Capability {
        Capability {
            // A second process cannot open the file.
            reach: Reach::Process,
            persistent: true,
            blocking: true,
            deferred: true,
            iterates: true,
            largest: Some(1 << 30),
            ..Capability::default()
        }
    }

    fn get<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, Option<Entry>> {
        EngineFuture::ready(self.read(key))
    }

    /// Nothing is synced: a cache may lose its last entries with the power.
    fn put<'a>(&'a self, key: &'a Key, entry: &'a Entry) -> EngineFuture<'a, ()> {
        if entry.bytes.len() > 1 << 30 {
            return EngineFuture::ready(Err(Error::new(ErrorKind::TooLarge, "store more than 1 GiB")));
        }
        let packed = pack(entry);
        EngineFuture::ready(
            self.write(Durability::None, |table| table.insert(name(key), &packed[..]).map(drop)),
        )
    }

    fn remove<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, bool> {
        EngineFuture::ready(self.write(Durability::Immediate, |table| {
            let removed = table.remove(name(key))?.and_then(|packed| unpack(packed.value()));
            Ok(removed.is_some_and(|entry| !entry.is_expired(utc_now())))
        }))
    }

    fn clear<'a>(&'a self, space: &'a Space) -> EngineFuture<'a, ()> {
        let (first, last) = ends(space);
        EngineFuture::ready(
            self.write(Durability::Immediate, |table| table.retain_in(first..=last, |_, _| false)),
        )
    }

    /// A durable transaction makes those before it durable too.
    fn flush(&self) -> EngineFuture<'_, ()> {
        EngineFuture::ready(self.write(Durability::Immediate, |_| Ok(())))
    }

    fn keys<'a>(
        &'a self,
        space: &'a Space,
        after: Option<&'a Key>,
        limit: usize,
    ) -> EngineFuture<'a, Vec<Key>> {
        let list = || -> Result<Vec<Key>, redb::Error> {
            let (first, last) = ends(space);
            let table = self.0.begin_read()?.open_table(ENTRIES)?;
            let now = utc_now();
            let mut keys = Vec::new();
            for found in table.range(after.map_or(first, name)..=last)? {
                let (found, packed) = found?;
                let key = Key { space: *space, digest: found.value()[16..].try_into().expect("48 - 16") };
                let is_over = unpack(packed.value()).is_none_or(|entry| entry.is_expired(now));
                if keys.len() < limit && after != Some(&key) && !is_over {
                    keys.push(key);
                }
            }
            Ok(keys)
        };
        EngineFuture::ready(list().map_err(|error| failed("list the keys", error)))
    }
}

/// The first and the last name that a key of this space can have.
fn ends(space: &Space) -> ([u8; 48], [u8; 48]) {
    let end = |digest| name(&Key { space: *space, digest: [digest; 32] });
    (end(0), end(0xff))
}

fn main() {
    let directory = std::env::temp_dir().join(format!("memo-redb-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory for the database");
    conformance::all(|| Redb::open(&directory.join("results.redb")).expect("the database opens"));
    std::fs::remove_dir_all(directory).expect("the directory was ours");
    println!("an engine over redb does all that is asked of one");
}
