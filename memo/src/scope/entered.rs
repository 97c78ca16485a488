//! Scopes in force: for as long as a guard lives, or whenever a future is polled.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::recording::Recording;
use super::stack::{self, Installed, Open};

/// Keeps a scope in force on this thread: see [`Scope::enter`](super::Scope::enter).
#[must_use = "the scope ends at once if its guard is not kept"]
pub struct ScopeGuard {
    pub(super) open: Weak<Open>,
    pub(super) recording: Option<Recording>,
    /// Scopes are of a thread: `!Send`.
    pub(super) _of_this_thread: PhantomData<*const ()>,
}

impl ScopeGuard {
    /// What is recorded; always empty if the scope does not [record](super::Scope::record).
    pub fn recording(&self) -> Recording {
        self.recording.clone().unwrap_or_default()
    }
}

impl Drop for ScopeGuard {
    fn drop(&mut self) {
        if let Some(open) = self.open.upgrade() {
            open.close();
            stack::remove(&open);
        }
    }
}

impl fmt::Debug for ScopeGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopeGuard").finish_non_exhaustive()
    }
}

pin_project! {
    /// A future in a scope: see [`Scope::run`](super::Scope::run).
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct InScope<F> {
        #[pin]
        pub(super) future: F,
        // its own scope, and scopes that were entered in it and are open between two polls
        pub(super) opens: Vec<Arc<Open>>,
    }
}

impl<F: Future> Future for InScope<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let installed = Installed::new(this.opens);
        let polled = this.future.poll(context);
        drop(installed);
        if polled.is_ready() {
            this.opens.clear();
        }
        polled
    }
}
