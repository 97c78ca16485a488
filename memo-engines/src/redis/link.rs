//! The connection to the server. It is made when it is first needed, and again when it is lost.
//!
//! Connections live on the [`background`] runtime. A call sends its command over one channel and waits for
//! the reply on another, which any executor can poll.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::{Duration, Instant};

use ::redis::aio::MultiplexedConnection;
use ::redis::{AsyncConnectionConfig, Cmd, Value};
use futures_util::future::{Either, select};
use tokio::sync::watch;

use super::background;
use super::connection::{Connection, Connector};
use super::failure::Failure;
use super::options::RedisOptions;
use super::target::Target;
use crate::error::{Error, ErrorKind};
use crate::lock::lock;
use crate::random::random;

/// The pause between two attempts to connect: at first, and at most. It is short, since the guard of the
/// engine pauses too.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(200));

#[derive(Clone)]
pub(super) struct Link(Arc<Shared>);

struct Shared {
    connector: Connector,
    silence: Duration,
    begun: Instant,
    state: Mutex<State>,
}

struct State {
    stage: Stage,
    /// How many attempts failed in a row.
    failed: u32,
    /// The number of the last connection, which tells them apart.
    number: u64,
}

enum Stage {
    /// There is no connection. The next call makes one.
    Idle,
    /// An attempt is under way. It sends `true` when it is over.
    Connecting(watch::Receiver<bool>),
    /// The last attempt failed. The next one may begin at this time.
    BackingOff(Instant, ErrorKind, String),
    Connected(LiveConnection),
}

/// A connection in use.
#[derive(Clone)]
struct LiveConnection {
    connection: Connection,
    number: u64,
    /// Since when calls have waited without any reply, in milliseconds of the link's life. 0: no call
    /// waits.
    silent: Arc<AtomicU64>,
    /// Whether the connection was given up. Calls that wait for a reply fail then.
    given_up: watch::Receiver<bool>,
}

impl Link {
    pub(super) fn new(target: Arc<Target>, options: &RedisOptions) -> Self {
        Self(Arc::new(Shared {
            connector: Connector {
                target,
                client_name: options.client_name.clone(),
                timeout: options.connect_timeout,
            },
            silence: options.silence,
            begun: Instant::now(),
            state: Mutex::new(State { stage: Stage::Idle, failed: 0, number: 0 }),
        }))
    }

    /// Sends a command about `key`. Returns the reply. `attempted` is for errors.
    pub(super) async fn send(&self, command: &Cmd, key: &str, attempted: &str) -> Result<Value, Failure> {
        let mut live = self.live().await.map_err(Failure::kept)?;
        let now = self.0.now();
        // the first call that waits after a reply begins the silence
        let _ = live.silent.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        let is_one = matches!(live.connection, Connection::One(_));
        let sent = pin!(live.connection.send(command, key));
        let reply = match select(sent, pin!(live.given_up.wait_for(|given_up| *given_up))).await {
            Either::Left((reply, _)) => reply,
            Either::Right(_) => {
                let error = Error::new(ErrorKind::Timeout, attempted).caused_by("the server does not answer");
                return Err(Failure::kept(error));
            }
        };
        match reply {
            Ok(value) => {
                live.silent.store(0, Ordering::Relaxed);
                Ok(value)
            }
            Err(error) => {
                let failure = Failure::of(&error, attempted);
                // the connection of a Cluster reconnects to its nodes by itself
                if failure.lost && (is_one || error.is_connection_dropped()) {
                    self.0.lose(live.number);
                } else {
                    live.silent.store(0, Ordering::Relaxed);
                }
                Err(failure)
            }
        }
    }

    /// Makes a connection for messages.
    pub(super) fn listening(
        &self,
        config: AsyncConnectionConfig,
    ) -> impl Future<Output = Result<MultiplexedConnection, Error>> + Send + use<> {
        let shared = Arc::clone(&self.0);
        async move { shared.connector.connect_to_one(config).await }
    }

    async fn live(&self) -> Result<LiveConnection, Error> {
        loop {
            let mut attempt = match self.0.next()? {
                Next::Use(live) => return Ok(live),
                Next::Wait(attempt) => attempt,
            };
            // an attempt that is dropped, with the runtime, is over too
            let _ = attempt.wait_for(|over| *over).await;
        }
    }
}

enum Next {
    Use(LiveConnection),
    Wait(watch::Receiver<bool>),
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// The age of the link in milliseconds, never 0.
    fn now(&self) -> u64 {
        self.begun.elapsed().as_millis() as u64 + 1
    }

    /// Drops a connection, unless another has replaced it.
    fn lose(&self, number: u64) {
        let mut state = self.lock();
        if matches!(&state.stage, Stage::Connected(live) if live.number == number) {
            let lost = std::mem::replace(&mut state.stage, Stage::Idle);
            drop(state);
            drop(lost);
        }
    }

    /// What a call does next: use a connection, or wait for an attempt.
    fn next(self: &Arc<Self>) -> Result<Next, Error> {
        let mut state = self.lock();
        match &state.stage {
            Stage::Connected(live) => Ok(Next::Use(live.clone())),
            Stage::Connecting(attempt) => Ok(Next::Wait(attempt.clone())),
            Stage::BackingOff(until, kind, why) if Instant::now() < *until => {
                Err(Error::new(*kind, "connect").caused_by(why.clone()))
            }
            _ => {
                let (over, attempt) = watch::channel(false);
                let connecting = Arc::clone(self).connect(over);
                background::handle()?.spawn(connecting);
                state.stage = Stage::Connecting(attempt.clone());
                Ok(Next::Wait(attempt))
            }
        }
    }

    async fn connect(self: Arc<Self>, over: watch::Sender<bool>) {
        let made = tokio::time::timeout(self.connector.timeout, self.connector.connect()).await;
        let made = made
            .unwrap_or_else(|_| Err(Error::new(ErrorKind::Timeout, "connect").caused_by("it took too long")));
        let mut state = self.lock();
        match made {
            Ok(connection) => {
                state.failed = 0;
                state.number += 1;
                let (give_up, given_up) = watch::channel(false);
                let live =
                    LiveConnection { connection, number: state.number, silent: Arc::default(), given_up };
                tokio::spawn(give_up_when_silent(Arc::downgrade(&self), &live, give_up));
                state.stage = Stage::Connected(live);
            }
            Err(error) => {
                let longest = (BACKOFF.0 * (1 << state.failed.min(8))).min(BACKOFF.1);
                state.failed += 1;
                // a random part, so that not all clients of a server return at once
                let rest = longest.mul_f64(0.5 + (random() % 1024) as f64 / 2048.0);
                let why =
                    std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
                state.stage = Stage::BackingOff(Instant::now() + rest, error.kind(), why);
            }
        }
        drop(state);
        over.send_replace(true);
    }
}

/// Gives a connection up when it has been silent for too long. Ends with the connection.
fn give_up_when_silent(
    link: Weak<Shared>,
    live: &LiveConnection,
    give_up: watch::Sender<bool>,
) -> impl Future<Output = ()> + Send + use<> {
    // the library reconnects to the nodes of a Cluster, and retries
    let patience = if matches!(live.connection, Connection::One(_)) { 1 } else { 8 };
    let (number, silent) = (live.number, Arc::downgrade(&live.silent));
    async move {
        loop {
            let Some(silence) = link.upgrade().map(|link| link.silence) else { return };
            tokio::time::sleep(silence / 4).await;
            // a call that waits for a reply holds it too
            let (Some(link), Some(silent)) = (link.upgrade(), silent.upgrade()) else { return };
            let since = silent.load(Ordering::Relaxed);
            if since != 0 && link.now().saturating_sub(since) > patience * silence.as_millis() as u64 {
                link.lose(number);
                give_up.send_replace(true);
                return;
            }
        }
    }
}
