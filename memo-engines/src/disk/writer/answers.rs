//! What those who asked for an operation are told.

use crate::disk::operation::{Op, Reply};
use crate::error::Error;

/// What an operation answers when its transaction has been committed.
pub(super) type Answer = Box<dyn FnOnce(Result<(), Error>) + Send>;

/// Gives this value as the answer, if the transaction is committed.
pub(super) fn answer<T: Send + 'static>(reply: &Reply<T>, value: T) -> Answer {
    let reply = reply.clone();
    Box::new(move |done| drop(reply.try_send(done.map(|()| value))))
}

/// The error for one of several who wait. All has been tried: none of them tries again.
pub(super) fn copy(error: &Error) -> Error {
    error.copied().retry(false)
}

/// Tells whoever waits for an operation that it failed.
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
