//! What a program says about configuration itself.

use std::panic::Location;
use std::path::PathBuf;

use super::layer::SectionName;
use super::problem::Origin;
use super::source::Reader;
use super::value::Value;

/// What a program says about configuration itself, for [`init`](crate::init): values, which go over those of files and
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
    pub(super) file: Option<PathBuf>,
    pub(super) search: Option<PathBuf>,
    said: Vec<(Said, &'static Location<'static>)>,
}

#[derive(Debug, Clone)]
enum Said {
    Option(SectionName, String, Value),
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
        self.say(Said::Option(SectionName::Defaults, option.into(), value.into()), Location::caller())
    }

    /// Sets an option of the section `[engines.name]`.
    #[track_caller]
    pub fn engine(self, name: impl Into<String>, option: impl Into<String>, value: impl Into<Value>) -> Self {
        self.say(
            Said::Option(SectionName::Engine(name.into()), option.into(), value.into()),
            Location::caller(),
        )
    }

    /// Sets an option of the section `[functions."pattern"]`.
    #[track_caller]
    pub fn function(
        self,
        pattern: impl Into<String>,
        option: impl Into<String>,
        value: impl Into<Value>,
    ) -> Self {
        let section = SectionName::Function(pattern.into());
        self.say(Said::Option(section, option.into(), value.into()), Location::caller())
    }

    fn say(mut self, said: Said, at: &'static Location<'static>) -> Self {
        self.said.push((said, at));
        self
    }

    /// Reads what is said into a layer.
    pub(super) fn read(&self, reader: &mut Reader<'_>) {
        for (said, at) in &self.said {
            match said {
                Said::Text(text) => reader.text(text, |line| Origin::Code {
                    file: at.file(),
                    // the call itself is on the line above the first of a text that begins there
                    line: at.line() + u32::try_from(line - 1).unwrap_or(0),
                }),
                Said::Option(section, option, value) => {
                    let origin = Origin::Code { file: at.file(), line: at.line() };
                    reader.option(section, option, origin, |_| value.0.clone());
                }
            }
        }
    }
}
