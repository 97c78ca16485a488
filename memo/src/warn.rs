//! What has to be said to people: to the subscribers of `tracing` where the program has any, else on the standard error.

use std::io::Write as _;

use crate::trace;

/// How much it matters.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Level {
    #[cfg(feature = "config")]
    Error,
    Warning,
}

/// Says one line. For what is wrong and has been left out.
#[cfg(feature = "config")]
pub(crate) fn error(message: &str) {
    say(Level::Error, None, message);
}

/// Says one line. For what somebody should do something about, and once for each cause.
pub(crate) fn warn(message: &str) {
    say(Level::Warning, None, message);
}

/// The same, about an engine.
#[cfg(feature = "engines")]
pub(crate) fn warn_of(engine: &str, message: &str) {
    say(Level::Warning, Some(engine), message);
}

fn say(level: Level, engine: Option<&str>, message: &str) {
    if trace::say(level, engine, message) {
        return;
    }
    let level = match level {
        #[cfg(feature = "config")]
        Level::Error => "error",
        Level::Warning => "warning",
    };
    // `eprintln!` panics where nobody takes what it writes: a closed pipe, a file on the disk that is full
    let _ = writeln!(std::io::stderr(), "memo: {level}: {message}");
}
