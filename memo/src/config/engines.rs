//! What is configured for a built-in engine, for whoever makes it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use memo_engines::GuardOptions;

use super::schema;
use super::state::current;
use super::value::Setting;

/// What is configured for an engine, by option. Options are taken out of it.
pub(crate) struct EngineSettings(BTreeMap<&'static str, Setting>);

impl EngineSettings {
    /// What is configured for the engine called `name`.
    pub(crate) fn of(name: &str) -> Self {
        let loaded = current();
        let set = |rule: &schema::Rule| Some((rule.name, loaded.engine(name, rule.name)?.setting.clone()));
        Self(schema::engine(name).filter_map(set).collect())
    }

    /// Sets `field` if `option` is configured.
    pub(crate) fn set<T: Configurable>(&mut self, option: &str, field: &mut T) {
        if let Some(value) = self.0.get(option).and_then(T::of) {
            *field = value;
            self.0.remove(option);
        }
    }

    /// Like [`set`](Self::set), for an option whose variable is read in builds without the feature `config` too.
    pub(crate) fn set_in_any_build<T: Configurable>(&mut self, option: &str, field: &mut T) {
        self.set(option, field);
    }

    /// The options of the engine's guard: as they are configured, otherwise as `options` has them.
    ///
    /// The options are taken apart field by field, so that one which is added does not compile before it is configurable.
    pub(crate) fn guard(&mut self, mut options: GuardOptions) -> GuardOptions {
        let GuardOptions { budget, failures, backoff, max_backoff, helpers, strict } = &mut options;
        self.set("budget", budget);
        self.set("failures", failures);
        self.set("backoff", backoff);
        self.set("max_backoff", max_backoff);
        self.set("helpers", helpers);
        self.set("strict", strict);
        options
    }
}

/// A type of values that the options of engines have.
pub(crate) trait Configurable: Sized {
    /// The value that `setting` stands for; `None` if it stands for one of another type.
    fn of(setting: &Setting) -> Option<Self>;
}

impl Configurable for bool {
    fn of(setting: &Setting) -> Option<Self> {
        if let Setting::Switch(switch) = setting { Some(*switch) } else { None }
    }
}

impl Configurable for Duration {
    fn of(setting: &Setting) -> Option<Self> {
        if let Setting::Time(length) = setting { Some(*length) } else { None }
    }
}

impl Configurable for u64 {
    fn of(setting: &Setting) -> Option<Self> {
        if let Setting::Size(number) | Setting::Number(number) = setting { Some(*number) } else { None }
    }
}

/// Numbers that are too large count as the largest.
impl Configurable for u32 {
    fn of(setting: &Setting) -> Option<Self> {
        u64::of(setting).map(|number| Self::try_from(number).unwrap_or(Self::MAX))
    }
}

/// Numbers that are too large count as the largest.
impl Configurable for usize {
    fn of(setting: &Setting) -> Option<Self> {
        u64::of(setting).map(|number| Self::try_from(number).unwrap_or(Self::MAX))
    }
}

impl Configurable for PathBuf {
    fn of(setting: &Setting) -> Option<Self> {
        if let Setting::Path(path) = setting { Some(path.clone()) } else { None }
    }
}

impl Configurable for String {
    fn of(setting: &Setting) -> Option<Self> {
        if let Setting::Text(text) | Setting::Address(text) = setting { Some(text.clone()) } else { None }
    }
}

/// An option that need not have a value.
impl<T: Configurable> Configurable for Option<T> {
    fn of(setting: &Setting) -> Option<Self> {
        T::of(setting).map(Some)
    }
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use std::path::Path;

    use super::super::kind::Kind;
    use super::super::value::Given;
    use super::*;

    impl EngineSettings {
        /// A right value for each option of the engine called `name`.
        pub(crate) fn with_every_option(name: &str) -> Self {
            Self(schema::engine(name).map(|rule| (rule.name, setting(rule))).collect())
        }

        /// The options that nobody has taken.
        pub(crate) fn left(&self) -> Vec<&'static str> {
            self.0.keys().copied().collect()
        }
    }

    /// A right value for the option of each rule.
    fn setting(rule: &schema::Rule) -> Setting {
        let example = if let Kind::Address(address) = rule.kind { address.example } else { "text" };
        let given = ["true", "7", "7s", example].into_iter().map(|text| rule.kind.read(text));
        let given = given.chain([Given::Text("text".to_owned())]);
        let right = given.filter_map(|given| rule.kind.check(given, Some(Path::new("/")), true).ok()).next();
        right.unwrap_or_else(|| panic!("no value is right for `{}`", rule.name))
    }

    #[test]
    fn the_schema_has_all_built_in_engines() {
        let known: Vec<_> = schema::ENGINES.iter().map(|(name, _)| *name).collect();
        let built_in: Vec<_> = memo_text::BUILT_IN.iter().map(|engine| engine.name).collect();
        assert_eq!(known, built_in);
    }
}
