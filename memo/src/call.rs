//! The one path of a memoized call: make the key, look nearby, and on a miss compute once per key and store.
//!
//! Synchronous and asynchronous functions take it alike. What may wait is written once, as `async`
//! ([`Begun::end`](begun::Begun::end)); a synchronous call runs it on its thread. The body itself runs in between, in the
//! caller's own frame, so that neither kind has to be turned into the other.
//!
//! ```text
//! look ─ hit ─────────────────────────────────────────────→ result
//!   └─ missed ─ begun: lead, look far, wait ─ shared ──────→ result
//!                 └─ computation ─ the body ─ store ───────→ result
//! ```
//!
//! A synchronous call is [`begin`], the body, [`Running::finish`]; an asynchronous one is [`begin_async`], [`Acquire`], the body within
//! [`Computing::compute`], [`Computing::finish`].

mod acquire;
mod admitted;
mod aged;
mod awaited;
mod begun;
mod claim;
mod computation;
mod computing;
mod control;
mod look;
mod look_aged;
mod lookup;
mod missed;
mod renewal;
mod running;
mod store;
mod within;

pub use acquire::Acquire;
pub use computing::Computing;
pub use control::{Ask, Entry, Reply, control, expire, insert, invalidate, peek, peek_entry};
pub use look::{begin, begin_async};
pub(crate) use lookup::AddHooks;
pub use lookup::is_large;
#[cfg(all(test, memo_shuttle))]
pub(crate) use missed::Missed;
pub use renewal::{Job, Task};
pub use running::Running;
