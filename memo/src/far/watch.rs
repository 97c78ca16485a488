//! Near entries that follow what others change in the engines behind them.
//!
//! Engines report changes by digest, and the near store finds entries by hash: a table leads from one to the other. A key
//! is noted before the engines are asked about it, and a change takes it out. What they gave is kept near only if the
//! key is still in the table afterwards. So nothing is kept near that was changed since it was looked up, however late it
//! is put there.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use memo_engines::engine::Watcher;
use memo_engines::{Change, Key};

/// Tells one entering of a key from a later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

/// Drops near entries: those of a hash, or all.
type Drop = Box<dyn Fn(Option<u64>) + Send + Sync>;

/// What engines call with each change, for as long as somebody keeps it: a [`Watcher`] is a weak reference to one.
type Subscription = Arc<dyn Fn(Change) + Send + Sync>;

/// A store that is bounded by weight is taken to hold at most so many entries.
const HEAVY: u64 = 1 << 20;

/// A function's share of what is watched.
pub(super) struct Watched {
    table: Mutex<Table>,
    /// How many keys it holds at most. The oldest is taken out beyond that, and its entry dropped: twice what the near
    /// store holds, so that it is seldom there any more.
    most: usize,
    drop: OnceLock<Drop>,
    /// Keeps the engines telling of changes.
    subscription: Mutex<Option<Subscription>>,
}

/// The first half of a digest. Two keys of one half would only be dropped together.
type Half = [u8; 16];

#[derive(Default)]
struct Table {
    noted: HashMap<Half, (Ticket, u64)>,
    /// In the order in which they were noted; some have been taken out or noted again since.
    order: VecDeque<(Half, Ticket)>,
    tickets: u64,
}

fn half(key: &Key) -> Half {
    let mut half = [0; 16];
    half.copy_from_slice(&key.digest[..16]);
    half
}

impl Watched {
    /// For a near store of at most so many entries, or of such a weight.
    pub(super) fn new(capacity: Option<u64>, max_weight: Option<u64>) -> Self {
        let entries = capacity.or(max_weight.map(|weight| weight.min(HEAVY)));
        let most = entries.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
        let most = most.saturating_mul(2).max(16);
        Self { table: Mutex::default(), most, drop: OnceLock::new(), subscription: Mutex::default() }
    }

    /// From now on, a change that the returned watcher is told of drops near entries by `drop`. Watchers from before are
    /// told nothing more.
    pub(super) fn begin(self: &Arc<Self>, drop: impl Fn(Option<u64>) + Send + Sync + 'static) -> Watcher {
        // each call has the same `drop`, that of the record
        self.drop.get_or_init(|| Box::new(drop));
        let watched = Arc::downgrade(self);
        let subscription: Subscription = Arc::new(move |change| {
            if let Some(watched) = watched.upgrade() {
                watched.changed(change);
            }
        });
        let watcher = Arc::downgrade(&subscription);
        *self.subscription.lock().unwrap_or_else(PoisonError::into_inner) = Some(subscription);
        watcher
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn drop(&self, what: Option<u64>) {
        if let Some(drop) = self.drop.get() {
            drop(what);
        }
    }

    /// Notes a key that the engines are about to be asked for.
    pub(super) fn note(&self, key: &Key, hash: u64) -> Ticket {
        let half = half(key);
        let mut table = self.table();
        table.tickets += 1;
        let ticket = Ticket(table.tickets);
        table.noted.insert(half, (ticket, hash));
        table.order.push_back((half, ticket));
        let mut left = None;
        if table.order.len() > self.most
            && let Some((oldest, ticket)) = table.order.pop_front()
            && table.noted.get(&oldest).is_some_and(|noted| noted.0 == ticket)
        {
            left = table.noted.remove(&oldest);
        }
        std::mem::drop(table);
        if let Some((_, hash)) = left {
            self.drop(Some(hash));
        }
        ticket
    }

    /// Whether nothing has changed since the key was noted. To be asked after the entry was put near, which is undone if
    /// not. A change that comes later finds the entry there.
    pub(super) fn holds(&self, key: &Key, ticket: Ticket) -> bool {
        self.table().noted.get(&half(key)).is_some_and(|noted| noted.0 == ticket)
    }

    /// An engine reports a change.
    pub(super) fn changed(&self, change: Change) {
        match change {
            Change::Entry(key) => {
                let left = self.table().noted.remove(&half(&key));
                if let Some((_, hash)) = left {
                    self.drop(Some(hash));
                }
            }
            // a cleared space, or a change that is not known in full
            _ => {
                let mut table = self.table();
                // tickets are never used again
                let fresh = Table { tickets: table.tickets, ..Table::default() };
                let left = std::mem::replace(&mut *table, fresh);
                std::mem::drop((table, left));
                self.drop(None);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use memo_engines::Space;

    fn key(number: u8) -> Key {
        Key { space: Space([0; 16]), digest: [number; 32] }
    }

    /// What was dropped, in its order.
    type Dropped = Arc<Mutex<Vec<Option<u64>>>>;

    fn watched(capacity: u64) -> (Arc<Watched>, Dropped) {
        let (watched, dropped) = (Arc::new(Watched::new(Some(capacity), None)), Dropped::default());
        let drops = Arc::clone(&dropped);
        watched.begin(move |what| drops.lock().unwrap().push(what));
        (watched, dropped)
    }

    #[test]
    fn a_change_drops_what_was_entered_and_nothing_else() {
        let (watched, dropped) = watched(100);
        let tickets = [1, 2, 3].map(|number| watched.note(&key(number), number.into()));
        watched.changed(Change::Entry(key(2)));
        watched.changed(Change::Entry(key(9)));
        assert_eq!(*dropped.lock().unwrap(), [Some(2)]);
        assert_eq!(
            [1, 2, 3].map(|number| watched.holds(&key(number), tickets[usize::from(number) - 1])),
            [true, false, true]
        );
        watched.changed(Change::Unknown);
        assert_eq!(*dropped.lock().unwrap(), [Some(2), None]);
        assert!(!watched.holds(&key(1), tickets[0]));
        let again = watched.note(&key(1), 1);
        assert!(watched.holds(&key(1), again) && !watched.holds(&key(1), tickets[0]));
    }

    #[test]
    fn who_begins_anew_is_not_told_what_concerned_it_before() {
        let (watched, dropped) = watched(10);
        let before = watched.begin(|_| ());
        let now = watched.begin(|_| ());
        assert!(before.upgrade().is_none());
        now.upgrade().unwrap()(Change::Unknown);
        assert_eq!(*dropped.lock().unwrap(), [None]);
    }

    #[test]
    fn it_is_bounded_and_what_leaves_it_leaves_the_store() {
        let (watched, dropped) = watched(50);
        for number in 0..=255 {
            watched.note(&key(number), number.into());
            watched.note(&key(0), 0);
        }
        let table = watched.table();
        assert!(table.noted.len() <= 100 && table.order.len() <= 100);
        // the one that was noted again and again is there, and so are the last of the others
        assert!(table.noted.contains_key(&[0; 16]) && table.noted.contains_key(&[255; 16]));
        let dropped = dropped.lock().unwrap();
        assert_eq!(dropped.len() + table.noted.len(), 256);
        assert!(!dropped.contains(&Some(0)) && dropped.contains(&Some(1)));
    }
}
