//! Settings from a file, from the environment and from code, over those of the attribute.
//!
//! The file that the variable `MEMO_CONFIG` names, or [`init`], variables such as `MEMO_DEFAULTS__CAPACITY`, and
//! [`init`] itself set what `#[memoize]` left open, and what it said. Sources are read once, when the first
//! memoized function is called; each function takes its settings when it is first called, and a call pays nothing for it.
//! [`config()`](crate::config()) tells each value and where it comes from, [`reload()`] takes what has
//! changed. The guide's page *configuration* lists every option.

mod change;
mod effect;
#[cfg(feature = "engines")]
#[cfg_attr(not(feature = "disk"), allow(dead_code, reason = "a build may have no built-in engine"))]
mod engines;
mod kind;
mod layer;
mod lines;
mod loaded;
mod options;
mod problem;
mod process;
mod provenance;
mod raised;
mod registered;
mod reload;
mod said;
mod schema;
mod slip;
mod source;
mod sources;
mod state;
mod trust;
mod value;

pub use change::{Change, Changes};
#[cfg(feature = "engines")]
pub(crate) use engines::EngineSettings;
pub use problem::{ConfigError, Origin, Problem};
pub use provenance::{Configuration, Row, config};
pub(crate) use reload::reconfigure;
pub use reload::{init, reload};
pub use said::Config;
pub(crate) use state::{generation, settings};
pub use value::Value;
