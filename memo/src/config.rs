//! Settings from a file, from the environment and from code, over those of the attribute.
//!
//! The file that the variable `MEMO_CONFIG` names, or [`init`], variables such as `MEMO_DEFAULTS__CAPACITY`, and
//! [`init`] itself set what `#[memoize]` left open, and what it said. Sources are read once, when the first
//! memoized function is called; each function takes its settings when it is first called, and a call pays nothing for it.
//! [`config()`](crate::config()) tells each value and where it comes from, [`reload`] takes what has
//! changed. The guide's page *configuration* lists every option.

mod apply;
#[cfg(any(feature = "disk", feature = "redis"))]
mod engines;
mod lines;
mod problem;
mod provenance;
mod raised;
mod schema;
mod slip;
mod source;
mod sources;
mod trust;
mod value;

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use apply::Change;
pub(crate) use apply::{reconfigure, shown};
#[cfg(feature = "disk")]
pub(crate) use engines::disk;
#[cfg(feature = "redis")]
pub(crate) use engines::redis;
pub use problem::{ConfigError, Origin, Problem};
pub use provenance::{Configuration, Row, config};
pub use value::Value;

use crate::registry;
use crate::settings::Settings;
use source::{Layer, Place, Reader};
use sources::Sources;

/// What a program says about configuration itself, for [`init`]: values, which go over those of files and
/// environment, and which file to read.
///
/// ```
/// use std::time::Duration;
///
/// memo::init(
///     memo::Config::new()
///         .defaults("capacity", 50_000)
///         .engine("disk", "max_size", "2GiB")
///         .function("app::rates::*", "ttl", Duration::from_secs(30)),
/// )?;
/// # Ok::<(), memo::config::ConfigError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Config {
    file: Option<PathBuf>,
    search: Option<PathBuf>,
    said: Vec<(Said, &'static Location<'static>)>,
}

#[derive(Debug, Clone)]
enum Said {
    Option(Place, String, Value),
    Text(String),
}

impl Config {
    /// Nothing: files and environment as they are.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads this file in place of what `MEMO_CONFIG` names. It has to be there, and
    /// to be trusted: a regular file of at most 1 MiB, of the user's or of root's, that nobody else may write.
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some(path.into());
        self
    }

    /// Reads `memo.toml` in this directory, `"."` being the working directory, if it is there and no file is named: neither
    /// by [`file`](Self::file) nor by `MEMO_CONFIG`. It has to be trusted, as a file that is named.
    ///
    /// No directory is searched without being asked for. A program that is started in a directory of somebody else's, as
    /// tools on a command line are, would do as that one says.
    ///
    /// ```
    /// memo::init(memo::Config::new().search("."))?;
    /// # Ok::<(), memo::config::ConfigError>(())
    /// ```
    pub fn search(mut self, directory: impl Into<PathBuf>) -> Self {
        self.search = Some(directory.into());
        self
    }

    /// A whole configuration, as it would stand in a file. It goes over files and environment.
    #[track_caller]
    pub fn toml(self, text: impl Into<String>) -> Self {
        self.say(Said::Text(text.into()), Location::caller())
    }

    /// Sets an option of the section `[defaults]`.
    #[track_caller]
    pub fn defaults(self, option: impl Into<String>, value: impl Into<Value>) -> Self {
        self.say(Said::Option(Place::Defaults, option.into(), value.into()), Location::caller())
    }

    /// Sets an option of the section `[engines.name]`.
    #[track_caller]
    pub fn engine(self, name: impl Into<String>, option: impl Into<String>, value: impl Into<Value>) -> Self {
        self.say(Said::Option(Place::Engine(name.into()), option.into(), value.into()), Location::caller())
    }

    /// Sets an option of the section `[functions."pattern"]`.
    #[track_caller]
    pub fn function(
        self,
        pattern: impl Into<String>,
        option: impl Into<String>,
        value: impl Into<Value>,
    ) -> Self {
        let place = Place::Function(pattern.into());
        self.say(Said::Option(place, option.into(), value.into()), Location::caller())
    }

    fn say(mut self, said: Said, at: &'static Location<'static>) -> Self {
        self.said.push((said, at));
        self
    }

    fn read(&self, reader: &mut Reader<'_>) {
        for (said, at) in &self.said {
            match said {
                Said::Text(text) => reader.text(text, |line| Origin::Code {
                    file: at.file(),
                    // the call itself is on the line above the first of a text that begins there
                    line: at.line() + u32::try_from(line - 1).unwrap_or(0),
                }),
                Said::Option(place, option, value) => {
                    let origin = Origin::Code { file: at.file(), line: at.line() };
                    reader.option(place, option, origin, |_| value.0.clone());
                }
            }
        }
    }
}

/// What is configured, from the lowest source to the highest.
#[derive(Debug)]
pub(crate) struct Loaded {
    generation: u64,
    layers: [Layer; 3],
}

impl Loaded {
    /// Reads all sources; beside it all that is wrong with them.
    fn read(code: &Config, strict: bool) -> (Self, Vec<Problem>) {
        let sources = Sources::of(code, std::env::var_os("MEMO_CONFIG"), raised::is_raised());
        sources.tell(code);
        let mut problems = Vec::new();
        let mut file = Reader::new(&mut problems, strict);
        if let Some((path, required)) = &sources.file {
            file.file(path, *required);
        }
        let file = file.finish();
        let mut environment = Reader::new(&mut problems, strict);
        if sources.environment {
            environment.environment(std::env::vars_os());
        }
        let environment = environment.finish();
        let mut said = Reader::new(&mut problems, strict);
        code.read(&mut said);
        let layers = [file, environment, said.finish()];
        (Loaded { generation: 0, layers }, problems)
    }

    /// Takes note that a function of this name has run.
    fn used(&self, name: &str) {
        for functions in self.layers.iter().flat_map(|layer| &layer.functions) {
            if !functions.used.load(Ordering::Relaxed) && functions.pattern.matches(name) {
                functions.used.store(true, Ordering::Relaxed);
            }
        }
    }

    /// What sets an option of an engine.
    fn engine(&self, name: &str, option: &str) -> Option<&source::Placed> {
        self.layers.iter().rev().find_map(|layer| layer.engines.get(name)?.get(option))
    }
}

struct State {
    loaded: Option<Arc<Loaded>>,
    /// What [`init`] was given.
    code: Option<Config>,
}

static STATE: Mutex<State> = Mutex::new(State { loaded: None, code: None });
/// Of what is loaded; 0 is what was read without being asked to.
static GENERATION: AtomicU64 = AtomicU64::new(0);

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Which configuration it is: another number after each that was loaded.
pub(crate) fn generation() -> u64 {
    GENERATION.load(Ordering::Acquire)
}

/// What is configured; read now if nobody has yet, and what is wrong with it is said.
fn current() -> Arc<Loaded> {
    if let Some(loaded) = &state().loaded {
        return loaded.clone();
    }
    let (loaded, problems) = Loaded::read(&Config::new(), false);
    let mut state = state();
    if let Some(loaded) = &state.loaded {
        return loaded.clone();
    }
    let loaded = state.loaded.insert(Arc::new(loaded)).clone();
    drop(state);
    problems.iter().for_each(|problem| crate::warn::error(&format!("{problem}; it is left out")));
    loaded
}

/// Reads and takes what is configured, and has every function that has run go by it.
fn take(code: Option<Config>) -> Result<Changes, ConfigError> {
    let (code, strict) = match code {
        Some(code) => (code, true),
        None => {
            let code = state().code.clone();
            let strict = code.is_some();
            (code.unwrap_or_default(), strict)
        }
    };
    let (mut loaded, problems) = Loaded::read(&code, strict);
    if !problems.is_empty() {
        return Err(ConfigError { problems });
    }
    let mut state = state();
    let before = state.loaded.clone();
    loaded.generation = generation() + 1;
    GENERATION.store(loaded.generation, Ordering::Release);
    let loaded = state.loaded.insert(Arc::new(loaded)).clone();
    if strict {
        state.code = Some(code);
    }
    drop(state);
    let mut changes = before.map(|before| of_engines(&before, &loaded)).unwrap_or_default();
    changes.extend(registry::all().into_iter().flat_map(|memo| reconfigure(memo.configured())));
    // a generic function has a record for each instantiation, and they change alike
    changes.dedup();
    Ok(Changes { changes })
}

/// What is said otherwise about engines that are in use, which keep what they were made with.
fn of_engines(before: &Loaded, after: &Loaded) -> Vec<Change> {
    let shown = |placed: Option<&source::Placed>| {
        placed.map_or_else(|| "default".to_owned(), |placed| placed.setting.to_string())
    };
    let mut changes = Vec::new();
    for name in crate::far::named::names() {
        for rule in schema::engine(&name) {
            let (old, new) = (before.engine(&name, rule.name), after.engine(&name, rule.name));
            if old.map(|old| &old.setting) != new.map(|new| &new.setting) {
                changes.push(Change {
                    subject: format!("engines.{name}"),
                    option: rule.name,
                    old: shown(old),
                    new: shown(new),
                    origin: new.map_or(Origin::Default, |new| new.origin.clone()),
                    applied: false,
                });
            }
        }
    }
    changes
}

/// Takes what the program, the environment and the file say, once and for all mistakes at once. Called first in a
/// program, before memoized functions are; where it is not called, files and environment are read all the same, and what
/// is wrong with them is logged and left out.
///
/// Engines of the program's own are registered before. A second call replaces what the first has said.
///
/// # Errors
///
/// If anything is wrong, with all of it: file, line and key, and what to write. Then everything is as it was before.
///
/// ```
/// let error = memo::init(memo::Config::new().defaults("capcity", 100)).unwrap_err();
/// assert!(error.to_string().contains("defaults.capcity: there is no such option; did you mean `capacity`?"));
/// ```
pub fn init(config: Config) -> Result<(), ConfigError> {
    take(Some(config)).map(drop)
}

/// Reads the file and the environment again, and has functions that have run go by what has changed: lifetimes,
/// capacity, whether they are enabled, and their engines. Entries that still fit stay.
///
/// A call that is under way goes by the old or by the new settings.
///
/// # Errors
///
/// If anything is wrong, with all of it. Then everything is as it was before.
///
/// ```
/// let changes = memo::reload()?;
/// changes.iter().for_each(|change| println!("{change}"));
/// # Ok::<(), memo::config::ConfigError>(())
/// ```
pub fn reload() -> Result<Changes, ConfigError> {
    take(None)
}

/// What [`reload`] has changed. It prints one change a line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    changes: Vec<Change>,
}

impl Changes {
    /// Each of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Change> {
        self.changes.iter()
    }

    /// Whether nothing has changed.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

impl<'a> IntoIterator for &'a Changes {
    type Item = &'a Change;
    type IntoIter = std::slice::Iter<'a, Change>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.changes.iter().try_for_each(|change| writeln!(f, "{change}"))
    }
}

/// What the function called `name`, by `author`, is to go by.
pub(crate) fn settings<'a>(name: &str, author: &'a Settings) -> Cow<'a, Settings> {
    current().settings(name, author)
}
