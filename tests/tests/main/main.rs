//! The promises of `memo`, proved through its public API: one module per subject.

mod callbacks;
mod control;
mod cycles;
mod flights;
mod invalidation;
mod keys;
mod results;
mod story;
