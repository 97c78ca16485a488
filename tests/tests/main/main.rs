//! The promises of `memo`, proved through its public API: one module per subject.

// what is memoized here is written the way users may write it
#![allow(clippy::too_many_arguments, clippy::toplevel_ref_arg, clippy::ptr_arg, clippy::useless_vec)]
#![allow(clippy::unnecessary_to_owned, clippy::manual_is_multiple_of)]

mod callbacks;
mod control;
mod cycles;
mod flights;
mod invalidation;
mod keys;
mod results;
mod scopes;
mod stack;
mod story;
