//! Member crate `memo-examples`.
