//! What tells the entries of one store from those of another: how large key and value are, where they lie, and how they are
//! dropped.
//!
//! The store itself is compiled once, and knows the types of keys and values by a [`Kind`] alone. [`Typed`] is the only
//! one who makes kinds, and the only one who reads and writes keys and values.

#![allow(unsafe_code)]

use super::entry::{BEHIND, Entry, Head, Shape};
use super::form::Form;
use super::index::Found;
use crate::near::lookup::Lookup;
use crate::near::retired::drop_retired;
use std::marker::PhantomData;
use std::mem::needs_drop;
use std::ptr::NonNull;

/// A pair of types, of which keys and values of a store are.
///
/// Both are `Send` and `Sync`, since [`Typed::KIND`] is there for such only. So what holds entries of a kind may be sent to
/// other threads and shared with them.
pub(super) struct Kind {
    bare: Form,
    timed: Form,
    aged: Form,
    /// Whether dropping a key or a value does anything.
    pub needs_drop: bool,
    /// Whether dropping a value does.
    pub drops_values: bool,
    drop: unsafe fn(Entry),
}

impl Kind {
    /// The form of slots of this shape.
    #[inline(always)]
    pub(super) fn form(&self, shape: Shape) -> &Form {
        match shape {
            Shape::Bare => &self.bare,
            Shape::Timed => &self.timed,
            Shape::Aged => &self.aged,
        }
    }

    /// Drops key and value. A panic in that is caught.
    ///
    /// # Safety
    ///
    /// The entry is of this kind. Key and value are there, and nobody uses them, now or later.
    #[inline]
    pub(super) unsafe fn drop(&self, entry: Entry) {
        if self.needs_drop {
            // SAFETY: as the caller says.
            unsafe { (self.drop)(entry) };
        }
    }
}

/// The key and the value of an entry that is to be put in.
///
/// # Safety
///
/// `write` writes a key and a value of the kind that it stands for, or unwinds. `has_key` reads no more than the key.
pub(super) unsafe trait Arriving {
    /// Whether an entry has the key that arrives. Runs code of the user's.
    ///
    /// # Safety
    ///
    /// The entry is of the same kind.
    unsafe fn has_key(&self, found: Found<'_>) -> bool;

    /// Moves key and value into a slot. Runs no code of the user's.
    ///
    /// # Safety
    ///
    /// The slot is the caller's alone, made for the same kind, and there is no key or value in it. It is asked for once.
    unsafe fn write(&mut self, slot: Entry);
}

/// What a lookup does with the entries that it comes across.
pub(super) trait Looking {
    /// Whether an entry is the one looked for. Runs code of the user's.
    ///
    /// # Safety
    ///
    /// The entry is of the kind that the lookup is for.
    unsafe fn matches(&self, found: Found<'_>) -> bool;

    /// Clones the value of what was looked for. Runs code of the user's.
    ///
    /// # Safety
    ///
    /// As for [`matches`](Self::matches).
    unsafe fn clone_value(&mut self, found: Found<'_>);
}

/// Where key and value lie, from the head on.
struct Offsets {
    key: usize,
    value: usize,
    /// Where the next head can be.
    size: usize,
    align: usize,
}

const fn larger(one: usize, other: usize) -> usize {
    if one > other { one } else { other }
}

impl Offsets {
    /// Of the two orders the one that takes less room.
    const fn of<K, V>() -> Self {
        let align = larger(align_of::<Head>(), larger(align_of::<K>(), align_of::<V>()));
        let first_key = BEHIND.next_multiple_of(align_of::<K>());
        let second_value = (first_key + size_of::<K>()).next_multiple_of(align_of::<V>());
        let first_value = BEHIND.next_multiple_of(align_of::<V>());
        let second_key = (first_value + size_of::<V>()).next_multiple_of(align_of::<K>());
        let (key_first, value_first) = (second_value + size_of::<V>(), second_key + size_of::<K>());
        if key_first <= value_first {
            Offsets { key: first_key, value: second_value, size: key_first.next_multiple_of(align), align }
        } else {
            Offsets { key: second_key, value: first_value, size: value_first.next_multiple_of(align), align }
        }
    }

    const fn form(&self, shape: Shape) -> Form {
        Form::new(shape.lead().next_multiple_of(self.align), self.size, self.align)
    }
}

/// Says that values of this type come in and go out, so that it may be taken neither for a subtype nor for a supertype.
pub(super) type InAndOut<T> = PhantomData<fn(T) -> T>;

/// Entries with keys `K` and values `V`.
pub(super) struct Typed<K, V>(PhantomData<fn() -> (K, V)>);

impl<K: Send + Sync + 'static, V: Send + Sync + 'static> Typed<K, V> {
    const OFFSETS: Offsets = Offsets::of::<K, V>();

    pub(super) const KIND: &'static Kind = &Kind {
        bare: Self::OFFSETS.form(Shape::Bare),
        timed: Self::OFFSETS.form(Shape::Timed),
        aged: Self::OFFSETS.form(Shape::Aged),
        needs_drop: needs_drop::<(K, V)>(),
        drops_values: needs_drop::<V>(),
        drop: Self::drop_entry,
    };

    /// # Safety
    ///
    /// The address is that of a slot of this kind.
    #[inline(always)]
    unsafe fn key_at(entry: Entry) -> NonNull<K> {
        // SAFETY: a slot of the kind has room for it there.
        unsafe { entry.address().byte_add(Self::OFFSETS.key).cast() }
    }

    /// # Safety
    ///
    /// The address is that of a slot of this kind.
    #[inline(always)]
    unsafe fn value_at(entry: Entry) -> NonNull<V> {
        // SAFETY: a slot of the kind has room for it there.
        unsafe { entry.address().byte_add(Self::OFFSETS.value).cast() }
    }

    /// The key of an entry.
    ///
    /// # Safety
    ///
    /// The entry is of this kind.
    #[inline(always)]
    pub(super) unsafe fn key(found: Found<'_>) -> &K {
        // SAFETY: it is of this kind, says the caller; it was written before it was put in, is not written since, and is not
        // freed before the reading ends that it was found in.
        unsafe { Self::key_at(found.entry()).as_ref() }
    }

    /// The value of an entry.
    ///
    /// # Safety
    ///
    /// The entry is of this kind.
    #[inline(always)]
    pub(super) unsafe fn value(found: Found<'_>) -> &V {
        // SAFETY: as for the key.
        unsafe { Self::value_at(found.entry()).as_ref() }
    }

    /// # Safety
    ///
    /// See [`Kind::drop`].
    unsafe fn drop_entry(entry: Entry) {
        // SAFETY: as the caller says, they are there and nobody else's.
        let (key, value) = unsafe { (Self::key_at(entry).read(), Self::value_at(entry).read()) };
        drop_retired(key);
        drop_retired(value);
    }
}

/// A key and a value that arrive. They are still in here afterwards if they were not let in.
pub(super) struct Pair<'v, K, V> {
    pub key: Option<K>,
    /// The value, where its owner keeps it until it is taken: a large one is moved once.
    pub value: &'v mut Option<V>,
}

// SAFETY: `write` writes a `K` and a `V`, where those of this kind are; `has_key` compares the key.
unsafe impl<K: Eq + Send + Sync + 'static, V: Send + Sync + 'static> Arriving for Pair<'_, K, V> {
    unsafe fn has_key(&self, found: Found<'_>) -> bool {
        // SAFETY: it is of this kind, says the caller.
        let there = unsafe { Typed::<K, V>::key(found) };
        self.key.as_ref().is_some_and(|key| *there == *key)
    }

    unsafe fn write(&mut self, slot: Entry) {
        let (Some(key), Some(value)) = (self.key.take(), self.value.take()) else {
            unreachable!("a key and a value are written once");
        };
        // SAFETY: the slot is for these types, and has nothing in it, says the caller.
        unsafe {
            Typed::<K, V>::key_at(slot).write(key);
            Typed::<K, V>::value_at(slot).write(value);
        }
    }
}

/// A lookup by a borrowed key, in a store with keys `K` and values `V`.
pub(super) struct Query<'a, K, V, Q> {
    query: &'a Q,
    /// Where the clone goes.
    into: &'a mut Option<V>,
    keys: PhantomData<fn(&K)>,
}

impl<'a, K, V, Q> Query<'a, K, V, Q> {
    pub(super) fn new(query: &'a Q, into: &'a mut Option<V>) -> Self {
        Query { query, into, keys: PhantomData }
    }
}

impl<K, V, Q> Looking for Query<'_, K, V, Q>
where
    K: Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
    Q: Lookup<K>,
{
    unsafe fn matches(&self, found: Found<'_>) -> bool {
        // SAFETY: it is of this kind, says the caller.
        self.query.matches(unsafe { Typed::<K, V>::key(found) })
    }

    unsafe fn clone_value(&mut self, found: Found<'_>) {
        // SAFETY: it is of this kind, says the caller.
        *self.into = Some(unsafe { Typed::<K, V>::value(found) }.clone());
    }
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use super::super::form::Slab;
    use super::*;
    use crate::near::ages::Ages;
    use std::sync::Arc;

    /// What an entry would be if the compiler laid it out with its types.
    struct LaidOut<K, V> {
        _hash: u64,
        _word: u64,
        _weight: u32,
        _position: u32,
        _slot: u32,
        _key: K,
        _value: V,
    }

    #[repr(align(64))]
    struct Line;

    fn check<K: Send + Sync + 'static, V: Send + Sync + 'static>() {
        let Offsets { key, value, size, align } = Typed::<K, V>::OFFSETS;
        let name = std::any::type_name::<(K, V)>();
        assert_eq!((size, align), (size_of::<LaidOut<K, V>>(), align_of::<LaidOut<K, V>>()), "{name}");
        assert!(
            key >= BEHIND && key + size_of::<K>() <= size && key.is_multiple_of(align_of::<K>()),
            "{name}"
        );
        assert!(
            value >= BEHIND && value + size_of::<V>() <= size && value.is_multiple_of(align_of::<V>()),
            "{name}"
        );
        assert!(key + size_of::<K>() <= value || value + size_of::<V>() <= key, "{name}");
        let ages = (8 + size_of::<Ages>()).next_multiple_of(align);
        for (shape, lead) in [(Shape::Bare, 0), (Shape::Timed, 8.max(align)), (Shape::Aged, ages)] {
            let form = Typed::<K, V>::KIND.form(shape);
            assert!(form.first >= size_of::<Slab>() + lead && form.first.is_multiple_of(align), "{name}");
            assert!(form.stride == size + lead && form.stride.is_multiple_of(align), "{name}");
        }
    }

    #[test]
    fn entries_take_no_more_room_than_if_their_types_were_known() {
        check::<u64, u64>();
        check::<u32, u64>();
        check::<u64, u32>();
        check::<u8, u8>();
        check::<(), ()>();
        check::<u128, u8>();
        check::<[u32; 3], String>();
        check::<String, [u8; 5]>();
        check::<Arc<str>, Line>();
        check::<(u64, u32), [u16; 7]>();
    }
}
