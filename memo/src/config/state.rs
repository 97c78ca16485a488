//! The configuration in force.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::loaded::Loaded;
use super::said::Config;
use crate::fork::{self, Locked, Part};
use crate::settings::Settings;

struct State {
    loaded: Option<Arc<Loaded>>,
    /// What [`init`](crate::init) was given.
    code: Option<Config>,
}

static STATE: Mutex<State> = Mutex::new(State { loaded: None, code: None });
/// The number of what is loaded; 0 for what was read before anybody called [`init`](crate::init) or
/// [`reload`](crate::reload).
static GENERATION: AtomicU64 = AtomicU64::new(0);

fn state() -> MutexGuard<'static, State> {
    fork::attend(Part::Configuration, &Locked(lock));
    lock()
}

fn lock() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The number of the configuration in force. Each that is loaded has a higher one.
pub(crate) fn generation() -> u64 {
    GENERATION.load(Ordering::Acquire)
}

/// What is configured. If nobody has read it yet, it is read now, and what is wrong with it is logged.
pub(super) fn current() -> Arc<Loaded> {
    if let Some(loaded) = &state().loaded {
        return loaded.clone();
    }
    let (loaded, problems) = Loaded::read(&Config::new(), false);
    let mut state = state();
    if let Some(loaded) = &state.loaded {
        return loaded.clone();
    }
    let loaded = state.loaded.insert(Arc::new(loaded)).clone();
    loaded.apply_to_process();
    drop(state);
    problems.iter().for_each(|problem| crate::warn::error(&format!("{problem}; it is left out")));
    loaded
}

/// What [`init`](crate::init) was given.
pub(super) fn code() -> Option<Config> {
    state().code.clone()
}

/// Puts what is `loaded` in force, and remembers what [`init`](crate::init) was given for it, if it was. Gives what was in
/// force before, and what is now.
pub(super) fn take(mut loaded: Loaded, code: Option<Config>) -> (Option<Arc<Loaded>>, Arc<Loaded>) {
    let mut state = state();
    let before = state.loaded.clone();
    loaded.generation = generation() + 1;
    GENERATION.store(loaded.generation, Ordering::Release);
    let loaded = state.loaded.insert(Arc::new(loaded)).clone();
    loaded.apply_to_process();
    if code.is_some() {
        state.code = code;
    }
    (before, loaded)
}

/// The settings of the function called `name`, whose author has set `author`.
pub(crate) fn settings<'a>(name: &str, author: &'a Settings) -> Cow<'a, Settings> {
    let loaded = current();
    let settings = loaded.settings(name, author);
    loaded.warn_of_effect(name, &settings);
    settings
}
