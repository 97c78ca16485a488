//! The control of a memoized method: what `<method>_memo()` gives.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;

use crate::call::{self, Ask};
use crate::directive::{Directed, Directive, direct};
use crate::error::Error;
use crate::function::Function;
use crate::plan::Plan;
use crate::site::Site;
use crate::stats::Stats;
use crate::stored::Stored;

/// Control over a memoized method or associated function: what `<method>_memo()` gives.
///
/// It takes the arguments as one tuple, the receiver first: `(&catalogue, "A-1")`; one argument stands for itself,
/// and no argument is `()`. `peek`, `insert`, `invalidate` and `expire` leave out what is skipped.
///
/// ```
/// #[derive(memo::Instance)]
/// struct Catalogue {
///     #[instance]
///     id: u32,
/// }
///
/// impl Catalogue {
///     #[memo::memoize]
///     fn length(&self, sku: &str) -> usize {
///         sku.len()
///     }
/// }
///
/// let catalogue = Catalogue { id: 1 };
/// assert_eq!(catalogue.length("A-1"), 3);
/// assert_eq!(Catalogue::length_memo().peek((&catalogue, "A-1")), Some(3));
/// Catalogue::length_memo().invalidate((&catalogue, "A-1"))?;
/// assert_eq!(Catalogue::length_memo().peek((&catalogue, "A-1")), None);
/// # Ok::<(), memo::Error>(())
/// ```
pub struct MethodControl<R, C, M> {
    site: Site,
    control: C,
    call: M,
    plan: fn() -> Plan,
    result: PhantomData<fn() -> R>,
}

/// Control over a memoized `async` method or associated function: [`MethodControl`], where what may wait is `async`.
///
/// ```
/// struct Greeter(&'static str);
///
/// impl Greeter {
///     #[memo::memoize(receiver = self.0)]
///     async fn greet(&self, times: usize) -> String {
///         self.0.repeat(times)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), memo::Error> {
/// let greeter = Greeter("hi");
/// assert_eq!(greeter.greet(2).await, "hihi");
/// assert_eq!(Greeter::greet_memo().peek((&greeter, 2)).await.as_deref(), Some("hihi"));
/// Greeter::greet_memo().clear().await
/// # }
/// ```
pub struct AsyncMethodControl<R, C, A, F> {
    site: Site,
    control: C,
    /// A pointer, since the future of a trait's `Fn` could not be told to be `Send`.
    call: fn(A) -> F,
    plan: fn() -> Plan,
    result: PhantomData<fn() -> R>,
}

macro_rules! common {
    ($($name:ident<$($param:ident),*> $call:ty;)*) => {$(
        impl<$($param),*> $name<$($param),*> {
            #[doc(hidden)]
            pub fn new(site: Site, control: C, call: $call, plan: fn() -> Plan) -> Self {
                $name { site, control, call, plan, result: PhantomData }
            }

            /// What the method has counted, over all instances and type parameters.
            pub fn stats(&self) -> Stats {
                self.function().stats()
            }

            /// Where its results live, and why.
            pub fn plan(&self) -> Plan {
                (self.plan)()
            }

            fn function(&self) -> &'static Function {
                self.site.function()
            }
        }

        impl<$($param),*> fmt::Debug for $name<$($param),*> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("site", &self.site).finish_non_exhaustive()
            }
        }
    )*};
}
common! {
    MethodControl<R, C, M> M;
    AsyncMethodControl<R, C, A, F> fn(A) -> F;
}

impl<R, C, M> MethodControl<R, C, M> {
    /// The body of this call: nothing is looked up, and nothing stored. What it calls is looked up as ever.
    pub fn uncached<A>(&self, arguments: A) -> R
    where
        M: Fn(A) -> R,
    {
        direct(&self.site, Directive::Bypass, || (self.call)(arguments))
    }

    /// Computes now, replaces what is stored, and gives the result. One that is not stored, such as an `Err`, leaves
    /// the old entry in place.
    pub fn refresh<A>(&self, arguments: A) -> R
    where
        M: Fn(A) -> R,
    {
        direct(&self.site, Directive::Refresh, || (self.call)(arguments))
    }

    /// Computes what is missing of `calls`, one after the other.
    pub fn warm<A>(&self, calls: impl IntoIterator<Item = A>)
    where
        M: Fn(A) -> R,
    {
        calls.into_iter().for_each(|arguments| drop((self.call)(arguments)));
    }

    /// What is stored now. Computes nothing, and counts as no use.
    pub fn peek<A>(&self, arguments: A) -> Option<R>
    where
        C: Fn(A, Ask<'_, R>),
    {
        call::peek(|ask| (self.control)(arguments, ask)).now()
    }

    /// What is stored now, be it stale, with how old it is, what it cost and which engine has it. Computes nothing, and counts as
    /// no use.
    pub fn peek_entry<A>(&self, arguments: A) -> Option<Stored<R>>
    where
        C: Fn(A, Ask<'_, R>),
    {
        call::peek_entry(|ask| (self.control)(arguments, ask)).now()
    }

    /// Stores `result`, as if it had just been computed. What is being computed for these arguments now is not stored.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotStorable`](crate::ErrorKind::NotStorable) if the function's settings do not store it;
    /// [`ErrorKind::Engine`](crate::ErrorKind::Engine) if an engine that outlives the process did not take it.
    pub fn insert<A>(&self, arguments: A, result: R) -> Result<(), Error>
    where
        C: Fn(A, Ask<'_, R>),
    {
        call::insert(result, |ask| (self.control)(arguments, ask)).now()
    }

    /// Drops the entry of these arguments. What is being computed for them now is not stored.
    ///
    /// # Errors
    ///
    /// If an engine that outlives the process did not do it. What is in memory is dropped in any case.
    pub fn invalidate<A>(&self, arguments: A) -> Result<(), Error>
    where
        C: Fn(A, Ask<'_, R>),
    {
        call::invalidate(|ask| (self.control)(arguments, ask)).now()
    }

    /// Ends the freshness of the entry of these arguments: from now on it is stale, for as long as the option `stale` or
    /// `stale_if_error` says. Without these options it is dropped. What is being computed for them now is not stored.
    ///
    /// # Errors
    ///
    /// If an engine that outlives the process did not do it. What is in memory is expired in any case.
    pub fn expire<A>(&self, arguments: A) -> Result<(), Error>
    where
        C: Fn(A, Ask<'_, R>),
    {
        call::expire(|ask| (self.control)(arguments, ask)).now()
    }

    /// Drops the entries of all instances. What is being computed now is not stored.
    ///
    /// # Errors
    ///
    /// If an engine that outlives the process did not do it. What is in memory is dropped in any case.
    pub fn clear(&self) -> Result<(), Error> {
        self.function().clear()
    }
}

impl<R, C, A, F: Future<Output = R>> AsyncMethodControl<R, C, A, F> {
    /// The body of this call: nothing is looked up, and nothing stored. What it calls is looked up as ever.
    pub async fn uncached(&self, arguments: A) -> R {
        Directed::new(self.site, Directive::Bypass, (self.call)(arguments)).await
    }

    /// Computes now, replaces what is stored, and gives the result. One that is not stored, such as an `Err`, leaves
    /// the old entry in place.
    pub async fn refresh(&self, arguments: A) -> R {
        Directed::new(self.site, Directive::Refresh, (self.call)(arguments)).await
    }

    /// Computes what is missing of `calls`, one after the other.
    pub async fn warm(&self, calls: impl IntoIterator<Item = A>) {
        for arguments in calls {
            (self.call)(arguments).await;
        }
    }

    /// What is stored now. Computes nothing, and counts as no use.
    pub async fn peek<K>(&self, arguments: K) -> Option<R>
    where
        C: Fn(K, Ask<'_, R>),
    {
        call::peek(|ask| (self.control)(arguments, ask)).settled().await
    }

    /// What is stored now, be it stale, with how old it is, what it cost and which engine has it. Computes nothing, and counts as
    /// no use.
    pub async fn peek_entry<K>(&self, arguments: K) -> Option<Stored<R>>
    where
        C: Fn(K, Ask<'_, R>),
    {
        call::peek_entry(|ask| (self.control)(arguments, ask)).settled().await
    }

    /// Stores `result`, as if it had just been computed. What is being computed for these arguments now is not stored.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotStorable`](crate::ErrorKind::NotStorable) if the function's settings do not store it;
    /// [`ErrorKind::Engine`](crate::ErrorKind::Engine) if an engine that outlives the process did not take it.
    pub async fn insert<K>(&self, arguments: K, result: R) -> Result<(), Error>
    where
        C: Fn(K, Ask<'_, R>),
    {
        call::insert(result, |ask| (self.control)(arguments, ask)).settled().await
    }

    /// Drops the entry of these arguments. What is being computed for them now is not stored.
    ///
    /// # Errors
    ///
    /// If an engine that outlives the process did not do it. What is in memory is dropped in any case.
    pub async fn invalidate<K>(&self, arguments: K) -> Result<(), Error>
    where
        C: Fn(K, Ask<'_, R>),
    {
        call::invalidate(|ask| (self.control)(arguments, ask)).settled().await
    }

    /// Ends the freshness of the entry of these arguments: from now on it is stale, for as long as the option `stale` or
    /// `stale_if_error` says. Without these options it is dropped. What is being computed for them now is not stored.
    ///
    /// # Errors
    ///
    /// If an engine that outlives the process did not do it. What is in memory is expired in any case.
    pub async fn expire<K>(&self, arguments: K) -> Result<(), Error>
    where
        C: Fn(K, Ask<'_, R>),
    {
        call::expire(|ask| (self.control)(arguments, ask)).settled().await
    }

    /// Drops the entries of all instances. What is being computed now is not stored.
    ///
    /// # Errors
    ///
    /// If an engine that outlives the process did not do it. What is in memory is dropped in any case.
    pub async fn clear(&self) -> Result<(), Error> {
        self.function().clear_async().await
    }
}
