//! Drops whose panics do not reach the caller.

use std::mem::forget;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Drops a value. A panic in that is left to the panic hook.
pub(super) fn drop_quietly<T>(value: T) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
        // The payload's own drop might panic as well.
        forget(panic);
    }
}
