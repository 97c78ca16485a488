//! The runtime of connections: one thread, shared by all engines of the process that need it.

use std::io;
use std::sync::OnceLock;

use tokio::runtime::{Builder, Handle};

use crate::error::Error;
use crate::per_process::PerProcess;

/// The runtime, started when it is first needed.
pub(super) fn handle() -> Result<&'static Handle, Error> {
    static HANDLE: PerProcess<OnceLock<Option<Handle>>> = PerProcess::new();
    let started = HANDLE.get(OnceLock::new).get_or_init(|| start().ok()).as_ref();
    started.ok_or_else(|| {
        Error::io("start a thread for connections", io::Error::from(io::ErrorKind::OutOfMemory))
    })
}

fn start() -> io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    let run = move || runtime.block_on(std::future::pending::<()>());
    std::thread::Builder::new().name("memo-redis".into()).spawn(run)?;
    Ok(handle)
}
