//! Member crate `memo-benches`.
