//! What has to be said to people, where no log takes it.

/// Writes one line to the standard error. For what somebody should do something about, and once for each cause.
pub(crate) fn warn(message: &str) {
    eprintln!("memo: warning: {message}");
}
