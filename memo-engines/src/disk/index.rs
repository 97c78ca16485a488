//! The index: everything that SQLite is asked. It has a table of entries, one of cleared spaces, one of
//! removed keys, one of leases, and one row of numbers about the whole.
//!
//! Every change has a number, counted in `whole.seq`. To clear a space is to note the number: an entry of
//! the space is valid if its own number is greater. A removed key is noted likewise, for an hour. A result
//! whose computation began before that is refused ([`put_if`](crate::Engine::put_if)).
//!
//! Entries are rows in the order in which they came. An index over the first eight bytes of the key finds
//! them. (Rows in the order of the key would be found a little faster, but then every put would dirty a
//! page of its own: measured, 77 µs instead of 12 in a batch of 100.) Two keys that share these bytes
//! replace each other. A reader compares the whole key.

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
