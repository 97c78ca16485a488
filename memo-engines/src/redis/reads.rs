//! Look-ups of many callers in one command.
//!
//! Callers leave their keys in a queue, and a task on the [background](super::background) runtime fetches all that have
//! come together by one `MGET`: the more ask at once, the less each costs, here and on the server. Nobody waits for others to
//! come: a batch is what is there.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use ::redis::{Cmd, Value};
use tokio::sync::{mpsc, oneshot};

use super::failure::{self, Failure};
use super::link::Link;
use super::names::{Names, Place};
use super::number;
use super::stored::Found;
use crate::engine::Key;
use crate::error::{Error, ErrorKind};

/// How many look-ups go in one command at most, and about how many bytes they may fetch: nobody gets a reply before the
/// last of its batch has come.
const MOST: usize = 64;
const MOST_BYTES: usize = 64 << 10;

const ATTEMPTED: &str = "get an entry";

/// What is found under a key, and the generation of its space.
type Answer = (Found, Option<u64>);

struct Read {
    key: Key,
    asker: oneshot::Sender<Result<(Held, Option<u64>), Error>>,
}

/// What the server holds under a key.
enum Held {
    Nothing,
    Whole(Vec<u8>),
    /// A part of what a batch has fetched. Whoever asked makes a copy of its own: to free what another thread allocated
    /// takes a lock of the allocator, for which all of a batch would queue.
    Part(Arc<Vec<u8>>, Range<usize>),
}

impl Held {
    fn read(self, generation: Option<u64>) -> Found {
        match self {
            Self::Nothing => Found::default(),
            Self::Whole(value) => Found::read(value, generation),
            Self::Part(all, part) => Found::read(all[part].to_vec(), generation),
        }
    }
}

/// Where callers leave their keys.
pub(super) struct Reads {
    link: Link,
    names: Names,
    queue: OnceLock<mpsc::UnboundedSender<Read>>,
}

impl Reads {
    pub(super) fn new(link: Link, names: Names) -> Self {
        Self { link, names, queue: OnceLock::new() }
    }

    pub(super) async fn find(&self, key: &Key) -> Result<Answer, Error> {
        let (asker, answer) = oneshot::channel();
        // whoever gives up waiting drops its end, and is not asked for if it was not yet
        let _ = self.queue()?.send(Read { key: *key, asker });
        let answer = answer.await.unwrap_or_else(|_| Err(Error::new(ErrorKind::Unavailable, ATTEMPTED)));
        answer.map(|(held, generation)| (held.read(generation), generation))
    }

    fn queue(&self) -> Result<&mpsc::UnboundedSender<Read>, Error> {
        if let Some(queue) = self.queue.get() {
            return Ok(queue);
        }
        let runtime = super::background::handle()?;
        Ok(self.queue.get_or_init(|| {
            let (queue, reads) = mpsc::unbounded_channel();
            // it ends with the queue
            runtime.spawn(serve(reads, self.link.clone(), self.names.clone()));
            queue
        }))
    }
}

async fn serve(mut reads: mpsc::UnboundedReceiver<Read>, link: Link, names: Names) {
    let size = Arc::new(AtomicUsize::new(0));
    loop {
        let most = (MOST_BYTES / size.load(Ordering::Relaxed).max(1)).clamp(1, MOST);
        let mut batch = Vec::with_capacity(most);
        if reads.recv_many(&mut batch, most).await == 0 {
            return;
        }
        batch.retain(|read| !read.asker.is_closed());
        if !batch.is_empty() {
            tokio::spawn(fetch(batch, link.clone(), names.clone(), Arc::clone(&size)));
        }
    }
}

/// Fetches the generations of all spaces concerned, and then the entries.
async fn fetch(batch: Vec<Read>, link: Link, names: Names, size: Arc<AtomicUsize>) {
    // commonly one
    let mut spaces = Vec::new();
    let mut entries = Vec::with_capacity(batch.len());
    let mut command = ::redis::cmd("MGET");
    for read in &batch {
        let Place { generation, entry } = names.place(&read.key);
        let place = spaces.iter().position(|space| *space == read.key.space).unwrap_or_else(|| {
            command.arg(&generation);
            spaces.push(read.key.space);
            spaces.len() - 1
        });
        entries.push((place, entry));
    }
    command.arg(entries.iter().map(|(_, entry)| entry).collect::<Vec<_>>());
    match ask(&link, &command, spaces.len() + entries.len()).await {
        Ok(values) => {
            let mut values = values.into_iter();
            let generations: Vec<_> =
                values.by_ref().take(spaces.len()).map(|value| number(&value)).collect();
            let count = batch.len();
            let (helds, bytes) = held(values, count);
            for ((held, read), (place, _)) in helds.into_iter().zip(batch).zip(entries) {
                let _ = read.asker.send(Ok((held, generations[place])));
            }
            let before = size.load(Ordering::Relaxed);
            size.store((7 * before + bytes / count) / 8, Ordering::Relaxed);
        }
        Err(error) => {
            for read in batch {
                let _ = read.asker.send(Err(failure::again(&error, ATTEMPTED)));
            }
        }
    }
}

/// What each is given, and how many bytes that is together.
fn held(values: impl Iterator<Item = Value>, count: usize) -> (Vec<Held>, usize) {
    let bytes_of = |value| match value {
        Value::BulkString(bytes) => Some(bytes),
        _ => None,
    };
    let mut values = values.map(bytes_of);
    if count == 1 {
        let value = values.next().flatten();
        let bytes = value.as_ref().map_or(0, Vec::len);
        return (vec![value.map_or(Held::Nothing, Held::Whole)], bytes);
    }
    let mut all = Vec::new();
    let parts = values.map(|value| {
        value.map(|value| {
            let begin = all.len();
            all.extend_from_slice(&value);
            begin..all.len()
        })
    });
    let parts: Vec<_> = parts.collect();
    let (bytes, all) = (all.len(), Arc::new(all));
    let part = |part: Option<_>| part.map_or(Held::Nothing, |part| Held::Part(Arc::clone(&all), part));
    (parts.into_iter().map(part).collect(), bytes)
}

async fn ask(link: &Link, command: &Cmd, count: usize) -> Result<Vec<Value>, Error> {
    match link.send(command, "", ATTEMPTED).await {
        Ok(Value::Array(values)) if values.len() == count => Ok(values),
        Ok(_) => Err(Failure::nonsense(ATTEMPTED).error),
        Err(failure) => Err(failure.error),
    }
}
