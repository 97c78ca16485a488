//! What a function's author has set that looks at keys and results.

use std::time::Duration;

use crate::far::FarTypes;
use crate::near::NewThreads;
use crate::outcome::MaybeNone;

/// `weigh`.
pub(crate) type Weigh<K, V> = fn(&K, &V) -> u32;
/// `ttl_of`.
pub(crate) type TtlOf<V> = fn(&V) -> Option<Duration>;

/// What a function's author has set that looks at keys and results.
#[derive(Debug)]
pub struct Hooks<K, V> {
    pub(crate) weigh: Option<Weigh<K, V>>,
    pub(crate) ttl_of: Option<TtlOf<V>>,
    pub(crate) cache_if: Option<fn(&V) -> bool>,
    /// Whether it is a `None` that is stored, where `None` is stored differently.
    pub(crate) is_none: Option<fn(&V) -> bool>,
    pub(crate) valid_if: Option<fn(&V) -> bool>,
    #[cfg(feature = "tracing")]
    pub(crate) show: Option<crate::trace::Show<K>>,
    pub(crate) far: Option<FarTypes<K, V>>,
    /// Makes the near store of a function whose results stay on their threads.
    pub(crate) by_thread: Option<NewThreads<K, V>>,
}

impl<K, V> Clone for Hooks<K, V> {
    fn clone(&self) -> Self {
        Hooks { far: self.far.clone(), ..*self }
    }
}

impl<K, V> Hooks<K, V> {
    /// Whether it depends on the result whether it is stored, how long it lives, or what it weighs.
    pub(crate) fn choose(&self) -> bool {
        self.weigh.is_some() || self.ttl_of.is_some() || self.cache_if.is_some() || self.is_none.is_some()
    }

    pub(crate) fn new() -> Self {
        Hooks {
            weigh: None,
            ttl_of: None,
            cache_if: None,
            is_none: None,
            valid_if: None,
            #[cfg(feature = "tracing")]
            show: None,
            far: None,
            by_thread: None,
        }
    }

    /// `weigh`.
    pub fn weigh(mut self, weigh: Weigh<K, V>) -> Self {
        self.weigh = Some(weigh);
        self
    }

    /// `ttl_of`.
    pub fn ttl_of(mut self, ttl_of: TtlOf<V>) -> Self {
        self.ttl_of = Some(ttl_of);
        self
    }

    /// `cache_if`.
    pub fn cache_if(mut self, cache_if: fn(&V) -> bool) -> Self {
        self.cache_if = Some(cache_if);
        self
    }

    /// How keys and results become bytes, for engines that outlive the process.
    #[cfg(feature = "engines")]
    pub fn far(mut self, key: fn() -> crate::far::KeyType<K>, value: fn() -> crate::far::ValueType<V>) -> Self
    where
        K: 'static,
        V: 'static,
    {
        self.far = Some(FarTypes::named(key(), value()));
        self
    }

    /// The types that these hooks are for.
    #[cfg(feature = "engines")]
    pub fn types(&self) -> crate::far::Types<K, V> {
        crate::far::Types::NEW
    }

    /// How keys and results become bytes, if they can. It is needed only if the strategy chooses an engine that outlives the
    /// process.
    #[cfg(feature = "engines")]
    pub fn able<A, B, C>(mut self, (key, value, parts): (A, B, C)) -> Self
    where
        K: 'static,
        V: 'static,
        A: crate::far::KeyBytes<K>,
        B: crate::far::ValueBytes<V>,
        C: crate::far::KeyParts<K>,
    {
        self.far = Some(FarTypes::probed(key, value, parts));
        self
    }

    /// Whether results can be compared, said after [`far`](Self::far) or [`able`](Self::able).
    #[cfg(feature = "engines")]
    pub fn equal<D: crate::far::ValueEqual<V>>(mut self, equal: D) -> Self
    where
        K: 'static,
        V: 'static,
    {
        self.far = self.far.map(|far| far.comparing(equal));
        self
    }

    /// The type of keys that these hooks are for.
    #[cfg(feature = "tracing")]
    pub fn keys(&self) -> crate::trace::Keys<K> {
        crate::trace::Keys::NEW
    }

    /// How keys are shown, if they can be.
    #[cfg(feature = "tracing")]
    pub fn shown(mut self, shown: crate::trace::Shown<K>) -> Self {
        self.show = shown.0;
        self
    }

    /// `valid_if`.
    pub fn valid_if(mut self, valid_if: fn(&V) -> bool) -> Self {
        self.valid_if = Some(valid_if);
        self
    }

    /// `cache_none`: with a lifetime, or `false`.
    pub fn tell_none(mut self) -> Self
    where
        V: MaybeNone,
    {
        self.is_none = Some(V::is_none);
        self
    }
}
