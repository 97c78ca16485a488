//! The companion of a function that is called with plain values: written here once for all functions.

use std::fmt;
use std::marker::PhantomData;

use crate::call::{self, Ask};
use crate::directive::{Directive, direct};
use crate::error::Error;
use crate::plan::Plan;
use crate::single::Single;
use crate::stats::Stats;
use crate::stored::Stored;

/// What stands beside a memoized function, under its name: its control. It has functions and no values.
///
/// `A` says what the arguments are, as a tuple. They are passed as the function takes them.
///
/// ```
/// #[memo::memoize]
/// fn area(width: u64, height: u64) -> u64 {
///     width * height
/// }
///
/// assert_eq!(area(2, 3), 6);
/// assert_eq!(area::peek(2, 3), Some(6));
/// area::invalidate(2, 3)?;
/// assert_eq!(area::peek(2, 3), None);
/// # Ok::<(), memo::Error>(())
/// ```
///
/// A function whose arguments are of other types than the standard library's, or that is `async`, generic or `unsafe`, has
/// a type of its own with the same functions.
pub struct Companion<S, A> {
    never: std::convert::Infallible,
    of: PhantomData<fn(S, A)>,
}

impl<S, A> fmt::Debug for Companion<S, A> {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.never {}
    }
}

/// How an argument is passed.
pub trait Argument: 'static {
    /// What is passed.
    type Of<'a>;
}

/// An argument that is passed as a value.
#[derive(Debug)]
pub struct Owned<T>(PhantomData<fn() -> T>);

impl<T: 'static> Argument for Owned<T> {
    type Of<'a> = T;
}

/// An argument that is passed as a reference.
#[derive(Debug)]
pub struct Lent<T: ?Sized>(PhantomData<fn() -> Box<T>>);

impl<T: ?Sized + 'static> Argument for Lent<T> {
    type Of<'a> = &'a T;
}

/// How all arguments are passed.
pub trait Arguments: 'static {
    /// What is passed.
    type Of<'a>;
}

/// A function, as its companion sees it.
pub trait Controlled: Sized + 'static {
    /// How the arguments are passed.
    type Arguments: Arguments;
    /// What it returns.
    type Output: 'static;
    /// The function as written.
    const FUNCTION: &'static Single;

    /// Calls the function.
    fn call(arguments: <Self::Arguments as Arguments>::Of<'_>) -> Self::Output;

    /// Puts a question to the entry of these arguments.
    fn ask(ask: Ask<'_, Self::Output>, arguments: <Self::Arguments as Arguments>::Of<'_>);
}

/// Calls the function, where this is asked of it.
fn directed<S: Controlled>(
    directive: Directive,
    arguments: <S::Arguments as Arguments>::Of<'_>,
) -> S::Output {
    direct(&S::FUNCTION.site(), directive, || S::call(arguments))
}

impl<S: Controlled, A> Companion<S, A> {
    /// Drops all entries. What is being computed now is not stored.
    ///
    /// # Errors
    ///
    /// If it was not done in every tier.
    pub fn clear() -> Result<(), Error> {
        S::FUNCTION.clear()
    }

    /// What the function has counted.
    pub fn stats() -> Stats {
        S::FUNCTION.stats()
    }

    /// Where results live, and why.
    pub fn plan() -> Plan {
        S::FUNCTION.site().plan()
    }
}

/// The functions that take arguments, by how many there are: each with the name that it has here.
macro_rules! by_arguments {
    ($($name:ident: $argument:ident),*; $($pattern:tt)*) => {
        impl<$($argument: Argument),*> Arguments for ($($argument,)*) {
            type Of<'a> = ($($argument::Of<'a>,)*);
        }

        #[allow(clippy::too_many_arguments, reason = "as many as the function has")]
        #[allow(clippy::extra_unused_lifetimes, reason = "a function may have no arguments")]
        impl<S: Controlled<Arguments = ($($argument,)*)>, $($argument: Argument),*> Companion<S, ($($argument,)*)> {
            /// Runs the body: neither looks for a result of this call nor stores one. What it calls is memoized as ever.
            pub fn uncached<'call>($($name: $argument::Of<'call>),*) -> S::Output {
                directed::<S>(Directive::Bypass, ($($name,)*))
            }

            /// Computes now, replaces what is stored, and returns the result.
            pub fn refresh<'call>($($name: $argument::Of<'call>),*) -> S::Output {
                directed::<S>(Directive::Refresh, ($($name,)*))
            }

            /// What is stored now. Computes nothing, and counts as no use.
            pub fn peek<'call>($($name: $argument::Of<'call>),*) -> Option<S::Output> {
                call::peek(|ask| S::ask(ask, ($($name,)*))).now()
            }

            /// What is stored now, be it stale, with how old it is, what it cost and which engine has it. Computes nothing, and
            /// counts as no use.
            pub fn peek_entry<'call>($($name: $argument::Of<'call>),*) -> Option<Stored<S::Output>> {
                call::peek_entry(|ask| S::ask(ask, ($($name,)*))).now()
            }

            /// Stores a result, as if it had just been computed.
            ///
            /// # Errors
            ///
            /// If the function's settings do not store this value.
            pub fn insert<'call>($($name: $argument::Of<'call>,)* value: S::Output) -> Result<(), Error> {
                call::insert(value, |ask| S::ask(ask, ($($name,)*))).now()
            }

            /// Drops the entry of these arguments. What is being computed for them now is not stored.
            ///
            /// # Errors
            ///
            /// If it was not done in every tier.
            pub fn invalidate<'call>($($name: $argument::Of<'call>),*) -> Result<(), Error> {
                call::invalidate(|ask| S::ask(ask, ($($name,)*))).now()
            }

            /// Ends the freshness of the entry of these arguments: from now on it is stale, for as long as the option `stale` or
            /// `stale_if_error` says. Without these options it is dropped. What is being computed for them now is not stored.
            ///
            /// # Errors
            ///
            /// If it was not done in every tier.
            pub fn expire<'call>($($name: $argument::Of<'call>),*) -> Result<(), Error> {
                call::expire(|ask| S::ask(ask, ($($name,)*))).now()
            }

            by_arguments! { @warm $($pattern)* ($($name: $argument),*) }
        }
    };
    (@warm none ()) => {};
    (@warm one ($name:ident: $argument:ident)) => {
        /// Computes what is missing of these calls, one after the other.
        pub fn warm<'call>(calls: impl IntoIterator<Item = $argument::Of<'call>>) {
            for argument in calls {
                drop(S::call((argument,)));
            }
        }
    };
    (@warm several ($($name:ident: $argument:ident),*)) => {
        /// Computes what is missing of these calls, one after the other.
        pub fn warm<'call>(calls: impl IntoIterator<Item = ($($argument::Of<'call>,)*)>) {
            for arguments in calls {
                drop(S::call(arguments));
            }
        }
    };
}
by_arguments!(; none);
by_arguments!(a: A; one);
by_arguments!(a: A, b: B; several);
by_arguments!(a: A, b: B, c: C; several);
by_arguments!(a: A, b: B, c: C, d: D; several);
by_arguments!(a: A, b: B, c: C, d: D, e: E; several);
by_arguments!(a: A, b: B, c: C, d: D, e: E, f: F; several);
by_arguments!(a: A, b: B, c: C, d: D, e: E, f: F, g: G; several);
by_arguments!(a: A, b: B, c: C, d: D, e: E, f: F, g: G, h: H; several);
