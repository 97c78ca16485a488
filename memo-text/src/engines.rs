//! The built-in engines that outlive the process: what macro and runtime must know of each, whether or not it is compiled in.

/// What is said of a built-in engine.
#[derive(Debug, Clone, Copy)]
pub struct BuiltIn {
    /// Its name. The cargo feature of `memo` that it needs has the same name.
    pub name: &'static str,
    /// Where it keeps results, as a sentence ends with it: "on disk".
    pub place: &'static str,
    /// The engine as what a sentence is about: "the disk".
    pub subject: &'static str,
}

/// Hands all rows to the macro `$then`. A row is `"name" { columns }`. The columns are the fields of [`BuiltIn`].
#[doc(hidden)]
#[macro_export]
macro_rules! __built_in_engines {
    ($($then:tt)+) => {
        $($then)+! {
            "disk" { place: "on disk", subject: "the disk" }
            "redis" { place: "in redis", subject: "redis" }
        }
    };
}

macro_rules! rows {
    ($($name:literal { $($column:tt)* })+) => {
        /// All built-in engines that outlive the process.
        pub const BUILT_IN: &[BuiltIn] = &[$(BuiltIn { name: $name, $($column)* }),+];
    };
}

__built_in_engines!(rows);

/// The built-in engines that outlive the process: `&[(&str, bool)]`, the name of each, and whether the crate in which this
/// stands has the cargo feature of that name on.
#[macro_export]
macro_rules! built_in_engines {
    () => {
        $crate::__built_in_engines!($crate::__engine_features)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __engine_features {
    ($($name:literal { $($column:tt)* })+) => {
        &[$(($name, cfg!(feature = $name))),+]
    };
}

/// The built-in engine of this name.
pub fn built_in(name: &str) -> Option<&'static BuiltIn> {
    BUILT_IN.iter().find(|engine| engine.name == name)
}
