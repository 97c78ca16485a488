//! The options of functions that a scope may set: one row for each.
//!
//! From its row follow the field that the builder sets, what nested scopes leave of it, where calls and plans find it, and
//! whether it tells one variant of a function from another. A test compares the rows with the options of the attribute.

use std::sync::Arc;
use std::time::Duration;

use crate::settings::freshness::{Freshness, Jitter, RefreshAhead};

/// The names of engines, nearest first.
pub(super) type Names = Arc<[String]>;

/// Makes the fields of `$Options` out of rows `"option" => field: Type`, and what works on all of them.
macro_rules! rows {
    ($(#[$doc:meta])* $Options:ident { $($name:literal => $field:ident: $value:ty,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
        pub(crate) struct $Options {
            $(pub(crate) $field: Option<$value>,)+
        }

        impl $Options {
            /// The names of the options.
            #[cfg(test)]
            const NAMES: &[&str] = &[$($name),+];

            /// Takes from a scope around this one what this one does not set.
            pub(super) fn fill(&mut self, outer: &$Options) {
                $(if self.$field.is_none() {
                    self.$field.clone_from(&outer.$field);
                })+
            }
        }
    };
}

rows! {
    /// What a scope sets of options that a call reads as it goes, whichever record it uses. `None` leaves the option as it is.
    OfCall {
        "ttl" => ttl: Duration,
        "stale" => stale: Duration,
        "stale_if_error" => stale_if_error: Duration,
        "refresh_ahead" => refresh_ahead: RefreshAhead,
        "jitter" => jitter: Jitter,
    }
}

impl OfCall {
    /// Whether calls under it look for results of any age, and store how old they are.
    pub(crate) fn asks_of_age(&self) -> bool {
        self.stale.is_some() || self.stale_if_error.is_some() || self.refresh_ahead.is_some()
    }

    /// What holds for a call whose function says `freshness` itself.
    pub(crate) fn freshness(&self, freshness: &Freshness) -> Freshness {
        Freshness {
            stale: self.stale.or(freshness.stale),
            stale_if_error: self.stale_if_error.or(freshness.stale_if_error),
            refresh_ahead: self.refresh_ahead.or(freshness.refresh_ahead),
            jitter: self.jitter.or(freshness.jitter),
            behind: freshness.behind,
        }
    }
}

rows! {
    /// What a scope sets of options that a record is made with, so that the function has a variant for them. `None` leaves the
    /// option as it is. What a value means for the settings of the variant is in `scope/choice.rs`.
    OfRecord {
        "engine" => engines: Names,
        "fallback" => fallback: Names,
    }
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_rows_are_the_options_that_a_scope_may_set() {
        let rows: BTreeSet<_> = OfCall::NAMES.iter().chain(OfRecord::NAMES).copied().collect();
        let scoped = memo_text::OPTIONS.iter().filter(|option| option.scoped).map(|option| option.name);
        assert_eq!(rows, scoped.collect());
    }

    #[test]
    fn an_outer_scope_fills_only_what_is_not_set() {
        let names = |name: &str| Some(Names::from([name.to_owned()]));
        let mut inner = OfRecord { engines: names("inner"), fallback: None };
        inner.fill(&OfRecord { engines: names("outer"), fallback: names("outer") });
        assert_eq!(inner, OfRecord { engines: names("inner"), fallback: names("outer") });
    }
}
