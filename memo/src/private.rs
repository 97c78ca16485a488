//! All that generated code may name. Nothing here is for people; it changes without notice.

pub use core::any::type_name;
pub use core::future::Future;
pub use core::iter::IntoIterator;
pub use core::module_path;
pub use core::ops::Fn;
pub use core::option::Option;
pub use core::option_env;
pub use core::result::Result;
pub use core::time::Duration;
pub use std::boxed::Box;

pub use crate::body::Body;
pub use crate::by_thread::{RunningHere, begin_here, control_here};
pub use crate::call::{
    Acquire, Ask, Computing, Entry, Job, Reply, Running, Task, begin, begin_async, control, expire, insert,
    invalidate, is_large, peek, peek_entry,
};
pub use crate::companion::{Companion, Controlled, Lent, Owned};
pub use crate::control::{AsyncMethodControl, MethodControl};
pub use crate::directive::{Directed, Directive, anew_if, direct};
pub use crate::error::Error;
pub use crate::function::Family;
pub use crate::hooks::Hooks;
pub use crate::instance::Instance;
pub use crate::key::Part;
pub use crate::key::by_copy::copied;
pub use crate::key::by_value::text;
pub use crate::key::composed::Each;
pub use crate::key::probes::{Probe, probe, probe_here};
pub use crate::outcome::{
    Outcome, Shape, shape, shape_here, shape_with_errors, shape_with_errors_here, whole,
};
pub use crate::plan::Plan;
pub use crate::renewed::{Argument, Body as FutureBody, hand_over, own};
pub use crate::settings::Settings;
pub use crate::settings::count::Count;
pub use crate::single::Single;
pub use crate::site::{Site, Unnamed, unnamed};
pub use crate::stats::Stats;
pub use crate::stored::Stored;
pub use crate::telling::{times_out, turns_away};

/// The hooks of a function whose author has set nothing that looks at keys and results.
pub fn no_hooks<K, V>(hooks: Hooks<K, V>) -> Hooks<K, V> {
    hooks
}

/// `self` as the reference that it leads to.
#[inline(always)]
pub fn borrow<T: ?Sized>(this: &T) -> &T {
    this
}

/// A value of any type, in code that only its type is asked of.
pub fn never<T>() -> T {
    unreachable!("it is not called")
}

/// The path of a closure: where it stands, with the type parameters there, those of the `impl` included.
#[cfg(feature = "engines")]
pub fn path_of<M: Fn()>(_: M) -> &'static str {
    type_name::<M>()
}

/// For tests of this project, where the feature `testing` is not on: time that passes when it is told to.
pub mod testing {
    pub use crate::clock::advance;
    pub use crate::sweep::sweep_now;
}

/// How keys are found to be such that can be shown.
#[cfg(feature = "tracing")]
pub use crate::trace::{Keys, Shown, show};

/// What functions say whose results outlive the process.
#[cfg(feature = "engines")]
pub use crate::lasting::{Codec, Origin};

/// What functions name whose results outlive the process.
#[cfg(feature = "engines")]
pub use crate::far::{KeyType, Typed, ValueType, able, far_key, far_value, probed, types};

/// For the benchmarks of this project: the engine `memory` by itself.
pub mod engine {
    use crate::near::{Kind, Limits, Near, Same};
    use std::hash::{BuildHasher, Hash};
    use std::time::Duration;

    /// A near store, and a hasher for it.
    #[allow(missing_debug_implementations)]
    pub struct Engine<K: Eq + Send + Sync + 'static, V: Clone + Send + Sync + 'static> {
        near: Near<K, V>,
        hasher: foldhash::fast::RandomState,
    }

    impl<K: Hash + Eq + Send + Sync + 'static, V: Clone + Send + Sync + 'static> Engine<K, V> {
        /// One for as many entries, or for any number.
        pub fn new(capacity: Option<u64>) -> Self {
            let limits = Limits { capacity, ..Limits::default() };
            Engine { near: Near::new(Kind::Memory, &limits, None), hasher: Default::default() }
        }

        /// One for as much weight.
        pub fn weighted(max_weight: u64) -> Self {
            let limits = Limits { max_weight: Some(max_weight), ..Limits::default() };
            Engine { near: Near::new(Kind::Memory, &limits, None), hasher: Default::default() }
        }

        /// What is stored.
        #[inline(always)]
        pub fn get(&self, key: &K) -> Option<V> {
            self.near.get(self.hasher.hash_one(key), Same(key))
        }

        /// Stores.
        #[inline]
        pub fn insert(&self, key: K, value: V, weight: u32, lifetime: Option<Duration>) {
            self.near.insert(self.hasher.hash_one(&key), key, value, weight, lifetime);
        }

        /// Removes.
        pub fn remove(&self, key: &K) -> bool {
            self.near.remove(self.hasher.hash_one(key), &Same(key))
        }

        /// Removes everything.
        pub fn clear(&self) {
            self.near.clear();
        }

        /// How many entries there are.
        pub fn entries(&self) -> u64 {
            self.near.counts().entries
        }
    }
}
