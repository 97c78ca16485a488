//! One engine of a function, and what it has answered to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use memo_engines::entry::Misfit;
use memo_engines::{Chain, Engine};

use super::exit;
use crate::event::{self, Event};
use crate::stats::TierStats;

/// One engine, and what it has answered to this function.
pub(super) struct Tier {
    /// The name under which it is registered.
    pub(super) name: String,
    pub(super) engine: Arc<dyn Engine>,
    /// The engine and those that stand in for it, and the names of these.
    chain: Option<(Arc<Chain>, Vec<String>)>,
    pub(super) hits: AtomicU64,
    pub(super) misses: AtomicU64,
    misfits: [AtomicU64; MISFITS.len()],
    errors: AtomicU64,
    /// How many results of all functions are on their way to it.
    pub(super) waiting: &'static AtomicUsize,
}

/// The kinds of misfits, in the order of their counters.
const MISFITS: [Misfit; 12] = [
    Misfit::Truncated,
    Misfit::Magic,
    Misfit::Version,
    Misfit::Length,
    Misfit::Checksum,
    Misfit::Flags,
    Misfit::Key,
    Misfit::Identity,
    Misfit::Fingerprint,
    Misfit::Codec,
    Misfit::FromTheFuture,
    Misfit::Expired,
];

impl Tier {
    pub(super) fn new(name: String, engine: Arc<dyn Engine>) -> Self {
        Tier {
            waiting: exit::waiting(&name),
            name,
            engine,
            chain: None,
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            misfits: Default::default(),
            errors: AtomicU64::new(0),
        }
    }

    /// With engines that stand in for it, by their names.
    pub(super) fn or(self, stand_ins: Vec<(String, Arc<dyn Engine>)>) -> Self {
        if stand_ins.is_empty() {
            return self;
        }
        let (names, engines): (Vec<_>, Vec<_>) = stand_ins.into_iter().unzip();
        let chain = Arc::new(Chain::new(std::iter::once(self.engine).chain(engines).collect()));
        Tier { engine: chain.clone(), chain: Some((chain, names)), ..self }
    }

    /// What it had for the function called `function` did not fit.
    pub(super) fn misfits(&self, function: &str, misfit: Misfit) {
        // a kind that this file does not know is counted as the last
        let kind = MISFITS.iter().position(|known| *known == misfit).unwrap_or(MISFITS.len() - 1);
        self.misfits[kind].fetch_add(1, Ordering::Relaxed);
        event::tell(&Event::Misfit { function, engine: &self.name, reason: misfit.as_str() });
    }

    /// It failed when it was called for the function called `function`.
    pub(super) fn failed(&'static self, function: &'static str, error: &memo_engines::Error) {
        self.errors.fetch_add(1, Ordering::Relaxed);
        let error = error.to_string();
        event::tell_soon(move || {
            event::tell(&Event::EngineFailed { function, engine: &self.name, error: &error });
        });
    }

    /// Its counters, as people see them.
    pub(super) fn stats(&self) -> TierStats {
        let misfits = MISFITS.iter().zip(&self.misfits);
        TierStats {
            engine: self.name.clone(),
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            errors: self.errors.load(Ordering::Relaxed),
            unstorable: 0,
            misfits: misfits
                .map(|(misfit, count)| (misfit.as_str(), count.load(Ordering::Relaxed)))
                .filter(|(_, count)| *count != 0)
                .collect(),
            stand_ins: self
                .chain
                .iter()
                .flat_map(|(chain, names)| names.iter().cloned().zip(chain.served().into_iter().skip(1)))
                .collect(),
        }
    }
}
