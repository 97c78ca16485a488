//! Engines write what they were handed.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Instant;

use memo_engines::Engine as _;

use super::later;
use super::named::named;
use crate::background;
use crate::error::{Error, ErrorKind};
use crate::park::block_on;

/// Waits until all engines have written what they were handed.
///
/// # Errors
///
/// If some could not, with the name of each.
pub(crate) fn flush() -> Result<(), Error> {
    later::drain();
    let engines: Vec<_> = named().iter().map(|(name, engine)| (name.clone(), engine.clone())).collect();
    let failed = engines.into_iter().filter_map(|(name, engine)| {
        let error = block_on(engine.flush()).err()?;
        Some(format!("engine \"{name}\": failed to {error}"))
    });
    let failed: Vec<_> = failed.collect();
    if failed.is_empty() { Ok(()) } else { Err(Error::new(ErrorKind::Engine, failed.join("; "))) }
}

/// Does what [`flush`] does, and waits until the time `until` at the latest.
///
/// # Errors
///
/// As for [`flush`]; and if it is not done in time.
pub(crate) fn flush_until(until: Instant) -> Result<(), Error> {
    let (tell, done) = sync_channel(1);
    let late = |why| Err(Error::new(ErrorKind::Engine, format!("engines have not written all: {why}")));
    if !background::spawn("memo-flush", move || drop(tell.send(flush()))) {
        return late("there is no thread for it");
    }
    match done.recv_timeout(until.saturating_duration_since(Instant::now())) {
        Ok(flushed) => flushed,
        Err(RecvTimeoutError::Timeout) => late("the time is over"),
        Err(RecvTimeoutError::Disconnected) => late("one of them panicked"),
    }
}
