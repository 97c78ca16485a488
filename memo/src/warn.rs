//! What has to be said to people, where no log takes it.

use std::io::Write as _;

/// Writes one line to the standard error. For what is wrong and has been left out.
#[cfg(feature = "config")]
pub(crate) fn error(message: &str) {
    say("error", message);
}

/// Writes one line to the standard error. For what somebody should do something about, and once for each cause.
pub(crate) fn warn(message: &str) {
    say("warning", message);
}

fn say(level: &str, message: &str) {
    // `eprintln!` panics where nobody takes what it writes: a closed pipe, a file on the disk that is full
    let _ = writeln!(std::io::stderr(), "memo: {level}: {message}");
}
