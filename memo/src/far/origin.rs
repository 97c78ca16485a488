//! What a function is called in engines that outlive the process, and whether it can be told from all others there.
//!
//! Names are all that lasts. Within a process types tell more: an item in the function tells which function it is, and
//! the closure that stands for an instantiation tells its type parameters. Where two of these have one name, none of
//! the two may use such an engine: it would be given the other's results.

use std::any::TypeId;
use std::collections::HashMap;
use std::panic::Location;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::memoized::Memoized;
use crate::registry;
use crate::route::Lacks;
use crate::settings::Settings;

/// Where a function stands.
#[derive(Debug, Clone, Copy)]
pub struct Origin {
    /// The package and its version; the module; the path of an item in the function.
    package: &'static str,
    version: &'static str,
    module: &'static str,
    path: &'static str,
    /// That item.
    item: TypeId,
    place: &'static Location<'static>,
    namesakes: Namesakes,
}

#[derive(Debug, Clone, Copy)]
enum Namesakes {
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
    fn parent(&self) -> &'static str {
        // the item is in a closure, which is in the function, or in one of ours beside it
        let function = outer(self.path).trim_end_matches("::{{closure}}");
        outer(function.strip_suffix("::__site").unwrap_or(function))
    }
}

/// The path without its last segment.
fn outer(path: &'static str) -> &'static str {
    path.rsplit_once("::").map_or("", |(outer, _)| outer)
}

/// The name in engines of a function called `name`: with its package, and the functions around it.
pub(super) fn name(settings: &Settings, name: &str) -> String {
    let Some(origin) = settings.origin.filter(|_| settings.name.is_none()) else { return name.to_owned() };
    let package = origin.package;
    match settings.owner {
        // in its type's name
        Some(_) => format!("{package}/{name}"),
        None => {
            let function = name.rsplit("::").next().unwrap_or(name);
            format!("{package}/{}::{function}", origin.parent())
        }
    }
}

/// The type parameters of the function, of its type and of the trait, by their names: the name of the function has none.
pub(super) fn parameters(settings: &Settings) -> String {
    let implemented =
        settings.implementation.map_or_else(String::new, |path| format!(" as {}", trait_in(path)));
    let owner = settings.owner.unwrap_or_default();
    format!("{owner}{implemented}{}", settings.parameters)
}

/// Why an instantiation has no name that lasts, where that is so whatever else there is.
pub(super) fn unnamed(settings: &Settings) -> Option<Lacks> {
    let origin = settings.origin?;
    let why = match origin.namesakes {
        _ if settings.name.is_some() => None,
        Namesakes::Some => Some("a function in another block has the same path"),
        // a method has the name of its type
        Namesakes::Unknown if settings.owner.is_none() && origin.parent() != origin.module => {
            Some("a macro has put it into another function, maybe with more of the same path")
        }
        _ => None,
    };
    let why = why.map(|why| Lacks { why: why.to_owned(), instead: Some("tell it apart by `name = \"..\"`") });
    why.or_else(|| {
        let instead = "all closures of a module have one name: use a function or a type that has a name of its own, \
                       or `engine = \"memory\"`";
        Some(Lacks { why: nameless(settings)?, instead: Some(instead) })
    })
}

/// Which of its types is a closure, in words.
fn nameless(settings: &Settings) -> Option<String> {
    let owner = settings.owner.filter(|owner| is_nameless(owner));
    let implemented = settings.implementation.map(|path| (path, trait_in(path)));
    let implemented = implemented.filter(|(path, of)| path != of && is_nameless(of));
    let types = settings.nameless.clone();
    types
        .or_else(|| owner.map(|owner| format!("it is a method of `{owner}`")))
        .or_else(|| implemented.map(|(_, of)| format!("it is a method of the trait `{of}`")))
}

/// Whether the type called `name` is a closure or a future, or is made of one: these have no names of their own.
pub(crate) fn is_nameless(name: &str) -> bool {
    name.match_indices("}}").any(|(at, _)| !name[at..].starts_with("}}::"))
}

/// Why there is nothing to read in engines, where something else has been found to have the same name.
pub(super) const REFUSED: &str = "something else in this program has the same name";

/// What must not be two things.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Name {
    /// The path of a function. Two versions of one package are the same functions, then and now.
    Function { package: &'static str, version: &'static str, path: &'static str },
    /// The type parameters of one function, by name.
    Types(TypeId, String),
}

/// Who has a name.
struct Claim {
    by: TypeId,
    place: &'static Location<'static>,
    /// Somebody else has it too.
    refused: bool,
}

static CLAIMS: Mutex<Option<HashMap<Name, Claim>>> = Mutex::new(None);

fn claims() -> MutexGuard<'static, Option<HashMap<Name, Claim>>> {
    CLAIMS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The names of an instantiation, and who has them: of the function, where its author has not given one, and of the
/// types.
fn names(settings: &Settings, origin: Origin, marker: TypeId) -> impl Iterator<Item = (Name, TypeId)> {
    let Origin { package, version, path, item, .. } = origin;
    let function = settings.name.is_none().then_some((Name::Function { package, version, path }, item));
    let types = (Name::Types(item, parameters(settings)), marker);
    function.into_iter().chain([types])
}

/// Whether something else has been found to have a name of this instantiation.
pub(crate) fn is_refused(settings: &Settings) -> bool {
    let Some(origin) = settings.origin else { return false };
    let claims = claims();
    let Some(claims) = &*claims else { return false };
    // who asks does not matter
    names(settings, origin, origin.item).any(|(name, _)| claims.get(&name).is_some_and(|claim| claim.refused))
}

/// Has the names of an instantiation be its own, or else, which is true, takes it and whoever had one of them off the
/// engines that outlive the process. The function is called `name`.
pub(crate) fn claim(settings: &Settings, name: &str, marker: TypeId) -> bool {
    let Some(origin) = settings.origin else { return false };
    let mut refused = Vec::new();
    let mut claims = claims();
    let claims_by_name = claims.get_or_insert_default();
    for (claimed, by) in names(settings, origin, marker) {
        let what = match &claimed {
            Name::Function { .. } => None,
            Name::Types(_, types) => Some(types.trim_end_matches("[]").to_owned()),
        };
        let place = origin.place;
        let claim = claims_by_name.entry(claimed).or_insert(Claim { by, place, refused: false });
        if claim.by != by && !std::mem::replace(&mut claim.refused, true) {
            refused.push((claim.place, what));
        }
    }
    drop(claims);
    for (other, types) in &refused {
        say(name, origin, other, types.as_deref());
    }
    if !refused.is_empty() {
        registry::all().into_iter().for_each(Memoized::tell_apart);
    }
    is_refused(settings)
}

fn say(name: &str, origin: Origin, other: &Location<'_>, types: Option<&str>) {
    let here = origin.place;
    crate::warn::warn(&match types {
        None => format!(
            "the functions `{name}` at {other} and at {here} have one name in engines that outlive the process, and do \
             without: tell them apart by `name = \"..\"`"
        ),
        Some(types) => format!(
            "`{name}` at {here} is used with different types of one name ({types}), and does without engines that \
             outlive the process for these: give them names of their own, or have them stand in modules"
        ),
    });
}

/// The trait in the path of something in an `impl` of it, with its parameters. The compiler writes such a path as
/// `<a::X as b::Trait<T>>::f` or `m::<impl b::Trait<T> for a::X>::f`; another one is taken whole, which tells too much
/// apart rather than too little.
fn trait_in(path: &str) -> &str {
    let mut depth = 0_usize;
    let mut begun = None;
    for (at, c) in path.char_indices() {
        let rest = &path[at..];
        match c {
            '<' => {
                depth += 1;
                if depth == 1 && rest.starts_with("<impl ") {
                    begun = Some(at + "<impl ".len());
                }
            }
            // not that of `fn() -> T`
            '>' if !path[..at].ends_with('-') => {
                depth = depth.saturating_sub(1);
                if let (0, Some(begun)) = (depth, begun) {
                    return &path[begun..at];
                }
            }
            ' ' if depth == 1 && begun.is_none() && rest.starts_with(" as ") => {
                begun = Some(at + " as ".len())
            }
            ' ' if depth == 1 && rest.starts_with(" for ") => {
                if let Some(begun) = begun {
                    return &path[begun..at];
                }
            }
            _ => {}
        }
    }
    path
}

#[cfg(all(test, not(memo_shuttle)))]
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
    fn promise_25_packages_tell_crates_of_one_name_apart() {
        let of = |package, version| {
            let origin = Origin::of::<()>("cli", Some(package), Some(version));
            let origin = Origin { path: "cli::main::f::__site::{{closure}}::__Here", ..origin };
            Settings::new().origin(origin)
        };
        assert_eq!(name(&of("one-cli", "1.0.0"), "cli::f"), "one-cli/cli::main::f");
        assert_ne!(name(&of("one-cli", "1.0.0"), "cli::f"), name(&of("other-cli", "1.0.0"), "cli::f"));
        assert_eq!(name(&of("cli", "1.0.0"), "cli::f"), name(&of("cli", "2.0.0"), "cli::f"));
        let method = |package| name(&of(package, "1.0.0").owner("cli::T"), "cli::T::f");
        assert_ne!(method("one-cli"), method("other-cli"));
        assert_eq!(name(&of("cli", "1.0.0").name("said"), "said"), "said");
    }

    #[test]
    fn promise_25_two_versions_of_a_package_in_one_program_are_no_two_things() {
        let of = |version, item| {
            let origin = Origin { item, ..Origin::of::<()>("app", Some("promise-25"), Some(version)) };
            Settings::new().origin(origin)
        };
        let (one, other) = (TypeId::of::<u8>(), TypeId::of::<u16>());
        assert!(!claim(&of("1.0.0", one), "app::f", one));
        assert!(!claim(&of("2.0.0", other), "app::f", other));
        assert!(claim(&of("2.0.0", one), "app::f", one), "but two of one version are");
        assert!(is_refused(&of("2.0.0", other)));
        assert!(!is_refused(&of("1.0.0", one)));
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

    #[test]
    fn the_trait_is_found_however_its_path_is_written() {
        let paths = [
            ("<a::X as b::Tr<alloc::string::String>>::f::{{closure}}", "b::Tr<alloc::string::String>"),
            ("<a::G<u8> as b::Tr<fn(u8) -> u32, [u8; 3]>>::f::{{closure}}", "b::Tr<fn(u8) -> u32, [u8; 3]>"),
            ("<dyn for<'a> Fn(&'a u8) -> u8 as b::Tr<u8>>::f::{{closure}}", "b::Tr<u8>"),
            (
                "m::<impl b::Tr<dyn for<'a> Fn(&'a u8) -> u8> for a::G<alloc::boxed::Box<u8>>>::f::{{closure}}",
                "b::Tr<dyn for<'a> Fn(&'a u8) -> u8>",
            ),
            ("a::f::{{closure}}", "a::f::{{closure}}"),
        ];
        for (path, expected) in paths {
            assert_eq!(trait_in(path), expected, "{path}");
        }
    }
}
