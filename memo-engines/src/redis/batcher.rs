//! Look-ups of many callers in one command.
//!
//! Callers leave their keys in a queue, and a task on the [`background`] runtime fetches all that have
//! come together by one `MGET`: the more ask at once, the less each costs, here and on the server. Nobody waits for others to
//! come: a batch is what is there.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use ::redis::{Cmd, Value};
use tokio::sync::{mpsc, oneshot};

use super::background;
use super::link::Link;
use super::look::{self, Clock, Look, found, generation_in};
use super::names::{Names, name_entry};
use super::stored::Found;
use crate::engine::{Key, Space};
use crate::error::{Error, ErrorKind};
use crate::lock::lock;

/// How many look-ups go in one command at most, and about how many bytes they may fetch: nobody gets a reply before the
/// last of its batch has come.
const MOST: usize = 64;
const MOST_BYTES: usize = 64 << 10;

/// How many replies wait at most until all have copied what is theirs.
const COPIED: usize = 8;

const ATTEMPTED: &str = "get an entry";

struct Request {
    key: Key,
    reply: oneshot::Sender<Result<Answer, Error>>,
}

struct Answer {
    held: Held,
    /// Of its space.
    generation: Option<u64>,
    minute: u64,
}

/// What the server holds under a key.
enum Held {
    Own(Value),
    /// One of what a batch has fetched. Whoever asked makes a copy of it: to free what another thread allocated takes a
    /// lock of the allocator, for which all of a batch would queue.
    Shared(Arc<Fetched>, usize),
}

type Fetched = Vec<Value>;

impl Held {
    fn read(self, generation: Option<u64>) -> Found {
        let value = match self {
            Self::Own(value) => value,
            Self::Shared(all, at) => all[at].clone(),
        };
        found(value, generation)
    }
}

/// Where callers leave their keys.
pub(super) struct Batcher {
    link: Link,
    names: Names,
    clock: Clock,
    queue: OnceLock<mpsc::UnboundedSender<Request>>,
}

impl Batcher {
    pub(super) fn new(link: Link, names: Names, clock: Clock) -> Self {
        Self { link, names, clock, queue: OnceLock::new() }
    }

    pub(super) async fn find(&self, key: &Key) -> Result<Look, Error> {
        let (reply, answer) = oneshot::channel();
        // whoever gives up waiting drops its end, and is not asked for if it was not yet
        let _ = self.queue()?.send(Request { key: *key, reply });
        let answer = answer.await.unwrap_or_else(|_| Err(Error::new(ErrorKind::Unavailable, ATTEMPTED)));
        let Answer { held, generation, minute } = answer?;
        Ok(Look { found: held.read(generation), generation, minute })
    }

    fn queue(&self) -> Result<&mpsc::UnboundedSender<Request>, Error> {
        if let Some(queue) = self.queue.get() {
            return Ok(queue);
        }
        let runtime = background::handle()?;
        Ok(self.queue.get_or_init(|| {
            let (queue, reads) = mpsc::unbounded_channel();
            // it ends with the queue
            runtime.spawn(serve(reads, self.link.clone(), self.names.clone(), self.clock));
            queue
        }))
    }
}

/// What batches have to do with each other.
#[derive(Default)]
struct History {
    /// About how many bytes an answer has.
    size: AtomicUsize,
    /// What was fetched and is being copied. It is freed here, by the thread that allocated it.
    copied: Mutex<VecDeque<Arc<Fetched>>>,
}

impl History {
    /// How many look-ups may go together.
    fn batch_size(&self) -> usize {
        (MOST_BYTES / self.size.load(Ordering::Relaxed).max(1)).clamp(1, MOST)
    }

    /// Gives the number of bytes that were fetched for so many.
    fn record(&self, all: &Fetched, count: usize) -> usize {
        let length = |value: &Value| if let Value::BulkString(bytes) = value { bytes.len() } else { 0 };
        let bytes = all.iter().map(length).sum();
        let before = self.size.load(Ordering::Relaxed);
        self.size.store((7 * before + bytes / count) / 8, Ordering::Relaxed);
        bytes
    }

    /// All who asked have been told, and are making their copies.
    fn keep_until_copied(&self, all: Arc<Fetched>, bytes: usize) {
        let mut copied = lock(&self.copied);
        // nobody who is slow keeps the others' back for long
        while copied.front().is_some_and(|oldest| Arc::strong_count(oldest) == 1 || copied.len() > COPIED) {
            copied.pop_front();
        }
        // more than usual is not kept, for it may be long until the next batch
        if bytes <= 2 * MOST_BYTES {
            copied.push_back(all);
        }
    }
}

async fn serve(mut reads: mpsc::UnboundedReceiver<Request>, link: Link, names: Names, clock: Clock) {
    let history = Arc::new(History::default());
    loop {
        let most = history.batch_size();
        let mut batch = Vec::with_capacity(most);
        if reads.recv_many(&mut batch, most).await == 0 {
            return;
        }
        batch.retain(|read| !read.reply.is_closed());
        if !batch.is_empty() {
            tokio::spawn(fetch(batch, clock.minute(), link.clone(), names.clone(), Arc::clone(&history)));
        }
    }
}

/// Fetches the entries, and before the first of each space that space's generation.
async fn fetch(batch: Vec<Request>, minute: u64, link: Link, names: Names, history: Arc<History>) {
    let mut command = Cmd::with_capacity(2 + batch.len(), 128 * (1 + batch.len()));
    command.arg("MGET");
    // the spaces, commonly one, and what the generation of each is called and where in the reply it is
    let mut spaces: Vec<(Space, String, usize)> = Vec::with_capacity(1);
    // for each key its space's place above, and where its entry is
    let mut places = Vec::with_capacity(batch.len());
    let mut count = 0;
    let mut entry = String::new();
    for Request { key, .. } in &batch {
        let space = spaces.iter().position(|(space, ..)| *space == key.space).unwrap_or_else(|| {
            let generation = names.generation_of(key);
            command.arg(&generation);
            spaces.push((key.space, generation, count));
            count += 1;
            spaces.len() - 1
        });
        name_entry(&mut entry, &spaces[space].1, key);
        command.arg(&entry);
        places.push((space, count));
        count += 1;
    }
    let mut all = match look::fetch(&link, &command, "", count, ATTEMPTED).await {
        Ok(all) => all,
        Err(failure) => {
            for read in batch {
                let _ = read.reply.send(Err(failure.error.copied()));
            }
            return;
        }
    };
    let generations: Vec<_> = spaces.iter().map(|(.., at)| generation_in(&all[*at])).collect();
    let bytes = history.record(&all, places.len());
    if let [(_, entry)] = *places {
        let held = Held::Own(std::mem::replace(&mut all[entry], Value::Nil));
        let answer = Answer { held, generation: generations[0], minute };
        let _ = batch.into_iter().next().map(|read| read.reply.send(Ok(answer)));
        return;
    }
    let all = Arc::new(all);
    for (read, (space, entry)) in batch.into_iter().zip(places) {
        let held = Held::Shared(Arc::clone(&all), entry);
        let _ = read.reply.send(Ok(Answer { held, generation: generations[space], minute }));
    }
    history.keep_until_copied(all, bytes);
}
