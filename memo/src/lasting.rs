//! What engines that outlive the process need to know of a function: where it stands, of which types it is, and how its
//! results are written.

use std::any::TypeId;
use std::panic::Location;

/// What engines that outlive the process need to know of a function.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lasting {
    /// The type parameters, as far as engines that outlive the process need to know.
    pub(crate) parameters: String,
    /// Which of them has no name that lasts, in words.
    pub(crate) nameless: Option<String>,
    /// The path of a closure in the function, where that stands in the `impl` of a trait.
    pub(crate) implementation: Option<&'static str>,
    /// Where the function stands, if its results may outlive the process.
    pub(crate) origin: Option<Origin>,
    /// A digest of the function's tokens; 0 where edits are not tracked.
    pub(crate) code: u64,
    /// None where the author names none.
    pub(crate) codec: Option<Codec>,
}

/// How results are written. The numbers are part of the stored format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Codec {
    /// The bytes themselves, of a result that is text or bytes.
    Raw = 0,
    /// postcard: small and fast; the type must be known to read it, which the fingerprint sees to.
    Postcard = 1,
    /// MessagePack, with the names of fields.
    #[cfg(feature = "messagepack")]
    MessagePack = 2,
    /// JSON: to be read by people and by other programs.
    #[cfg(feature = "json")]
    Json = 3,
}

/// Where a function stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The package and its version; the module; the path of an item in the function.
    pub(crate) package: &'static str,
    pub(crate) version: &'static str,
    pub(crate) module: &'static str,
    pub(crate) path: &'static str,
    /// That item.
    pub(crate) item: TypeId,
    pub(crate) location: &'static Location<'static>,
    pub(crate) namesakes: Namesakes,
}

/// Whether other functions have the same path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Namesakes {
    None,
    /// A function in another block has the same path.
    Some,
    /// A macro's definition holds the function.
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
            location: Location::caller(),
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
    pub(crate) fn parent(&self) -> &'static str {
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
