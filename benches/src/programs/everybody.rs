//! One function, memoized by everybody.

/// Makes a module for each contender, with the function `state` memoized and `clear`, which empties its cache.
///
/// What is written is the function's body, which calls itself by the name `state`.
macro_rules! everybody {
    (($($arg:ident: $type:tt),*) -> $out:tt { $($body:tt)* }) => {
        #[allow(dead_code, unused_imports, reason = "not every program empties its cache, or uses what is around it")]
        mod thread {
            use super::*;

            #[::memo::memoize(engine = "thread", capacity = "unbounded")]
            pub(super) fn state($($arg: $type),*) -> $out { $($body)* }

            pub(super) fn clear() {
                state::clear().expect("failed to clear");
            }
        }

        #[allow(dead_code, unused_imports, reason = "not every program empties its cache, or uses what is around it")]
        mod memory {
            use super::*;

            #[::memo::memoize(engine = "memory", capacity = "unbounded")]
            pub(super) fn state($($arg: $type),*) -> $out { $($body)* }

            pub(super) fn clear() {
                state::clear().expect("failed to clear");
            }
        }

        #[allow(dead_code, unused_imports, reason = "not every program empties its cache, or uses what is around it")]
        mod without_flight {
            use super::*;

            #[::memo::memoize(engine = "memory", capacity = "unbounded", single_flight = false)]
            pub(super) fn state($($arg: $type),*) -> $out { $($body)* }

            pub(super) fn clear() {
                state::clear().expect("failed to clear");
            }
        }

        #[allow(dead_code, unused_imports, reason = "not every program empties its cache, or uses what is around it")]
        mod by_cached {
            use super::*;

            #[::cached::macros::cached]
            pub(super) fn state($($arg: $type),*) -> $out { $($body)* }

            pub(super) fn clear() {
                ::cached::Cached::cache_clear(&mut *STATE.write());
            }
        }

        #[allow(dead_code, unused_imports, reason = "not every program empties its cache, or uses what is around it")]
        mod by_memoize {
            use super::*;

            #[::memoize::memoize]
            pub(super) fn state($($arg: $type),*) -> $out { $($body)* }

            pub(super) fn clear() {
                memoized_flush_state();
            }
        }

        #[allow(dead_code, unused_imports, reason = "not every program empties its cache, or uses what is around it")]
        mod by_hand {
            use super::*;

            use std::cell::RefCell;

            use rustc_hash::FxHashMap;

            thread_local! {
                #[allow(unused_parens, reason = "one argument stands in them by itself")]
                static STATES: RefCell<FxHashMap<($($type),*), $out>> = RefCell::default();
            }

            pub(super) fn state($($arg: $type),*) -> $out {
                #[allow(unused_parens, reason = "one argument stands in them by itself")]
                let key = ($($arg),*);
                if let Some(known) = STATES.with_borrow(|states| states.get(&key).copied()) {
                    return known;
                }
                let value = body($($arg),*);
                STATES.with_borrow_mut(|states| states.insert(key, value));
                value
            }

            fn body($($arg: $type),*) -> $out { $($body)* }

            pub(super) fn clear() {
                STATES.with_borrow_mut(FxHashMap::clear);
            }
        }
    };
}

/// The contenders by name. Given `run!`, which makes of a module the function that runs the program with it.
macro_rules! contenders {
    ($run:ident) => {
        vec![
            Contender { name: "by hand", run: $run!(by_hand) },
            Contender { name: "memo thread", run: $run!(thread) },
            Contender { name: "memo", run: $run!(memory) },
            Contender { name: "memo single_flight = false", run: $run!(without_flight) },
            Contender { name: "cached", run: $run!(by_cached) },
            Contender { name: "memoize", run: $run!(by_memoize) },
        ]
    };
}

pub(super) use {contenders, everybody};
