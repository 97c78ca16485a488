//! Member crate `memo-tests`.
