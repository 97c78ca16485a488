//! The strategy: which engines the results of a function live in, where its author names none.
//!
//! It is asked once for each instantiation, before its first call, and is told what is known then: a
//! [`FunctionProfile`]. What it answers is a wish. The runtime takes out of it what cannot be had (an engine that is
//! not registered, one that needs bytes for types that cannot become bytes) and says so in the plan, so that a strategy
//! cannot answer anything that would not work.

use std::any::TypeId;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use memo_engines::{Capability, Reach};

use crate::far::fingerprint::Shape;
use crate::names::EngineNames;
use crate::pattern::Pattern;
use crate::plan::Plan;
use crate::settings::Settings;

/// Decides where the results of functions live that name no engine, or `engine = "auto"`.
///
/// Implement it, or write it as a closure; delegate to [`DefaultStrategy`] what it has no opinion on.
///
/// ```
/// use memo::{DefaultStrategy, FunctionProfile, Plan, Strategy};
///
/// memo::set_strategy(|function: &FunctionProfile| {
///     if function.name().starts_with("app::thumbnails::") {
///         Plan::on(["memory", "disk"]).because("thumbnails are dear to make")
///     } else {
///         DefaultStrategy.plan(function)
///     }
/// });
/// ```
///
/// It is asked once for each function (each instantiation of a generic one), at its first call, and by `plan()` before
/// that. A strategy that panics is answered for by [`DefaultStrategy`].
pub trait Strategy: Send + Sync + 'static {
    /// Where the results of `function` should live, and why. What cannot be had is left out, and said in the plan.
    fn plan(&self, function: &FunctionProfile<'_>) -> Plan;
}

impl<F: Fn(&FunctionProfile<'_>) -> Plan + Send + Sync + 'static> Strategy for F {
    fn plan(&self, function: &FunctionProfile<'_>) -> Plan {
        self(function)
    }
}

/// Takes `strategy` for all functions that name no engine and have not been called yet. Those that have been keep
/// their plan: what they have stored stays where it is looked for.
pub fn set_strategy(strategy: impl Strategy) {
    let strategy: Arc<dyn Strategy> = Arc::new(strategy);
    let former = STRATEGY.write().unwrap_or_else(PoisonError::into_inner).replace(strategy);
    // may run code of the user's
    drop(former);
}

static STRATEGY: RwLock<Option<Arc<dyn Strategy>>> = RwLock::new(None);

/// What is known of a type when the program is compiled.
#[derive(Debug, Clone, Copy)]
pub struct TypeProfile {
    id: TypeId,
    name: &'static str,
    size: usize,
    serializable: bool,
}

impl TypeProfile {
    pub(crate) fn of<T: 'static>(serializable: bool) -> Self {
        TypeProfile {
            id: TypeId::of::<T>(),
            name: std::any::type_name::<T>(),
            size: size_of::<T>(),
            serializable,
        }
    }

    /// Its name, as [`std::any::type_name`] gives it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Its size in memory, without what it points at.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Whether its values can leave the process: `Serialize` for keys, and for results `DeserializeOwned` too. Of a
    /// type parameter this is known only where the function demands it in its bounds.
    pub fn is_serializable(&self) -> bool {
        self.serializable
    }

    /// Whether it is `T`.
    pub fn is<T: 'static>(&self) -> bool {
        self.id == TypeId::of::<T>()
    }
}

/// What strategies are told about the types of a function.
#[derive(Debug, Clone)]
pub struct Profiles {
    pub(crate) key: TypeProfile,
    /// The parts of a key that has several.
    pub(crate) parts: Vec<(TypeId, &'static str)>,
    pub(crate) value: TypeProfile,
    /// How results are read, if they can be.
    pub(crate) shape: Option<fn() -> Shape>,
}

impl Profiles {
    /// Why results cannot leave the process, if they cannot.
    pub(crate) fn lacks(&self) -> Option<String> {
        let lacking = |what: &str, of: &TypeProfile, lacks: &str| format!("{what} `{}` {lacks}", of.name);
        if !self.value.serializable {
            Some(lacking("results of type", &self.value, "cannot be written and read (serde)"))
        } else if !self.key.serializable {
            Some(lacking("keys of type", &self.key, "cannot be written (serde)"))
        } else {
            None
        }
    }
}

/// An engine that a plan may name.
#[derive(Debug, Clone)]
pub struct EngineProfile {
    pub(crate) name: String,
    pub(crate) capability: Capability,
}

impl EngineProfile {
    /// The name under which it is registered.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it can do.
    pub fn capability(&self) -> &Capability {
        &self.capability
    }
}

/// What is known of a function before its first call.
#[derive(Debug)]
pub struct FunctionProfile<'a> {
    pub(crate) name: &'a str,
    pub(crate) settings: &'a Settings,
    pub(crate) types: &'a Profiles,
    pub(crate) engines: Vec<EngineProfile>,
}

impl FunctionProfile<'_> {
    /// Crate, module path, type and function; or what the option `name` says.
    pub fn name(&self) -> &str {
        self.name
    }

    /// The type of its keys, as they are kept: borrowed arguments owned, several as a tuple.
    pub fn key(&self) -> &TypeProfile {
        &self.types.key
    }

    /// Whether `T` is the type of its keys, or of a part of them.
    pub fn has_key<T: 'static>(&self) -> bool {
        self.has_key_id(TypeId::of::<T>())
    }

    fn has_key_id(&self, id: TypeId) -> bool {
        self.types.key.id == id || self.types.parts.iter().any(|(part, _)| *part == id)
    }

    /// The type of its results, as they are kept: of a `Result` the `Ok`.
    pub fn value(&self) -> &TypeProfile {
        &self.types.value
    }

    /// Whether keys and results can become bytes, which an engine that outlives the process needs.
    pub fn can_outlive(&self) -> bool {
        self.types.lacks().is_none()
    }

    /// Whether it is an `async fn`.
    pub fn is_async(&self) -> bool {
        self.settings.is_async
    }

    /// The lifetime that its author asked for.
    pub fn ttl(&self) -> Option<Duration> {
        self.settings.ttl
    }

    /// `persist = true`: results should outlive the process.
    pub fn persist(&self) -> bool {
        self.settings.hints.persist
    }

    /// `shared = true`: results should be shared by machines.
    pub fn shared(&self) -> bool {
        self.settings.hints.shared
    }

    /// `large = true`: results are too large for memory.
    pub fn large(&self) -> bool {
        self.settings.hints.large
    }

    /// The engines beside memory that are there now, in alphabetical order.
    pub fn engines(&self) -> &[EngineProfile] {
        &self.engines
    }

    /// The first engine by `order` of those that `fit`.
    fn engine<O: Ord>(
        &self,
        fit: impl Fn(&Capability) -> bool,
        order: impl Fn(&Capability) -> O,
    ) -> Option<&str> {
        let fitting = self.engines.iter().filter(|engine| fit(&engine.capability));
        fitting.min_by_key(|engine| order(&engine.capability)).map(EngineProfile::name)
    }
}

/// The strategy where no other is set, which goes by the hints:
///
/// * `persist = true`: memory over the engine of nearest reach that keeps what it has when the process ends, such as
///   `disk`;
/// * `shared = true`: memory over an engine that other machines see;
/// * `large = true`: not in memory; in the engine of those hints, or in whichever the machine has;
/// * none: memory.
///
/// A hint that cannot be followed leaves memory, and the plan says why.
#[derive(Debug, Clone, Copy, Default)]
pub struct DefaultStrategy;

impl Strategy for DefaultStrategy {
    fn plan(&self, function: &FunctionProfile<'_>) -> Plan {
        let (persist, shared, large) = (function.persist(), function.shared(), function.large());
        if !(persist || shared || large) {
            return Plan::nearest();
        }
        let hints = [("persist", persist), ("shared", shared), ("large", large)];
        let hints: Vec<_> =
            hints.iter().filter(|(_, given)| *given).map(|(hint, _)| format!("`{hint} = true`")).collect();
        let (ask, hints) = (if hints.len() == 1 { "asks" } else { "ask" }, hints.join(" and "));
        let for_what = match (shared, persist) {
            (true, _) => "results that other machines see",
            (false, true) => "results that outlive the process",
            (false, false) => "results to be kept out of memory",
        };
        let why = format!("{hints} {ask} for {for_what}");
        if let Some(lacks) = function.types.lacks() {
            return Plan::on("memory").because(format!("{why}, but {lacks}, so memory is all that is left"));
        }
        let found = if shared {
            function.engine(|engine| engine.reach == Reach::Fleet, |engine| persist && !engine.persistent)
        } else if persist {
            function.engine(|engine| engine.persistent, |engine| engine.reach)
        } else {
            function.engine(|engine| engine.reach >= Reach::Machine, |engine| engine.reach)
        };
        match found {
            None => Plan::on("memory")
                .because(format!("{why}, but no such engine is registered, so memory is all that is left")),
            Some(engine) if large => Plan::on(engine).because(why),
            Some(engine) => Plan::on(["memory", engine]).because(why),
        }
    }
}

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

/// What the strategy wishes for the function.
pub(crate) fn ask(function: &FunctionProfile<'_>) -> Plan {
    // a copy, so that it does not run under the lock
    let strategy = STRATEGY.read().unwrap_or_else(PoisonError::into_inner).clone();
    let Some(strategy) = strategy else { return DefaultStrategy.plan(function) };
    catch_unwind(AssertUnwindSafe(|| strategy.plan(function))).unwrap_or_else(|_| {
        DefaultStrategy.plan(function).because("the strategy panicked, and the default one answered for it")
    })
}
