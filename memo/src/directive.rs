//! What is asked of one call: by `uncached` and `refresh`, of the call that they make; by [scopes](crate::scope), of all
//! calls; and by [listeners](crate::event), who want to be told.
//!
//! The directive of `uncached` or `refresh` is left for the thread's next call of that very instantiation, which takes
//! it. As long as nobody leaves one, has a scope or listens, a call pays one relaxed load for the question.

pub(crate) mod kind;
pub(crate) mod pending;

use std::any::TypeId;
use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::event;
use crate::scope::{self, Asked};
use crate::site::Site;

pub use kind::Directive;
pub(crate) use pending::pending;

thread_local! {
    static NEXT: Cell<Option<(TypeId, Directive)>> = const { Cell::new(None) };
}

/// Whether something may be asked of a call on this thread: more than [`pending`], which is of the whole process, and cheaper
/// than to ask.
pub(crate) fn pending_here() -> bool {
    NEXT.get().is_some() || !scope::is_empty() || event::is_heard()
}

/// What is asked of this call of `site`, a function called `name`. A directive that was left for it counts for more than
/// scopes.
#[cold]
#[inline(never)]
pub(crate) fn asked(site: &Site, name: &str) -> Option<Asked> {
    if !pending_here() {
        return None;
    }
    let (left, heard) = (NEXT.get(), event::is_heard());
    let left = left.filter(|(whose, _)| *whose == site.marker()).map(|(_, directive)| {
        NEXT.set(None);
        directive
    });
    let asked = Asked::of(name);
    if left.is_none() && !heard {
        return asked;
    }
    let asked = asked.unwrap_or_default();
    Some(Asked { directive: left.or(asked.directive), heard, ..asked })
}

/// Leaves `directive` for the call of `site` that `call` makes.
pub fn direct<R>(site: &Site, directive: Directive, call: impl FnOnce() -> R) -> R {
    struct Restore(Option<(TypeId, Directive)>);
    impl Drop for Restore {
        fn drop(&mut self) {
            NEXT.set(self.0);
        }
    }
    let _pending = pending::Pending::new();
    let _restore = Restore(NEXT.replace(Some((site.marker(), directive))));
    call()
}

/// Has the call of `site` that `begin` begins compute anew, if `condition` holds and nothing else has been left for it.
pub fn anew_if<R>(condition: bool, site: impl FnOnce() -> Site, begin: impl FnOnce() -> R) -> R {
    if !condition {
        return begin();
    }
    let site = site();
    match NEXT.get() {
        Some((whose, _)) if whose == site.marker() => begin(),
        _ => direct(&site, Directive::Refresh, begin),
    }
}

pin_project! {
    /// A call of an `async fn` for which a directive is left at its first poll, where it looks.
    #[derive(Debug)]
    pub struct Directed<C> {
        #[pin]
        call: C,
        directive: Option<(Site, Directive)>,
    }
}

impl<C: Future> Directed<C> {
    /// Leaves `directive` for the call of `site` that is the future `call`.
    pub fn new(site: Site, directive: Directive, call: C) -> Self {
        Directed { call, directive: Some((site, directive)) }
    }
}

impl<C: Future> Future for Directed<C> {
    type Output = C::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<C::Output> {
        let this = self.project();
        match this.directive.take() {
            Some((site, directive)) => direct(&site, directive, || this.call.poll(context)),
            None => this.call.poll(context),
        }
    }
}
