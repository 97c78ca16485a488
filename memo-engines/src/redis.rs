//! The engine `redis`: results in Redis or Valkey, shared by machines. One server, a Cluster, or behind Sentinels.
//!
//! An entry is one string on the server; a short tail behind its bytes says to which *generation* of its space it
//! belongs. A space is cleared by beginning another generation; what is left of the one before runs out by its
//! lifetime. Reads fetch entry and generation together, writes are scripts, so that nothing comes in between. A removed
//! entry leaves a tombstone, by which a result that was computed from what has since been invalidated is
//! noticed. `docs/decisions/0012-redis.md` says why it is built so.
//!
//! Connections are made when they are first needed, on one thread that all engines of this kind share, and made again
//! when they are lost. Calls can be polled by any executor.

mod address;
mod background;
mod failure;
mod leases;
mod link;
mod names;
mod options;
mod reads;
mod scripts;
mod stored;
mod watch;

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ::redis::{Cmd, Value};
use futures_util::future::join_all;

pub use options::RedisOptions;

use self::address::Target;
use self::failure::Failure;
use self::leases::Attempt;
use self::link::Link;
use self::names::{Names, Place, Spread};
use self::reads::Reads;
use self::scripts::Script;
use self::stored::{Found, NUMBERS};
use self::watch::Watch;
use crate::engine::{
    Capability, Change, Engine, EngineFuture, Entry, GuardOptions, Key, Lease, Reach, Space, Watcher,
    Witness, utc_now,
};
use crate::error::{Error, ErrorKind};
use crate::fork::PerProcess;

const NAME: &str = "redis";

/// Entries in Redis or Valkey: see the [module](self).
pub struct Redis {
    options: RedisOptions,
    names: Names,
    target: Arc<Target>,
    talk: PerProcess<Talk>,
    /// Who is told of changes, in each process.
    watchers: Mutex<Vec<(Space, Watcher)>>,
    clock: Clock,
}

/// What talks to the server. A forked child makes its own: a connection is its parent's.
struct Talk {
    link: Link,
    /// Where one server has all keys, look-ups go together.
    reads: Option<Reads>,
    watch: Watch,
}

/// The minutes of an engine's life.
#[derive(Clone, Copy)]
struct Clock(Instant);

impl Clock {
    fn minute(self) -> u64 {
        self.0.elapsed().as_secs() / 60
    }
}

/// What was found under a key.
struct Look {
    found: Found,
    /// Of its space.
    generation: Option<u64>,
    /// In which the server was asked, or before: a witness may seem older than it is, not younger.
    minute: u64,
}

impl Redis {
    /// An engine that connects when it is first called.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] where the address, the certificates or the prefix make no sense, saying why.
    pub fn open(options: RedisOptions) -> Result<Self, Error> {
        let target = Target::of(&options).map_err(|error| error.of(NAME))?;
        let spread = match (&target, options.one_slot_per_function) {
            (_, true) => Spread::Space,
            (Target::Cluster(..), false) => Spread::Digest,
            _ => Spread::None,
        };
        if matches!(target, Target::Cluster(..)) {
            names::check_prefix(&options.prefix, options.one_slot_per_function)
                .map_err(|why| Error::new(ErrorKind::Unavailable, why).of(NAME))?;
        }
        let names = Names::new(&options.prefix, spread);
        let clock = Clock(Instant::now());
        let watchers = Mutex::default();
        let target = Arc::new(target);
        Ok(Self { options, names, target, talk: PerProcess::new(), watchers, clock })
    }

    fn talk(&self) -> &Talk {
        self.talk.get(|| {
            let is_one = !matches!(*self.target, Target::Cluster(..));
            let link = Link::new(Arc::clone(&self.target), &self.options);
            let reads = is_one.then(|| Reads::new(link.clone(), self.names.clone(), self.clock));
            let watch = Watch::new(self.names.channel());
            // locked for ever where a fork came in between: then its parent's watchers are told of nothing here
            if let Ok(watchers) = self.watchers.try_lock() {
                watchers.iter().for_each(|(space, watcher)| watch.add(*space, watcher.clone(), &link));
            }
            Talk { link, reads, watch }
        })
    }

    /// How to [guard](crate::Guarded) it: as usual, with a time budget of 20 ms for a server near by. Beyond that,
    /// computing is mostly the better bet.
    pub fn guard() -> GuardOptions {
        GuardOptions { budget: Duration::from_millis(20), ..GuardOptions::default() }
    }

    /// What an engine with these options can do, without one.
    pub fn capability_with(options: &RedisOptions) -> Capability {
        Capability {
            reach: Reach::Fleet,
            persistent: true,
            expires: true,
            clears_cheaply: true,
            witnesses: true,
            leases: true,
            watches: !address::is_resp2(&options.url),
            largest: Some(options.largest),
            ..Capability::default()
        }
    }

    async fn send(&self, command: &Cmd, key: &str, attempted: &str) -> Result<Value, Error> {
        self.talk().link.send(command, key, attempted).await.map_err(named)
    }

    /// Runs a script on keys of one slot, the first of which says which. `rest` adds what comes behind them.
    async fn run(
        &self,
        script: &Script,
        keys: &[&String],
        rest: impl Fn(&mut Cmd),
        attempted: &str,
    ) -> Result<bool, Error> {
        let command = |name: &str, script: &str| {
            let mut command = ::redis::cmd(name);
            command.arg(script).arg(keys.len()).arg(keys);
            rest(&mut command);
            command
        };
        let key = keys.first().map_or("", |key| key.as_str());
        let reply = self.talk().link.send(&command("EVALSHA", &script.digest), key, attempted).await;
        let reply = match reply {
            Err(failure) if failure.is_unknown_script => {
                self.talk().link.send(&command("EVAL", &script.source), key, attempted).await
            }
            reply => reply,
        };
        match reply.map_err(named)? {
            Value::Int(done) => Ok(done != 0),
            _ => Err(named(Failure::nonsense(attempted))),
        }
    }

    async fn find(&self, key: &Key) -> Result<Look, Error> {
        if let Some(reads) = &self.talk().reads {
            return reads.find(key).await.map_err(|error| error.of(NAME));
        }
        // in a box, for the others would carry its size about
        Box::pin(self.find_alone(key)).await
    }

    async fn find_alone(&self, key: &Key) -> Result<Look, Error> {
        let minute = self.clock.minute();
        let Place { generation, entry } = self.names.place(key);
        let mut command = ::redis::cmd("MGET");
        command.arg(&generation).arg(&entry);
        let mut values =
            fetch(&self.talk().link, &command, &generation, 2, "get an entry").await.map_err(named)?;
        let (value, generation) = (values.swap_remove(1), number(&values[0]));
        Ok(Look { found: found(value, generation), generation, minute })
    }

    /// Many at once, in one command for each generation.
    async fn find_many(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>, Error> {
        let mut groups: std::collections::BTreeMap<String, (Vec<usize>, Vec<String>)> = Default::default();
        for (at, key) in keys.iter().enumerate() {
            let Place { generation, entry } = self.names.place(key);
            let (places, entries) = groups.entry(generation).or_default();
            places.push(at);
            entries.push(entry);
        }
        let ask = groups.into_iter().map(|(generation, (places, entries))| async move {
            let mut command = ::redis::cmd("MGET");
            command.arg(&generation).arg(&entries);
            let values =
                fetch(&self.talk().link, &command, &generation, 1 + entries.len(), "get entries").await;
            values.map(|values| (places, values)).map_err(named)
        });
        let mut all = vec![None; keys.len()];
        for answer in join_all(ask).await {
            let (places, values) = answer?;
            let mut values = values.into_iter();
            let generation = values.next().as_ref().and_then(number);
            for (at, value) in places.into_iter().zip(values) {
                all[at] = alive(found(value, generation));
            }
        }
        Ok(all)
    }

    async fn store(&self, key: &Key, entry: &Entry, witness: Option<Witness>) -> Result<bool, Error> {
        if entry.bytes.len() as u64 > self.options.largest {
            let context =
                format!("store {} bytes where {} are the most", entry.bytes.len(), self.options.largest);
            return Err(Error::new(ErrorKind::TooLarge, context).of(NAME));
        }
        let seen = match witness.map(stored::without_minute) {
            None => String::new(),
            Some((_, minute))
                if self.clock.minute().wrapping_sub(minute) % 4096 >= self.memory().as_secs() / 60 =>
            {
                // what has happened since may have been forgotten
                return Ok(false);
            }
            Some((number, _)) => number.to_string(),
        };
        let longest = millis(self.options.longest);
        let ttl = entry.expires.map_or(longest, |end| end.saturating_sub(utc_now()).clamp(1, longest));
        let end = stored::end_of_entry(entry.expires);
        let Place { generation, entry: name } = self.names.place(key);
        let (fresh, stamp, memory) = (even(), even(), millis(self.memory()));
        let rest = |command: &mut Cmd| {
            command.arg(&entry.bytes[..]).arg(&end[..]).arg(ttl).arg(fresh).arg(longest).arg(&seen);
            self.tell(command, Change::Entry(*key));
            command.arg(stamp).arg(memory);
        };
        self.run(&scripts::PUT, &[&generation, &name], rest, "store an entry").await
    }

    async fn drop_entry(&self, key: &Key) -> Result<bool, Error> {
        let Place { generation, entry } = self.names.place(key);
        let tombstone = stored::tombstone(even());
        let rest = |command: &mut Cmd| {
            command.arg(&tombstone[..]).arg(millis(self.memory())).arg(utc_now());
            self.tell(command, Change::Entry(*key));
        };
        self.run(&scripts::REMOVE, &[&generation, &entry], rest, "remove an entry").await
    }

    async fn drop_all(&self, space: &Space) -> Result<(), Error> {
        let generations: Vec<_> = self.names.generations(space).collect();
        let clear = generations.iter().map(|generation| async move {
            let rest = |command: &mut Cmd| {
                command.arg(even() + 1).arg(millis(self.options.longest));
            };
            self.run(&scripts::CLEAR, &[generation], rest, "clear a space").await
        });
        join_all(clear).await.into_iter().collect::<Result<Vec<_>, _>>()?;
        let mut command = ::redis::cmd("PUBLISH");
        self.tell(&mut command, Change::Space(*space));
        let key = generations.first().map_or("", String::as_str);
        self.send(&command, key, "tell that a space was cleared").await.map(drop)
    }

    /// Adds the channel, and what to say there.
    fn tell(&self, command: &mut Cmd, change: Change) {
        command.arg(self.talk().watch.channel()).arg(&self.talk().watch.message(change)[..]);
    }

    /// For how long removals are remembered. The minutes of a witness go round after 4096.
    fn memory(&self) -> Duration {
        self.options.remember_removals.clamp(Duration::from_secs(60), Duration::from_secs(48 * 3600))
    }
}

fn named(failure: Failure) -> Error {
    failure.error.of(NAME)
}

/// Sends a command whose reply is so many values, the first of them that of `key`.
async fn fetch(
    link: &Link,
    command: &Cmd,
    key: &str,
    count: usize,
    attempted: &str,
) -> Result<Vec<Value>, Failure> {
    match link.send(command, key, attempted).await? {
        Value::Array(values) if values.len() == count => Ok(values),
        _ => Err(Failure::nonsense(attempted)),
    }
}

fn found(value: Value, generation: Option<u64>) -> Found {
    match value {
        Value::BulkString(value) => Found::read(value, generation),
        _ => Found::default(),
    }
}

/// The entry, if its time is not over. (Most have none, and need no clock.)
fn alive(found: Found) -> Option<Entry> {
    found.entry.filter(|entry| entry.expires.is_none() || !entry.is_expired(utc_now()))
}

/// A generation as it stands on the server. What is not one counts as none, as it does for the scripts.
fn number(value: &Value) -> Option<u64> {
    match value {
        Value::BulkString(digits) if digits.len() < 16 && digits.iter().all(u8::is_ascii_digit) => {
            std::str::from_utf8(digits).ok()?.parse().ok()
        }
        _ => None,
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn random() -> u64 {
    RandomState::new().hash_one(utc_now())
}

/// What nobody else makes.
fn token() -> [u8; 16] {
    let mut token = [0; 16];
    token[..8].copy_from_slice(&random().to_le_bytes());
    token[8..].copy_from_slice(&random().to_le_bytes());
    token
}

/// A random even number for a generation or a stamp; never 0.
fn even() -> u64 {
    ((random() % NUMBERS) & !1).max(2)
}

impl Engine for Redis {
    fn name(&self) -> &str {
        NAME
    }

    fn capability(&self) -> Capability {
        Self::capability_with(&self.options)
    }

    fn guard_options(&self) -> GuardOptions {
        Self::guard()
    }

    fn get<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, Option<Entry>> {
        EngineFuture::new(async move { Ok(alive(self.find(key).await?.found)) })
    }

    fn put<'a>(&'a self, key: &'a Key, entry: &'a Entry) -> EngineFuture<'a, ()> {
        EngineFuture::new(async move { self.store(key, entry, None).await.map(drop) })
    }

    fn remove<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, bool> {
        EngineFuture::new(self.drop_entry(key))
    }

    fn clear<'a>(&'a self, space: &'a Space) -> EngineFuture<'a, ()> {
        EngineFuture::new(self.drop_all(space))
    }

    fn look<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, (Option<Entry>, Witness)> {
        EngineFuture::new(async move {
            let Look { found, generation, minute } = self.find(key).await?;
            let witness = stored::with_minute(found.witness(generation), minute);
            Ok((alive(found), witness))
        })
    }

    fn put_if<'a>(&'a self, key: &'a Key, entry: &'a Entry, witness: Witness) -> EngineFuture<'a, bool> {
        EngineFuture::new(self.store(key, entry, Some(witness)))
    }

    fn get_many<'a>(&'a self, keys: &'a [Key]) -> EngineFuture<'a, Vec<Option<Entry>>> {
        EngineFuture::new(self.find_many(keys))
    }

    fn put_many<'a>(&'a self, entries: &'a [(Key, Entry)]) -> EngineFuture<'a, ()> {
        EngineFuture::new(async move {
            let put = join_all(entries.iter().map(|(key, entry)| self.store(key, entry, None)));
            put.await.into_iter().try_for_each(|stored| stored.map(drop))
        })
    }

    fn remove_many<'a>(&'a self, keys: &'a [Key]) -> EngineFuture<'a, usize> {
        EngineFuture::new(async move {
            let removed = join_all(keys.iter().map(|key| self.drop_entry(key))).await;
            removed.into_iter().try_fold(0, |count, there| Ok(count + usize::from(there?)))
        })
    }

    fn lease<'a>(&'a self, key: &'a Key, ttl: Duration) -> EngineFuture<'a, Option<Lease>> {
        EngineFuture::new(async move {
            let place = self.names.place(key);
            let (name, token) = (place.lease(), token());
            let mut command = ::redis::cmd("SET");
            command.arg(&name).arg(&token[..]).arg("NX").arg("PX").arg(millis(ttl).max(1));
            let attempt = Attempt::new(&self.talk().link, &name, token, ttl);
            let reply = self.send(&command, &place.generation, "lease a key").await?;
            attempt.end();
            match reply {
                Value::Okay => Ok(Some(Lease { token })),
                Value::Nil => {
                    leases::must_end(&self.talk().link, &name, ttl).await.map(|()| None).map_err(named)
                }
                _ => Err(named(Failure::nonsense("lease a key"))),
            }
        })
    }

    fn renew<'a>(&'a self, key: &'a Key, lease: &'a Lease, ttl: Duration) -> EngineFuture<'a, bool> {
        EngineFuture::new(async move {
            let name = self.names.place(key).lease();
            let rest = |command: &mut Cmd| {
                command.arg(&lease.token[..]).arg(millis(ttl).max(1));
            };
            self.run(&scripts::RENEW, &[&name], rest, "renew a lease").await
        })
    }

    fn release<'a>(&'a self, key: &'a Key, lease: &'a Lease) -> EngineFuture<'a, bool> {
        EngineFuture::new(async move {
            let name = self.names.place(key).lease();
            let rest = |command: &mut Cmd| {
                command.arg(&lease.token[..]);
            };
            self.run(&scripts::RELEASE, &[&name], rest, "release a lease").await
        })
    }

    fn watch(&self, space: &Space, watcher: Watcher) {
        if self.capability().watches {
            let talk = self.talk();
            let mut watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner);
            watchers.retain(|(_, watcher)| watcher.strong_count() > 0);
            watchers.push((*space, watcher.clone()));
            drop(watchers);
            talk.watch.add(*space, watcher, &talk.link);
        }
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("options", &self.options).finish_non_exhaustive()
    }
}
