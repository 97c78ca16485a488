//! What of a result is stored, where, how heavy it is and how long it lives.

use std::time::Duration;

use super::freshness::jittered;
use super::{Memo, Version};
use crate::key::OwnedPart;
use crate::near::Memory;
use crate::outcome::Value;
use crate::scope::OfCall;

/// How a value is to be stored.
pub(crate) struct Storage {
    pub(crate) weight: u32,
    pub(crate) lifetime: Option<Duration>,
}

impl<K: OwnedPart, V: Value, F: Value> Memo<K, V, F> {
    /// Whether a result goes into memory. `size` is its size in bytes, if that is known; `failed` says that the engines
    /// that outlive the process cannot be reached, or cannot take the result.
    pub(crate) fn goes_near(&self, failed: bool, size: Option<usize>) -> bool {
        let Version { settings, route, .. } = &**self;
        let large = size.is_some_and(|size| size as u64 > settings.large_over);
        (route.near && !large) || (failed && route.standby)
    }

    /// The store in memory, if a result goes there and nowhere else, the store can tell that it was superseded, and there is
    /// no more to say of it than how long it lives.
    #[inline]
    pub(crate) fn only_store(&self) -> Option<&Memory<K, V>> {
        let version = &**self;
        if version.far.is_none() && version.route.near && !version.aged { self.near.built_in() } else { None }
    }

    /// Whether every result is stored with weight 1 and without a lifetime, unless the call asks for something else.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.versions.current().plain
    }

    /// How `value` is to be stored; `None` if it is not. What is `asked` of the call takes the place of the settings.
    #[inline(always)]
    pub(crate) fn storage(
        &self,
        key: &K,
        value: &V,
        is_error: bool,
        asked: Option<&OfCall>,
    ) -> Option<Storage> {
        if self.versions.current().plain && asked.is_none() {
            return Some(Storage { weight: 1, lifetime: None });
        }
        self.storage_in_full(key, value, is_error, asked)
    }

    #[inline(never)]
    fn storage_in_full(&self, key: &K, value: &V, is_error: bool, asked: Option<&OfCall>) -> Option<Storage> {
        if !self.settings.enabled() {
            return None;
        }
        let is_none = self.hooks.is_none.is_some_and(|is_none| is_none(value));
        if is_none && self.settings.none_ttl.is_none() {
            return None;
        }
        if self.hooks.cache_if.is_some_and(|cache_if| !cache_if(value)) {
            return None;
        }
        let own = match (is_error, self.settings.error_ttl) {
            (true, Some(ttl)) => Some(ttl),
            _ if is_none => self.settings.none_ttl,
            _ => self.hooks.ttl_of.and_then(|ttl_of| ttl_of(value)),
        };
        let ttl = asked.and_then(|asked| asked.ttl).or(self.settings.ttl);
        let lifetime = own.or(ttl);
        let lifetime = match self.freshness(asked).jitter {
            Some(jitter) => lifetime.map(|lifetime| jittered(lifetime, jitter)),
            None => lifetime,
        };
        if lifetime == Some(Duration::ZERO) {
            return None;
        }
        let weight = self.hooks.weigh.map_or(1, |weigh| weigh(key, value));
        if self.settings.max_weight.is_some_and(|most| u64::from(weight) > most) {
            return None;
        }
        Some(Storage { weight, lifetime })
    }
}
