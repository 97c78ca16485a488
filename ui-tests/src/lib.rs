//! Member crate `memo-ui-tests`.
