//! A strategy of rules for types and names.

use std::any::TypeId;
use std::fmt;
use std::sync::Arc;

use super::contract::Strategy;
use super::default::DefaultStrategy;
use super::profile::FunctionProfile;
use crate::names::EngineNames;
use crate::pattern::Pattern;
use crate::plan::Plan;

/// Rules for types and names, first to last; [`DefaultStrategy`], or another, for all they do not cover.
///
/// ```
/// use memo::TypeStrategy;
///
/// # #[derive(Clone)] struct Thumbnail;
/// # struct UserId(u64);
/// memo::set_strategy(
///     TypeStrategy::new()
///         .value::<Thumbnail>("disk")
///         .key::<UserId>(["memory", "redis"])
///         .function("app::reports::*", ["memory", "disk"]),
/// );
/// ```
#[derive(Default)]
pub struct TypeStrategy {
    rules: Vec<Rule>,
    otherwise: Option<Box<dyn Strategy>>,
}

struct Rule {
    matches: Matches,
    engines: Vec<String>,
    why: String,
}

enum Matches {
    Value(Vec<TypeId>),
    Key(TypeId),
    Name(Pattern),
}

impl TypeStrategy {
    /// No rules yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn rule(mut self, matches: Matches, engines: impl EngineNames, why: String) -> Self {
        self.rules.push(Rule { matches, engines: engines.into_names(), why });
        self
    }

    /// Results of type `T` live in `engines`; so do results of type `Option<T>`, `Arc<T>`, `Box<T>` and
    /// `Option<Arc<T>>`. Of a `Result` it is the `Ok` that counts.
    #[must_use]
    pub fn value<T: 'static>(self, engines: impl EngineNames) -> Self {
        let ids = [
            TypeId::of::<T>(),
            TypeId::of::<Option<T>>(),
            TypeId::of::<Arc<T>>(),
            TypeId::of::<Box<T>>(),
            TypeId::of::<Option<Arc<T>>>(),
        ];
        let why = format!("a rule of the strategy is for results of type `{}`", std::any::type_name::<T>());
        self.rule(Matches::Value(ids.into()), engines, why)
    }

    /// Results under keys of type `T`, or with an argument of type `T` among others in the key, live in `engines`. Of
    /// a borrowed argument it is the owned type that counts: `String` for `&str`.
    #[must_use]
    pub fn key<T: 'static>(self, engines: impl EngineNames) -> Self {
        let why = format!("a rule of the strategy is for keys with a `{}`", std::any::type_name::<T>());
        self.rule(Matches::Key(TypeId::of::<T>()), engines, why)
    }

    /// Results of functions whose name matches `pattern` live in `engines`. A `*` stands for any run of characters, `::`
    /// included.
    #[must_use]
    pub fn function(self, pattern: impl Into<String>, engines: impl EngineNames) -> Self {
        let pattern = Pattern::new(pattern);
        let why = format!("a rule of the strategy is for functions named `{}`", pattern.as_str());
        self.rule(Matches::Name(pattern), engines, why)
    }

    /// With a strategy for what no rule covers.
    #[must_use]
    pub fn otherwise(mut self, strategy: impl Strategy) -> Self {
        self.otherwise = Some(Box::new(strategy));
        self
    }
}

impl Strategy for TypeStrategy {
    fn plan(&self, function: &FunctionProfile<'_>) -> Plan {
        let fits = |rule: &&Rule| match &rule.matches {
            Matches::Value(ids) => ids.contains(&function.types.value.id),
            Matches::Key(id) => function.has_key_id(*id),
            Matches::Name(pattern) => pattern.matches(function.name),
        };
        match (self.rules.iter().find(fits), &self.otherwise) {
            (Some(rule), _) => Plan::on(&rule.engines[..]).because(&rule.why),
            (None, Some(otherwise)) => otherwise.plan(function),
            (None, None) => DefaultStrategy.plan(function),
        }
    }
}

impl fmt::Debug for TypeStrategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules = self.rules.iter().map(|rule| format!("{}: {}", rule.why, rule.engines.join(", ")));
        f.debug_struct("TypeStrategy").field("rules", &rules.collect::<Vec<_>>()).finish_non_exhaustive()
    }
}
