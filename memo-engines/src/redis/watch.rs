//! Watching: each script publishes its change on a channel, and a connection of its own listens there for
//! the changes of others.
//!
//! A message can be lost only with the connection, and that is noticed: the server closes the connection of
//! a client that does not keep up, and a connection that does not answer is given up. When the next one
//! listens, anything may have changed.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ::redis::{AsyncConnectionConfig, PushInfo, PushKind};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::background;
use super::link::Link;
use super::message::{self, Sender};
use crate::engine::{Change, Key, Space, Watcher};
use crate::lock::lock;
use crate::random::{random, token};

/// How often an idle connection is checked, and how long the answer may take.
const ASKED_EVERY: Duration = Duration::from_millis(500);
/// The pause between two attempts to listen.
const REST: Duration = Duration::from_millis(100);
/// How many changes may wait to be reported. Beyond that, anything may have changed.
const WAITING: usize = 4096;

pub(super) struct Watch {
    channel: String,
    /// The sender of this engine's messages.
    own: Sender,
    watchers: Arc<Mutex<HashMap<Space, Vec<Watcher>>>>,
    listening: Mutex<Option<JoinHandle<()>>>,
}

impl Watch {
    pub(super) fn new(channel: String) -> Self {
        Self { channel, own: token(), watchers: Arc::default(), listening: Mutex::default() }
    }

    pub(super) fn channel(&self) -> &str {
        &self.channel
    }

    /// The message by which this engine announces a change.
    pub(super) fn message(&self, change: Change) -> Vec<u8> {
        message::write(&self.own, change)
    }

    /// Adds a watcher. Begins to listen with the first one.
    pub(super) fn add_watcher(&self, space: Space, watcher: Watcher, link: &Link) {
        let mut watchers = lock(&self.watchers);
        // watchers that nobody keeps are dropped when others come
        watchers.retain(|_, watchers| {
            watchers.retain(|watcher| watcher.strong_count() > 0);
            !watchers.is_empty()
        });
        watchers.entry(space).or_default().push(watcher);
        drop(watchers);
        let mut listening = lock(&self.listening);
        if listening.is_some() {
            return;
        }
        let (sender, receiver) = sync_channel(WAITING);
        let watchers = Arc::clone(&self.watchers);
        let outbox = Outbox { sender, overflowed: Arc::default() };
        let overflowed = Arc::clone(&outbox.overflowed);
        let thread = std::thread::Builder::new().name("memo-redis-watch".into());
        let thread = thread.spawn(move || deliver(&receiver, &overflowed, &watchers));
        if let (Ok(_), Ok(runtime)) = (thread, background::handle()) {
            *listening = Some(runtime.spawn(listen(link.clone(), self.channel.clone(), self.own, outbox)));
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // the task drops its end of the channel, and so the thread ends
        lock(&self.listening).take().inspect(JoinHandle::abort);
    }
}

/// Passes changes to the thread that calls watchers. A watcher must not block the runtime of all
/// connections.
#[derive(Clone)]
struct Outbox {
    sender: SyncSender<Change>,
    overflowed: Arc<AtomicBool>,
}

impl Outbox {
    fn push(&self, change: Change) {
        if let Err(TrySendError::Full(_)) = self.sender.try_send(change) {
            // the thread will take the waiting changes, and then see this
            self.overflowed.store(true, Ordering::Release);
        }
    }
}

fn deliver(
    changes: &Receiver<Change>,
    overflowed: &AtomicBool,
    watchers: &Mutex<HashMap<Space, Vec<Watcher>>>,
) {
    for change in changes {
        let lost = overflowed.swap(false, Ordering::AcqRel);
        for change in [Some(change), lost.then_some(Change::Unknown)].into_iter().flatten() {
            // watchers are called without the lock
            let concerned: Vec<Watcher> = match change {
                Change::Entry(Key { space, .. }) | Change::Space(space) => {
                    lock(watchers).get(&space).cloned().unwrap_or_default()
                }
                Change::Unknown => lock(watchers).values().flatten().cloned().collect(),
            };
            concerned.iter().filter_map(Watcher::upgrade).for_each(|watcher| watcher(change));
        }
    }
}

/// Listens while the engine lives.
async fn listen(link: Link, channel: String, own: Sender, outbox: Outbox) {
    loop {
        let over = Arc::new(Notify::new());
        let heard = {
            let (over, outbox) = (Arc::clone(&over), outbox.clone());
            move |push: PushInfo| -> Result<(), std::convert::Infallible> {
                match push.kind {
                    PushKind::Message => {
                        let payload = push.data.into_iter().nth(1);
                        if let Some(change) = message::read(payload, &own) {
                            outbox.push(change);
                        }
                    }
                    PushKind::Disconnection => over.notify_one(),
                    _ => {}
                }
                Ok(())
            }
        };
        let config =
            AsyncConnectionConfig::new().set_response_timeout(Some(ASKED_EVERY)).set_push_sender(heard);
        if let Ok(mut connection) = link.listening(config).await
            && connection.subscribe(&channel).await.is_ok()
        {
            outbox.push(Change::Unknown);
            loop {
                let asked = tokio::time::timeout(ASKED_EVERY, over.notified()).await;
                let ping = ::redis::cmd("PING");
                if asked.is_ok() || connection.send_packed_command(&ping).await.is_err() {
                    break;
                }
            }
        }
        tokio::time::sleep(REST.mul_f64(0.5 + (random() % 1024) as f64 / 1024.0)).await;
    }
}
