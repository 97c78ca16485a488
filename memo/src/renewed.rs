//! How a renewal behind a call owns what the call has: found by the types of the arguments.
//!
//! Generated code asks `(&&Argument::<T>::NEW).way()` for each argument, and method resolution finds the first impl whose bounds
//! hold, as it does for [results](crate::outcome). A lifetime is not told apart by that, so generated code asks only of types
//! in which none is hidden.

use std::borrow::Borrow;
use std::convert::Infallible;
use std::future::Future;
use std::marker::PhantomData;

use crate::call::Task;

/// The type of an argument, to be asked how it can be owned.
pub struct Argument<T>(PhantomData<fn(T)>);

impl<T> Argument<T> {
    /// Stands for the type; there is nothing else to it.
    pub const NEW: Self = Argument(PhantomData);
}

impl<T> std::fmt::Debug for Argument<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(std::any::type_name::<T>())
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
    impl<U: ?Sized + ToOwned<Owned: Send> + 'static> ByReference for &&Argument<&U> {
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
    impl<T: Clone + Send + 'static> ByClone for &Argument<T> {
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
    impl<T> ByNone for Argument<T> {
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
