//! The options of `#[memoize]`: one row for each, from which all else about them follows.

/// What is said of an option of `#[memoize]`.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// Whether a configuration has an option of this name too, by which it sets another value. If not, the option is about the
    /// code of the function.
    pub configurable: bool,
    /// Whether a scope may set another value: see `memo/src/scope/options.rs`.
    pub scoped: bool,
    /// What it takes, in Markdown.
    pub value: &'static str,
    /// What it means, in Markdown.
    pub meaning: &'static str,
    /// What holds where it is not given, in Markdown.
    pub default: &'static str,
    /// Of a length of time: why it must not be zero, as the end of the sentence "`ttl` of zero ..". `None` if it may be zero.
    pub zero: Option<&'static str>,
    /// Of a function of the author's: what it is called with.
    pub called_with: &'static [&'static str],
    /// Options that have to be given with it, each with the error where one is missing.
    pub needs: &'static [(&'static str, &'static str)],
    /// Options that must not be given with it, each with the error, which is about this option.
    pub excludes: &'static [(&'static str, &'static str)],
}

/// What rows leave out.
const REST: Row = Row {
    name: "",
    configurable: false,
    scoped: false,
    value: "",
    meaning: "",
    default: "",
    zero: None,
    called_with: &[],
    needs: &[],
    excludes: &[],
};

/// Hands all rows to the macro `$then`, in the order of the documentation.
///
/// A row is `"name" => field: Kind { columns }`. `field` is the name as an identifier. `Kind` is known to `memo-macros` alone: it
/// is the type of the value, which says how a value is read. It has a default for where the option is not given, which is
/// `None` if the kind is `Option<..>`. The columns are the fields of [`Row`]; of these the first four are always there.
#[macro_export]
macro_rules! options {
    ($($then:tt)+) => {
        $($then)+! {
            "engine" => engine: Engine {
                configurable: true,
                value: r#"`"auto"`, `"memory"`, `"thread"` (alone), `"moka"`, a built-in engine such as `"disk"` or `"redis"` (each of these with the cargo feature of its name), a name of your own (with `engines`), or an array, nearest first"#,
                meaning: "where results live; an array is tiers",
                default: r#"`"auto"`: the strategy chooses"#,
                scoped: true,
            }
            "fallback" => fallback: Option<Fallback> {
                configurable: true,
                value: r#"a name, an array, `"none"`"#,
                meaning: "used while the engine is unavailable; with the cargo feature `engines`",
                default: "a bounded memory engine",
                scoped: true,
            }
            "ttl" => ttl: Option<Length> {
                configurable: true,
                value: r#"`"1h30m"`, or an expression of type `Duration`"#,
                meaning: "lifetime of an entry from its writing",
                default: "none",
                scoped: true,
                zero: Some("would store nothing: give a longer one, or remove it"),
            }
            "tti" => tti: Option<Length> {
                configurable: true,
                value: "likewise",
                meaning: "lifetime of an entry from its last read",
                default: "none",
                zero: Some("would store nothing: give a longer one, or remove it"),
            }
            "ttl_of" => ttl_of: Option<Callback> {
                configurable: false,
                value: r#"`\|value\| -> Option<Duration>`"#,
                meaning: "lifetime decided by each result",
                default: "none",
                called_with: &["value"],
            }
            "stale" => stale: Option<Length> {
                configurable: true,
                value: "a duration",
                meaning: "how long a result is served after its lifetime, at once, while one computation renews it; needs `ttl` or `ttl_of`",
                default: "none",
                scoped: true,
                zero: Some("would serve nothing: give a longer one, or remove it"),
            }
            "stale_if_error" => stale_if_error: Option<Length> {
                configurable: true,
                value: "a duration",
                meaning: "how long a result answers after its lifetime where the computation fails, by an `Err` or a panic; needs `ttl` or `ttl_of`",
                default: "none",
                scoped: true,
                zero: Some("would serve nothing: give a longer one, or remove it"),
            }
            "refresh_ahead" => refresh_ahead: Option<RefreshAhead> {
                configurable: true,
                value: r#"`0.8`, `"auto"`"#,
                meaning: "a hit after this part of the lifetime has the result renewed; or by chance, the likelier the dearer the computation was and the nearer the end; needs `ttl` or `ttl_of`",
                default: "none",
                scoped: true,
            }
            "jitter" => jitter: Option<Jitter> {
                configurable: true,
                value: r#"`"10%"`"#,
                meaning: "lifetimes are shorter by chance, by up to that, so that what came together does not end together; needs `ttl` or `ttl_of`",
                default: "none",
                scoped: true,
            }
            "capacity" => capacity: Option<Capacity> {
                configurable: true,
                value: r#"an integer expression, or `"unbounded"`"#,
                meaning: "most entries held in memory",
                default: "from the configuration: 10 000",
                excludes: &[("max_weight", "`capacity` and `max_weight` contradict each other: keep one of them")],
            }
            "weigh" => weigh: Option<Callback> {
                configurable: false,
                value: r#"`\|key, value\| -> u32`"#,
                meaning: "weight of an entry; needs `max_weight`",
                default: "none",
                called_with: &["key", "value"],
                needs: &[("max_weight", "`weigh` needs a bound: add `max_weight`, such as `max_weight = \"64MiB\"`")],
            }
            "max_weight" => max_weight: Option<MaxWeight> {
                configurable: true,
                value: r#"`"64MiB"`, or an integer expression"#,
                meaning: "most weight held in memory; needs `weigh`",
                default: "none",
                needs: &[("weigh", "`max_weight` needs weights: add `weigh = |key, value| ..`")],
            }
            "key" => key: Option<Key> {
                configurable: false,
                value: "an expression over the arguments and `self`",
                meaning: "the key, instead of all the arguments",
                default: "all arguments",
            }
            "skip" => skip: Skip {
                configurable: false,
                value: "`skip(a, b)`: names of arguments",
                meaning: "left out of the key",
                default: "none",
                excludes: &[("key", "`key` replaces all arguments, so there is nothing to skip: remove `skip`")],
            }
            "receiver" => receiver: ReceiverKey {
                configurable: false,
                value: r#"`"instance"`, `"value"`, `"skip"`, or an expression such as `self.id`"#,
                meaning: "how `self` enters the key",
                default: r#"`"instance"`"#,
                excludes: &[("key", "`key` replaces the receiver: name in `key` what counts of `self`, and remove `receiver`")],
            }
            "cache_if" => cache_if: Option<Callback> {
                configurable: false,
                value: r#"`\|value\| -> bool`"#,
                meaning: "store only such results",
                default: "all, but `Err`",
                called_with: &["value"],
            }
            "cache_err" => cache_err: CacheErr {
                configurable: true,
                value: "`true` or a duration",
                meaning: "also store `Err`, for that long",
                default: "not stored",
                zero: Some("would store nothing: give a longer one, or remove it"),
            }
            "cache_none" => cache_none: CacheNone {
                configurable: false,
                value: "`false` or a duration",
                meaning: "do not store `None`, or only for that long",
                default: "stored as any other",
                zero: Some("would store no `None`: write `cache_none = false`"),
            }
            "valid_if" => valid_if: Option<Callback> {
                configurable: false,
                value: r#"`\|value\| -> bool`"#,
                meaning: "asked on each hit: a stored result that fails it is a miss",
                default: "none",
                called_with: &["value"],
            }
            "refresh_if" => refresh_if: Option<Condition> {
                configurable: false,
                value: "an expression over the arguments and `self`",
                meaning: "a call for which it is true computes anew, and replaces what is stored",
                default: "none",
            }
            "single_flight" => single_flight: Option<SingleFlight> {
                configurable: true,
                value: r#"`false`, `"process"`, `"machine"`, `"fleet"`"#,
                meaning: "how far concurrent misses of one key share one computation",
                default: r#"`"process"`"#,
            }
            "on_error" => on_error: Option<OnError> {
                configurable: true,
                value: r#"`"one"`, `"all"`"#,
                meaning: "after an `Err` that cannot be cloned: one of those who waited computes and the others wait for it, or all compute",
                default: r#"`"one"`"#,
            }
            "patience" => patience: Option<Patience> {
                configurable: true,
                value: r#"a duration, `"never"`"#,
                meaning: "of an `async fn`: how long calls wait for one that computes and is not polled; ten times as long as it usually takes, if that is longer",
                default: r#"`"10s"`"#,
                zero: Some("would not wait at all: give a longer one, or write `single_flight = false`"),
            }
            "persist" => persist: Switch<false> {
                configurable: true,
                value: "`true`",
                meaning: "hint to the strategy: results should outlive the process; with the cargo feature `engines`",
                default: "none",
            }
            "shared" => shared: Switch<false> {
                configurable: true,
                value: "`true`",
                meaning: "hint to the strategy: results should be shared by machines; with the cargo feature `engines`",
                default: "none",
            }
            "large" => large: Switch<false> {
                configurable: true,
                value: "`true`",
                meaning: "hint to the strategy: results are too large for memory; with the cargo feature `engines`",
                default: "none",
            }
            "name" => name: Option<Name> {
                configurable: false,
                value: "a string",
                meaning: "the function's identity in keys, configuration and statistics",
                default: "crate, module path, type and function",
            }
            "version" => version: Version {
                configurable: false,
                value: "an integer",
                meaning: "part of the identity of stored results",
                default: "0",
            }
            "code" => code: Code {
                configurable: false,
                value: r#"`"track"` or `"manual"`"#,
                meaning: "whether an edit of the function's tokens makes stored results unreachable; for engines that outlive the process",
                default: r#"`"track"`"#,
            }
            "codec" => codec: Option<Codec> {
                configurable: false,
                value: r#"`"postcard"`, `"messagepack"`, `"json"`"#,
                meaning: "how stored results are encoded; for engines that outlive the process",
                default: r#"`"postcard"`; where that cannot read the type, `"messagepack"` or `"json"`"#,
            }
            "companion" => companion: CompanionName {
                configurable: false,
                value: "`false`, or a name",
                meaning: "the control item",
                default: "named as the function",
            }
            "crate" => krate: CratePath {
                configurable: false,
                value: "a path",
                meaning: "where `memo` is found when it is renamed or re-exported",
                default: "`::memo`",
            }
        }
    };
}

macro_rules! rows {
    ($($name:literal => $field:ident: $kind:ty { $($column:tt)* })+) => {
        /// All options, in the order of the documentation.
        pub const OPTIONS: &[Row] = &[$(Row { name: $name, $($column)* ..REST }),+];
    };
}

options!(rows);

/// The rows of a table in Markdown for the documentation of the attribute: name, value, meaning and default of each option.
#[macro_export]
macro_rules! options_table {
    () => {
        $crate::options!($crate::__options_table)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __options_table {
    ($($name:literal => $field:ident: $kind:ty {
        configurable: $configurable:literal,
        value: $value:literal,
        meaning: $meaning:literal,
        default: $default:literal,
        $($column:tt)*
    })+) => {
        concat!($("| `", $name, "` | ", $value, " | ", $meaning, " | ", $default, " |\n"),+)
    };
}

/// The option of this name.
pub fn option(name: &str) -> Option<&'static Row> {
    OPTIONS.iter().find(|row| row.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_name_options_that_exist() {
        for row in OPTIONS {
            for (other, message) in row.needs.iter().chain(row.excludes) {
                assert!(option(other).is_some(), "`{}` names `{other}`", row.name);
                assert!(message.contains(&format!("`{}`", row.name)), "{message}");
            }
        }
    }

    #[test]
    fn each_row_is_a_line_of_the_table() {
        let table = options_table!();
        assert_eq!(table.lines().count(), OPTIONS.len());
        for (row, line) in OPTIONS.iter().zip(table.lines()) {
            assert!(line.starts_with(&format!("| `{}` | {} |", row.name, row.value)), "{line}");
        }
    }
}
