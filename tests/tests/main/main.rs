//! The promises of `memo`, proved through its public API: one module per subject.

mod keys;
