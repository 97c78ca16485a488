//! The attribute and the derive of [`memo`](https://docs.rs/memo), which re-exports both. Use them from
//! there: the code that they write names `memo`, and the examples that are compiled and run live in its
//! documentation.

mod args;
mod crate_path;
mod enclosing;
mod expand;
mod fallback;
mod instance;
mod item;
mod model;
mod pipeline;
mod validate;

/// Memoizes a function: a call with a key that was seen before is answered from a cache.
///
/// It goes on functions, `async` or not, methods and associated functions, generic or not, wherever they
/// stand. Callers see the signature that is written. Beside the function stands its companion, which
/// controls it: a type of the same name for a function, an associated function `<method>_memo` for a
/// method. Methods of traits and of their impls have no room for one.
///
/// ```text
/// #[memoize]
/// #[memoize(capacity = 10_000, ttl = "5m")]
/// #[memoize(key = (user.id, page))]
/// ```
///
/// Examples to run are in the documentation of `memo`.
///
/// # Options
///
/// In any order, each at most once. Expressions for lifetimes and capacity are evaluated once, when the
/// function is first called.
///
/// | option | value | meaning | default |
/// |---|---|---|---|
/// | `engine` | `"auto"`, `"memory"`, `"thread"` (alone), `"moka"`, `"disk"`, `"redis"` (the last three with the cargo feature of that name), a name of your own (with `engines`), or an array, nearest first | where results live; an array is tiers | `"auto"`: the strategy chooses |
/// | `fallback` | a name, an array, `"none"` | used while the engine is unavailable; with the cargo feature `engines` | a bounded memory engine |
/// | `ttl` | `"1h30m"`, or an expression of type `Duration` | lifetime of an entry from its writing | none |
/// | `tti` | likewise | lifetime of an entry from its last read | none |
/// | `ttl_of` | `\|value\| -> Option<Duration>` | lifetime decided by each result | none |
/// | `capacity` | an integer expression, or `"unbounded"` | most entries held in memory | from the configuration: 10 000 |
/// | `weigh` | `\|key, value\| -> u32` | weight of an entry; needs `max_weight` | none |
/// | `max_weight` | `"64MiB"`, or an integer expression | most weight held in memory; needs `weigh` | none |
/// | `key` | an expression over the arguments and `self` | the key, instead of all the arguments | all arguments |
/// | `skip` | `skip(a, b)`: names of arguments | left out of the key | none |
/// | `receiver` | `"instance"`, `"value"`, `"skip"`, or an expression such as `self.id` | how `self` enters the key | `"instance"` |
/// | `cache_if` | `\|value\| -> bool` | store only such results | all, but `Err` |
/// | `cache_err` | `true` or a duration | also store `Err`, for that long | not stored |
/// | `cache_none` | `false` | do not store `None` | stored |
/// | `single_flight` | `false`, `"process"`, `"machine"`, `"fleet"` | how far concurrent misses of one key share one computation | `"process"` |
/// | `on_error` | `"one"`, `"all"` | after an `Err` that cannot be cloned: one of those who waited computes and the others wait for it, or all compute | `"one"` |
/// | `patience` | a duration, `"never"` | of an `async fn`: how long calls wait for one that computes and is not polled; ten times as long as it usually takes, if that is longer | `"10s"` |
/// | `persist` | `true` | hint to the strategy: results should outlive the process; with the cargo feature `engines` | none |
/// | `shared` | `true` | hint to the strategy: results should be shared by machines; with the cargo feature `engines` | none |
/// | `large` | `true` | hint to the strategy: results are too large for memory; with the cargo feature `engines` | none |
/// | `name` | a string | the function's identity in keys, configuration and statistics | crate, module path, type and function |
/// | `version` | an integer | part of the identity of stored results | 0 |
/// | `code` | `"track"` or `"manual"` | whether an edit of the function's tokens makes stored results unreachable; for engines that outlive the process | `"track"` |
/// | `codec` | `"postcard"`, `"messagepack"`, `"json"` | how stored results are encoded; for engines that outlive the process | `"postcard"`; where that cannot read the type, `"messagepack"` or `"json"` |
/// | `companion` | `false`, or a name | the control item | named as the function |
/// | `crate` | a path | where `memo` is found when it is renamed or re-exported | `::memo` |
///
/// Durations are whole numbers with the units `ns`, `us`, `ms`, `s`, `m`, `h`, `d` and `w`, in any order,
/// each unit at most once: `"90s"`, `"1h30m"`. Sizes are one whole number with `B`, `KB`, `MB`, `GB`, `TB`
/// (powers of 1000) or `KiB`, `MiB`, `GiB`, `TiB` (powers of 1024).
///
/// # What is refused
///
/// With one error each, and the function still there, not memoized: `&mut` arguments and receivers that
/// neither `key` nor `skip` nor `receiver` covers, likewise `impl Trait` arguments and types that borrow
/// (but references, `Cow`, and tuples, slices, `Vec` and `Option` of them),
/// `const fn`, `extern fn`, variadic functions, functions that return nothing, `!`, `impl Trait` or a
/// borrow that is not `'static`, and options that are unknown, given twice, of a wrong value, or that
/// contradict each other.
#[proc_macro_attribute]
pub fn memoize(args: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    pipeline::memoized(args.into(), item.into()).into()
}

/// Implements `memo::Instance`: one field of the struct tells its instances apart.
///
/// That field is the one marked `#[instance]`; where none is marked, the only one of type `InstanceId`.
///
/// ```text
/// #[derive(memo::Instance)]
/// struct Catalogue { #[instance] id: Uuid, pool: Pool }
///
/// #[derive(memo::Instance)]
/// struct Session { instance: memo::InstanceId, started: Instant }
/// ```
///
/// Examples to run are in the documentation of `memo`.
///
/// | attribute | on | meaning |
/// |---|---|---|
/// | `#[instance]` | a field | this field is the identity |
/// | `#[memo(crate = path)]` | the struct | where `memo` is found when it is renamed or re-exported |
#[proc_macro_derive(Instance, attributes(instance, memo))]
pub fn derive_instance(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    instance::derive(input.into()).into()
}
