//! Work that nobody waits for: putting results into engines that are not done at once.

use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Waker};

use crate::park::block_on;

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What waits for its turn is bounded; beyond that a result is not stored.
const MOST_WAITING: usize = 1024;

static WORKER: Mutex<Option<SyncSender<Work>>> = Mutex::new(None);

/// Runs `work` here if it is done at once, as with engines that hand over to a thread or a runtime of their own; else
/// on a thread of ours.
pub(super) fn run(work: impl Future<Output = ()> + Send + 'static) {
    let mut work: Work = Box::pin(work);
    if work.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
        return;
    }
    let mut worker = WORKER.lock().unwrap_or_else(PoisonError::into_inner);
    let sender = match &*worker {
        Some(sender) => sender.clone(),
        None => match start() {
            Some(sender) => worker.insert(sender).clone(),
            None => return,
        },
    };
    drop(worker);
    if let Err(TrySendError::Disconnected(_)) = sender.try_send(work) {
        // a forked child has the sender and no thread: the next one starts it
        *WORKER.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Waits for what was handed over before.
pub(super) fn drain() {
    let worker = WORKER.lock().unwrap_or_else(PoisonError::into_inner).clone();
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
    let thread = std::thread::Builder::new().name("memo-store".into());
    let running = thread.spawn(move || receiver.into_iter().for_each(block_on));
    running.ok().map(|_| sender)
}
