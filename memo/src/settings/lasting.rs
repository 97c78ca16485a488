//! What generated code says of a function for engines that outlive the process.

use super::Settings;
use crate::lasting::{Codec, Origin, is_nameless};

impl Settings {
    /// The type parameters: what each is called, and its type's name.
    pub fn parameters(mut self, types: &[(&str, &'static str)], consts: &[&dyn std::fmt::Debug]) -> Self {
        let names: Vec<_> = types.iter().map(|(_, name)| name).collect();
        self.lasting.parameters = format!("{names:?}{consts:?}");
        self.lasting.nameless = types
            .iter()
            .find(|(_, name)| is_nameless(name))
            .map(|(parameter, name)| format!("its type parameter `{parameter}` is `{name}`"));
        self
    }

    /// Something about its types has no name that lasts.
    pub fn nameless(mut self, why: &str) -> Self {
        self.lasting.nameless = Some(why.to_owned());
        self
    }

    /// The path of a closure in the function, by [`path_of`](crate::__private::path_of), where arguments are written `impl
    /// Trait`: these are the type parameters in it.
    pub fn told(mut self, path: &'static str) -> Self {
        let types = path.trim_end_matches("::{{closure}}");
        self.lasting.parameters += types;
        if is_nameless(types) {
            self.lasting.nameless = Some(format!("its `impl Trait` arguments are of the types in `{types}`"));
        }
        self
    }

    /// The path of a closure in the function, by [`path_of`](crate::__private::path_of): of which trait it is.
    pub fn implementation(mut self, path: &'static str) -> Self {
        self.lasting.implementation = Some(path);
        self
    }

    /// Where it stands.
    pub fn origin(mut self, origin: Origin) -> Self {
        self.lasting.origin = Some(origin);
        self
    }

    /// `code = "track"`: a digest of the function's tokens.
    pub fn code(mut self, code: u64) -> Self {
        self.lasting.code = code;
        self
    }

    /// `codec`.
    pub fn codec(mut self, codec: Codec) -> Self {
        self.lasting.codec = Some(codec);
        self
    }
}
