//! What environment variables say for a built-in engine, in a build without the feature `config`.

use std::ffi::OsString;
use std::path::PathBuf;

use memo_engines::GuardOptions;

/// What is configured for an engine. Some options can be set by environment variables in this build too.
pub(crate) struct EngineSettings(&'static str);

impl EngineSettings {
    /// What is configured for the engine called `name`.
    pub(crate) fn of(name: &'static str) -> Self {
        Self(name)
    }

    /// Sets nothing: this option is not read in this build.
    #[allow(clippy::unused_self, reason = "with the feature `config` it sets something")]
    pub(crate) fn set<T>(&mut self, _: &str, _: &mut T) {}

    /// Sets `field` if the variable for `option` is set.
    pub(crate) fn set_in_any_build<T: Configurable>(&mut self, option: &str, field: &mut T) {
        let variable = format!("MEMO_ENGINES__{}__{}", self.0, option).to_uppercase();
        if let Some(value) = std::env::var_os(variable).and_then(T::of) {
            *field = value;
        }
    }

    /// The options of the engine's guard, which cannot be configured in this build.
    #[allow(clippy::unused_self, reason = "with the feature `config` it sets something")]
    pub(crate) fn guard(&mut self, options: GuardOptions) -> GuardOptions {
        options
    }
}

/// A type of values that variables can stand for.
pub(crate) trait Configurable: Sized {
    /// The value that `text` stands for.
    fn of(text: OsString) -> Option<Self>;
}

impl Configurable for bool {
    fn of(text: OsString) -> Option<Self> {
        Some(text == "true")
    }
}

impl Configurable for PathBuf {
    fn of(text: OsString) -> Option<Self> {
        Some(text.into())
    }
}

impl Configurable for String {
    fn of(text: OsString) -> Option<Self> {
        text.into_string().ok()
    }
}

/// An option that need not have a value.
impl<T: Configurable> Configurable for Option<T> {
    fn of(text: OsString) -> Option<Self> {
        T::of(text).map(Some)
    }
}
