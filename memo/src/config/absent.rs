//! Without the feature `config`: what the author has set holds.

#[cfg(feature = "engines")]
#[cfg_attr(not(feature = "disk"), allow(dead_code, reason = "a build may have no built-in engine"))]
#[path = "absent/engines.rs"]
mod engines;

use std::borrow::Cow;

#[cfg(feature = "engines")]
pub(crate) use engines::EngineSettings;

use crate::settings::Settings;

/// What `author` has set.
pub(crate) fn settings<'a>(_: &str, author: &'a Settings) -> Cow<'a, Settings> {
    Cow::Borrowed(author)
}
