//! The bounded queue of operations. The entries in it are kept by key, so that reads see them at once.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::failure::failure;
use super::operation::{Op, Ticket};
use crate::engine::{Entry, Key};
use crate::error::{Error, ErrorKind};
use crate::lock::lock;

/// The most operations that wait.
const MOST: usize = 16 * 1024;

/// What a reader finds about a key in the queue.
pub(super) enum Pending {
    Put(Entry),
    Removed,
}

#[derive(Default)]
pub(super) struct Queue {
    inner: Mutex<Inner>,
    /// Signals the writer that there is work.
    work: Condvar,
    /// Signals waiting callers that there is room.
    room: Condvar,
    pending: AtomicUsize,
    /// Set when a wait for room was in vain. Then nobody waits again until the writer moves.
    stuck: AtomicBool,
}

#[derive(Default)]
struct Inner {
    waiting: VecDeque<Ticket>,
    bytes: usize,
    pending: HashMap<[u8; 32], (u64, Option<Entry>)>,
    next: u64,
    nudged: bool,
    closed: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }

    /// Appends an operation. Waits for room, but no longer than `wait`.
    pub(super) fn push(&self, op: Op, bound: usize, wait: Duration) -> Result<(), Error> {
        let mut inner = self.lock();
        let size = op.size();
        // A flush adds nothing that has to be written.
        let takes_room = !matches!(op, Op::Flush { .. });
        let full = |inner: &Inner| {
            takes_room
                && !inner.waiting.is_empty()
                && (inner.bytes + size > bound || inner.waiting.len() >= MOST)
        };
        if full(&inner) {
            if !op.is_optional() && !wait.is_zero() && !self.stuck.load(Ordering::Relaxed) {
                let until = Instant::now() + wait;
                while full(&inner) && !inner.closed {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        self.stuck.store(true, Ordering::Relaxed);
                        break;
                    }
                    inner = self.room.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
                }
            }
            if full(&inner) {
                let error = failure(ErrorKind::Full, "queue an entry for writing");
                // If callers write faster than the disk, the disk is not at fault.
                return Err(error.of_this_call());
            }
        }
        if inner.closed {
            return Err(failure(ErrorKind::Unavailable, "write: the engine is closed"));
        }
        let number = inner.next;
        inner.next += 1;
        match &op {
            Op::Put { key, entry, witness, .. } => {
                // A removal in the queue wins over a result that was computed before it.
                let removed = matches!(inner.pending.get(&key.digest), Some((_, None)));
                if witness.is_none() || !removed {
                    inner.pending.insert(key.digest, (number, Some(entry.clone())));
                }
            }
            Op::Remove { key, .. } => {
                inner.pending.insert(key.digest, (number, None));
            }
            _ => {}
        }
        self.pending.store(inner.pending.len(), Ordering::Release);
        inner.bytes += size;
        let was_empty = inner.waiting.is_empty();
        inner.waiting.push_back(Ticket { number, op });
        drop(inner);
        if was_empty {
            self.work.notify_one();
        }
        Ok(())
    }

    /// What the queue holds about a key.
    pub(super) fn pending(&self, key: &Key) -> Option<Pending> {
        if self.pending.load(Ordering::Acquire) == 0 {
            return None;
        }
        let entry = self.lock().pending.get(&key.digest)?.1.clone();
        Some(entry.map_or(Pending::Removed, Pending::Put))
    }

    /// How many keys wait to be written.
    pub(super) fn unwritten(&self) -> usize {
        self.pending.load(Ordering::Relaxed)
    }

    /// Takes the next operations, of `bytes` at most unless the first alone has more. Returns none if there
    /// are none for `wait`, and `None` when the queue is closed and empty.
    pub(super) fn take(&self, bytes: usize, wait: Duration) -> Option<Vec<Ticket>> {
        let mut inner = self.lock();
        let until = Instant::now().checked_add(wait);
        while inner.waiting.is_empty() {
            if inner.closed {
                return None;
            }
            let left = until.map_or(wait, |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() || std::mem::take(&mut inner.nudged) {
                return Some(Vec::new());
            }
            inner = self.work.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        let mut batch = Vec::new();
        let mut taken = 0;
        while let Some(next) = inner.waiting.front() {
            taken += next.op.size();
            if taken > bytes && !batch.is_empty() {
                break;
            }
            batch.extend(inner.waiting.pop_front());
        }
        Some(batch)
    }

    /// Marks these operations as done, written or not. Their entries are no longer pending.
    pub(super) fn done(&self, batch: &[Ticket]) {
        let mut inner = self.lock();
        for Ticket { number, op } in batch {
            inner.bytes = inner.bytes.saturating_sub(op.size());
            if let Op::Put { key, .. } | Op::Remove { key, .. } = op
                && inner.pending.get(&key.digest).is_some_and(|(pending, _)| pending == number)
            {
                inner.pending.remove(&key.digest);
            }
        }
        self.pending.store(inner.pending.len(), Ordering::Release);
        drop(inner);
        self.stuck.store(false, Ordering::Relaxed);
        self.room.notify_all();
    }

    /// Wakes the writer although there is nothing to write.
    pub(super) fn nudge(&self) {
        self.lock().nudged = true;
        self.work.notify_one();
    }

    /// Closes the queue. What is in it is still written.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.work.notify_all();
        self.room.notify_all();
    }
}
