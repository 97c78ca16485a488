//! Who enters which case.

use crate::contender::{Contender, Recursive};
use crate::work::Pair;

/// Contenders from number to number.
pub type Numbers = Vec<Contender<u64, u64>>;

/// The contenders of all cases. Each library adds its own.
#[derive(Default)]
pub struct Entrants {
    /// Hits, [`step`](crate::work::step).
    pub numbers: Numbers,
    /// Hits where each result is the next key; the same functions as `numbers`.
    pub dependent: Numbers,
    /// Hits, [`score`](crate::work::score).
    pub pairs: Vec<Contender<Pair, u64>>,
    /// Hits, [`render`](crate::work::render).
    pub texts: Vec<Contender<&'static str, String>>,
    /// Hits with a lifetime, and without.
    pub ttl: Numbers,
    /// Hits that are awaited, and such that are not.
    pub awaited: Numbers,
    /// Hits of generic functions, and of the same ones without type parameters.
    pub generic: Numbers,
    /// Hits with scopes alive.
    pub scoped: Numbers,
    /// Misses of bounded contenders.
    pub misses: Numbers,
    /// Misses that are awaited; the body is ready at once.
    pub awaited_misses: Numbers,
    /// Hits in a cache of the calling thread's own.
    pub by_thread: Numbers,
    /// Misses of one key at once, [`fly`](crate::work::fly).
    pub flights: Numbers,
    /// Recursion.
    pub recursive: Vec<Recursive>,
}

impl Entrants {
    /// Everybody.
    pub fn new() -> Self {
        let mut all = Self::default();
        crate::peers::limit::enter(&mut all);
        #[cfg(feature = "ours")]
        crate::ours::enter(&mut all);
        crate::peers::quick::enter(&mut all);
        crate::peers::cached::enter(&mut all);
        crate::peers::memoize::enter(&mut all);
        crate::peers::moka::enter(&mut all);
        all
    }

    /// Enters a function for `numbers` and for `dependent`.
    pub(crate) fn number(&mut self, name: &'static str, function: impl Fn(u64) -> u64 + Sync + 'static) {
        let [plain, dependent] = Contender::both(name, function);
        self.numbers.push(plain);
        self.dependent.push(dependent);
    }
}
