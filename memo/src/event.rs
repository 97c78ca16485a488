//! What happens, told to whoever listens: callbacks of the program's own, and subscribers of the feature `tracing`.
//!
//! A listener is one more thing that is asked of calls. While there is one, calls leave the fast path as they do under a
//! [scope](crate::scope), and the [`Call`](crate::scope::Call) that recordings use tells the events. Without listeners a hit
//! pays nothing beside the relaxed load that it asks for scopes by.
//!
//! Events are told while no lock is held and no flight keeps an invalidation waiting, so a callback may call whatever it
//! likes. What happens while a result is being stored is told once that is over ([`tell_soon`]).

pub(crate) mod kind;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use crate::directive::pending::Pending;
use crate::flight;
use crate::fork::{self, Locked, Part};
use crate::near;
use crate::trace;

pub use kind::Event;

type Callback = dyn Fn(&Event<'_>) + Send + Sync;

static CALLBACKS: RwLock<Vec<Arc<Callback>>> = RwLock::new(Vec::new());

/// The callbacks, to be changed.
fn callbacks() -> RwLockWriteGuard<'static, Vec<Arc<Callback>>> {
    CALLBACKS.write().unwrap_or_else(PoisonError::into_inner)
}

/// The number of callbacks, which costs next to nothing to read.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Calls `callback` with whatever happens from now on in memoized functions, until what this returns is dropped. For
/// those who bring their own metrics.
///
/// It is called on the thread of the call that it is about, before that call returns, and so had better be quick. It may
/// call memoized functions; what these do is told to nobody. A panic in it is caught, and the call goes on.
///
/// While there is a callback, a hit asks the clock and calls it. With none, hits cost what they cost without all this.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// #[memo::memoize]
/// fn square(n: u64) -> u64 {
///     n * n
/// }
///
/// let hits = Arc::new(AtomicU64::new(0));
/// let counter = hits.clone();
/// let listening = memo::on_event(move |event| {
///     if let memo::Event::Hit { .. } = event {
///         counter.fetch_add(1, Ordering::Relaxed);
///     }
/// });
/// square(4);
/// square(4);
/// assert_eq!(hits.load(Ordering::Relaxed), 1);
/// drop(listening);
/// square(4);
/// assert_eq!(hits.load(Ordering::Relaxed), 1);
/// ```
pub fn on_event(callback: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Listening {
    let callback: Arc<Callback> = Arc::new(callback);
    // before the first event, which takes the lock too
    fork::attend(Part::Callbacks, &Locked(callbacks));
    let mut callbacks = callbacks();
    callbacks.push(callback.clone());
    COUNT.store(callbacks.len(), Ordering::Relaxed);
    drop(callbacks);
    Listening { callback, _pending: Pending::new() }
}

/// Keeps a callback of [`on_event`]: dropped, it ends. Calls that are under way on other threads may still call it once.
#[must_use = "the callback ends at once if this is not kept"]
pub struct Listening {
    callback: Arc<Callback>,
    _pending: Pending,
}

impl Listening {
    /// Keeps it for as long as the process lives.
    pub fn forever(self) {
        std::mem::forget(self);
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut callbacks = callbacks();
        // it is dropped with this guard or after its last event, and never here, under the lock
        callbacks.retain(|other| !Arc::ptr_eq(other, &self.callback));
        COUNT.store(callbacks.len(), Ordering::Relaxed);
    }
}

impl fmt::Debug for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listening").finish_non_exhaustive()
    }
}

/// Events of what happened while a result was being stored, to be told once that is over.
type Soon = Box<dyn FnOnce()>;

thread_local! {
    /// This thread is in a callback.
    static TELLING: Cell<bool> = const { Cell::new(false) };
    static SOON: RefCell<Vec<Soon>> = const { RefCell::new(Vec::new()) };
    /// There is something in `SOON`. Asked after each computation, and nearly always false.
    static WAITING: Cell<bool> = const { Cell::new(false) };
}

/// Whether anybody in the process might want to hear of a result that was stored.
#[inline]
pub(crate) fn may_be_heard() -> bool {
    COUNT.load(Ordering::Relaxed) != 0 || trace::may_hear()
}

fn has_callbacks() -> bool {
    COUNT.load(Ordering::Relaxed) != 0 && !TELLING.get()
}

/// Whether a store runs user code here, perhaps under a lock. Then nobody is told what it does.
fn is_inside() -> bool {
    near::is_closed() || flight::is_storing()
}

/// Whether somebody wants to hear of calls on this thread.
pub(crate) fn is_heard() -> bool {
    (has_callbacks() || trace::hears_calls()) && !is_inside()
}

/// Tells `event` to all who listen. `key` is the key of the call in words, if its function shows keys.
pub(crate) fn tell_of(event: &Event<'_>, key: Option<&str>) {
    if is_inside() {
        return;
    }
    // a subscriber that panics is as bad as a callback that does
    caught(|| trace::tell(event, key));
    if !has_callbacks() {
        return;
    }
    let callbacks = CALLBACKS.read().unwrap_or_else(PoisonError::into_inner).clone();
    TELLING.set(true);
    for callback in callbacks {
        caught(|| callback(event));
        // this may be the last reference, and dropping the callback may panic too
        caught(|| drop(callback));
    }
    TELLING.set(false);
}

/// Runs user code whose panics must not reach the call.
pub(crate) fn caught(work: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(work))
        && let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(panic)))
    {
        std::mem::forget(another);
    }
}

/// Tells `event`, which is not about one key.
#[cfg(feature = "engines")]
pub(crate) fn tell(event: &Event<'_>) {
    tell_of(event, None);
}

/// Runs `telling` now; or, where this thread is storing a result, with the next [`tell_rest`].
#[cfg(feature = "engines")]
pub(crate) fn tell_soon(telling: impl FnOnce() + 'static) {
    if !flight::is_storing() {
        return telling();
    }
    let telling: Soon = Box::new(telling);
    // at the end of a thread, what would be told later is left out
    let _ = SOON.try_with(|soon| soon.borrow_mut().push(telling));
    WAITING.set(true);
}

/// Tells what was put off. To be called once a flight is over.
#[inline]
pub(crate) fn tell_rest() {
    if WAITING.get() && !flight::is_storing() {
        tell_waiting();
    }
}

#[cold]
#[inline(never)]
fn tell_waiting() {
    WAITING.set(false);
    let rest = SOON.try_with(|soon| soon.take()).unwrap_or_default();
    rest.into_iter().for_each(|telling| telling());
}
