//! What of a function's result is stored, found from its type.
//!
//! A name can be an alias, so nothing here looks at names: generated code calls
//! `(&&&Shape::<R>::NEW).outcome()`, and method resolution finds the first impl whose bounds hold.

use std::convert::Infallible;
use std::marker::PhantomData;

use crate::unanswered::Unanswered;

/// What the near stores hold, and what callers of one computation share.
pub trait Value: Clone + Send + Sync + 'static {}
impl<T: Clone + Send + Sync + 'static> Value for T {}

/// How results of type `R` are stored and handed out.
pub trait Outcome<R>: Copy + 'static {
    /// What is stored of a result.
    type Stored: Clone + 'static;
    /// What callers that waited for a failed computation get.
    type Failure: Clone + 'static;
    /// What to store of `result`, cloned; `None` for a failure.
    fn stored(self, result: &R) -> Option<Self::Stored>;
    /// The failure that `result` is, cloned; `None` where it cannot be cloned.
    fn failure(self, result: &R) -> Option<Self::Failure>;
    /// Whether those who waited for `result` can have it, as a value or as a failure.
    fn is_shared(self, _result: &R) -> bool {
        true
    }
    /// Whether `result` is an `Err`, in place of which an older result may answer.
    fn is_failure(self, _result: &R) -> bool {
        false
    }
    /// The result that a stored value stands for.
    fn hit(self, stored: Self::Stored) -> R;
    /// The result that a failure stands for.
    fn failed(self, failure: Self::Failure) -> R;
    /// The result of a call whose body has none, for one of these reasons; `None` where the function has no error for it.
    fn unanswered(self, _why: Unanswered) -> Option<R> {
        None
    }
    /// Whether what is stored is itself an error, with a lifetime of its own (`cache_err`).
    fn is_error(self, _stored: &Self::Stored) -> bool {
        false
    }
}

/// One whose values are at home in any thread.
pub trait SharedOutcome<R>: Outcome<R, Stored: Value, Failure: Value> {}
impl<R, O: Outcome<R, Stored: Value, Failure: Value>> SharedOutcome<R> for O {}

/// The whole result is stored, whatever it is.
#[derive(Debug, Clone, Copy)]
pub struct Whole;

impl<R: Clone + 'static> Outcome<R> for Whole {
    type Stored = R;
    type Failure = Infallible;
    #[inline]
    fn stored(self, result: &R) -> Option<R> {
        Some(result.clone())
    }
    fn failure(self, _: &R) -> Option<Infallible> {
        None
    }
    #[inline(always)]
    fn hit(self, stored: R) -> R {
        stored
    }
    fn failed(self, failure: Infallible) -> R {
        match failure {}
    }
}

/// How a primitive result is stored.
#[inline(always)]
pub fn whole<R: crate::key::by_copy::Primitive>() -> Whole {
    Whole
}

/// `Ok` is stored; those who waited for an `Err` do not get it, since it cannot be cloned.
#[derive(Debug, Clone, Copy)]
pub struct OnlyOk;

impl<T: Clone + 'static, E> Outcome<Result<T, E>> for OnlyOk {
    type Stored = T;
    type Failure = Infallible;
    #[inline]
    fn stored(self, result: &Result<T, E>) -> Option<T> {
        result.as_ref().ok().cloned()
    }
    fn failure(self, _: &Result<T, E>) -> Option<Infallible> {
        None
    }
    fn is_shared(self, result: &Result<T, E>) -> bool {
        result.is_ok()
    }
    fn is_failure(self, result: &Result<T, E>) -> bool {
        result.is_err()
    }
    #[inline(always)]
    fn hit(self, stored: T) -> Result<T, E> {
        Ok(stored)
    }
    fn failed(self, failure: Infallible) -> Result<T, E> {
        match failure {}
    }
}

/// `Ok` is stored; an `Err` is handed to those who waited for it.
#[derive(Debug, Clone, Copy)]
pub struct OkAndSharedErr;

impl<T: Value, E: Value> Outcome<Result<T, E>> for OkAndSharedErr {
    type Stored = T;
    type Failure = E;
    #[inline]
    fn stored(self, result: &Result<T, E>) -> Option<T> {
        result.as_ref().ok().cloned()
    }
    fn failure(self, result: &Result<T, E>) -> Option<E> {
        result.as_ref().err().cloned()
    }
    fn is_failure(self, result: &Result<T, E>) -> bool {
        result.is_err()
    }
    #[inline(always)]
    fn hit(self, stored: T) -> Result<T, E> {
        Ok(stored)
    }
    fn failed(self, failure: E) -> Result<T, E> {
        Err(failure)
    }
}

/// `Ok` and `Err` are stored (`cache_err`).
#[derive(Debug, Clone, Copy)]
pub struct OkAndErr;

impl<T: Clone + 'static, E: Clone + 'static> Outcome<Result<T, E>> for OkAndErr {
    type Stored = Result<T, E>;
    type Failure = Infallible;
    #[inline]
    fn stored(self, result: &Result<T, E>) -> Option<Result<T, E>> {
        Some(result.clone())
    }
    fn failure(self, _: &Result<T, E>) -> Option<Infallible> {
        None
    }
    #[inline(always)]
    fn hit(self, stored: Result<T, E>) -> Result<T, E> {
        stored
    }
    fn failed(self, failure: Infallible) -> Result<T, E> {
        match failure {}
    }
    fn is_failure(self, result: &Result<T, E>) -> bool {
        result.is_err()
    }
    fn is_error(self, stored: &Result<T, E>) -> bool {
        stored.is_err()
    }
}

/// Stored values that may be `None`, for `cache_none = false`.
#[diagnostic::on_unimplemented(
    message = "`cache_none` is for functions that return `Option<T>` or `Result<Option<T>, E>`",
    label = "what is stored is `{Self}`, which is never `None`"
)]
pub trait MaybeNone {
    /// Whether this is `None`.
    fn is_none(&self) -> bool;
}
impl<T> MaybeNone for Option<T> {
    fn is_none(&self) -> bool {
        Option::is_none(self)
    }
}
impl<T, E> MaybeNone for Result<Option<T>, E> {
    fn is_none(&self) -> bool {
        matches!(self, Ok(None))
    }
}

/// The type of a function's results, to be asked for its [`Outcome`].
pub struct Shape<R>(PhantomData<fn() -> R>);

impl<R> Shape<R> {
    /// Stands for the type; there is nothing else to it.
    pub const NEW: Self = Shape(PhantomData);
}

impl<R> std::fmt::Debug for Shape<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(std::any::type_name::<R>())
    }
}

/// What stands for the outcome of results that cannot be stored. It is one, so that the one error is about [`Keeps`].
#[derive(Debug, Clone, Copy)]
pub struct NotStorable;

impl<R> Outcome<R> for NotStorable {
    type Stored = Infallible;
    type Failure = Infallible;
    fn stored(self, _: &R) -> Option<Infallible> {
        None
    }
    fn failure(self, _: &R) -> Option<Infallible> {
        None
    }
    fn hit(self, stored: Infallible) -> R {
        match stored {}
    }
    fn failed(self, failure: Infallible) -> R {
        match failure {}
    }
}

/// Says to the compiler what is wrong with a result: none of type `R` is kept, for there is no impl.
#[diagnostic::on_unimplemented(
    message = "results of type `{R}` cannot be kept in memory",
    label = "needs `Clone + Send + Sync + 'static` (of a `Result`, its `Ok`)",
    note = "derive `Clone`, or give a type parameter the bounds `Clone + Send + Sync + 'static`; return an `Arc<T>` for what cannot be cloned or is dear to clone",
    note = "what is not `Send`, an `Rc` say, can be kept by `engine = \"thread\"`: in a table of each thread's own"
)]
pub trait Keeps<R> {}

/// Says to the compiler what is wrong with a result under `cache_err`, for there is no impl.
#[diagnostic::on_unimplemented(
    message = "errors in results of type `{R}` cannot be kept in memory",
    label = "`cache_err` needs a `Result<T, E>`, with both `T` and `E`: `Clone + Send + Sync + 'static`",
    note = "derive `Clone` for the error, keep it in an `Arc`, or remove `cache_err`"
)]
pub trait KeepsErrors<R> {}

/// Says to the compiler what is wrong with a result that is to stay on its thread.
#[diagnostic::on_unimplemented(
    message = "results of type `{R}` cannot be kept in a thread's table",
    label = "needs `Clone + 'static` (of a `Result`, its `Ok`)",
    note = "derive `Clone`, or give a type parameter the bounds `Clone + 'static`; return an `Rc<T>` for what cannot be cloned or is dear to clone"
)]
pub trait KeepsHere<R> {}

/// Says to the compiler what is wrong with a result that is to stay on its thread, under `cache_err`.
#[diagnostic::on_unimplemented(
    message = "errors in results of type `{R}` cannot be kept in a thread's table",
    label = "`cache_err` needs a `Result<T, E>`, with both `T` and `E`: `Clone + 'static`",
    note = "derive `Clone` for the error, keep it in an `Rc`, or remove `cache_err`"
)]
pub trait KeepsErrorsHere<R> {}

/// What keeps results, in errors.
#[derive(Debug)]
pub struct Cache;

/// The last ways to an outcome: for a `Result` whose error is not shared, and for other results `$value`. What is in errors
/// is not among them, so that these show no macro of ours.
macro_rules! last_ways {
    ($($value:tt)+) => {
        /// Any other `Result`.
        pub trait Fallible {
            /// The outcome found.
            type Outcome;
            /// Finds it.
            fn outcome(self) -> Self::Outcome;
        }
        impl<T: $($value)+, E> Fallible for &&Shape<Result<T, E>> {
            type Outcome = OnlyOk;
            #[inline(always)]
            fn outcome(self) -> OnlyOk {
                OnlyOk
            }
        }

        /// Anything else that can be stored.
        pub trait Storable {
            /// The outcome found.
            type Outcome;
            /// Finds it.
            fn outcome(self) -> Self::Outcome;
        }
        impl<R: $($value)+> Storable for &Shape<R> {
            type Outcome = Whole;
            #[inline(always)]
            fn outcome(self) -> Whole {
                Whole
            }
        }
    };
}

/// The way to an outcome of `cache_err` for results `$value`.
macro_rules! ways_with_errors {
    ($($value:tt)+) => {
        /// A `Result`.
        pub trait Fallible {
            /// The outcome found.
            type Outcome;
            /// Finds it.
            fn outcome(self) -> Self::Outcome;
        }
        impl<T: $($value)+, E: $($value)+> Fallible for &Shape<Result<T, E>> {
            type Outcome = OkAndErr;
            #[inline(always)]
            fn outcome(self) -> OkAndErr {
                OkAndErr
            }
        }
    };
}

/// The ways to an [`Outcome`], first to last. Generated code imports these traits for one expression.
pub mod shape {
    use super::*;

    /// A `Result` whose error can be shared.
    pub trait SharedError {
        /// The outcome found.
        type Outcome;
        /// Finds it.
        fn outcome(self) -> Self::Outcome;
    }
    impl<T: Value, E: Value> SharedError for &&&Shape<Result<T, E>> {
        type Outcome = OkAndSharedErr;
        #[inline(always)]
        fn outcome(self) -> OkAndSharedErr {
            OkAndSharedErr
        }
    }

    last_ways!(Value);

    /// Nothing found.
    pub trait Unfit {
        /// What stands for the outcome.
        type Outcome;
        /// The result's type.
        type Of;
        /// Gives it; an error.
        fn outcome(self) -> Self::Outcome
        where
            Cache: Keeps<Self::Of>;
    }
    impl<R> Unfit for Shape<R> {
        type Outcome = NotStorable;
        type Of = R;
        fn outcome(self) -> NotStorable
        where
            Cache: Keeps<R>,
        {
            NotStorable
        }
    }
}

/// The ways to the [`Outcome`] of `cache_err`, first to last.
pub mod shape_with_errors {
    use super::*;

    ways_with_errors!(Value);

    /// Nothing found.
    pub trait Unfit {
        /// What stands for the outcome.
        type Outcome;
        /// The result's type.
        type Of;
        /// Gives it; an error.
        fn outcome(self) -> Self::Outcome
        where
            Cache: KeepsErrors<Self::Of>;
    }
    impl<R> Unfit for Shape<R> {
        type Outcome = NotStorable;
        type Of = R;
        fn outcome(self) -> NotStorable
        where
            Cache: KeepsErrors<R>,
        {
            NotStorable
        }
    }
}

/// The ways to the [`Outcome`] of a function whose results stay on their thread: nobody waits for them.
pub mod shape_here {
    use super::*;

    last_ways!(Clone + 'static);

    /// Nothing found.
    pub trait Unfit {
        /// What stands for the outcome.
        type Outcome;
        /// The result's type.
        type Of;
        /// Gives it; an error.
        fn outcome(self) -> Self::Outcome
        where
            Cache: KeepsHere<Self::Of>;
    }
    impl<R> Unfit for Shape<R> {
        type Outcome = NotStorable;
        type Of = R;
        fn outcome(self) -> NotStorable
        where
            Cache: KeepsHere<R>,
        {
            NotStorable
        }
    }
}

/// The ways to the [`Outcome`] of `cache_err` for such a function.
pub mod shape_with_errors_here {
    use super::*;

    ways_with_errors!(Clone + 'static);

    /// Nothing found.
    pub trait Unfit {
        /// What stands for the outcome.
        type Outcome;
        /// The result's type.
        type Of;
        /// Gives it; an error.
        fn outcome(self) -> Self::Outcome
        where
            Cache: KeepsErrorsHere<Self::Of>;
    }
    impl<R> Unfit for Shape<R> {
        type Outcome = NotStorable;
        type Of = R;
        fn outcome(self) -> NotStorable
        where
            Cache: KeepsErrorsHere<R>,
        {
            NotStorable
        }
    }
}
