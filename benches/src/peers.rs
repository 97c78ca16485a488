//! The peers, each written the way its documentation tells.

pub(crate) mod cached;
pub(crate) mod limit;
pub(crate) mod memoize;
pub(crate) mod moka;
pub(crate) mod quick;
