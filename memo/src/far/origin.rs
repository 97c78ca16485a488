//! Where a function stands in the program, as its own code tells.

use std::any::TypeId;
use std::panic::Location;

/// Where a function stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The package and its version; the module; the path of an item in the function.
    pub(super) package: &'static str,
    pub(super) version: &'static str,
    pub(super) module: &'static str,
    pub(super) path: &'static str,
    /// That item.
    pub(super) item: TypeId,
    pub(super) place: &'static Location<'static>,
    pub(super) namesakes: Namesakes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Namesakes {
    None,
    Some,
    Unknown,
}

impl Origin {
    /// That of the function that the item `T` is in, by module and by package with its version, as cargo says them.
    #[track_caller]
    pub fn of<T: 'static>(
        module: &'static str,
        package: Option<&'static str>,
        version: Option<&'static str>,
    ) -> Self {
        Origin {
            package: package.unwrap_or_default(),
            version: version.unwrap_or_default(),
            module,
            path: std::any::type_name::<T>(),
            item: TypeId::of::<T>(),
            place: Location::caller(),
            namesakes: Namesakes::None,
        }
    }

    /// A function in another block has the same path.
    pub fn with_namesakes(self) -> Self {
        Origin { namesakes: Namesakes::Some, ..self }
    }

    /// A macro's definition holds it.
    pub fn in_macro(self) -> Self {
        Origin { namesakes: Namesakes::Unknown, ..self }
    }

    /// The path of what the function is in.
    pub(super) fn parent(&self) -> &'static str {
        // the item is in a closure, which is in the function, or in one of ours beside it
        let function = outer(self.path).trim_end_matches("::{{closure}}");
        outer(function.strip_suffix("::__site").unwrap_or(function))
    }
}

/// The path without its last segment.
fn outer(path: &'static str) -> &'static str {
    path.rsplit_once("::").map_or("", |(outer, _)| outer)
}

/// Whether the type called `name` is a closure or a future, or is made of one: these have no names of their own.
pub(crate) fn is_nameless(name: &str) -> bool {
    name.match_indices("}}").any(|(at, _)| !name[at..].starts_with("}}::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_function_is_in_is_told_by_an_item_in_it() {
        fn parent(path: &'static str) -> &'static str {
            Origin { path, ..Origin::of::<()>("a", None, None) }.parent()
        }
        assert_eq!(parent("a::f::__site::{{closure}}::__Here"), "a");
        assert_eq!(parent("a::outer::{{closure}}::f::__site::{{closure}}::__Here"), "a::outer::{{closure}}");
        assert_eq!(parent("a::outer::f::{{closure}}::{{closure}}::__Here"), "a::outer");
    }

    #[test]
    fn closures_have_no_names() {
        for name in ["a::f::{{closure}}", "a::Map<a::{{closure}}, u8>", "(a::f<a::{{closure}}>, u8)"] {
            assert!(is_nameless(name), "{name}");
        }
        for name in ["a::f", "a::f<u8>", "a::f::{{closure}}::T", "dyn core::ops::Fn(u8) -> u8"] {
            assert!(!is_nameless(name), "{name}");
        }
    }
}
