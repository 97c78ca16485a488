//! Outcomes of functions whose calls may have no result of their body, and have an error that tells so.

use crate::outcome::{Cache, Outcome, Shape};
use crate::unanswered::{Limited, TimedOut, Unanswered};

/// An outcome of a function whose computations can be given up.
#[derive(Debug, Clone, Copy)]
pub struct TimesOut<O>(O);

/// The methods of an outcome that are those of the one within.
macro_rules! as_within {
    ($result:ty) => {
        type Stored = O::Stored;
        type Failure = O::Failure;
        #[inline]
        fn stored(self, result: &$result) -> Option<O::Stored> {
            self.0.stored(result)
        }
        fn failure(self, result: &$result) -> Option<O::Failure> {
            self.0.failure(result)
        }
        fn is_shared(self, result: &$result) -> bool {
            self.0.is_shared(result)
        }
        fn is_failure(self, result: &$result) -> bool {
            self.0.is_failure(result)
        }
        #[inline(always)]
        fn hit(self, stored: O::Stored) -> $result {
            self.0.hit(stored)
        }
        fn failed(self, failure: O::Failure) -> $result {
            self.0.failed(failure)
        }
        fn is_error(self, stored: &O::Stored) -> bool {
            self.0.is_error(stored)
        }
    };
}

/// An outcome of a function that turns calls away which are over a limit.
#[derive(Debug, Clone, Copy)]
pub struct TurnsAway<O>(O);

impl<T, E: From<Limited>, O: Outcome<Result<T, E>>> Outcome<Result<T, E>> for TurnsAway<O> {
    as_within!(Result<T, E>);

    fn unanswered(self, why: Unanswered) -> Option<Result<T, E>> {
        match why {
            Unanswered::Limited => Some(Err(Limited.into())),
            why => self.0.unanswered(why),
        }
    }
}

impl<T, E: From<TimedOut>, O: Outcome<Result<T, E>>> Outcome<Result<T, E>> for TimesOut<O> {
    as_within!(Result<T, E>);

    fn unanswered(self, why: Unanswered) -> Option<Result<T, E>> {
        match why {
            Unanswered::TimedOut => Some(Err(TimedOut.into())),
            why => self.0.unanswered(why),
        }
    }
}

/// Says to the compiler what is wrong with the result of a function that has a `timeout`, for there is no impl.
#[diagnostic::on_unimplemented(
    message = "results of type `{R}` cannot say that a computation was given up",
    label = "`timeout` needs a `Result` whose error is `From<memo::TimedOut>`",
    note = "write `impl From<memo::TimedOut>` for the error, or remove `timeout`"
)]
pub trait TellsTimeout<R> {}

/// The ways to the outcome of a function that has a `timeout`. Generated code imports these traits for one expression.
pub mod times_out {
    use super::*;

    /// A `Result` whose error can say it.
    pub trait Told {
        /// The outcome, with that error.
        fn times_out<O>(self, outcome: O) -> TimesOut<O>;
    }
    impl<T, E: From<TimedOut>> Told for &Shape<Result<T, E>> {
        fn times_out<O>(self, outcome: O) -> TimesOut<O> {
            TimesOut(outcome)
        }
    }

    /// Anything else.
    pub trait Untold {
        /// The result's type.
        type Of;
        /// Gives the outcome; an error.
        fn times_out<O>(self, outcome: O) -> O
        where
            Cache: TellsTimeout<Self::Of>;
    }
    impl<R> Untold for Shape<R> {
        type Of = R;
        fn times_out<O>(self, outcome: O) -> O
        where
            Cache: TellsTimeout<R>,
        {
            outcome
        }
    }
}

/// Says to the compiler what is wrong with the result of a function that turns calls away, for there is no impl.
#[diagnostic::on_unimplemented(
    message = "results of type `{R}` cannot say that a call was over a limit",
    label = "`limit_wait = \"none\"` needs a `Result` whose error is `From<memo::Limited>`",
    note = "write `impl From<memo::Limited>` for the error, or remove `limit_wait`"
)]
pub trait TellsLimit<R> {}

/// The ways to the outcome of a function that turns calls away. Generated code imports these traits for one expression.
pub mod turns_away {
    use super::*;

    /// A `Result` whose error can say it.
    pub trait Told {
        /// The outcome, with that error.
        fn turns_away<O>(self, outcome: O) -> TurnsAway<O>;
    }
    impl<T, E: From<Limited>> Told for &Shape<Result<T, E>> {
        fn turns_away<O>(self, outcome: O) -> TurnsAway<O> {
            TurnsAway(outcome)
        }
    }

    /// Anything else.
    pub trait Untold {
        /// The result's type.
        type Of;
        /// Gives the outcome; an error.
        fn turns_away<O>(self, outcome: O) -> O
        where
            Cache: TellsLimit<Self::Of>;
    }
    impl<R> Untold for Shape<R> {
        type Of = R;
        fn turns_away<O>(self, outcome: O) -> O
        where
            Cache: TellsLimit<R>,
        {
            outcome
        }
    }
}
