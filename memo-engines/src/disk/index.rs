//! The index: what SQLite is asked, and nothing else. One table of entries, one of spaces that were cleared,
//! one of keys that were removed, one of leases, and a row of numbers about the whole.
//!
//! Every change has a number of its own, counted in `whole.seq`. A space is cleared by noting the number: an
//! entry is valid while its own number is greater. A removed key is noted likewise, for an hour: a result whose
//! computation began before is refused ([`put_if`](crate::Engine::put_if)).
//!
//! Entries are rows in the order in which they came, found by an index over the first eight bytes of their
//! key. (Rows in the order of the key would be found a little sooner, but then every put dirties a page of its
//! own: measured, 77 µs instead of 12 in a batch of 100.) Two keys that share those bytes replace each other;
//! the whole key is compared when it is read.

mod cleanup;
mod columns;
mod entries;
mod found;
mod hints;
mod leases;
mod open;
mod room;
mod row_cache;
mod schema;
mod snapshot;
mod transaction;

pub(super) use self::columns::{id, moment};
pub(super) use self::found::{Content, Found, GET_ROW};
pub(super) use self::hints::Hints;
pub(super) use self::leases::holder;
pub(super) use self::open::{Mode, open, set_sync};
pub(super) use self::room::PAGE;
pub(super) use self::row_cache::RowCache;
pub(super) use self::schema::{check, set_up};
pub(super) use self::snapshot::{Known, View, keys, known, outdated};
pub(super) use self::transaction::Transaction;
