//! The edition before, where `impl Trait` in a result captures no lifetime that it does not name, and an `unsafe fn` is an
//! unsafe block.

#![allow(unsafe_code)]

use std::fmt::Debug;
use std::hash::Hash;

use memo::memoize;

/// Anything that can be in a key.
pub trait Key: Hash + Eq + Clone + Debug + Send + Sync + 'static {}
impl<T: Hash + Eq + Clone + Debug + Send + Sync + 'static> Key for T {}

/// Free.
#[memoize]
pub fn longest<'a, T>(items: &'a [T], name: Option<&str>) -> Option<T>
where
    T: Key + Ord,
{
    let _ = name;
    items.iter().max().cloned()
}

/// Free, and waits.
#[memoize]
pub async fn joined<'a, 'b: 'a, T: Key>(items: &'a [T], name: &'b str, other: &str) -> String {
    std::future::ready(()).await;
    format!("{items:?}{name}{other}")
}

/// # Safety
///
/// None is needed.
#[memoize]
#[allow(unsafe_op_in_unsafe_fn)]
pub unsafe fn raw(a: u64) -> u64 {
    std::ptr::read(&a)
}

/// Has a lifetime and parameters.
#[derive(memo::Instance)]
pub struct Table<'a, T: Key, const N: usize> {
    /// The identity.
    #[instance]
    pub id: T,
    /// What is borrowed.
    pub items: [&'a str; N],
}

impl<'a, T: Key, const N: usize> Table<'a, T, N> {
    /// A method.
    #[memoize]
    pub fn row(&self, at: usize, separator: &str) -> String {
        format!("{:?}{separator}{}", self.id, self.items[at])
    }

    /// One with parameters of its own.
    #[memoize]
    pub fn pair<'b, U: Key>(&'b self, other: &'b U, text: &'a str) -> (T, U, usize) {
        (self.id.clone(), other.clone(), text.len())
    }

    /// One that waits.
    #[memoize]
    pub async fn waiting(&self, at: usize, separator: &str) -> String {
        std::future::ready(()).await;
        format!("{:?}{separator}{}", self.id, self.items[at])
    }

    /// One that waits, with parameters of its own.
    #[memoize]
    pub async fn waiting_pair<'b, U: Key>(&'b self, other: &'b U, text: &'a str) -> (T, U, usize) {
        std::future::ready(()).await;
        (self.id.clone(), other.clone(), text.len())
    }

    /// An associated function.
    #[memoize]
    pub fn width(text: &'a str) -> usize {
        N + text.len()
    }
}
