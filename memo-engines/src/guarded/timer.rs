//! A timer: one thread wakes waiting futures. It needs no runtime.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use crate::fork;
use crate::lock::lock;
use crate::per_process::PerProcess;

/// A wait that has begun. Dropping it ends it.
pub(super) struct Wait {
    end: Instant,
    slot: Option<Arc<Slot>>,
}

impl Wait {
    /// Wakes `waker` after this time, or a moment later at most. Returns `None` if the timer thread cannot
    /// be started.
    pub(super) fn begin(time: Duration, waker: &Waker) -> Option<Self> {
        let end = Instant::now() + time;
        let spare = SPARES.try_with(|spares| spares.borrow_mut().slots().pop()).ok().flatten();
        let slot = spare.unwrap_or_default();
        timer().set(end, waker, &slot).then(|| Self { end, slot: Some(slot) })
    }

    pub(super) fn is_over(&self) -> bool {
        Instant::now() >= self.end
    }

    /// Replaces the waker.
    pub(super) fn wake(&self, waker: &Waker) {
        let Some(slot) = &self.slot else { return };
        // `None`: the alarm has just gone off, and the woken task polls again
        let is_another = lock(slot).waits.as_ref().is_some_and(|(known, _)| !known.will_wake(waker));
        if is_another {
            let fresh = waker.clone();
            let known = lock(slot).waits.as_mut().map(|(known, _)| std::mem::replace(known, fresh));
            drop(known);
        }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            let over = lock(&slot).waits.take();
            // a thread that is ending has no spares any more
            let _ = SPARES.try_with(|spares| {
                let mut spares = spares.borrow_mut();
                let spares = spares.slots();
                if spares.len() < SPARE {
                    spares.push(slot);
                }
            });
            // a waker may run any code when it is dropped
            drop(over);
        }
    }
}

/// An alarm, shared with the timer. When its wait is over, another wait uses it. Nearly all waits end long
/// before their time, and the timer holds each alarm until then: without reuse it would hold an alarm for
/// every wait of that time.
type Slot = Mutex<Alarm>;

#[derive(Default)]
struct Alarm {
    /// The waker, and the moment to wake it. `None` between two waits.
    waits: Option<(Waker, u64)>,
    /// The next moment at which the timer looks at this alarm, if it does: that of the wait, or an earlier
    /// one.
    looked_at: Option<u64>,
}

/// How many spare alarms a thread keeps.
const SPARE: usize = 256;

thread_local! {
    static SPARES: RefCell<Spares> = const { RefCell::new(Spares { generation: 0, slots: Vec::new() }) };
}

/// Spare alarms. The timer of one process knows them.
struct Spares {
    generation: u64,
    slots: Vec<Arc<Slot>>,
}

impl Spares {
    /// The spares of this process. Those of its parent may be locked for ever.
    fn slots(&mut self) -> &mut Vec<Arc<Slot>> {
        let generation = fork::generation();
        if self.generation != generation {
            self.generation = generation;
            std::mem::forget(std::mem::take(&mut self.slots));
        }
        &mut self.slots
    }
}

/// The length of a moment. Alarms of the same moment go off together: a server under load has many calls at
/// once, and nearly all of them end long before.
const MOMENT_NANOS: u64 = 2_000_000;

/// Alarms by the moment at which to look at them, counted from the timer's beginning.
type Slots = BTreeMap<u64, Vec<Arc<Slot>>>;

struct Timer {
    begun: Instant,
    slots: Mutex<Slots>,
    earlier: Condvar,
    runs: bool,
}

fn timer() -> &'static Timer {
    static TIMER: PerProcess<OnceLock<&Timer>> = PerProcess::new();
    TIMER.get(OnceLock::new).get_or_init(|| {
        // The thread starts first and waits for the timer. So the timer knows whether it has a thread.
        let (give, take) = std::sync::mpsc::sync_channel::<&'static Timer>(1);
        let thread = std::thread::Builder::new()
            .name("memo-timer".into())
            .spawn(move || take.recv().into_iter().for_each(Timer::run));
        let timer = Box::leak(Box::new(Timer {
            begun: Instant::now(),
            slots: Mutex::default(),
            earlier: Condvar::new(),
            runs: thread.is_ok(),
        }));
        let _ = give.send(timer);
        timer
    })
}

impl Timer {
    /// Wakes `waker` at that time, or a moment later at most. Returns whether there is a thread to do it.
    fn set(&self, at: Instant, waker: &Waker, slot: &Arc<Slot>) -> bool {
        if self.runs {
            let since = at.saturating_duration_since(self.begun);
            let moment = since.as_nanos() as u64 / MOMENT_NANOS + 1;
            let waits = Some((waker.clone(), moment));
            let mut alarm = lock(slot);
            alarm.waits = waits;
            // mostly the timer looks earlier already, for an earlier wait
            if alarm.looked_at.is_none_or(|looked_at| moment < looked_at) {
                alarm.looked_at = Some(moment);
                drop(alarm);
                self.look(moment, Arc::clone(slot));
            }
        }
        self.runs
    }

    /// Makes the timer look at `slot` at that moment.
    fn look(&self, moment: u64, slot: Arc<Slot>) {
        let mut slots = self.slots();
        let is_first = slots.first_key_value().is_none_or(|(first, _)| moment < *first);
        slots.entry(moment).or_default().push(slot);
        drop(slots);
        if is_first {
            self.earlier.notify_one();
        }
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        lock(&self.slots)
    }

    fn run(&self) {
        let mut slots = self.slots();
        loop {
            let now = self.begun.elapsed();
            let first =
                slots.first_key_value().map(|(moment, _)| Duration::from_nanos(moment * MOMENT_NANOS));
            slots = match first {
                None => self.earlier.wait(slots).unwrap_or_else(PoisonError::into_inner),
                Some(at) if at > now => {
                    self.earlier.wait_timeout(slots, at - now).unwrap_or_else(PoisonError::into_inner).0
                }
                Some(_) => {
                    let due = slots.pop_first();
                    // A waker is foreign code: no lock is held.
                    drop(slots);
                    if let Some((moment, due)) = due {
                        due.into_iter().for_each(|slot| self.looked_at(moment, slot));
                    }
                    self.slots()
                }
            };
        }
    }

    fn looked_at(&self, moment: u64, slot: Arc<Slot>) {
        let mut alarm = lock(&slot);
        if alarm.looked_at != Some(moment) {
            // the alarm was put at an earlier moment since, for a shorter wait
            return;
        }
        alarm.looked_at = alarm.waits.as_ref().map(|(_, end)| *end).filter(|end| *end > moment);
        match alarm.looked_at {
            Some(later) => {
                drop(alarm);
                self.look(later, slot);
            }
            None => {
                let over = alarm.waits.take();
                drop(alarm);
                over.into_iter().for_each(|(waker, _)| waker.wake());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_that_are_over_leave_one_alarm() {
        std::thread::spawn(|| {
            (0..10_000).for_each(|_| drop(Wait::begin(Duration::from_secs(3600), Waker::noop())));
            SPARES.with_borrow(|spares| {
                assert_eq!(spares.slots.len(), 1);
                assert_eq!(Arc::strong_count(&spares.slots[0]), 2, "it is here, and once with the timer");
            });
        })
        .join()
        .unwrap();
    }
}
