//! Contenders in turns: a short sample of each, many times round, so that whatever else the
//! machine does hits all of them alike.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::work::shuffle;

/// Takes one sample of each contender a round, each round in another order.
///
/// Gives each contender's samples, in the order of the contenders.
pub fn in_turns<C, S>(
    contenders: &[C],
    rounds: usize,
    mut sample: impl FnMut(&C) -> Option<S>,
) -> Vec<Vec<S>> {
    let mut samples: Vec<Vec<S>> = contenders.iter().map(|_| Vec::with_capacity(rounds)).collect();
    for turn in order(contenders.len(), rounds) {
        samples[turn].extend(sample(&contenders[turn]));
    }
    samples
}

fn order(contenders: usize, rounds: usize) -> impl Iterator<Item = usize> {
    let mut order: Vec<usize> = (0..contenders).collect();
    (0..rounds).flat_map(move |round| {
        shuffle(&mut order, round as u64);
        order.clone()
    })
}

/// When one thread's part of a sample began and ended.
#[derive(Clone, Copy)]
pub struct Span {
    /// The first call begins.
    pub start: Instant,
    /// The last call has returned.
    pub end: Instant,
}

impl Span {
    /// Runs `work`.
    pub fn of(work: impl FnOnce()) -> Self {
        let start = Instant::now();
        work();
        Self { start, end: Instant::now() }
    }

    /// How long it took.
    pub fn took(&self) -> Duration {
        self.end - self.start
    }
}

/// Tries at a sample that both threads take at once, before it is given up for that round.
const TRIES: usize = 8;

/// The same by two threads at once. `part` is what each of them does in a sample; what it does
/// before [`Lane::start`] is not at once and not timed. `sample` makes a figure of the two parts, or
/// says that they were none, since the machine kept one of the threads waiting; then they try again.
pub fn in_turns_by_two<C: Sync, T: Copy + Send, S: Send>(
    contenders: &[C],
    rounds: usize,
    part: impl Fn(&C, &Lane<'_>) -> T + Sync,
    sample: impl Fn([T; 2]) -> Option<S> + Sync,
) -> Vec<Vec<S>> {
    let gate = Gate::default();
    let parts = Mutex::new([None; 2]);
    let all = |second| {
        let lane = Lane { second, gate: &gate };
        in_turns(contenders, rounds, |contender| {
            (0..TRIES).find_map(|_| {
                let mine = part(contender, &lane);
                parts.lock().expect("the other thread panicked")[usize::from(second)] = Some(mine);
                lane.start();
                let [first, second] = *parts.lock().expect("the other thread panicked");
                lane.start();
                sample([first?, second?])
            })
        })
    };
    std::thread::scope(|scope| {
        scope.spawn(|| all(true));
        all(false)
    })
}

/// One of the two threads of a sample.
pub struct Lane<'a> {
    /// Whether it is the second.
    pub second: bool,
    gate: &'a Gate,
}

impl Lane<'_> {
    /// Waits for the other thread; both leave at once.
    pub fn start(&self) {
        self.gate.meet();
    }
}

impl Drop for Lane<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.gate.broken.store(true, Ordering::Release);
        }
    }
}

/// A meeting point of two threads that spin, since waking up would be part of the sample.
#[derive(Default)]
struct Gate {
    arrived: AtomicUsize,
    broken: AtomicBool,
}

impl Gate {
    fn meet(&self) {
        let both = (self.arrived.fetch_add(1, Ordering::AcqRel) / 2 + 1) * 2;
        let mut spins = 0u32;
        while self.arrived.load(Ordering::Acquire) < both {
            assert!(!self.broken.load(Ordering::Acquire), "the other thread panicked");
            spins += 1;
            if spins.is_multiple_of(4096) {
                std::thread::yield_now();
            }
            std::hint::spin_loop();
        }
    }
}

/// Nanoseconds per operation, where both threads did `operations` and did so together for most of
/// the time; none where one of them was kept waiting by the machine.
pub fn together(operations: usize) -> impl Fn([Span; 2]) -> Option<f64> {
    move |[a, b]| {
        let shared = a.end.min(b.end).saturating_duration_since(a.start.max(b.start));
        let longer = a.took().max(b.took());
        (shared.as_secs_f64() >= 0.8 * longer.as_secs_f64())
            .then(|| (a.took() + b.took()).as_secs_f64() * 1e9 / (2 * operations) as f64)
    }
}
