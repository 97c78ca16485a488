//! The options as given and what they mean, made from the rows of `memo_text::options!`.

use memo_text::option;
use proc_macro2::Span;

use super::bounds::{Capacity, Count, MaxWeight};
use super::callbacks::Callback;
use super::choices::{Code, Codec, LimitWait, OnError, SingleFlight, Switch};
use super::durations::{CacheErr, CacheNone, Length, Patience};
use super::engines::Engine;
use super::fallback::Fallback;
use super::freshness::{Jitter, RefreshAhead};
use super::given::Given;
use super::identity::{CompanionName, CratePath, Name, Version};
use super::item::Written;
use super::keys::{Condition, Key, ReceiverKey, Skip};
use super::limit::Limit;
use crate::errors::Error;

macro_rules! declare {
    ($($name:literal => $field:ident: $kind:ty { $($column:tt)* })+) => {
        /// The options of one `#[memoize]`, as given.
        #[derive(Debug, Default)]
        pub(crate) struct GivenOptions {
            $(pub(crate) $field: Option<Given<$kind>>,)+
        }

        /// What the options of one `#[memoize]` mean, with defaults for those that were not given. `memo_text::options!`
        /// says what each of them is.
        // An option that is read and then forgotten does not compile.
        #[deny(dead_code)]
        #[derive(Debug, Clone)]
        pub(crate) struct Options {
            $(pub(crate) $field: $kind,)+
        }

        impl GivenOptions {
            /// Reads the option of this name, which stands at `key`.
            ///
            /// # Errors
            ///
            /// Why it cannot be read. If only its value is wrong, the option counts as given.
            pub(super) fn read(&mut self, name: &str, key: Span, written: &Written) -> Result<(), ReadError> {
                let row = option(name).ok_or(ReadError::Unknown)?;
                match name {
                    $($name if self.$field.is_some() => Err(ReadError::Twice),
                    $name => {
                        let (given, error) = Given::read(row, key, written);
                        self.$field = Some(given);
                        error.map_or(Ok(()), |error| Err(ReadError::Value(error)))
                    })+
                    _ => Err(ReadError::Unknown),
                }
            }

            /// Marks an option as given, with a value that was wrong and is reported.
            pub(super) fn presume(&mut self, name: &str, key: Span) {
                $(if name == $name {
                    self.$field.get_or_insert(Given { key, value: None });
                })+
            }

            /// Where the name of an option stands, if it was given.
            pub(crate) fn key_of(&self, name: &str) -> Option<Span> {
                match name {
                    $($name => self.$field.as_ref().map(|given| given.key),)+
                    _ => None,
                }
            }

            /// What the options mean. One whose value was wrong, which is reported already, counts as not given.
            pub(crate) fn options(&self) -> Options {
                Options { $($field: meaning(&self.$field),)+ }
            }
        }
    };
}

memo_text::options!(declare);

/// Why an option cannot be read.
#[derive(Debug)]
pub(super) enum ReadError {
    /// There is no option of this name.
    Unknown,
    /// It was read before.
    Twice,
    /// Its value is wrong.
    Value(Error),
}

fn meaning<T: Clone + Default>(given: &Option<Given<T>>) -> T {
    given.as_ref().and_then(|given| given.value.clone()).unwrap_or_default()
}
