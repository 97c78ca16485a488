//! No more than some computations of a function in some time.
//!
//! The crate `governor` counts, by the generic cell rate algorithm. Who comes too early waits for its turn at a [gate](Gate) with one place: whoever
//! has that is the next.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use memo_text::Rate;

use crate::alarm::sleep;
use crate::clock::{exact, nanos};
use crate::gate::{Gate, Lent};
use crate::per_process::PerProcess;

/// The clock of lifetimes, which tests can move.
#[derive(Debug, Clone)]
struct Exact;

impl Clock for Exact {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::from(exact())
    }
}

/// Lets no more than some computations of a function pass in some time.
#[derive(Debug)]
pub(crate) struct Limiter {
    passed: RateLimiter<NotKeyed, InMemoryState, Exact, NoOpMiddleware<Nanos>>,
    turns: Gate,
}

/// All limiters, by the addresses of their functions.
type Limiters = HashMap<(usize, Rate), &'static Limiter>;

impl Limiter {
    /// That of the function at this address. All its instantiations have one; another rate is another limiter.
    pub(crate) fn of(function: usize, rate: Rate) -> Option<&'static Self> {
        static LIMITERS: PerProcess<Mutex<Limiters>> = PerProcess::new();
        let mut limiters = LIMITERS.get(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        Some(limiters.entry((function, rate)).or_insert_with(|| Box::leak(Box::new(Limiter::new(rate)))))
    }

    fn new(rate: Rate) -> Self {
        let at_least_one = |count| NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(rate.per / at_least_one(rate.count).get());
        let quota = quota.unwrap_or(Quota::per_second(NonZeroU32::MAX)).allow_burst(at_least_one(rate.burst));
        Limiter { passed: RateLimiter::direct_with_clock(quota, Exact), turns: Gate::new() }
    }

    /// Lets the flight with this id pass now, if nobody waits, and if it may.
    pub(crate) fn try_pass(&'static self, flight: usize) -> bool {
        self.turns.try_enter(1, flight).is_some_and(|_turn| self.passed.check().is_ok())
    }

    /// Waits until the flight may pass. `within` are the flights that make no progress meanwhile.
    pub(crate) async fn pass(&'static self, flight: usize, within: Vec<usize>) {
        let _turn = self.turns.enter(1, flight, within.clone()).await;
        let _lent = Lent::of(&within);
        while let Err(early) = self.passed.check() {
            sleep(nanos(early.wait_time_from(Exact.now()))).await;
        }
    }
}
