//! The disk under memoized functions, when the machine beneath it fails: calls of the system that are refused, a
//! disk that hangs, the power that goes. One module per way of failing.
//!
//! Where a test needs another process to fail alone, it starts this binary again, with what the process is to do in
//! `MEMO_TEST_CHILD`.
#![cfg(unix)]

mod hanging;
mod refused_calls;
mod workload;
