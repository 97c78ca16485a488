//! The options of a [`Disk`](super::Disk).

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use twox_hash::XxHash3_64;

use super::failure::failure;
use crate::error::{Error, ErrorKind};
use crate::program::Program;

/// A callback for messages to people.
type Hook = Arc<dyn Fn(&str) + Send + Sync>;

/// The options of a [`Disk`](super::Disk). Every default is meant for production.
#[derive(Clone)]
pub struct DiskOptions {
    /// The directory. It is made with mode 0700 if it is missing. By default each program has one, named by
    /// its executable and where that lies, below `memo` in the user's cache directory of the platform.
    pub path: Option<PathBuf>,
    /// Whether to use the directory `memo` itself if `path` is not set, and so share results with all
    /// programs of this user that say so too. Default `false`.
    pub shared: bool,
    /// The most that all files together may take, in bytes. Beyond it, expired entries leave, then the
    /// least recently used. At least 1 MiB counts. Default 1 GiB.
    pub max_size: u64,
    /// An entry larger than this, in bytes, is a file of its own; a smaller one is a row of the index.
    /// Default 64 KiB.
    pub large_over: usize,
    /// Whether `put` returns only when the entry is on the disk itself, beyond the operating system's
    /// cache. Otherwise an entry may be lost when the power fails; it is never wrong. Default `false`.
    pub durable: bool,
    /// How many bytes of entries may wait to be written. Default 32 MiB.
    pub queue: usize,
    /// How long `put` waits for room in the queue before it drops the entry. Default 5 ms.
    pub put_wait: Duration,
    /// How long `remove`, `clear`, leases and a durable `put` wait until they are written. Default 2 s.
    pub wait: Duration,
    /// How long SQLite waits for another process's write. This counts against `wait`. Default 1 s.
    pub busy_timeout: Duration,
    /// How old an entry's last use must be for a read to update it. The order of eviction is no more exact
    /// than this, and most reads write nothing. Default 60 s.
    pub touch_after: Duration,
    /// How often expired and cleared entries and orphaned files are looked for. Default 60 s.
    pub sweep_every: Duration,
    /// Is called with messages for people, a sentence each: that a damaged index was set aside.
    pub warn: Option<Hook>,
}

impl Default for DiskOptions {
    fn default() -> Self {
        Self {
            path: None,
            shared: false,
            max_size: 1 << 30,
            large_over: 64 << 10,
            durable: false,
            queue: 32 << 20,
            put_wait: Duration::from_millis(5),
            wait: Duration::from_secs(2),
            busy_timeout: Duration::from_secs(1),
            touch_after: Duration::from_secs(60),
            sweep_every: Duration::from_secs(60),
            warn: None,
        }
    }
}

impl DiskOptions {
    /// The defaults, in this directory.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: Some(path.into()), ..Self::default() }
    }

    pub(super) fn directory(&self) -> Result<PathBuf, Error> {
        if let Some(path) = &self.path {
            return Ok(path.clone());
        }
        let dirs = directories::BaseDirs::new().ok_or_else(|| {
            failure(ErrorKind::Unavailable, "find the user's cache directory; set the engine's path")
        })?;
        let all = dirs.cache_dir().join("memo");
        Ok(if self.shared { all } else { all.join(place(Program::this())) })
    }

    pub(super) fn warn(&self, message: &str) {
        if let Some(warn) = &self.warn {
            // The writer may call this. A panic would end it, and nothing would be written any more.
            let _ = catch_unwind(AssertUnwindSafe(|| warn(message)));
        }
    }

    /// The size beyond which entries leave. Between it and the cap is room for two processes that each find
    /// room and then write at once.
    pub(super) fn limit(&self) -> u64 {
        self.cap() / 8 * 7
    }

    /// How far below the limit the size is brought then, so that not every write has to evict.
    pub(super) fn slack(&self) -> u64 {
        self.cap() / 64
    }

    /// The largest entry that is taken.
    pub(super) fn largest(&self) -> u64 {
        self.cap() / 16
    }

    /// The size beyond which SQLite's log is written back.
    pub(super) fn log(&self) -> u64 {
        (self.cap() / 32).clamp(64 << 10, 16 << 20)
    }

    /// The most bytes that one transaction writes.
    pub(super) fn batch(&self) -> usize {
        (self.cap() / 128).clamp(64 << 10, 4 << 20) as usize
    }

    fn cap(&self) -> u64 {
        self.max_size.max(1 << 20)
    }
}

/// The name of a program's directory.
fn place(program: &Program) -> String {
    let home = XxHash3_64::oneshot(program.home.as_os_str().as_encoded_bytes());
    format!("{}-{home:016x}", program.name)
}

impl fmt::Debug for DiskOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiskOptions")
            .field("path", &self.path)
            .field("shared", &self.shared)
            .field("max_size", &self.max_size)
            .field("large_over", &self.large_over)
            .field("durable", &self.durable)
            .field("queue", &self.queue)
            .field("put_wait", &self.put_wait)
            .field("wait", &self.wait)
            .field("busy_timeout", &self.busy_timeout)
            .field("touch_after", &self.touch_after)
            .field("sweep_every", &self.sweep_every)
            .field("warn", &self.warn.as_ref().map(|_| ".."))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_panics_at_a_warning_ends_nothing() {
        let warn = |_: &str| std::panic::resume_unwind(Box::new("not now"));
        DiskOptions { warn: Some(Arc::new(warn)), ..DiskOptions::default() }.warn("trouble");
    }
}
