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
    in_use: Option<InUse>,
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
    /// It is no call but a renewal behind one. Only what comes of its body is told.
    renews: bool,
}

/// What answered a call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answered {
    /// The engine of this name.
    By(&'static str),
    /// The engine of this name, with a result that was not fresh any more.
    Stale(&'static str),
    /// Another call's computation.
    Waited,
    /// Its own computation.
    Computed,
    /// A computation failed, its own or that of another call, and a result in the engine of this name answered that was not fresh
    /// any more.
    Instead(Failed, &'static str),
}

/// Whose computation failed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Failed {
    /// The call's own. Its body came to an end.
    Own,
    /// The call's own, by a panic.
    Panicked,
    /// Another call's, for which it waited.
    Another,
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
            renews: false,
        });
        Call { directive, options, log, in_use }
    }

    /// What of it holds for a renewal behind it as well, if anything does.
    pub(crate) fn for_renewal(&self) -> Option<Box<Call>> {
        let Call { options, in_use, .. } = self;
        let is_asked = *options != OfCall::default() || in_use.is_some();
        is_asked.then(|| {
            Box::new(Call { directive: None, options: options.clone(), log: None, in_use: in_use.clone() })
        })
    }

    /// What a renewal behind a call is made with, that tells those who listen. `asked` is what holds for it, if anything does.
    pub(crate) fn renewing(
        asked: Option<Box<Call>>,
        function: &'static str,
        key: impl FnOnce() -> Option<String>,
    ) -> Option<Box<Call>> {
        if !event::is_heard() {
            return asked;
        }
        let mut call = match asked {
            Some(asked) => asked,
            None => Box::new(Call { directive: None, options: OfCall::default(), log: None, in_use: None }),
        };
        call.log = Some(Log {
            function,
            recordings: Vec::new(),
            heard: true,
            key: key(),
            begun: Instant::now(),
            answered: None,
            stored: false,
            renews: true,
        });
        Some(call)
    }

    pub(crate) fn writes(&self) -> bool {
        self.directive != Some(Directive::ReadOnly)
    }

    /// Whether it looks for results of any age, and its computation is to be timed.
    pub(crate) fn asks_of_age(&self) -> bool {
        self.options.asks_of_age()
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
        if let Some(log) = self.log.as_ref().filter(|log| log.heard && !log.renews) {
            event::tell_of(&Event::Miss { function: log.function }, log.key.as_deref());
        }
    }

    /// Records how the call was answered. Listeners are told when the call is dropped. `took` is the time of its own
    /// computation, if there was one.
    pub(crate) fn answered(&mut self, by: Answered, took: Option<Duration>) {
        if let Some(log) = &mut self.log {
            let time = match by {
                Answered::By(engine) => log.write(Answer::Hit, Some(engine), false),
                Answered::Stale(engine) => log.write(Answer::Hit, Some(engine), true),
                Answered::Waited => log.write(Answer::Waited, None, false),
                Answered::Computed => log.write(Answer::Computed, None, false),
                Answered::Instead(Failed::Own, engine) => log.write(Answer::Computed, Some(engine), true),
                Answered::Instead(Failed::Panicked, engine) => log.write(Answer::Hit, Some(engine), true),
                Answered::Instead(Failed::Another, engine) => log.write(Answer::Waited, Some(engine), true),
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
                log.write(Answer::Unfinished, None, false);
            }
            if log.heard {
                log.tell();
            }
        }
    }
}

impl Log {
    /// Records the call. Gives how long it has taken.
    fn write(&self, answer: Answer, engine: Option<&'static str>, stale: bool) -> Duration {
        let &Log { function, begun, .. } = self;
        let time = begun.elapsed();
        let call = RecordedCall { function, answer, engine, stale, time };
        self.recordings.iter().for_each(|recording| recording.add(call.clone()));
        time
    }

    fn tell(&self) {
        let &Log { function, begun, renews, .. } = self;
        if renews && !matches!(self.answered, Some((Answered::Computed, _))) {
            return;
        }
        let tell = |event| event::tell_of(&event, self.key.as_deref());
        match self.answered {
            Some((Answered::By(engine), time)) => tell(Event::Hit { function, engine, time, stale: false }),
            Some((Answered::Stale(engine), time)) => tell(Event::Hit { function, engine, time, stale: true }),
            Some((Answered::Waited | Answered::Instead(Failed::Another, _), time)) => {
                tell(Event::Miss { function });
                tell(Event::Waited { function, time });
            }
            Some((Answered::Computed | Answered::Instead(Failed::Own, _), time)) => {
                tell(Event::Computed { function, time });
            }
            Some((Answered::Instead(Failed::Panicked, _), _)) => {}
            None => tell(Event::Unfinished { function, time: begun.elapsed() }),
        }
        if let Some((Answered::Instead(..), _)) = self.answered {
            tell(Event::StaleInstead { function });
        }
        if self.stored {
            tell(Event::Stored { function });
        }
    }
}
