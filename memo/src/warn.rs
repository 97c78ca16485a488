//! What has to be said to people, where no log takes it.

use std::io::Write as _;

/// Writes one line to the standard error. For what somebody should do something about, and once for each cause.
pub(crate) fn warn(message: &str) {
    // `eprintln!` panics where nobody takes what it writes: a closed pipe, a file on the disk that is full
    let _ = writeln!(std::io::stderr(), "memo: warning: {message}");
}
