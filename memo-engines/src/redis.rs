//! The engine `redis`: results in Redis or Valkey, shared by machines. There may be one server, a Cluster,
//! or a master behind Sentinels.
//!
//! An entry is one string on the server. A short tail behind its bytes says to which *generation* of its
//! space it belongs. To clear a space is to begin its next generation. Entries of earlier generations run
//! out by their lifetimes. A read fetches entry and generation in one command. A write is a script, so that
//! nothing comes in between. A removed entry leaves a tombstone, by which the server refuses a result that
//! was computed before the removal. `docs/decisions/0012-redis.md` says why the engine is built this way.
//!
//! Connections are made when they are first needed, and made again when they are lost. They live on one
//! thread that all engines of this kind share. Any executor can poll the calls.

mod address;
mod background;
mod batcher;
mod changes;
mod client;
mod connection;
mod failure;
mod hex;
mod leases;
mod link;
mod look;
mod lookups;
mod message;
mod methods;
mod names;
mod options;
mod prefix;
mod scripts;
mod sentinels;
mod stored;
mod target;
mod tcp;
mod watch;

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ::redis::Cmd;

use self::batcher::Batcher;
use self::client::Client;
use self::failure::{Failure, NAME};
use self::link::Link;
use self::look::Clock;
use self::names::{Names, Spread};
pub use self::options::RedisOptions;
use self::scripts::Script;
use self::target::Target;
use self::watch::Watch;
use crate::engine::{Capability, GuardOptions, Reach, Space, Watcher};
use crate::error::{Error, ErrorKind};
use crate::per_process::PerProcess;

/// Stores entries in Redis or Valkey: see the [module](self).
pub struct Redis {
    options: RedisOptions,
    names: Names,
    target: Arc<Target>,
    client: PerProcess<Client>,
    /// The watchers, which each process registers anew.
    watchers: Mutex<Vec<(Space, Watcher)>>,
    clock: Clock,
}

impl Redis {
    /// Makes an engine. It connects when it is first called.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] if the address, the certificates or the prefix cannot be used, with the
    /// reason.
    pub fn open(options: RedisOptions) -> Result<Self, Error> {
        let target = Target::of(&options).map_err(|error| error.of(NAME))?;
        let spread = match (&target, options.one_slot_per_function) {
            (_, true) => Spread::Space,
            (Target::Cluster(..), false) => Spread::Digest,
            _ => Spread::None,
        };
        if matches!(target, Target::Cluster(..)) {
            prefix::check_prefix(&options.prefix, options.one_slot_per_function)
                .map_err(|why| Error::new(ErrorKind::Unavailable, why).of(NAME))?;
        }
        let names = Names::new(&options.prefix, spread);
        let clock = Clock::start();
        let watchers = Mutex::default();
        let target = Arc::new(target);
        Ok(Self { options, names, target, client: PerProcess::new(), watchers, clock })
    }

    fn client(&self) -> &Client {
        self.client.get(|| {
            let is_one = !matches!(*self.target, Target::Cluster(..));
            let link = Link::new(Arc::clone(&self.target), &self.options);
            let batcher = is_one.then(|| Batcher::new(link.clone(), self.names.clone(), self.clock));
            let watch = Watch::new(self.names.channel());
            // a fork may have left the lock taken for ever; then no change is reported to the parent's
            // watchers here
            if let Ok(watchers) = self.watchers.try_lock() {
                watchers
                    .iter()
                    .for_each(|(space, watcher)| watch.add_watcher(*space, watcher.clone(), &link));
            }
            Client { link, batcher, watch }
        })
    }

    /// Runs a script: see [`Script::run`].
    async fn run(
        &self,
        script: &Script,
        keys: &[&String],
        rest: impl Fn(&mut Cmd),
        attempted: &str,
    ) -> Result<bool, Error> {
        script.run(&self.client().link, keys, rest, attempted).await.map_err(Failure::named)
    }

    /// How to [guard](crate::Guarded) it: with the defaults, but a budget of 20 ms, which suits a server
    /// near by. If a call takes longer, computing is mostly faster.
    pub fn guard() -> GuardOptions {
        GuardOptions { budget: Duration::from_millis(20), ..GuardOptions::default() }
    }

    /// The capability of an engine with these options.
    pub fn capability_with(options: &RedisOptions) -> Capability {
        Capability {
            reach: Reach::Fleet,
            persistent: true,
            expires: true,
            clears_cheaply: true,
            witnesses: true,
            leases: true,
            watches: !address::is_resp2(&options.url),
            largest: Some(options.largest),
            ..Capability::default()
        }
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("options", &self.options).finish_non_exhaustive()
    }
}
