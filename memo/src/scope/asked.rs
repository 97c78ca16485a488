//! What the scopes in force say of one call.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::realm::Realm;
use super::recording::{Answer, RecordedCall, Recording};
use super::variants::Lease;
use super::{Names, stack};
use crate::directive::Directive;

/// What is asked of one call.
#[derive(Default)]
pub(crate) struct Asked {
    pub(crate) directive: Option<Directive>,
    pub(crate) ttl: Option<Duration>,
    pub(crate) place: Place,
    pub(crate) recordings: Vec<Recording>,
}

/// Which cache of the function: by default the one that it has for all.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    pub(super) realm: Option<Arc<Realm>>,
    pub(super) namespace: Option<Arc<str>>,
    pub(super) engines: Option<Names>,
    pub(super) fallback: Option<Names>,
}

impl Place {
    /// Whether it is another than the function's own.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.is_apart() || self.engines.is_some() || self.fallback.is_some()
    }

    /// Whether results in it are others than those of the function's own cache.
    pub(super) fn is_apart(&self) -> bool {
        self.realm.is_some() || self.namespace.is_some()
    }
}

impl Asked {
    /// What the scopes in force say of calls of the function `name`; none if nothing.
    pub(crate) fn of(name: &str) -> Option<Self> {
        if stack::is_empty() {
            return None;
        }
        stack::look(|layers| {
            let mut asked = Asked::default();
            let mut any = false;
            // innermost first: what is set stays
            for layer in layers.filter(|layer| layer.only.as_ref().is_none_or(|only| only.matches(name))) {
                any = true;
                let Asked { directive, ttl, place, recordings } = &mut asked;
                *directive = directive.or(layer.directive);
                *ttl = ttl.or(layer.ttl);
                set(&mut place.realm, &layer.realm);
                set(&mut place.namespace, &layer.namespace);
                set(&mut place.engines, &layer.engines);
                set(&mut place.fallback, &layer.fallback);
                recordings.extend(layer.recording.clone());
            }
            any.then_some(asked)
        })
    }
}

fn set<T: Clone>(field: &mut Option<T>, layer: &Option<T>) {
    if field.is_none() {
        field.clone_from(layer);
    }
}

/// What a call carries of what was asked of it, until it ends.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) directive: Option<Directive>,
    pub(crate) ttl: Option<Duration>,
    log: Option<Log>,
    /// Its cache is not given to another namespace while it lives. Last, so that it is dropped last.
    _lease: Option<Lease>,
}

/// Where a call is written down.
#[derive(Debug)]
struct Log {
    function: &'static str,
    recordings: Vec<Recording>,
    begun: Instant,
}

/// What answered a call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answered {
    /// The engine of this name.
    By(&'static str),
    /// Another call's computation.
    Waited,
    /// Its own.
    Computed,
}

impl Call {
    pub(crate) fn new(asked: Asked, function: &'static str, lease: Option<Lease>) -> Self {
        let Asked { directive, ttl, recordings, .. } = asked;
        let log = (!recordings.is_empty()).then(|| Log { function, recordings, begun: Instant::now() });
        Call { directive, ttl, log, _lease: lease }
    }

    pub(crate) fn writes(&self) -> bool {
        self.directive != Some(Directive::ReadOnly)
    }

    /// Writes down how the call ended.
    pub(crate) fn answered(&mut self, by: Answered) {
        if let Some(log) = self.log.take() {
            match by {
                Answered::By(engine) => log.write(Answer::Hit, Some(engine)),
                Answered::Waited => log.write(Answer::Waited, None),
                Answered::Computed => log.write(Answer::Computed, None),
            }
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(log) = self.log.take() {
            log.write(Answer::Unfinished, None);
        }
    }
}

impl Log {
    fn write(self, answer: Answer, engine: Option<&'static str>) {
        let Log { function, recordings, begun } = self;
        let call = RecordedCall { function, answer, engine, time: begun.elapsed() };
        recordings.iter().for_each(|recording| recording.add(call.clone()));
    }
}
