//! Which of its caches a function uses for a call: the choice that the scopes in force make.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use super::options::OfRecord;
use super::realm::Realm;
use crate::settings::Settings;

/// A cache of a function: by default the one that it has outside of all scopes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Choice {
    pub(super) realm: Option<Arc<Realm>>,
    pub(super) namespace: Option<Arc<str>>,
    pub(super) options: OfRecord,
}

impl Choice {
    /// Whether it is another than the function's own.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.is_apart() || self.options != OfRecord::default()
    }

    /// Whether results in it are others than those of the function's own cache.
    pub(super) fn is_apart(&self) -> bool {
        self.realm.is_some() || self.namespace.is_some()
    }

    /// The isolation; 0 where it is not isolated.
    pub(super) fn realm_id(&self) -> u64 {
        self.realm.as_ref().map_or(0, |realm| realm.id)
    }

    /// What tells its results from the function's own in engines that outlive the process.
    pub(super) fn far_name(&self) -> Option<Vec<u8>> {
        let namespace = self.namespace.as_deref();
        match &self.realm {
            Some(realm) => {
                Some([b"isolated ", &realm.token[..], namespace.unwrap_or_default().as_bytes()].concat())
            }
            None => namespace.map(|namespace| [b"namespace ", namespace.as_bytes()].concat()),
        }
    }

    /// The settings of a function in this cache, if they differ from its `own`.
    pub(crate) fn settings(&self, own: &Settings) -> Option<Settings> {
        let OfRecord { engines, fallback } = &self.options;
        let mut settings = own.clone();
        match (engines, &self.realm) {
            (Some(engines), _) if **engines == ["auto"] => settings.engine = None,
            (Some(engines), _) => settings.engine = Some(or_memory(known(engines))),
            // isolated tests do not touch the disk, even if the function does
            (None, Some(_)) => settings.engine = Some(or_memory(Vec::new())),
            (None, None) if fallback.is_none() => return None,
            (None, None) => {}
        }
        if let Some(fallback) = fallback {
            settings.fallback = Some(if **fallback == ["none"] { Vec::new() } else { known(fallback) });
        }
        Some(settings)
    }
}

/// Names of engines in settings.
type Engines = Vec<Cow<'static, str>>;

fn or_memory(engines: Engines) -> Engines {
    if engines.is_empty() { vec!["memory".into()] } else { engines }
}

/// Those of `engines` that exist. So a scope cannot make more variants than there are combinations of engines.
fn known(engines: &[String]) -> Engines {
    let (known, unknown): (Vec<_>, Vec<_>) =
        engines.iter().cloned().partition(|engine| crate::route::usable::is_known(engine, crate::far::KNOWN));
    unknown.iter().for_each(|engine| say_unknown(engine));
    known.into_iter().map(Cow::Owned).collect()
}

/// Says once that a scope asks for an engine that does not exist.
fn say_unknown(name: &str) {
    /// At most so many names are said.
    const MOST_SAID: usize = 32;
    static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    if said.len() < MOST_SAID && !said.iter().any(|said| said == name) {
        said.push(name.to_owned());
        drop(said);
        crate::warn::warn(&format!(
            "a scope asks for the engine \"{name}\", which is not registered: it is left out"
        ));
    }
}
