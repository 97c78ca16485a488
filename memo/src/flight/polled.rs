//! An asynchronous computation is on its thread's stack of flights while it is polled, and only then.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::graph::{self, OnStack};
use super::lead::Lead;
use crate::key::OwnedPart;
use crate::outcome::Value;
use crate::sync::{atomic::AtomicU64, atomic::Ordering};

pin_project! {
    /// A computation that is on its thread's stack of flights while it is polled.
    struct Holding<'l, B> {
        #[pin]
        body: B,
        // the number of its flight; where the flight notes the frame in which it was suspended; and how often it was
        flight: Option<(usize, &'l AtomicU64, &'l AtomicU64)>,
    }
}

/// Runs `body` as the computation of the flight that `lead` leads, if any.
pub(crate) fn holding<'l, K: OwnedPart, V: Value, F: Value, B: Future>(
    lead: Option<&'l Lead<'static, K, V, F>>,
    body: B,
) -> impl Future<Output = B::Output> + use<'l, K, V, F, B> {
    let flight = lead.map(|lead| &lead.flight);
    Holding {
        body,
        flight: flight.map(|flight| (flight.flight.id(), &flight.suspended_on, &flight.suspensions)),
    }
}

impl<B: Future> Future for Holding<'_, B> {
    type Output = B::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<B::Output> {
        let this = self.project();
        let Some((id, suspended_on, suspensions)) = this.flight else {
            return this.body.poll(context);
        };
        suspended_on.store(0, Ordering::Relaxed);
        let on_stack = OnStack::poll(*id);
        let polled = this.body.poll(context);
        drop(on_stack);
        if polled.is_pending() {
            // no other thread writes the number
            suspensions.store(suspensions.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            suspended_on.store(graph::this_frame(), Ordering::Release);
        }
        polled
    }
}
