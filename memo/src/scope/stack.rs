//! The scopes in force on a thread, outermost first.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::layer::Layer;
use crate::directive::pending::Pending;

/// A scope that has been entered.
#[derive(Debug)]
pub(super) struct Open {
    layers: Vec<Arc<Layer>>,
    /// Its guard was dropped while it was not on the stack, because its future was not being polled.
    closed: AtomicBool,
    _pending: Pending,
}

impl Open {
    pub(super) fn new(layers: Vec<Arc<Layer>>) -> Self {
        Open { layers, closed: AtomicBool::new(false), _pending: Pending::new() }
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }
}

thread_local! {
    static STACK: RefCell<Vec<Arc<Open>>> = const { RefCell::new(Vec::new()) };
    /// The length of `STACK`, which costs next to nothing to read.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// Gives `work` the stack. Does nothing at the end of a thread, when the stack is gone. `work` returns what leaves the stack,
/// because dropping it may run user code.
fn stack<R: Default>(work: impl FnOnce(&mut Vec<Arc<Open>>) -> R) -> R {
    let work = |stack: &RefCell<Vec<Arc<Open>>>| {
        let mut stack = stack.borrow_mut();
        let done = work(&mut stack);
        DEPTH.set(stack.len());
        done
    };
    STACK.try_with(work).unwrap_or_default()
}

/// Whether no scope is in force on this thread.
#[inline]
pub(crate) fn is_empty() -> bool {
    DEPTH.get() == 0
}

pub(super) fn push(open: Arc<Open>) {
    stack(|stack| stack.push(open));
}

/// Takes `open` off the stack, wherever it is there.
pub(super) fn remove(open: &Arc<Open>) {
    drop(stack(|stack| {
        let at = stack.iter().rposition(|other| Arc::ptr_eq(other, open))?;
        Some(stack.remove(at))
    }));
}

/// The layers in force, outermost first.
pub(super) fn layers() -> Vec<Arc<Layer>> {
    stack(|stack| stack.iter().flat_map(|open| open.layers.iter().cloned()).collect())
}

/// Shows the layers in force to `look`, innermost first.
pub(super) fn look<R: Default>(look: impl FnOnce(&mut dyn Iterator<Item = &Layer>) -> R) -> R {
    stack(|stack| {
        look(&mut stack.iter().rev().flat_map(|open| open.layers.iter().rev().map(|layer| &**layer)))
    })
}

/// While it lives, the scopes of a future or a closure are on the stack. Afterwards they are where they were, together
/// with those that were entered meanwhile and are still open.
pub(super) struct Installed<'o> {
    opens: &'o mut Vec<Arc<Open>>,
    /// The first of them, which only this takes off the stack.
    first: Option<Arc<Open>>,
}

impl<'o> Installed<'o> {
    pub(super) fn new(opens: &'o mut Vec<Arc<Open>>) -> Self {
        opens.retain(|open| !open.is_closed());
        let first = opens.first().cloned();
        stack(|stack| stack.append(opens));
        Installed { opens, first }
    }
}

impl Drop for Installed<'_> {
    fn drop(&mut self) {
        let Some(first) = &self.first else { return };
        *self.opens = stack(|stack| {
            let at = stack.iter().rposition(|open| Arc::ptr_eq(open, first));
            at.map(|at| stack.split_off(at)).unwrap_or_default()
        });
    }
}
