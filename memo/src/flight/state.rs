//! A flight without its types: whether it is computed, who waits for it, and whether it may store.

use super::board::{Hashed, Ref};
use super::graph::Node;
use super::waiters::Waiters;
use crate::sync::{Mutex, atomic::AtomicU64, atomic::Ordering};

/// A flight as the board has it, whatever the types of its key and result.
pub(crate) struct Flight {
    pub(super) hash: u64,
    /// The address of the [`Flights`](super::Flights) of its function.
    pub(super) of: usize,
    /// Whether callers may wait for it. They may not for a refresh, nor where each call computes for itself.
    pub(super) joinable: bool,
    pub(super) state: Mutex<State>,
    /// The bit [`SUPERSEDED`], and above it the number of the thread that is storing the value, or 0.
    pub(super) store: AtomicU64,
    /// See [`Node::suspended_on`].
    pub(super) suspended_on: AtomicU64,
    /// How often its leader's future has been suspended.
    pub(super) suspensions: AtomicU64,
}

/// This bit of a flight's `store` says that an invalidation came: what is being computed must not be stored. Where no thread
/// was storing when it came, none may begin to. Else the thread that stores takes the value out again.
pub(super) const SUPERSEDED: u64 = 1;

/// What of a flight is under its lock.
pub(super) struct State {
    pub(super) phase: Phase,
    pub(super) waiters: Waiters,
}

/// Whether a flight is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// It has a leader.
    Computing,
    /// Its leader is gone without a result, and somebody waits.
    Vacant,
    /// It has landed, was superseded, or was left by all.
    Over,
}

/// The state of a flight that begins. It is a constant, which is copied as a whole. A state that is written in parts and
/// copied right after that would have the processor wait for each of the parts.
#[allow(clippy::declare_interior_mutable_const, reason = "each flight has one of its own")]
const COMPUTING: Mutex<State> = Mutex::new(State { phase: Phase::Computing, waiters: Waiters::NONE });

impl Flight {
    /// A flight of the function whose [`Flights`](super::Flights) are at the address `of`.
    #[inline(always)]
    pub(super) fn new(hash: u64, of: usize, joinable: bool) -> Self {
        Flight {
            hash,
            of,
            joinable,
            state: COMPUTING,
            store: AtomicU64::new(0),
            suspended_on: AtomicU64::new(0),
            suspensions: AtomicU64::new(0),
        }
    }

    #[inline]
    pub(super) fn is_superseded(&self) -> bool {
        self.store.load(Ordering::Relaxed) & SUPERSEDED != 0
    }

    /// The number of the suspension that the leader's future is in. None while it is polled, and for a leader that is no future.
    pub(super) fn suspension(&self) -> Option<u64> {
        // `Acquire`: the number that is read next is of that suspension or of a later one
        let suspended = self.suspended_on.load(Ordering::Acquire) != 0;
        suspended.then(|| self.suspensions.load(Ordering::Relaxed))
    }

    /// Forbids it to store, unless it is storing just now. Whether it is forbidden.
    pub(super) fn forbid(&self) -> bool {
        let done = self.store.compare_exchange(0, SUPERSEDED, Ordering::AcqRel, Ordering::Relaxed);
        done.is_ok() || self.is_superseded()
    }
}

impl Hashed for Flight {
    #[inline]
    fn hash(&self) -> u64 {
        self.hash
    }
}

impl Node for Ref<Flight> {
    fn id(&self) -> usize {
        Ref::id(self)
    }

    fn suspended_on(&self) -> u64 {
        self.suspended_on.load(Ordering::Relaxed)
    }
}
