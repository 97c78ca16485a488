//! The connections for reading, which threads share.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::time::Duration;

use super::failure;
use super::index::{Mode, View};
use super::reader::Reader;
use crate::error::Error;

/// How many connections are kept. If more threads read at once, more are opened and not kept.
const KEPT: usize = 8;

pub(super) struct Readers {
    path: PathBuf,
    busy: Duration,
    mode: Mode,
    /// Each is locked while a thread reads.
    kept: [Mutex<Option<Reader>>; KEPT],
    /// Whether a connection may be keeping a snapshot.
    holding: AtomicBool,
    /// Whether no snapshot may be kept.
    keep_none: AtomicBool,
}

thread_local! {
    /// Where this thread begins to look for a connection, so that threads seldom meet.
    static PLACE: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed)
    };
}

impl Readers {
    pub(super) fn new(path: &Path, busy: Duration, mode: Mode) -> Self {
        Self {
            path: path.to_owned(),
            busy,
            mode,
            kept: Default::default(),
            holding: AtomicBool::new(false),
            keep_none: AtomicBool::new(false),
        }
    }

    /// Has no snapshot kept, until [`keep_again`](Self::keep_again).
    pub(super) fn keep_none(&self) {
        self.keep_none.store(true, Ordering::SeqCst);
        self.let_go();
    }

    /// Lets snapshots be kept again.
    pub(super) fn keep_again(&self) {
        self.keep_none.store(false, Ordering::SeqCst);
    }

    /// Reads from a snapshot that has everything that was committed before.
    pub(super) fn read<T>(
        &self,
        read: impl Fn(&mut View<'_, '_>) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        let mut place = self.place();
        let mut reader = match place.as_mut().and_then(|place| place.take()) {
            Some(reader) => reader,
            None => Reader::open(&self.path, self.busy, self.mode)?,
        };
        // A connection is not used again after an error.
        let value = reader.read(read).map_err(|error| failure::sqlite("read the index", error))?;
        if let Some(mut place) = place {
            *place = Some(reader);
            if !self.holding.load(Ordering::Relaxed) {
                self.holding.store(true, Ordering::Relaxed);
            }
        }
        // This is read after `holding` was set: either the reader sees `keep_none`, or the writer sees the
        // snapshot.
        if self.keep_none.load(Ordering::SeqCst) {
            self.let_go();
        }
        Ok(value)
    }

    /// A place with a connection that nobody is using, or an empty place. `None` if all are in use.
    fn place(&self) -> Option<MutexGuard<'_, Option<Reader>>> {
        // A thread that is ending may have no locals any more.
        let first = PLACE.try_with(|place| *place).unwrap_or_default();
        let mut empty = None;
        for step in 0..KEPT {
            match self.kept[(first + step) % KEPT].try_lock() {
                Ok(place) if place.is_some() => return Some(place),
                Ok(place) => empty = empty.or(Some(place)),
                Err(TryLockError::Poisoned(poisoned)) => empty = empty.or(Some(poisoned.into_inner())),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        empty
    }

    /// Whether a snapshot may be kept.
    pub(super) fn are_holding(&self) -> bool {
        self.holding.load(Ordering::Relaxed)
    }

    /// Releases the snapshots of the connections that nobody is using.
    pub(super) fn let_go(&self) {
        self.holding.store(false, Ordering::Relaxed);
        for kept in &self.kept {
            let mut place = match kept.try_lock() {
                Ok(place) => place,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                // A thread is reading from it, so it keeps its snapshot. The writer asks again.
                Err(TryLockError::WouldBlock) => {
                    self.holding.store(true, Ordering::Relaxed);
                    continue;
                }
            };
            if place.as_mut().is_some_and(|reader| reader.let_go().is_err()) {
                *place = None;
            }
        }
    }
}
