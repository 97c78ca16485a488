//! Calls that wait for the renewal of a result that they have found stale, as long as the function's `wait` says.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::alarm::Alarm;
use crate::clock::{exact, nanos};
use crate::key::OwnedPart;
use crate::memo::Memo;
use crate::outcome::Value;
use crate::per_process::PerProcess;

/// An entry that is renewed: of which record, and with which hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Renewed {
    memo: usize,
    hash: u64,
}

impl Renewed {
    pub(super) fn of<K: OwnedPart, V: Value, F: Value>(memo: &'static Memo<K, V, F>, hash: u64) -> Self {
        Renewed { memo: std::ptr::from_ref(memo).addr(), hash }
    }
}

/// What is known of an entry that is renewed.
#[derive(Default)]
struct Renewing {
    /// Of several with one hash each may be renewed.
    renewals: usize,
    /// Those who wait, each with a number of its own.
    wakers: HashMap<u64, Waker>,
    next: u64,
}

type All = HashMap<Renewed, Renewing>;

/// The entries that are renewed, of functions that have a `wait`. No code of the user's runs with the lock held.
fn all() -> MutexGuard<'static, All> {
    static ALL: PerProcess<Mutex<All>> = PerProcess::new();
    ALL.get(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

/// Somebody begins to renew it.
pub(super) fn begins(renewed: Renewed) {
    all().entry(renewed).or_default().renewals += 1;
}

/// Somebody does not renew it any more: it is there, or will not come.
pub(super) fn ends(renewed: Renewed) {
    let mut all = all();
    let Some(renewing) = all.get_mut(&renewed) else { return };
    renewing.renewals -= 1;
    let over = if renewing.renewals == 0 { all.remove(&renewed) } else { None };
    drop(all);
    over.into_iter().flat_map(|over| over.wakers).for_each(|(_, waker)| waker.wake());
}

/// A wait for the renewal of an entry. It ends at once if nobody renews it.
pub(super) struct RenewalOver {
    renewed: Renewed,
    length: Duration,
    end: Option<u64>,
    number: Option<u64>,
    alarm: Option<Alarm>,
}

impl RenewalOver {
    /// One that ends after this time at the latest.
    pub(super) fn or_after(length: Duration, renewed: Renewed) -> Self {
        RenewalOver { renewed, length, end: None, number: None, alarm: None }
    }
}

impl Future for RenewalOver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let now = exact();
        let end = *this.end.get_or_insert_with(|| now.saturating_add(nanos(this.length)));
        if now >= end {
            return Poll::Ready(());
        }
        // the executor's code runs when a waker is cloned or dropped: neither is done under the lock
        let (waker, alarmed) = (context.waker().clone(), context.waker().clone());
        let mut all = all();
        let Some(renewing) = all.get_mut(&this.renewed) else { return Poll::Ready(()) };
        let number = *this.number.get_or_insert_with(|| {
            renewing.next += 1;
            renewing.next
        });
        let before = renewing.wakers.insert(number, waker);
        drop(all);
        drop(before);
        this.alarm = Alarm::after(end - now, alarmed);
        Poll::Pending
    }
}

impl Drop for RenewalOver {
    fn drop(&mut self) {
        let Some(number) = self.number else { return };
        let waker = all().get_mut(&self.renewed).and_then(|renewing| renewing.wakers.remove(&number));
        drop(waker);
    }
}
