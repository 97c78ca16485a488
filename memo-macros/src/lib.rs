//! The attribute and the derive of [`memo`](https://docs.rs/memo), which re-exports both. Use them from
//! there: the code that they write names `memo`, and the examples that are compiled and run live in its
//! documentation.

mod crate_path;
mod enclosing;
mod errors;
mod expand;
mod instance;
mod item;
mod model;
mod options;
mod pipeline;
mod refused;
mod types;
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
#[doc = memo_text::options_table!()]
///
/// Durations are whole numbers with the units `ns`, `us`, `ms`, `s`, `m`, `h`, `d` and `w`, in any order,
/// each unit at most once: `"90s"`, `"1h30m"`. Sizes are one whole number with `B`, `KB`, `MB`, `GB`, `TB`
/// (powers of 1000) or `KiB`, `MiB`, `GiB`, `TiB` (powers of 1024).
///
/// # What is refused
///
/// Each mistake is one error. The function is still there then, but not memoized. Refused are
///
/// * `&mut` arguments, `impl Trait` arguments and arguments of types that borrow, unless `key` or `skip` keeps them out of the
///   key. References, `Cow`, and tuples, slices, `Vec` and `Option` of them may borrow;
/// * `&mut self`, unless `key` or `receiver` keeps it out of the key;
/// * `impl Trait` arguments of methods that have a companion;
/// * `const fn`, `extern fn` and variadic functions;
/// * functions that return nothing, `!`, `impl Trait`, or a borrow that is not `'static`;
/// * options that are unknown, given twice, of a wrong value, or that contradict each other.
#[proc_macro_attribute]
pub fn memoize(options: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    pipeline::memoized(options.into(), item.into()).into()
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
