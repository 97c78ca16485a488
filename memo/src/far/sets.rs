//! Which types are sets whose order says nothing. serde writes a set as it does a vector; that two of them are equal
//! in another order is known from the name of the type alone.

use std::any::type_name;

/// Sets that are equal whatever their order, up to their parameters. `BTreeSet` has one order.
const SETS: [&str; 3] =
    ["std::collections::hash::set::HashSet<", "hashbrown::set::HashSet<", "indexmap::set::IndexSet<"];

/// What is written as what it holds.
const AROUND: [&str; 7] = [
    "&mut ",
    "&",
    "alloc::boxed::Box<",
    "alloc::sync::Arc<",
    "alloc::rc::Rc<",
    "alloc::borrow::Cow<",
    "'_, ",
];

/// Whether `T` is such a set, or holds one and is written as it.
pub(super) fn is_set<T: ?Sized>() -> bool {
    let name = type_name::<T>();
    // most types are told apart by this, which is known when it is compiled
    name.len() > SHORTEST && name.ends_with('>') && named_set(name)
}

/// No more than the length of any of [`SETS`].
const SHORTEST: usize = 24;

fn named_set(mut name: &str) -> bool {
    while let Some(inner) = AROUND.iter().find_map(|around| name.strip_prefix(around)) {
        name = inner;
    }
    SETS.iter().any(|set| name.starts_with(set))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;
    use std::collections::{BTreeSet, HashSet};
    use std::rc::Rc;
    use std::sync::Arc;

    mod hash_set {
        pub(super) struct HashSet<T>(pub(super) T);
    }

    #[test]
    fn sets_are_known_by_the_whole_name_of_their_type() {
        assert!(is_set::<HashSet<u8>>());
        assert!(is_set::<hashbrown::HashSet<String>>());
        assert!(named_set("indexmap::set::IndexSet<alloc::string::String>"));
        assert!(is_set::<&Box<Arc<HashSet<u8>>>>());
        assert!(is_set::<Rc<HashSet<u8>>>());
        assert!(is_set::<Cow<'_, HashSet<u8>>>());

        assert!(!is_set::<hash_set::HashSet<u8>>());
        assert!(!is_set::<BTreeSet<u8>>());
        assert!(!is_set::<Vec<HashSet<u8>>>(), "its elements are");
        assert!(!is_set::<Option<HashSet<u8>>>(), "what is in it is");
        assert!(!is_set::<str>());
    }
}
