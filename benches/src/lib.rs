//! What a memoized call costs: `memo` beside its peers, in one process, in turns.
//!
//! [`work`] is what the contenders remember, [`entrants`] who they are, [`cases`] what is asked of
//! them, [`programs`] whole programs of each, [`turns`] how they are timed, [`report`] what is printed, [`goals`] what must
//! come out.
//! `benches/README.md` tells how to run it and how to read it.

pub mod cases;
pub mod contender;
pub mod entrants;
pub mod goals;
#[cfg(feature = "ours")]
mod ours;
mod peers;
#[cfg(feature = "ours")]
pub mod programs;
pub mod report;
pub mod turns;
pub mod work;
