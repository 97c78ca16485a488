//! Lines for people: they go to the subscriber of `tracing` if the program has one, else to the standard error.

use std::io::Write as _;

use crate::trace;

/// Says in one line that something is wrong and has been left out.
#[cfg(feature = "config")]
pub(crate) fn error(message: &str) {
    if !trace::error(message) {
        write("error", message);
    }
}

/// Says in one line what somebody should do something about. To be called once for each cause.
pub(crate) fn warn(message: &str) {
    if !trace::warn(None, message) {
        write("warning", message);
    }
}

/// Says in one line what somebody should do something about, where that is an engine. To be called once for each cause.
#[cfg(feature = "engines")]
pub(crate) fn warn_of(engine: &str, message: &str) {
    if !trace::warn(Some(engine), message) {
        write("warning", message);
    }
}

fn write(level: &str, message: &str) {
    // `eprintln!` panics where nobody takes what it writes: a closed pipe, a file on the disk that is full
    let _ = writeln!(std::io::stderr(), "memo: {level}: {message}");
}
