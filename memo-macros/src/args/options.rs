//! The table of options: one row for each.

use darling::FromMeta;
use darling::error::Accumulator;
use proc_macro2::Span;
use syn::Path;

use super::bounds::{Capacity, MaxWeight};
use super::callbacks::Callback;
use super::choices::{Code, Codec, OnError, SingleFlight, Switch};
use super::engines::{Engine, Fallback};
use super::given::Given;
use super::identity::{CompanionName, Name, Version};
use super::keys::{Key, ReceiverKey, Skip};
use super::lifetimes::{CacheErr, Lifetime, Patience};

/// Declares the options: the struct, the list of their names, and the walk over them.
macro_rules! options {
    ($($(#[$doc:meta])+ $name:tt => $field:ident: $value:ty,)+) => {
        /// The options of one `#[memoize]`, as given.
        #[derive(Debug, Default, FromMeta)]
        pub(crate) struct Args {
            $($(#[$doc])+ #[darling(rename = $name, default)] pub(crate) $field: Option<Given<$value>>,)+
        }

        /// The names of all options, in the order of the documentation.
        pub(crate) const NAMES: &[&str] = &[$($name),+];

        impl Args {
            /// Hands over the errors in the values.
            pub(super) fn report(&mut self, errors: &mut Accumulator) {
                $(if let Some(error) = self.$field.as_mut().and_then(|given| given.error.take()) {
                    errors.push(error);
                })+
            }

            /// Takes an option for given, with a value that is reported to be wrong.
            pub(super) fn presume(&mut self, name: &str, key: Span) {
                $(if name == $name {
                    self.$field.get_or_insert(Given { key, value: None, error: None });
                })+
            }
        }
    };
}

options! {
    /// Where results live.
    "engine" => engine: Engine,
    /// What is used while the engine is unavailable.
    "fallback" => fallback: Fallback,
    /// Lifetime of an entry from its writing.
    "ttl" => ttl: Lifetime,
    /// Lifetime of an entry from its last read.
    "tti" => tti: Lifetime,
    /// The lifetime that a result asks for.
    "ttl_of" => ttl_of: Callback,
    /// Most entries held in memory.
    "capacity" => capacity: Capacity,
    /// The weight of an entry.
    "weigh" => weigh: Callback,
    /// Most weight held in memory.
    "max_weight" => max_weight: MaxWeight,
    /// The key, instead of all arguments.
    "key" => key: Key,
    /// The arguments that are left out of the key.
    "skip" => skip: Skip,
    /// How `self` enters the key.
    "receiver" => receiver: ReceiverKey,
    /// Which results are stored.
    "cache_if" => cache_if: Callback,
    /// Whether, and for how long, an `Err` is stored.
    "cache_err" => cache_err: Option<CacheErr>,
    /// Whether a `None` is stored.
    "cache_none" => cache_none: Switch,
    /// How far concurrent misses of one key share one computation.
    "single_flight" => single_flight: SingleFlight,
    /// What those who waited do after an error that cannot be cloned.
    "on_error" => on_error: OnError,
    /// How long to wait for a future that nobody polls.
    "patience" => patience: Patience,
    /// Hint to the strategy: results should outlive the process.
    "persist" => persist: Switch,
    /// Hint to the strategy: results should be shared by machines.
    "shared" => shared: Switch,
    /// Hint to the strategy: results are large.
    "large" => large: Switch,
    /// The function's identity.
    "name" => name: Name,
    /// A part of the identity of stored results.
    "version" => version: Version,
    /// Whether an edit of the body makes stored results unreachable.
    "code" => code: Code,
    /// How stored results are encoded.
    "codec" => codec: Codec,
    /// The control item.
    "companion" => companion: CompanionName,
    /// Where `memo` is found.
    "crate" => krate: Path,
}
