//! A call of an engine that is made again if its error says that this helps.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use super::failure::panicked;
use crate::engine::EngineFuture;
use crate::error::Error;

/// How often a call is made again at most.
const RETRIES: u32 = 2;

/// The future of a call and its retries. It gives the answer of the last attempt. A panic of the engine is
/// an error.
pub(super) struct Attempts<'e, T, C> {
    call: C,
    current: Option<EngineFuture<'e, T>>,
    retries: u32,
    /// No retry begins after this.
    until: Option<Instant>,
}

impl<'e, T, C: Fn() -> EngineFuture<'e, T>> Attempts<'e, T, C> {
    pub(super) fn new(call: C) -> Self {
        Self { call, current: None, retries: 0, until: None }
    }

    /// Sets the moment after which no retry begins.
    pub(super) fn until(mut self, until: Instant) -> Self {
        self.until = Some(until);
        self
    }

    fn may_try_again(&mut self) -> bool {
        self.retries += 1;
        self.retries <= RETRIES && self.until.is_none_or(|until| Instant::now() < until)
    }
}

// Nothing is pinned in place: the future of an engine is `Unpin`.
impl<T, C> Unpin for Attempts<'_, T, C> {}

impl<'e, T, C: Fn() -> EngineFuture<'e, T>> Future for Attempts<'e, T, C> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        loop {
            let attempt = AssertUnwindSafe(|| {
                let made = match this.current.take() {
                    Some(pending) => Err(pending),
                    None => (this.call)().try_ready(),
                };
                // an answer that is there at once is passed on without being stored
                let mut pending = match made {
                    Ok(answer) => return Poll::Ready(answer),
                    Err(pending) => pending,
                };
                let polled = Pin::new(&mut pending).poll(context);
                if polled.is_pending() {
                    this.current = Some(pending);
                }
                polled
            });
            match catch_unwind(attempt).unwrap_or_else(|_| Poll::Ready(Err(panicked()))) {
                Poll::Ready(Err(error)) if error.retry_helps() && this.may_try_again() => {}
                polled => return polled,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::Duration;

    use super::*;
    use crate::block_on::block_on;
    use crate::error::ErrorKind;

    fn failure(retry: bool) -> Error {
        Error::new(ErrorKind::Io, "try").retry(retry)
    }

    /// How many attempts are made of a call that fails `failing` times, and whether the last succeeds.
    fn attempts(failing: u32, retry: bool, until: Option<Instant>) -> (u32, bool) {
        let made = Cell::new(0);
        let call = || {
            made.set(made.get() + 1);
            let answer = if made.get() <= failing { Err(failure(retry)) } else { Ok(()) };
            match made.get() % 2 {
                0 => EngineFuture::ready(answer),
                _ => EngineFuture::new(async { answer }),
            }
        };
        let mut attempts = Attempts::new(call);
        attempts.until = until;
        let answer = block_on(attempts);
        (made.get(), answer.is_ok())
    }

    #[test]
    fn a_call_is_made_again_where_that_helps_and_no_more_than_twice() {
        assert_eq!(attempts(0, true, None), (1, true));
        assert_eq!(attempts(1, true, None), (2, true));
        assert_eq!(attempts(2, true, None), (3, true));
        assert_eq!(attempts(3, true, None), (3, false));
        assert_eq!(attempts(1, false, None), (1, false), "its error says that it does not help");
    }

    #[test]
    fn no_attempt_begins_after_its_time() {
        let now = Instant::now();
        assert_eq!(attempts(1, true, Some(now)), (1, false));
        assert_eq!(attempts(1, true, Some(now + Duration::from_secs(3600))), (2, true));
    }

    #[test]
    fn a_panic_is_an_error_whenever_it_comes() {
        let at_once = || -> EngineFuture<'_, ()> { std::panic::resume_unwind(Box::new("now")) };
        assert_eq!(block_on(Attempts::new(at_once)).unwrap_err().kind(), ErrorKind::Other);
        let later = || EngineFuture::<()>::new(async { std::panic::resume_unwind(Box::new("later")) });
        assert_eq!(block_on(Attempts::new(later)).unwrap_err().kind(), ErrorKind::Other);
    }
}
