//! A computation of the engine `thread` of which a block of the pool holds what is known while its body runs.

use std::time::Instant;

use super::bound::{Bound, Local, Underway, store, store_and_count};
use crate::counters::Counter;
use crate::directive::Directive;
use crate::event::{self, Event};
use crate::key::Part;
use crate::memoized::Memoized;
use crate::outcome::Outcome;
use crate::pool::Pooled;
use crate::scope::{Answered, Call};
use crate::trace::{self, EnteredSpan, Span};

/// A key, and the note that its computation is under way.
type Noted<K, V> = (Bound<K>, Option<Underway<K, V>>);

/// [`Run`] in its block, by the borrowed key and the outcome.
pub(super) type RunBy<P, R, O> = Pooled<Run<<P as Part>::Owned, <O as Outcome<R>>::Stored>>;

/// The usual one is nearly every one.
pub(super) enum Run<K: Eq + Clone + 'static, V: Clone + 'static> {
    Usual(Usual<K, V>),
    /// One of those that are timed.
    Timed(Usual<K, V>, Instant),
    Unusual(Box<Unusual<K, V>>),
}

/// A computation under way of which nothing is asked, and that nobody is told of.
pub(super) struct Usual<K: Eq + Clone + 'static, V: Clone + 'static> {
    memo: &'static Local<K, V>,
    /// None once it has ended.
    running: Option<(Underway<K, V>, K)>,
}

impl<K: Eq + Clone + 'static, V: Clone + 'static> Drop for Usual<K, V> {
    #[inline]
    fn drop(&mut self) {
        if self.running.is_some() {
            self.memo.counters.count(Counter::Misses);
        }
    }
}

/// A computation under way of which something is asked, that somebody is told of, or whose thread has no tables any
/// more.
pub(super) struct Unusual<K: Eq + Clone + 'static, V: Clone + 'static> {
    memo: &'static Local<K, V>,
    span: Option<EnteredSpan>,
    /// None if nothing is stored.
    running: Option<(Bound<K>, Underway<K, V>)>,
    clock: Option<Instant>,
    /// What is asked of it, if anything is. Last: it holds on to the record.
    call: Option<Call>,
}

impl<K: Eq + Clone + 'static, V: Clone + 'static> Run<K, V> {
    pub(super) fn usual(memo: &'static Local<K, V>, key: K, running: Underway<K, V>) -> Pooled<Self> {
        // made where it will stand: what is written in parts and then moved as a whole has the processor wait
        match running.clock(std::ptr::from_ref(memo).cast()) {
            None => Pooled::new(|| Run::Usual(Usual { memo, running: Some((running, key)) })),
            Some(clock) => Pooled::new(|| Run::Timed(Usual { memo, running: Some((running, key)) }, clock)),
        }
    }

    /// `key` is none for a call that neither looks nor stores, and its note in the table is none at the end of a thread.
    #[cold]
    #[inline(never)]
    pub(super) fn unusual(
        memo: &'static Local<K, V>,
        key: Option<Noted<K, V>>,
        call: Option<Call>,
    ) -> Pooled<Self> {
        let refreshes = call.as_ref().is_some_and(|call| call.directive == Some(Directive::Refresh));
        let heard = call.as_ref().is_some_and(|call| call.is_heard());
        if key.is_some() && !refreshes {
            memo.counters.count(Counter::Misses);
            call.iter().for_each(|call| call.missed());
        }
        // timed in any case where somebody is told of it
        let clock = if heard { Some(Instant::now()) } else { memo.counters.start() };
        let shown = || memo.shown_of(&key.as_ref()?.0);
        let span = trace::shows_keys().then(|| Span::of(memo.name(), shown).enter());
        let running = key.and_then(|(key, running)| Some((key, running?)));
        let unusual = Box::new(Unusual { memo, span, running, clock, call });
        Pooled::new(|| Run::Unusual(unusual))
    }

    /// Stores the result of the body.
    #[inline(never)]
    pub(super) fn finish<R, O: Outcome<R, Stored = V>>(mut this: Pooled<Self>, outcome: O, result: &R) {
        // what is in the block is not moved as a whole: it was written in parts just now, and the processor would wait for these
        match &mut *this {
            Run::Usual(usual) => usual.finish(outcome, result),
            Run::Timed(usual, clock) => {
                usual.memo.counters.timed(clock.elapsed());
                usual.finish(outcome, result);
            }
            Run::Unusual(unusual) => unusual.finish(outcome, result),
        }
    }
}

/// Runs the body and stores its result.
#[cold]
#[inline(never)]
pub(super) fn apply<K: Eq + Clone + 'static, A, R, O: Outcome<R>>(
    pooled: Pooled<Run<K, O::Stored>>,
    outcome: O,
    body: impl Fn(A) -> R,
    arguments: A,
) -> R {
    let result = body(arguments);
    Run::finish(pooled, outcome, &result);
    result
}

impl<K: Eq + Clone + 'static, V: Clone + 'static> Usual<K, V> {
    /// Counts it, and stores what is to be stored. Nothing is left to be dropped.
    #[inline(always)]
    fn finish<R, O: Outcome<R, Stored = V>>(&mut self, outcome: O, result: &R) {
        let Some((running, key)) = self.running.take() else { return };
        store_and_count(self.memo, key, running, outcome, result);
    }
}

impl<K: Eq + Clone + 'static, V: Clone + 'static> Unusual<K, V> {
    #[cold]
    #[inline(never)]
    fn finish<R, O: Outcome<R, Stored = V>>(&mut self, outcome: O, result: &R) {
        let Unusual { memo, clock, .. } = *self;
        let mut call = self.call.take();
        self.span = None;
        let cost = memo.counters.computed(clock);
        if let Some(call) = &mut call {
            call.answered(Answered::Computed, cost);
        }
        let (writes, asked) = call.as_ref().map_or((true, None), |call| (call.writes(), Some(&call.options)));
        let Some((key, running)) = self.running.take() else { return };
        let shown = if call.is_none() && event::may_be_heard() { memo.shown_of(&key) } else { None };
        let stored = writes && store(memo, key.0, &running, outcome, result, asked);
        if stored {
            memo.counters.count(Counter::Stored);
        }
        drop(running);
        match call {
            // it is unusual as the call ends, here
            Some(mut call) if stored => call.stored(),
            None if stored => event::tell_of(&Event::Stored { function: memo.name() }, shown.as_deref()),
            _ => {}
        }
        event::tell_rest();
    }
}
