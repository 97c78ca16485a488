//! Environment variables.

use std::ffi::OsString;

use super::Reader;
use crate::config::kind::Kind;
use crate::config::layer::SectionName;
use crate::config::problem::Origin;
use crate::config::slip;
use crate::config::value::Given;

impl Reader<'_> {
    /// The variables whose names begin with `MEMO_`.
    pub(in crate::config) fn environment(&mut self, variables: impl Iterator<Item = (OsString, OsString)>) {
        let mut variables: Vec<_> =
            variables.filter_map(|(name, value)| Some((name.into_string().ok()?, value))).collect();
        variables.sort();
        for (name, value) in variables {
            if let Some(key) = name.strip_prefix("MEMO_") {
                self.variable(&name, key, value);
            }
        }
    }

    fn variable(&mut self, name: &str, key: &str, value: OsString) {
        let origin = || Origin::Variable(name.to_owned());
        let key = key.to_lowercase();
        let parts: Vec<_> = key.split("__").collect();
        match parts[..] {
            ["functions"] => match value.into_string() {
                Ok(text) => self.inline_functions(&text, origin()),
                Err(_) => self.wrong(origin(), "functions", "the value is not UTF-8 text"),
            },
            ["functions", ..] => self.wrong(
                origin(),
                "functions",
                "the name of a variable has no room for that of a function: \
                 set MEMO_FUNCTIONS to '{ \"app::rates::*\" = { ttl = \"30s\" } }'",
            ),
            ["defaults", option] => {
                self.set(&SectionName::Defaults, option, origin(), |kind| text(kind, value))
            }
            ["engines", engine, option] => {
                let section = SectionName::Engine(engine.to_owned());
                self.option(&section, option, origin(), |kind| text(kind, value));
            }
            ["defaults", ..] => {
                self.wrong(origin(), "defaults", "write it such as MEMO_DEFAULTS__CAPACITY");
            }
            ["engines", ..] => {
                self.wrong(origin(), "engines", "write it such as MEMO_ENGINES__DISK__PATH");
            }
            _ if name == "MEMO_CONFIG" => {}
            _ => {
                if let Some(message) = slip::variable(&key) {
                    self.wrong(origin(), "", message);
                }
            }
        }
    }
}

/// What an environment variable says to an option.
fn text(kind: Kind, value: OsString) -> Given {
    match value.into_string() {
        Ok(text) => kind.read(&text),
        Err(bytes) => Given::Path(bytes.into()),
    }
}
