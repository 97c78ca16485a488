//! How a renewal behind a call owns what the call has: found by the types of the arguments.
//!
//! Generated code asks `(&&&Argument::<fn(T)>::NEW).way()` for each argument, and method resolution finds the first impl whose
//! bounds hold, as it does for [results](crate::outcome). Bounds do not tell `'static` from another lifetime there. But a
//! function pointer shows whether its argument borrows: for a `View` that hides a lifetime, `fn(View)` is `for<'a> fn(View<'a>)`,
//! which is no `fn(T)` for any one `T`.

use std::borrow::Borrow;
use std::convert::Infallible;
use std::future::Future;
use std::marker::PhantomData;

use crate::call::Task;

/// The type of an argument, as that of a function which takes it, to be asked how the argument can be owned.
pub struct Argument<F>(PhantomData<F>);

impl<F> Clone for Argument<F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F> Copy for Argument<F> {}

impl<F> Argument<F> {
    /// Stands for the type; there is nothing else to it.
    pub const NEW: Self = Argument(PhantomData);
}

impl<F> std::fmt::Debug for Argument<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(std::any::type_name::<F>())
    }
}

/// What is referred to is owned, as a `String` for a `&str`.
pub struct Referred<U: ?Sized>(PhantomData<fn(&U)>);

/// A clone is owned.
pub struct Cloned<T>(PhantomData<fn(T)>);

/// It cannot be owned.
#[derive(Debug, Clone, Copy)]
pub struct Lent;

impl<U: ?Sized + ToOwned<Owned: Send> + 'static> Referred<U> {
    /// Whether it can be owned.
    pub const fn can(&self) -> bool {
        true
    }

    /// It, owned.
    pub fn own(&self, argument: &&U) -> Option<U::Owned> {
        Some((*argument).to_owned())
    }

    /// As the body takes it.
    pub fn lend<'o>(&self, owned: &'o mut Option<U::Owned>) -> &'o U {
        owned.as_ref().expect("it is owned").borrow()
    }
}

impl<T: Clone + Send + 'static> Cloned<T> {
    /// Whether it can be owned.
    pub const fn can(&self) -> bool {
        true
    }

    /// It, owned.
    pub fn own(&self, argument: &T) -> Option<T> {
        Some(argument.clone())
    }

    /// As the body takes it.
    ///
    /// # Panics
    ///
    /// The second time.
    pub fn lend(&self, owned: &mut Option<T>) -> T {
        owned.take().expect("a body runs once")
    }
}

impl Lent {
    /// Whether it can be owned.
    pub const fn can(&self) -> bool {
        false
    }

    /// Nothing.
    pub fn own<T>(&self, _: &T) -> Option<Infallible> {
        None
    }

    /// Never comes to it.
    ///
    /// # Panics
    ///
    /// Always.
    pub fn lend<T>(&self, _: &mut Option<Infallible>) -> T {
        unreachable!("what cannot be owned is not renewed behind the call")
    }
}

/// The ways to own an argument, first to last. Generated code imports these traits for one expression.
pub mod own {
    use super::*;

    /// A reference.
    pub trait ByReference {
        /// The way found.
        type Way;
        /// Finds it.
        fn way(self) -> Self::Way;
    }
    impl<U: ?Sized + ToOwned<Owned: Send> + 'static> ByReference for &&Argument<fn(&U)> {
        type Way = Referred<U>;
        fn way(self) -> Referred<U> {
            Referred(PhantomData)
        }
    }

    /// What can be cloned.
    pub trait ByClone {
        /// The way found.
        type Way;
        /// Finds it.
        fn way(self) -> Self::Way;
    }
    impl<T: Clone + Send + 'static> ByClone for &Argument<fn(T)> {
        type Way = Cloned<T>;
        fn way(self) -> Cloned<T> {
            Cloned(PhantomData)
        }
    }

    /// Anything else.
    pub trait ByNone {
        /// Finds that there is no way.
        fn way(self) -> Lent;
    }
    impl<F> ByNone for Argument<F> {
        fn way(self) -> Lent {
            Lent
        }
    }
}

/// The type of a body's future, to be asked whether it may be moved to another thread.
pub struct Body<F>(PhantomData<fn() -> F>);

impl<F: Future> Body<F> {
    /// That of what `body` gives, which is not called.
    pub fn of(_body: impl FnOnce() -> F) -> Self {
        Body(PhantomData)
    }
}

impl<F> std::fmt::Debug for Body<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(std::any::type_name::<F>())
    }
}

/// The ways to have a future run behind the call, first to last. Generated code imports these traits for one expression.
pub mod hand_over {
    use super::*;

    /// One that may be moved to another thread.
    pub trait Sent {
        /// Whether it may.
        fn can(&self) -> bool;
        /// A future that runs such a one.
        fn task<R, T: Future<Output = R> + Send + 'static>(&self, task: T) -> Task<R>;
    }
    impl<F: Future + Send> Sent for &Body<F> {
        fn can(&self) -> bool {
            true
        }
        fn task<R, T: Future<Output = R> + Send + 'static>(&self, task: T) -> Task<R> {
            Box::pin(task)
        }
    }

    /// Any other.
    pub trait Kept {
        /// Whether it may.
        fn can(&self) -> bool;
        /// Never comes to it.
        fn task<R, T: Future<Output = R>>(&self, _: T) -> Task<R> {
            unreachable!("what stays on its thread is not renewed behind the call")
        }
    }
    impl<F> Kept for Body<F> {
        fn can(&self) -> bool {
            false
        }
    }
}
