//! What `self` is in a key: its identity, never its address.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::key::canonical::Canonical;

/// A type whose values have an identity of their own, which stands for `self` in the keys of its memoized methods.
///
/// Two values with equal identities share results. Derive it, with the field that is the identity marked:
///
/// ```
/// #[derive(memo::Instance)]
/// struct Catalogue {
///     #[instance]
///     id: u32,
///     pages: Vec<String>,
/// }
///
/// impl Catalogue {
///     #[memo::memoize]
///     fn longest(&self) -> usize {
///         self.pages.iter().map(String::len).max().unwrap_or(0)
///     }
/// }
///
/// let catalogue = Catalogue { id: 1, pages: vec!["one".into(), "three".into()] };
/// assert_eq!(catalogue.longest(), 5);
/// ```
///
/// A type without such a field takes an [`InstanceId`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what its values are in a memoization key",
    label = "how does `self` enter the key?",
    note = "say it in one of four ways: `#[derive(memo::Instance)]` on `{Self}`, with `#[instance]` on the field that identifies a value or a field of type `memo::InstanceId`; `receiver = \"value\"` (the whole value: `Hash + Eq + Clone`); `receiver = self.id` (an expression); `receiver = \"skip\"` (all instances share results)"
)]
pub trait Instance {
    /// What identifies a value: something that could be an argument of a memoized function.
    type Id: ?Sized;
    /// The identity of this value.
    fn instance(&self) -> &Self::Id;
}

/// An identity that no other value in this process has or will have.
///
/// It is made fresh by [`InstanceId::new`], by `Default` and by **`Clone`**: the clone of a value is another
/// instance, since the two may change apart. It means nothing outside this process, so engines that outlive
/// the process refuse it.
///
/// ```
/// let one = memo::InstanceId::new();
/// assert_ne!(one, one.clone());
/// ```
#[derive(PartialEq, Eq)]
pub struct InstanceId(u64);

impl InstanceId {
    /// A fresh identity.
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        InstanceId(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// An identity as it stands in a key. It is not to be written: another process would take it for one of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstanceKey(u64);

/// The clone of an identity is another, so the key holds its number.
impl Canonical for InstanceId {
    type Owned = InstanceKey;
    #[inline(always)]
    fn hash_canonical<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
    #[inline(always)]
    fn same_canonical(&self, owned: &InstanceKey) -> bool {
        self.0 == owned.0
    }
    #[inline]
    fn own_canonical(&self) -> InstanceKey {
        InstanceKey(self.0)
    }
}

impl Default for InstanceId {
    fn default() -> Self {
        Self::new()
    }
}

impl Clone for InstanceId {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl fmt::Debug for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InstanceId({})", self.0)
    }
}
