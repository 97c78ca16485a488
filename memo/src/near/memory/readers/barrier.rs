//! The full fence that one thread has all others pass, by the system call `membarrier` of Linux.

#![allow(unsafe_code)]

use crate::fork::generation;
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::*};

/// The system does it.
static WORKS: AtomicBool = AtomicBool::new(false);
/// The process that has last asked the system for it, by its generation; 0 where none has.
static ASKED: AtomicU64 = AtomicU64::new(0);

fn call(command: libc::c_int) -> bool {
    // SAFETY: `membarrier` takes a command, flags and a processor (unused here), touches no memory of ours, and
    // where the kernel does not know it, says so.
    unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
}

fn register() -> bool {
    call(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED)
}

/// Whether the system is known to do it.
#[inline]
pub(super) fn works() -> bool {
    WORKS.load(Acquire)
}

/// Asks the system for it, if nobody in this process has: a forked child has not the thread that its parent left that to.
pub(super) fn ask() {
    let before = ASKED.load(Relaxed);
    let this = generation();
    if works() || before == this || ASKED.compare_exchange(before, this, Relaxed, Relaxed).is_err() {
        return;
    }
    if cfg!(test) && std::env::var_os("MEMO_TEST_FENCED").is_some() {
        return;
    }
    let settle = || WORKS.store(register(), Release);
    if is_alone() {
        // at once then
        return settle();
    }
    if !crate::background::spawn("memo-barrier", settle) {
        settle();
    }
}

/// Whether this is the only thread, as far as the system says.
fn is_alone() -> bool {
    // an entry for each, and two of its own
    std::fs::metadata("/proc/self/task").is_ok_and(|tasks| tasks.nlink() == 3)
}

/// Has every thread of this process pass a full fence; false where that has become impossible.
pub(super) fn pass() -> bool {
    let expedited = || call(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED);
    // A child of a fork might have to register anew.
    expedited() || (register() && expedited())
}
