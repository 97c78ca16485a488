//! How long stored results may live. An entry says when it expires, and whoever can write to the store can make it say
//! anything. So an entry is never believed beyond the longest lifetime that the function itself gives.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use memo_engines::entry::Label;

use crate::settings::Settings;

/// The longest lifetime that a function gives its results, in milliseconds; `u64::MAX` if there is no limit.
pub(super) struct Longest(AtomicU64);

impl Longest {
    const ANY: u64 = u64::MAX;

    /// No limit.
    pub(super) fn any() -> Self {
        Longest(AtomicU64::new(Self::ANY))
    }

    /// That of what the author has set. With `ttl_of`, which may say anything of a value, there is no limit.
    pub(super) fn of(settings: &Settings) -> Self {
        let longest = match settings.ttl {
            Some(ttl) if !settings.ttl_of => millis(ttl.max(settings.error_ttl.unwrap_or_default())),
            _ => Self::ANY,
        };
        Longest(AtomicU64::new(longest))
    }

    /// Notes that this process gave a result `lifetime`. A scope may have made it longer than what the author has set.
    pub(super) fn given(&self, lifetime: Option<Duration>) {
        self.0.fetch_max(lifetime.map_or(Self::ANY, millis), Ordering::Relaxed);
    }

    /// The label with an end that is no later than the function would have set it.
    pub(super) fn cut(&self, label: Label) -> Label {
        let longest = self.0.load(Ordering::Relaxed);
        if longest == Self::ANY {
            return label;
        }
        let latest = label.created.saturating_add(longest);
        Label { expires: Some(label.expires.map_or(latest, |expires| expires.min(latest))), ..label }
    }
}

pub(super) fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}
