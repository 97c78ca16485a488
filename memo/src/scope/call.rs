//! What a call carries of what was asked of it, and how it ended: for recordings, and for those who listen.

use std::time::{Duration, Instant};

use super::asked::Asked;
use super::options::OfCall;
use super::recording::{Answer, RecordedCall, Recording};
use super::variants::InUse;
use crate::directive::kind::Directive;
use crate::event::{self, Event};

/// What a call carries of what was asked of it, until it ends.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) directive: Option<Directive>,
    /// What scopes say of its options.
    pub(crate) options: OfCall,
    log: Option<Log>,
    /// Its record is given to no other namespace meanwhile. Last, so that it is dropped last.
    _in_use: Option<InUse>,
}

/// Where a call is recorded, and what listeners are told when it is over.
#[derive(Debug)]
struct Log {
    function: &'static str,
    recordings: Vec<Recording>,
    /// Somebody listens to events.
    heard: bool,
    /// The key in words, if the function shows its keys.
    key: Option<String>,
    begun: Instant,
    /// How it was answered, and how long that took. For a computation, how long the body took.
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
    /// Its own computation.
    Computed,
}

impl Call {
    pub(crate) fn new(asked: Asked, function: &'static str, in_use: Option<InUse>) -> Self {
        let Asked { directive, options, recordings, heard, .. } = asked;
        let log = (heard || !recordings.is_empty()).then(|| Log {
            function,
            recordings,
            heard,
            key: None,
            begun: Instant::now(),
            answered: None,
            stored: false,
        });
        Call { directive, options, log, _in_use: in_use }
    }

    pub(crate) fn writes(&self) -> bool {
        self.directive != Some(Directive::ReadOnly)
    }

    /// Whether somebody listens to it.
    pub(crate) fn is_heard(&self) -> bool {
        self.log.as_ref().is_some_and(|log| log.heard)
    }

    /// Notes its key in words.
    pub(crate) fn shows(&mut self, key: Option<String>) {
        if let Some(log) = &mut self.log {
            log.key = key;
        }
    }

    /// Tells listeners that it found nothing and computes.
    pub(crate) fn missed(&self) {
        if let Some(log) = self.log.as_ref().filter(|log| log.heard) {
            event::tell_of(&Event::Miss { function: log.function }, log.key.as_deref());
        }
    }

    /// Records how the call was answered. Listeners are told when the call is dropped. `took` is the time of its own
    /// computation, if there was one.
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

    /// Notes that its result was stored.
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
    /// Records the call. Gives how long it has taken.
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
