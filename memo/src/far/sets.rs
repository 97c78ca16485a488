//! Which types are sets whose order does not count. serde writes a set as it writes a vector, so only the name of the type
//! tells that two of them are equal in another order.

use std::any::type_name;

/// The beginnings of the names of sets that are equal in any order. A `BTreeSet` has one order only.
const SETS: [&str; 3] =
    ["std::collections::hash::set::HashSet<", "hashbrown::set::HashSet<", "indexmap::set::IndexSet<"];

/// The beginnings of the names of types that serde writes as what they hold.
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
    // for most types this is false, and known when they are compiled
    name.len() > SHORTEST && name.ends_with('>') && named_set(name)
}

/// At most the length of the shortest of [`SETS`].
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
