//! What a function is called in engines that outlive the process. Names are all that lasts there.

use crate::lasting::{Namesakes, is_nameless};
use crate::route::Lacks;
use crate::settings::Settings;

/// The name in engines of a function called `name`: with its package, and the functions around it.
pub(super) fn name(settings: &Settings, name: &str) -> String {
    let Some(origin) = settings.lasting.origin.filter(|_| settings.name.is_none()) else {
        return name.to_owned();
    };
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

/// The type parameters of the function, of its type and of the trait, by their names. The name of the function has none of
/// them.
pub(super) fn parameters(settings: &Settings) -> String {
    let implemented =
        settings.lasting.implementation.map_or_else(String::new, |path| format!(" as {}", trait_in(path)));
    let owner = settings.owner.unwrap_or_default();
    format!("{owner}{implemented}{}", settings.lasting.parameters)
}

/// Why an instantiation has no name that lasts, whatever other functions there are; `None` if it has one.
pub(super) fn unnamed(settings: &Settings) -> Option<Lacks> {
    let origin = settings.lasting.origin?;
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
    let implemented = settings.lasting.implementation.map(|path| (path, trait_in(path)));
    let implemented = implemented.filter(|(path, of)| path != of && is_nameless(of));
    let types = settings.lasting.nameless.clone();
    types
        .or_else(|| owner.map(|owner| format!("it is a method of `{owner}`")))
        .or_else(|| implemented.map(|(_, of)| format!("it is a method of the trait `{of}`")))
}

/// The trait in the path of something in an `impl` of it, with its parameters. The compiler writes such a path as
/// `<a::X as b::Trait<T>>::f` or `m::<impl b::Trait<T> for a::X>::f`; a path of another form is taken whole, so that
/// two traits are never taken for one.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lasting::Origin;

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
