//! What has to be said to people, where no log takes it.

/// Writes one line to the standard error. For what is wrong and has been left out.
#[cfg(feature = "config")]
pub(crate) fn error(message: &str) {
    eprintln!("memo: error: {message}");
}

/// Writes one line to the standard error. For what somebody should do something about, and once for each cause.
pub(crate) fn warn(message: &str) {
    eprintln!("memo: warning: {message}");
}
