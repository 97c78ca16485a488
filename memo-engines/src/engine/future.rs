//! The future of a call to an engine.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::error::Error;

/// The future of a call to an engine. Any executor can poll it, and so can a thread that parks in between.
/// An engine that needs a reactor brings its own.
#[must_use = "nothing happens until it is awaited"]
pub struct EngineFuture<'a, T>(State<'a, T>);

enum State<'a, T> {
    Ready(Option<Result<T, Error>>),
    Pending(Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>),
}

impl<'a, T> EngineFuture<'a, T> {
    /// An answer that is known already: no allocation, ready at the first poll.
    pub fn ready(answer: Result<T, Error>) -> Self {
        Self(State::Ready(Some(answer)))
    }

    /// An answer that the future computes.
    pub fn new(future: impl Future<Output = Result<T, Error>> + Send + 'a) -> Self {
        Self(State::Pending(Box::pin(future)))
    }

    /// The answer, if it was made by [`ready`](Self::ready).
    ///
    /// # Errors
    /// The future itself, if it has to be polled.
    pub fn try_ready(self) -> Result<Result<T, Error>, Self> {
        match self.0 {
            State::Ready(Some(answer)) => Ok(answer),
            state => Err(Self(state)),
        }
    }
}

// The answer is moved out, and the future has a box of its own: nothing is pinned in place.
impl<T> Unpin for EngineFuture<'_, T> {}

impl<T> Future for EngineFuture<'_, T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Ready(answer) => Poll::Ready(answer.take().expect("polled after it was ready")),
            State::Pending(future) => future.as_mut().poll(context),
        }
    }
}

impl<T> fmt::Debug for EngineFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            State::Ready(_) => "EngineFuture::ready(..)",
            State::Pending(_) => "EngineFuture::new(..)",
        })
    }
}
