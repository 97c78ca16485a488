//! Which causes of failure have been reported. Each cause is reported once, and then at growing intervals
//! with how often it occurred.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::lock::lock;

/// How long a reported cause is not reported again: at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(3600));
/// How many causes are remembered.
const MOST: usize = 16;

#[derive(Default)]
pub(super) struct Causes(Mutex<Vec<Cause>>);

struct Cause {
    words: String,
    /// It is not reported again before this.
    next: Instant,
    pause: Duration,
    /// How often it occurred since it was reported.
    times: u64,
}

impl Causes {
    /// Notes a failure at `now`. Returns `Some` if it should be reported, with how often it occurred since
    /// the last report.
    pub(super) fn report(&self, error: &Error, now: Instant) -> Option<u64> {
        let words = words(error);
        let mut causes = lock(&self.0);
        if let Some(cause) = causes.iter_mut().find(|cause| cause.words == words) {
            cause.times += 1;
            if now < cause.next {
                return None;
            }
            // After a quiet time as long as the last pause, the intervals begin anew.
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

/// The text by which causes are compared: the kind and the source of the error, or the error itself where
/// it has no source. Digits are not compared.
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
        // Another cause is reported by itself. A cause that is back after a day is reported again.
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
