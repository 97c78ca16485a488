//! Work that nobody waits for, such as puts that an engine does not finish at once.

use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use crate::background;
use crate::park::block_on;
use crate::per_process::PerProcess;

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// At most so much work waits for its turn. Beyond that a result is not stored.
const MOST_WAITING: usize = 1024;

/// The way to the thread; a forked child starts its own.
static WORKER: PerProcess<Mutex<Option<SyncSender<Work>>>> = PerProcess::new();

fn worker() -> MutexGuard<'static, Option<SyncSender<Work>>> {
    WORKER.get(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

/// Polls `work` once here. If that does not finish it, it goes on on a thread of ours. Engines that hand over to a thread
/// or a runtime of their own are done at once.
pub(super) fn run(work: impl Future<Output = ()> + Send + 'static) {
    run_boxed(Box::pin(work));
}

/// Does what [`run`] does. Knows no types, so that it is compiled once, in this crate.
fn run_boxed(mut work: Work) {
    if work.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
        return;
    }
    let mut running = worker();
    let sender = match &*running {
        Some(sender) => sender.clone(),
        None => match start() {
            Some(sender) => running.insert(sender).clone(),
            None => return,
        },
    };
    drop(running);
    if let Err(TrySendError::Disconnected(_)) = sender.try_send(work) {
        // the thread is gone: the next call starts another
        *worker() = None;
    }
}

/// Waits until the work that was handed over before is done.
pub(crate) fn drain() {
    let worker = worker().clone();
    if let Some(worker) = worker {
        let (done, wait) = sync_channel(1);
        if worker.send(Box::pin(async move { drop(done) })).is_ok() {
            // the sender is dropped once its turn has come, which is an error here
            let _: Result<(), _> = wait.recv();
        }
    }
}

fn start() -> Option<SyncSender<Work>> {
    let (sender, receiver) = sync_channel::<Work>(MOST_WAITING);
    background::spawn("memo-store", move || receiver.into_iter().for_each(block_on)).then_some(sender)
}
