//! The operations that the writer is asked to do.

use std::sync::mpsc;
use std::time::Duration;

use crate::engine::{Entry, Key, Space, Witness};
use crate::error::Error;

/// How many bytes an operation counts beside those of its entry.
const OVERHEAD: usize = 256;
/// Where an operation is answered. The caller may have stopped waiting.
pub(super) type Reply<T> = mpsc::SyncSender<Result<T, Error>>;

pub(super) enum Op {
    Put { key: Key, entry: Entry, witness: Option<Witness>, reply: Option<Reply<()>> },
    Remove { key: Key, reply: Reply<bool> },
    Clear { space: Space, reply: Reply<()> },
    Lease { key: Key, token: [u8; 16], ttl: Duration, reply: Reply<bool> },
    Renew { key: Key, token: [u8; 16], ttl: Duration, reply: Reply<bool> },
    Release { key: Key, token: [u8; 16], reply: Reply<bool> },
    Flush { reply: Reply<()> },
    Touch { row: i64, at: u64 },
    Discard { row: i64, seq: i64 },
    Sweep { reply: Reply<()> },
}

impl Op {
    pub(super) fn size(&self) -> usize {
        OVERHEAD
            + match self {
                Self::Put { entry, .. } => entry.bytes.len(),
                _ => 0,
            }
    }

    /// Whether it may be dropped if there is no room. Nobody asked for these operations.
    pub(super) fn is_optional(&self) -> bool {
        matches!(self, Self::Touch { .. } | Self::Discard { .. })
    }
}

/// An operation with its number, which identifies its entry among the pending ones.
pub(super) struct Ticket {
    pub(super) number: u64,
    pub(super) op: Op,
}
