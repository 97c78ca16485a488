//! What the scopes in force say of one call.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::realm::Realm;
use super::recording::{Answer, RecordedCall, Recording};
use super::variants::Lease;
use super::{Names, stack};
use crate::directive::kind::Directive;
use crate::event::{self, Event};

/// What is asked of one call.
#[derive(Default)]
pub(crate) struct Asked {
    pub(crate) directive: Option<Directive>,
    pub(crate) ttl: Option<Duration>,
    pub(crate) place: Place,
    pub(crate) recordings: Vec<Recording>,
    /// Somebody listens.
    pub(crate) heard: bool,
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
                let Asked { directive, ttl, place, recordings, .. } = &mut asked;
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

/// Where a call is written down, and what is told of it when it is over.
#[derive(Debug)]
struct Log {
    function: &'static str,
    recordings: Vec<Recording>,
    /// Somebody listens.
    heard: bool,
    /// In words, where the function shows its keys.
    key: Option<String>,
    begun: Instant,
    /// How it was answered, and how long that took; of a computation, how long its body took.
    answered: Option<(Answered, Duration)>,
    stored: bool,
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
        let Asked { directive, ttl, recordings, heard, .. } = asked;
        let log = (heard || !recordings.is_empty()).then(|| Log {
            function,
            recordings,
            heard,
            key: None,
            begun: Instant::now(),
            answered: None,
            stored: false,
        });
        Call { directive, ttl, log, _lease: lease }
    }

    pub(crate) fn writes(&self) -> bool {
        self.directive != Some(Directive::ReadOnly)
    }

    /// Whether somebody listens to it.
    pub(crate) fn is_heard(&self) -> bool {
        self.log.as_ref().is_some_and(|log| log.heard)
    }

    /// Its key, in words.
    pub(crate) fn shows(&mut self, key: Option<String>) {
        if let Some(log) = &mut self.log {
            log.key = key;
        }
    }

    /// Tells that it found nothing, and computes.
    pub(crate) fn missed(&self) {
        if let Some(log) = self.log.as_ref().filter(|log| log.heard) {
            event::tell_of(&Event::Miss { function: log.function }, log.key.as_deref());
        }
    }

    /// Writes down how the call ended. Those who listen are told when all of it is over. `took` is the time of its
    /// computation, if it was that.
    pub(crate) fn answered(&mut self, by: Answered, took: Option<Duration>) {
        if let Some(log) = &mut self.log {
            let time = match by {
                Answered::By(engine) => log.write(Answer::Hit, Some(engine)),
                Answered::Waited => log.write(Answer::Waited, None),
                Answered::Computed => log.write(Answer::Computed, None),
            };
            log.answered = Some((by, took.unwrap_or(time)));
        }
    }

    /// Its result was stored.
    pub(crate) fn stored(&mut self) {
        if let Some(log) = &mut self.log {
            log.stored = true;
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(log) = &self.log {
            if log.answered.is_none() {
                log.write(Answer::Unfinished, None);
            }
            if log.heard {
                log.tell();
            }
        }
    }
}

impl Log {
    /// Gives how long the call has taken.
    fn write(&self, answer: Answer, engine: Option<&'static str>) -> Duration {
        let &Log { function, begun, .. } = self;
        let time = begun.elapsed();
        let call = RecordedCall { function, answer, engine, time };
        self.recordings.iter().for_each(|recording| recording.add(call.clone()));
        time
    }

    fn tell(&self) {
        let &Log { function, begun, .. } = self;
        let tell = |event| event::tell_of(&event, self.key.as_deref());
        match self.answered {
            Some((Answered::By(engine), time)) => tell(Event::Hit { function, engine, time }),
            Some((Answered::Waited, time)) => {
                tell(Event::Miss { function });
                tell(Event::Waited { function, time });
            }
            Some((Answered::Computed, time)) => tell(Event::Computed { function, time }),
            None => tell(Event::Unfinished { function, time: begun.elapsed() }),
        }
        if self.stored {
            tell(Event::Stored { function });
        }
    }
}
