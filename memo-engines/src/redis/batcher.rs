//! Batches: the look-ups of many callers in one command.
//!
//! Callers leave their keys in a queue. A task on the [`background`] runtime takes all keys that are there
//! and fetches them by one `MGET`. The more callers ask at once, the less each look-up costs, here and on
//! the server. No caller waits for a batch to fill.

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

/// How many look-ups one command has at most, and about how many bytes it may fetch. No caller of a batch
/// is answered before the last reply has come.
const MOST: usize = 64;
const MOST_BYTES: usize = 64 << 10;

/// How many batches are kept at most while callers copy their replies.
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

/// The reply for one key.
enum Held {
    Own(Value),
    /// One of the replies of a batch. The caller copies it. To free what another thread allocated takes a
    /// lock of the allocator, for which all callers of a batch would queue.
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

/// Collects look-ups into batches.
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
        // a caller that gives up drops its end; its key is left out if it was not fetched yet
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
            // the task ends with the queue
            runtime.spawn(serve(reads, self.link.clone(), self.names.clone(), self.clock));
            queue
        }))
    }
}

/// What a batch knows from those before it.
#[derive(Default)]
struct History {
    /// About how many bytes one reply has.
    size: AtomicUsize,
    /// Replies that callers are copying. They are freed here, by the thread that allocated them.
    copied: Mutex<VecDeque<Arc<Fetched>>>,
}

impl History {
    /// How many look-ups the next batch may have.
    fn batch_size(&self) -> usize {
        (MOST_BYTES / self.size.load(Ordering::Relaxed).max(1)).clamp(1, MOST)
    }

    /// Notes the replies for `count` look-ups. Returns how many bytes they have.
    fn record(&self, all: &Fetched, count: usize) -> usize {
        let length = |value: &Value| if let Value::BulkString(bytes) = value { bytes.len() } else { 0 };
        let bytes = all.iter().map(length).sum();
        let before = self.size.load(Ordering::Relaxed);
        self.size.store((7 * before + bytes / count) / 8, Ordering::Relaxed);
        bytes
    }

    /// Keeps replies until all callers have copied theirs.
    fn keep_until_copied(&self, all: Arc<Fetched>, bytes: usize) {
        let mut copied = lock(&self.copied);
        // a slow caller does not keep the others' replies for long
        while copied.front().is_some_and(|oldest| Arc::strong_count(oldest) == 1 || copied.len() > COPIED) {
            copied.pop_front();
        }
        // unusually large replies are not kept: the next batch may be long in coming
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

/// Fetches a batch: its entries and, before the first entry of each space, the generation of that space.
async fn fetch(batch: Vec<Request>, minute: u64, link: Link, names: Names, history: Arc<History>) {
    let mut command = Cmd::with_capacity(2 + batch.len(), 128 * (1 + batch.len()));
    command.arg("MGET");
    // the spaces, mostly one, each with the key of its generation and the index of that in the reply
    let mut spaces: Vec<(Space, String, usize)> = Vec::with_capacity(1);
    // for each key the index of its space above, and the index of its entry in the reply
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
