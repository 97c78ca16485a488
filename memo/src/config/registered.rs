//! The engines that are registered, of which a configuration may say something.

pub(super) use crate::far::named::{is_registered, names};
