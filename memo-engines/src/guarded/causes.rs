//! What people have been told of an engine's failures, so that they hear of each cause once, and now and then how often it
//! happened since.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::lock::lock;

/// How long after a cause was told it is told again at the earliest: at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(3600));
/// How many causes are told apart.
const MOST: usize = 16;

#[derive(Default)]
pub(super) struct Causes(Mutex<Vec<Cause>>);

struct Cause {
    words: String,
    /// Not told again before this.
    next: Instant,
    pause: Duration,
    /// How often it happened since it was told.
    times: u64,
}

impl Causes {
    /// Notes that a failure happened at `now`. `Some` if people should hear of it, with how often it happened since they
    /// last did.
    pub(super) fn report(&self, error: &Error, now: Instant) -> Option<u64> {
        let words = words(error);
        let mut causes = lock(&self.0);
        if let Some(cause) = causes.iter_mut().find(|cause| cause.words == words) {
            cause.times += 1;
            if now < cause.next {
                return None;
            }
            // What has been well for as long again begins anew.
            let grown = if now < cause.next + cause.pause { cause.pause * 2 } else { PAUSES.0 };
            cause.pause = grown.min(PAUSES.1);
            cause.next = now + cause.pause;
            return Some(std::mem::take(&mut cause.times));
        }
        if causes.len() >= MOST
            && let Some(oldest) = (0..causes.len()).min_by_key(|at| causes[*at].next)
        {
            causes.swap_remove(oldest);
        }
        causes.push(Cause { words, next: now + PAUSES.0, pause: PAUSES.0, times: 0 });
        Some(1)
    }
}

/// What makes a cause the same: what lies behind the error, whatever was attempted. Numbers in it are not told apart.
fn words(error: &Error) -> String {
    let said = match std::error::Error::source(error) {
        Some(cause) => format!("{:?} {cause}", error.kind()),
        None => error.to_string(),
    };
    said.chars().map(|char| if char.is_ascii_digit() { '0' } else { char }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_cause_is_told_once_and_then_at_growing_intervals_with_how_often_it_happened() {
        let causes = Causes::default();
        let begun = Instant::now();
        let full = || Error::new(ErrorKind::Full, "write").caused_by("no space left");
        let at = |tenths: u64| begun + Duration::from_millis(100 * tenths);
        // Six openings a second for three hours.
        let heard: Vec<_> = (0..3 * 36_000)
            .step_by(2)
            .filter_map(|now| causes.report(&full(), at(now)).map(|times| (now / 10, times)))
            .collect();
        let seconds: Vec<_> = heard.iter().map(|(second, _)| *second).collect();
        assert_eq!(seconds, [0, 10, 30, 70, 150, 310, 630, 1270, 2550, 5110, 8710]);
        assert_eq!(heard[..3], [(0, 1), (10, 50), (30, 100)]);
        // Another cause is another matter, and one that is back after a day is news.
        assert_eq!(causes.report(&Error::new(ErrorKind::Timeout, "write"), at(9000)), Some(1));
        let day = begun + Duration::from_secs(24 * 3600);
        assert!(causes.report(&full(), day).is_some());
        assert_eq!(causes.report(&full(), day + Duration::from_secs(5)), None);
        assert_eq!(causes.report(&full(), day + Duration::from_secs(11)), Some(2));
    }

    #[test]
    fn the_causes_that_are_remembered_are_bounded() {
        let causes = Causes::default();
        let now = Instant::now();
        for cause in 'a'..='z' {
            let error = Error::new(ErrorKind::Other, cause.to_string());
            assert_eq!(causes.report(&error, now), Some(1));
        }
        assert_eq!(causes.0.lock().unwrap().len(), MOST);
    }
}
