//! The engines that are registered, of which a configuration may say something.

pub(super) use crate::far::{is_registered, names};
