//! The answers to those who asked for an operation.

use crate::disk::operation::{Op, Reply};
use crate::error::Error;

/// Answers an operation when its transaction has ended.
pub(super) type Answer = Box<dyn FnOnce(Result<(), Error>) + Send>;

/// Answers with this value, if the transaction is committed.
pub(super) fn answer<T: Send + 'static>(reply: &Reply<T>, value: T) -> Answer {
    let reply = reply.clone();
    Box::new(move |done| drop(reply.try_send(done.map(|()| value))))
}

/// A copy of an error for one of several callers that wait. The writer has tried again already, so none of
/// them does.
pub(super) fn copy(error: &Error) -> Error {
    error.copied().retry(false)
}

/// Answers an operation with an error.
pub(super) fn refuse(op: &Op, error: &Error) {
    fn tell<T>(reply: &Reply<T>, error: &Error) {
        let _ = reply.try_send(Err(copy(error)));
    }
    match op {
        Op::Put { reply, .. } => reply.iter().for_each(|reply| tell(reply, error)),
        Op::Remove { reply, .. }
        | Op::Lease { reply, .. }
        | Op::Renew { reply, .. }
        | Op::Release { reply, .. } => tell(reply, error),
        Op::Clear { reply, .. } | Op::Flush { reply } => tell(reply, error),
        Op::Touch { .. } | Op::Discard { .. } | Op::Sweep { .. } => {}
    }
}
