//! One function written twice over one engine: as it is in one process, and in the next.

use std::cell::Cell;
use std::fmt::Debug;
use std::sync::Once;

use memo::memoize;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::shelf::Shelf;

/// Registers the engine.
pub(crate) fn shelf() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| drop(Shelf::named("shelf")));
}

/// A type, and results of it.
pub(crate) trait Results:
    Serialize + DeserializeOwned + Clone + Debug + Send + Sync + 'static
{
    /// All of them. What is the same in words is the same result.
    fn all() -> Vec<Self>;
}

thread_local! {
    static COMPUTED: Cell<bool> = const { Cell::new(false) };
}

/// Takes the note that a body has run.
pub(crate) fn computed() -> bool {
    COMPUTED.take()
}

/// What the functions below compute.
fn body<T: Results>(n: usize) -> T {
    COMPUTED.set(true);
    T::all().swap_remove(n)
}

/// How a function with a codec calls the result `n`: in the first process, or in the next.
pub(crate) type Calls<T> = [fn(usize) -> T; 2];

macro_rules! functions {
    ($($module:ident $name:literal ($($codec:tt)*) ($($equal:tt)*);)*) => {$(
        pub(crate) mod $module {
            use super::*;

            mod first {
                use super::*;

                #[memoize(engine = "shelf", fallback = "none", name = $name, code = "manual", $($codec)*)]
                pub(crate) fn f<T: Results $($equal)*>(n: usize) -> T {
                    body(n)
                }
            }

            mod next {
                use super::*;

                #[memoize(engine = "shelf", fallback = "none", name = $name, code = "manual", $($codec)*)]
                pub(crate) fn f<T: Results $($equal)*>(n: usize) -> T {
                    body(n)
                }
            }

            /// The functions for `T`.
            pub(crate) fn calls<T: Results $($equal)*>() -> Calls<T> {
                shelf();
                [first::f::<T>, next::f::<T>]
            }

            /// What the plan says once some have been called.
            #[allow(dead_code)]
            pub(crate) fn plan() -> String {
                memo::functions()
                    .into_iter()
                    .find(|function| function.name() == $name)
                    .map(|function| function.plan().to_string())
                    .unwrap_or_default()
            }
        }
    )*};
}

functions! {
    postcard "attributes::postcard" (codec = "postcard") (+ PartialEq);
    messagepack "attributes::messagepack" (codec = "messagepack") (+ PartialEq);
    json "attributes::json" (codec = "json") (+ PartialEq);
    unnamed "attributes::unnamed" () (+ PartialEq);
    known "attributes::known" () (+ PartialEq);
    blind_postcard "attributes::blind::postcard" (codec = "postcard") ();
    blind_messagepack "attributes::blind::messagepack" (codec = "messagepack") ();
    blind_json "attributes::blind::json" (codec = "json") ();
}

/// Which of these results of `T` are found by the next process: a `+` for each that is. What is found must be the result.
pub(crate) fn found<T: Results>([first, next]: Calls<T>, of: impl Fn(&T) -> bool) -> String {
    let all = T::all().into_iter().enumerate().filter(|(_, result)| of(result));
    all.map(|(n, result)| {
        let expected = format!("{result:?}");
        assert_eq!(format!("{:?}", first(n)), expected, "the call that computes");
        assert!(computed(), "{expected}");
        let again = format!("{:?}", next(n));
        let found = !computed();
        assert_eq!(again, expected, "what the next process is given");
        if found { '+' } else { '-' }
    })
    .collect()
}
