//! Work that nobody waits for: putting results into engines that are not done at once.

use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use crate::background;
use crate::park::block_on;
use crate::per_process::PerProcess;

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What waits for its turn is bounded; beyond that a result is not stored.
const MOST_WAITING: usize = 1024;

/// The way to the thread; a forked child starts its own.
static WORKER: PerProcess<Mutex<Option<SyncSender<Work>>>> = PerProcess::new();

fn worker() -> MutexGuard<'static, Option<SyncSender<Work>>> {
    WORKER.get(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `work` here if it is done at once, as with engines that hand over to a thread or a runtime of their own; else
/// on a thread of ours.
pub(super) fn run(work: impl Future<Output = ()> + Send + 'static) {
    let mut work: Work = Box::pin(work);
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
        // the thread is gone: the next one starts it
        *worker() = None;
    }
}

/// Waits for what was handed over before.
pub(crate) fn drain() {
    let worker = worker().clone();
    if let Some(worker) = worker {
        let (done, wait) = sync_channel(1);
        if worker.send(Box::pin(async move { drop(done) })).is_ok() {
            // an error is what tells that it is dropped
            let _: Result<(), _> = wait.recv();
        }
    }
}

fn start() -> Option<SyncSender<Work>> {
    let (sender, receiver) = sync_channel::<Work>(MOST_WAITING);
    background::spawn("memo-store", move || receiver.into_iter().for_each(block_on)).then_some(sender)
}
