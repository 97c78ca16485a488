//! What the guard of an engine reports, told to people and to those who listen.

use memo_engines::Calls;
use memo_engines::guarded::Event as Happened;

use crate::event::{self, Event};

/// Tells what has happened to the engine called `name`. People are told as often as the guard counts it as news, and what it
/// means for them.
pub(crate) fn tell(name: &str, happened: &Happened<'_>) {
    let engine = name.to_owned();
    match *happened {
        Happened::Opened { calls, error, times, .. } => {
            let cause =
                std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
            let error = format!("{error}{cause}");
            event::tell_soon(move || {
                let writes = calls == Calls::Writes;
                if let Some(times) = times {
                    let then = match writes {
                        false => "functions do without it until it is back",
                        true => "nothing more is kept there until it can be written again",
                    };
                    let often = if times > 1 {
                        format!(" ({times} times since this was said)")
                    } else {
                        String::new()
                    };
                    let message = format!("the engine \"{engine}\" failed to {error}; {then}{often}");
                    crate::warn::warn_of(&engine, &message);
                }
                event::tell(&Event::CircuitOpened { engine: &engine, writes, error: &error });
            });
        }
        Happened::Closed { calls, after, reported, .. } => event::tell_soon(move || {
            let writes = calls == Calls::Writes;
            if reported {
                let back = if writes { "can be written again" } else { "is back" };
                let message = format!("the engine \"{engine}\" {back} after {after:.1?}");
                crate::warn::warn_of(&engine, &message);
            }
            event::tell(&Event::CircuitClosed { engine: &engine, writes, after });
        }),
        _ => {}
    }
}
