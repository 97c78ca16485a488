//! The wakers of those who wait for a flight.

use std::collections::VecDeque;
use std::task::Waker;

/// The wakers of those who wait, first come first woken. Nearly always there are none, and then it is a null pointer.
pub(super) struct Waiters(Option<Box<Queue>>);

#[derive(Default)]
struct Queue {
    wakers: VecDeque<Option<Waker>>,
    /// How many have left the queue at its front. Positions count these too, so that none ever changes.
    gone: usize,
}

impl Waiters {
    pub(super) const NONE: Self = Waiters(None);

    /// Puts a waker last, and gives its position.
    pub(super) fn add(&mut self, waker: Waker) -> usize {
        let queue = self.0.get_or_insert_default();
        queue.wakers.push_back(Some(waker));
        queue.gone + queue.wakers.len() - 1
    }

    /// The waker at `position`, if it is still there.
    pub(super) fn at(&mut self, position: usize) -> Option<&mut Option<Waker>> {
        let queue = self.0.as_mut()?;
        queue.wakers.get_mut(position.checked_sub(queue.gone)?)
    }

    /// Takes out the waker at `position`, if it is still there.
    pub(super) fn take(&mut self, position: usize) -> Option<Waker> {
        self.at(position).and_then(Option::take)
    }

    /// Takes out the first waker.
    pub(super) fn next(&mut self) -> Option<Waker> {
        let queue = self.0.as_mut()?;
        while let Some(first) = queue.wakers.pop_front() {
            queue.gone += 1;
            if first.is_some() {
                return first;
            }
        }
        None
    }

    /// Takes out all wakers, to be woken without the lock of their flight.
    pub(super) fn take_all(&mut self) -> VecDeque<Option<Waker>> {
        let Some(queue) = &mut self.0 else { return VecDeque::new() };
        queue.gone += queue.wakers.len();
        std::mem::take(&mut queue.wakers)
    }
}

/// Wakes them. To be called without the lock of their flight.
pub(super) fn wake_all(wakers: VecDeque<Option<Waker>>) {
    wakers.into_iter().flatten().for_each(Waker::wake);
}
