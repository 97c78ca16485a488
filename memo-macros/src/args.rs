//! The options of `#[memoize]`: each is declared once, in [`Args`], with what its value may be.
//!
//! Parsing reports every mistake that can be seen in one option alone, each on its token, and goes on.
//! An option whose value was wrong stays known as given, so that no second error follows from the first.

use std::time::Duration;

use darling::ast::NestedMeta;
use darling::error::Accumulator;
use darling::{Error, FromMeta, Result};
use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Expr, Ident, Lit, LitInt, LitStr, Meta, MetaNameValue, Path, Token, UnOp};

use crate::model::{
    CacheErr, Capacity, Code, Codec, Engine, Fallback, Lifetime, MaxWeight, Near, OnError, Patience,
    ReceiverKey, SingleFlight,
};
use crate::{crate_path, duration};

/// Declares the options: the struct, the list of their names, and the walk over them.
macro_rules! options {
    ($($(#[$doc:meta])+ $name:tt => $field:ident: $value:ty,)+) => {
        /// The options of one `#[memoize]`, as given.
        #[derive(Debug, Default, FromMeta)]
        pub(crate) struct Args {
            $($(#[$doc])+ #[darling(rename = $name, default)] pub(crate) $field: Option<Given<$value>>,)+
        }

        /// The names of all options, in the order of the documentation.
        pub(crate) const NAMES: &[&str] = &[$($name),+];

        impl Args {
            /// Hands over the errors in the values.
            fn report(&mut self, errors: &mut Accumulator) {
                $(if let Some(error) = self.$field.as_mut().and_then(|given| given.error.take()) {
                    errors.push(error);
                })+
            }

            /// Takes an option for given, with a value that is reported to be wrong.
            fn presume(&mut self, name: &str, key: Span) {
                $(if name == $name {
                    self.$field.get_or_insert(Given { key, value: None, error: None });
                })+
            }
        }
    };
}

options! {
    /// Where results live.
    "engine" => engine: Engine,
    /// What is used while the engine is unavailable.
    "fallback" => fallback: Fallback,
    /// Lifetime of an entry from its writing.
    "ttl" => ttl: Lifetime,
    /// Lifetime of an entry from its last read.
    "tti" => tti: Lifetime,
    /// The lifetime that a result asks for.
    "ttl_of" => ttl_of: Callback,
    /// Most entries held in memory.
    "capacity" => capacity: Capacity,
    /// The weight of an entry.
    "weigh" => weigh: Callback,
    /// Most weight held in memory.
    "max_weight" => max_weight: MaxWeight,
    /// The key, instead of all arguments.
    "key" => key: Key,
    /// The arguments that are left out of the key.
    "skip" => skip: Skip,
    /// How `self` enters the key.
    "receiver" => receiver: ReceiverKey,
    /// Which results are stored.
    "cache_if" => cache_if: Callback,
    /// Whether, and for how long, an `Err` is stored.
    "cache_err" => cache_err: Option<CacheErr>,
    /// Whether a `None` is stored.
    "cache_none" => cache_none: Switch,
    /// How far concurrent misses of one key share one computation.
    "single_flight" => single_flight: SingleFlight,
    /// What those who waited do after an error that cannot be cloned.
    "on_error" => on_error: OnError,
    /// How long to wait for a future that nobody polls.
    "patience" => patience: Patience,
    /// Hint to the strategy: results should outlive the process.
    "persist" => persist: Switch,
    /// Hint to the strategy: results should be shared by machines.
    "shared" => shared: Switch,
    /// Hint to the strategy: results are large.
    "large" => large: Switch,
    /// The function's identity.
    "name" => name: Name,
    /// A part of the identity of stored results.
    "version" => version: Version,
    /// Whether an edit of the body makes stored results unreachable.
    "code" => code: Code,
    /// How stored results are encoded.
    "codec" => codec: Codec,
    /// The control item.
    "companion" => companion: CompanionName,
    /// Where `memo` is found.
    "crate" => krate: Path,
}

impl Args {
    /// Reads what stands in the brackets of the attribute.
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Accumulator) -> Self {
        let mut args = Args::default();
        match NestedMeta::parse_meta_list(tokens) {
            Ok(items) => {
                let mut meant = Vec::new();
                let items = known_once(items, &mut meant, errors);
                args = errors.handle(Args::from_list(&items)).unwrap_or_default();
                for (name, key) in meant {
                    args.presume(&name, key);
                }
            }
            Err(error) => {
                // There may have been one in what cannot be read.
                args.presume("key", error.span());
                errors.push(error.into());
            }
        }
        args.report(errors);
        args
    }
}

/// The items that are known options, each once; the others are reported, and what was meant by them is
/// noted.
fn known_once(
    items: Vec<NestedMeta>,
    meant: &mut Vec<(String, Span)>,
    errors: &mut Accumulator,
) -> Vec<NestedMeta> {
    let mut seen = Vec::new();
    let mut kept = Vec::new();
    for item in items {
        let meta = match item {
            NestedMeta::Meta(meta) => meta,
            // What is no expression is refused by its option, which knows what it takes.
            NestedMeta::NameValueInvalidExpr(wrong) => Meta::NameValue(MetaNameValue {
                path: wrong.path,
                eq_token: wrong.eq_token,
                value: Expr::Verbatim(wrong.value),
            }),
            NestedMeta::Lit(literal) => {
                let message = "expected an option, such as `ttl = \"5m\"`: a value needs its option's name";
                errors.push(Error::custom(message).with_span(&literal));
                continue;
            }
        };
        let name = meta.path().require_ident().map(|ident| ident.unraw().to_string()).unwrap_or_default();
        if !NAMES.contains(&name.as_str()) {
            meant.extend(nearest(&name, NAMES).map(|option| (option, meta.path().span())));
            errors.push(unknown_option(meta.path(), &name));
        } else if seen.contains(&name) {
            let message = match name.as_str() {
                "skip" => "`skip` is given twice: name all arguments in one, as in `skip(a, b)`".to_owned(),
                _ => format!("`{name}` is given twice: keep one"),
            };
            errors.push(Error::custom(message).with_span(meta.path()));
        } else {
            seen.push(name);
            kept.push(NestedMeta::Meta(meta));
        }
    }
    kept
}

fn unknown_option(path: &Path, name: &str) -> Error {
    let written =
        path.segments.iter().map(|segment| segment.ident.to_string()).collect::<Vec<_>>().join("::");
    let message = match nearest(name, NAMES) {
        Some(nearest) => format!("unknown option `{written}`: did you mean `{nearest}`?"),
        None => format!("unknown option `{written}`: the options are {}", list(NAMES, '`')),
    };
    Error::custom(message).with_span(path)
}

/// An option that was given.
#[derive(Debug, Clone)]
pub(crate) struct Given<T> {
    /// Where its name stands.
    pub(crate) key: Span,
    /// Its value; `None` when that was wrong, which is reported.
    pub(crate) value: Option<T>,
    /// What was wrong, until it is reported.
    error: Option<Error>,
}

impl<T: Value> FromMeta for Given<T> {
    /// Never fails: what is wrong is kept, so that the other options are still read.
    fn from_meta(item: &Meta) -> Result<Self> {
        let key = item.path().span();
        let name = item.path().require_ident().map(|ident| ident.unraw().to_string()).unwrap_or_default();
        let value = match item {
            Meta::NameValue(pair) => T::parse(&name, &pair.value),
            Meta::List(list) => T::parse_list(&name, &list.tokens),
            Meta::Path(_) => Err(takes::<T>(&name)),
        };
        Ok(match value {
            Ok(value) => Given { key, value: Some(value), error: None },
            Err(error) => Given { key, value: None, error: Some(error.with_span(&key)) },
        })
    }
}

/// What may stand behind the name of an option. `name` is that name, for errors.
pub(crate) trait Value: Sized {
    /// What it takes, to go on from "`ttl` takes".
    const TAKES: &'static str;

    /// Reads `name = value`.
    fn parse(name: &str, value: &Expr) -> Result<Self>;

    /// Reads `name(..)`.
    fn parse_list(name: &str, _: &TokenStream) -> Result<Self> {
        Err(takes::<Self>(name))
    }
}

/// The error for a value of the wrong form; on the option's name, unless it is given another place.
fn takes<T: Value>(name: &str) -> Error {
    Error::custom(format_args!("`{name}` takes {}", T::TAKES))
}

/// The error for a value of the wrong form.
fn takes_not<T: Value>(name: &str, value: &Expr) -> Error {
    match value {
        // Nothing stands behind the `=`.
        Expr::Verbatim(tokens) if tokens.is_empty() => takes::<T>(name),
        _ => takes::<T>(name).with_span(value),
    }
}

/// The expression itself, without the invisible brackets that `macro_rules!` puts around `$x:expr`.
fn peel(value: &Expr) -> &Expr {
    match value {
        Expr::Group(group) => peel(&group.expr),
        _ => value,
    }
}

/// The literal that the value is, if it is one.
fn literal(value: &Expr) -> Option<&Lit> {
    match peel(value) {
        Expr::Lit(literal) => Some(&literal.lit),
        _ => None,
    }
}

/// The string literal that the value is, if it is one.
fn string(value: &Expr) -> Option<&LitStr> {
    match literal(value) {
        Some(Lit::Str(text)) => Some(text),
        _ => None,
    }
}

/// The expression that the value is, if it is more than a literal (with or without a minus sign).
fn expression(value: &Expr) -> Option<&Expr> {
    match peel(value) {
        Expr::Lit(_) | Expr::Verbatim(_) => None,
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) && literal(&unary.expr).is_some() => None,
        expr => Some(expr),
    }
}

/// One of a few words, in quotes.
fn word<T: Value>(name: &str, value: &Expr, words: &[&'static str]) -> Result<&'static str> {
    let text = string(value).ok_or_else(|| takes_not::<T>(name, value))?;
    let written = text.value();
    match words.iter().find(|word| **word == written) {
        Some(word) => Ok(word),
        None => Err(unknown_word(name, text, words)),
    }
}

fn unknown_word(name: &str, text: &LitStr, words: &[&str]) -> Error {
    let written = text.value();
    let message = match nearest(&written, words) {
        Some(nearest) => format!("unknown {name} \"{written}\": did you mean \"{nearest}\"?"),
        None => format!("unknown {name} \"{written}\": there are {}", list(words, '"')),
    };
    Error::custom(message).with_span(text)
}

/// The engines there are to be, available or not.
const ENGINES: &[&str] = &["auto", "memory", "thread", "moka", "disk", "redis"];

impl Value for Engine {
    const TAKES: &'static str =
        "the name of an engine, such as \"memory\", or an array of names, nearest first";

    fn parse(name: &str, value: &Expr) -> Result<Self> {
        let Expr::Array(array) = peel(value) else {
            return Ok(match one_engine::<Self>(name, value, ENGINES)? {
                One::Alone => Engine::Auto,
                One::Near(Near::Memory) => Engine::Memory,
                One::Near(Near::Moka) => Engine::Moka,
                One::Thread => Engine::Thread,
                One::Far(far) => Engine::Far { near: None, names: vec![far] },
            });
        };
        let mut errors = Error::accumulator();
        let mut near = None;
        let mut names: Vec<String> = Vec::new();
        for elem in &array.elems {
            let wrong = |message: &str| Error::custom(message).with_span(elem);
            match errors.handle(one_engine::<Self>(name, elem, ENGINES)) {
                Some(One::Alone) => {
                    errors.push(wrong("\"auto\" stands alone: name the engines, or say \"auto\""))
                }
                Some(One::Thread) => {
                    errors.push(wrong(
                        "\"thread\" stands alone, as results stay on their thread: say `engine = \"thread\"`, \
                         or name other engines",
                    ));
                }
                Some(One::Near(_)) if near.is_some() => {
                    errors.push(wrong("one engine in memory is enough: remove the other"));
                }
                Some(One::Near(_)) if !names.is_empty() => {
                    errors.push(wrong(
                        "the nearest engine comes first: put the one in memory before the others",
                    ));
                }
                Some(One::Near(first)) => near = Some(first),
                Some(One::Far(far)) if names.contains(&far) => {
                    errors.push(wrong("this engine is named twice: keep one"));
                }
                Some(One::Far(far)) => names.push(far),
                None => {}
            }
        }
        if array.elems.is_empty() {
            errors.push(Error::custom("name at least one engine, such as \"memory\"").with_span(value));
        }
        errors.finish()?;
        Ok(match near {
            Some(Near::Memory) if names.is_empty() => Engine::Memory,
            Some(Near::Moka) if names.is_empty() => Engine::Moka,
            near => Engine::Far { near, names },
        })
    }
}

/// One name of an engine.
enum One {
    /// The word that stands alone: "auto", "none".
    Alone,
    Near(Near),
    Thread,
    Far(String),
}

fn one_engine<T: Value>(name: &str, value: &Expr, words: &[&str]) -> Result<One> {
    let text = string(value).ok_or_else(|| takes_not::<T>(name, value))?;
    let wrong = |message: String| Err(Error::custom(message).with_span(value));
    match text.value().as_str() {
        word @ ("auto" | "none") if words.contains(&word) => Ok(One::Alone),
        "memory" => Ok(One::Near(Near::Memory)),
        "thread" => Ok(One::Thread),
        "moka" if cfg!(feature = "moka") => Ok(One::Near(Near::Moka)),
        "disk" if cfg!(feature = "disk") => Ok(One::Far("disk".to_owned())),
        "redis" if cfg!(feature = "redis") => Ok(One::Far("redis".to_owned())),
        known @ ("moka" | "disk" | "redis") => {
            wrong(format!("engine \"{known}\" needs the cargo feature `{known}` of memo"))
        }
        // what is registered as the program runs cannot be known here; a slip of the pen can
        own if cfg!(feature = "engines") && nearest(own, words).is_none() && !own.is_empty() => {
            Ok(One::Far(own.to_owned()))
        }
        _ => Err(unknown_word(name, text, words)),
    }
}

/// Why "thread" is no fallback.
const THREAD_STANDS_IN: &str =
    "a thread's own table does not stand in for what threads share: use \"memory\"";

/// What there is to stand in, available or not.
const FALLBACKS: &[&str] = &["none", "memory", "moka", "disk", "redis"];

impl Value for Fallback {
    const TAKES: &'static str = "the name of an engine, an array of names, or \"none\"";

    fn parse(name: &str, value: &Expr) -> Result<Self> {
        let mut fallback = Fallback { far: Vec::new(), near: None };
        let Expr::Array(array) = peel(value) else {
            match one_engine::<Self>(name, value, FALLBACKS)? {
                One::Alone => {}
                One::Near(near) => fallback.near = Some(near),
                One::Thread => return Err(Error::custom(THREAD_STANDS_IN).with_span(value)),
                One::Far(far) => fallback.far.push(far),
            }
            return Ok(fallback);
        };
        let mut errors = Error::accumulator();
        for elem in &array.elems {
            let wrong = |message: &str| Error::custom(message).with_span(elem);
            match errors.handle(one_engine::<Self>(name, elem, FALLBACKS)) {
                Some(One::Alone) => {
                    errors.push(wrong("\"none\" stands alone: name the engines, or say \"none\""));
                }
                Some(One::Thread) => errors.push(wrong(THREAD_STANDS_IN)),
                Some(_) if fallback.near.is_some() => {
                    errors.push(wrong("an engine in memory never fails: nothing is used after it"));
                }
                Some(One::Near(near)) => fallback.near = Some(near),
                Some(One::Far(far)) if fallback.far.contains(&far) => {
                    errors.push(wrong("this engine is named twice: keep one"));
                }
                Some(One::Far(far)) => fallback.far.push(far),
                None => {}
            }
        }
        if array.elems.is_empty() {
            errors.push(Error::custom("name at least one engine, or say \"none\"").with_span(value));
        }
        errors.finish_with(fallback)
    }
}

impl Value for Lifetime {
    const TAKES: &'static str = "a duration such as \"5m\" or \"1h30m\", or an expression of type `Duration`";

    fn parse(name: &str, value: &Expr) -> Result<Self> {
        let Some(text) = string(value) else {
            let expr = expression(value).ok_or_else(|| takes_not::<Self>(name, value))?;
            return Ok(Lifetime::Expr(expr.clone()));
        };
        let wrong = |message: String| Error::custom(message).with_span(text);
        match duration::duration(&text.value()).map_err(wrong)? {
            Duration::ZERO => {
                Err(wrong(format!("`{name}` of zero would store nothing: give a longer one, or remove it")))
            }
            duration => Ok(Lifetime::Literal(duration)),
        }
    }
}

impl Value for Capacity {
    const TAKES: &'static str = "a number of entries, greater than zero, or \"unbounded\"";

    fn parse(name: &str, value: &Expr) -> Result<Self> {
        match literal(value) {
            Some(Lit::Str(text)) if text.value() == "unbounded" => Ok(Capacity::Unbounded),
            Some(Lit::Int(count)) if is_positive(count) => Ok(Capacity::Expr(peel(value).clone())),
            _ => match expression(value) {
                Some(expr) => Ok(Capacity::Expr(expr.clone())),
                None => Err(takes_not::<Self>(name, value)),
            },
        }
    }
}

/// Whether the number is neither zero nor has a minus sign, which is part of a literal that stands alone.
fn is_positive(number: &LitInt) -> bool {
    !number.base10_digits().starts_with('-') && number.base10_digits() != "0"
}

impl Value for MaxWeight {
    const TAKES: &'static str = "a size such as \"64MiB\", or an integer greater than zero";

    fn parse(name: &str, value: &Expr) -> Result<Self> {
        let bytes = match literal(value) {
            Some(Lit::Str(text)) => {
                duration::size(&text.value()).map_err(|message| Error::custom(message).with_span(text))?
            }
            Some(Lit::Int(number)) => number.base10_parse().unwrap_or(0),
            _ => match expression(value) {
                Some(expr) => return Ok(MaxWeight::Expr(expr.clone())),
                None => 0,
            },
        };
        if bytes == 0 { Err(takes_not::<Self>(name, value)) } else { Ok(MaxWeight::Bytes(bytes)) }
    }
}

/// A closure, or a path to a function.
#[derive(Debug, Clone)]
pub(crate) struct Callback(pub(crate) Expr);

impl Value for Callback {
    const TAKES: &'static str = "a closure or a path to a function, without quotes";

    fn parse(name: &str, value: &Expr) -> Result<Self> {
        let expr = expression(value).ok_or_else(|| takes_not::<Self>(name, value))?;
        let wanted: &[&str] = if name == "weigh" { &["key", "value"] } else { &["value"] };
        if let Expr::Closure(closure) = expr
            && closure.inputs.len() != wanted.len()
        {
            let message = format!("`{name}` is called as `|{}|`: write those arguments", wanted.join(", "));
            return Err(Error::custom(message).with_span(value));
        }
        Ok(Callback(expr.clone()))
    }
}

/// The key in the author's words.
#[derive(Debug, Clone)]
pub(crate) struct Key(pub(crate) Expr);

impl Value for Key {
    const TAKES: &'static str =
        "an expression over the arguments and `self`, without quotes, such as `key = (user.id, page)`";

    fn parse(name: &str, value: &Expr) -> Result<Self> {
        let expr = expression(value).ok_or_else(|| takes_not::<Self>(name, value))?;
        Ok(Key(expr.clone()))
    }
}

/// The arguments that are left out of the key.
#[derive(Debug, Clone)]
pub(crate) struct Skip {
    /// Their names, in the order written; not yet known to exist.
    pub(crate) names: Vec<Ident>,
}

impl Value for Skip {
    const TAKES: &'static str = "the names of arguments in brackets, such as `skip(a, b)`";

    fn parse(name: &str, _: &Expr) -> Result<Self> {
        Err(takes::<Self>(name))
    }

    fn parse_list(name: &str, tokens: &TokenStream) -> Result<Self> {
        let parser = Punctuated::<Ident, Token![,]>::parse_terminated_with;
        let parser = |input: syn::parse::ParseStream<'_>| parser(input, Ident::parse_any);
        let names = match parser.parse2(tokens.clone()) {
            Ok(names) if !names.is_empty() => names,
            Ok(_) => return Err(takes::<Self>(name)),
            Err(error) => return Err(takes::<Self>(name).with_span(&error.span())),
        };
        Ok(Skip { names: names.into_iter().collect() })
    }
}

impl Value for ReceiverKey {
    const TAKES: &'static str = "\"instance\", \"value\", \"skip\", or an expression such as `self.id`";

    fn parse(name: &str, value: &Expr) -> Result<Self> {
        if string(value).is_none() {
            let expr = expression(value).ok_or_else(|| takes_not::<Self>(name, value))?;
            return Ok(ReceiverKey::Expr(expr.clone()));
        }
        Ok(match word::<Self>(name, value, &["instance", "value", "skip"])? {
            "instance" => ReceiverKey::Instance,
            "value" => ReceiverKey::Value,
            _ => ReceiverKey::Skip,
        })
    }
}

/// `None` is `false`: an `Err` is not stored.
impl Value for Option<CacheErr> {
    const TAKES: &'static str = "`true`, or a duration such as \"5s\" for which an `Err` is stored";

    fn parse(name: &str, value: &Expr) -> Result<Self> {
        match literal(value) {
            Some(Lit::Bool(yes)) => Ok(yes.value.then_some(CacheErr::Yes)),
            _ if string(value).is_none() && expression(value).is_none() => {
                Err(takes_not::<Self>(name, value))
            }
            _ => Lifetime::parse(name, value).map(|lifetime| Some(CacheErr::For(lifetime))),
        }
    }
}

/// `true` or `false`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Switch(pub(crate) bool);

impl Value for Switch {
    const TAKES: &'static str = "`true` or `false`";

    fn parse(name: &str, value: &Expr) -> Result<Self> {
        match literal(value) {
            Some(Lit::Bool(switch)) => Ok(Switch(switch.value)),
            _ => Err(takes_not::<Self>(name, value)),
        }
    }
}

impl Value for SingleFlight {
    const TAKES: &'static str = "`false`, \"process\", \"machine\" or \"fleet\"";

    fn parse(name: &str, value: &Expr) -> Result<Self> {
        match literal(value) {
            Some(Lit::Bool(switch)) if !switch.value => Ok(SingleFlight::Off),
            _ => match word::<Self>(name, value, &["process", "machine", "fleet"])? {
                "process" => Ok(SingleFlight::Process),
                far if !cfg!(feature = "engines") => {
                    let message = format!(
                        "`{name} = \"{far}\"` needs the cargo feature `engines` of memo, or that of an engine"
                    );
                    Err(Error::custom(message).with_span(value))
                }
                "machine" => Ok(SingleFlight::Machine),
                _ => Ok(SingleFlight::Fleet),
            },
        }
    }
}

impl Value for OnError {
    const TAKES: &'static str = "\"one\" or \"all\"";

    fn parse(name: &str, value: &Expr) -> Result<Self> {
        match word::<Self>(name, value, &["one", "all"])? {
            "one" => Ok(OnError::One),
            _ => Ok(OnError::All),
        }
    }
}

impl Value for Patience {
    const TAKES: &'static str = "a duration such as \"10s\", an expression of type `Duration`, or \"never\"";

    fn parse(name: &str, value: &Expr) -> Result<Self> {
        match string(value) {
            Some(text) if text.value() == "never" => Ok(Patience::Never),
            Some(text) if duration::duration(&text.value()).is_ok_and(|patience| patience.is_zero()) => {
                let message = format!(
                    "`{name}` of zero would wait for nobody: give a longer one, or write `single_flight = false`"
                );
                Err(Error::custom(message).with_span(text))
            }
            Some(_) => Lifetime::parse(name, value).map(Patience::For),
            None => match expression(value) {
                Some(expr) => Ok(Patience::For(Lifetime::Expr(expr.clone()))),
                None => Err(takes_not::<Self>(name, value)),
            },
        }
    }
}

/// The function's identity.
#[derive(Debug, Clone)]
pub(crate) struct Name(pub(crate) LitStr);

impl Value for Name {
    const TAKES: &'static str = "a string that is not empty, without white space or `*`";

    fn parse(name: &str, value: &Expr) -> Result<Self> {
        let text = string(value).ok_or_else(|| takes_not::<Self>(name, value))?;
        // `*` is for patterns over names, in the configuration and in scopes.
        let bad = |c: char| c.is_whitespace() || c.is_control() || c == '*';
        if text.value().is_empty() || text.value().contains(bad) {
            return Err(takes_not::<Self>(name, value));
        }
        Ok(Name(text.clone()))
    }
}

/// A part of the identity of stored results.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Version(pub(crate) u64);

impl Value for Version {
    const TAKES: &'static str = "an integer from 0 up";

    fn parse(name: &str, value: &Expr) -> Result<Self> {
        let number = match literal(value) {
            Some(Lit::Int(number)) => number.base10_parse().ok(),
            _ => None,
        };
        number.map(Version).ok_or_else(|| takes_not::<Self>(name, value))
    }
}

impl Value for Code {
    const TAKES: &'static str = "\"track\" or \"manual\"";

    fn parse(name: &str, value: &Expr) -> Result<Self> {
        Ok(match word::<Self>(name, value, &["track", "manual"])? {
            "track" => Code::Track,
            _ => Code::Manual,
        })
    }
}

impl Value for Codec {
    const TAKES: &'static str = "\"postcard\", \"messagepack\" or \"json\"";

    fn parse(name: &str, value: &Expr) -> Result<Self> {
        let needs = |feature: &str| {
            let message = format!("codec \"{feature}\" needs the cargo feature `{feature}` of memo");
            Err(Error::custom(message).with_span(value))
        };
        match word::<Self>(name, value, &["postcard", "messagepack", "json"])? {
            "messagepack" if !cfg!(feature = "messagepack") => needs("messagepack"),
            "messagepack" => Ok(Codec::MessagePack),
            "json" if !cfg!(feature = "json") => needs("json"),
            "json" => Ok(Codec::Json),
            _ => Ok(Codec::Postcard),
        }
    }
}

/// The control item: none, or one of this name.
#[derive(Debug, Clone)]
pub(crate) enum CompanionName {
    /// None.
    Off,
    /// One of this name.
    Name(Ident),
}

impl Value for CompanionName {
    const TAKES: &'static str = "`false`, or a name such as \"fib_control\"";

    fn parse(name: &str, value: &Expr) -> Result<Self> {
        let wrong = || takes_not::<Self>(name, value);
        match (literal(value), peel(value)) {
            (Some(Lit::Bool(switch)), _) if !switch.value => Ok(CompanionName::Off),
            (Some(Lit::Str(text)), _) => text.parse().map(CompanionName::Name).map_err(|_| wrong()),
            (None, Expr::Path(path)) => {
                path.path.require_ident().map(|name| CompanionName::Name(name.clone())).map_err(|_| wrong())
            }
            _ => Err(wrong()),
        }
    }
}

impl Value for Path {
    const TAKES: &'static str = "a path, such as `crate = crate::reexports::memo`";

    fn parse(name: &str, value: &Expr) -> Result<Self> {
        crate_path::parse(value).ok_or_else(|| takes_not::<Self>(name, value))
    }
}

/// The word nearest to `written`, if it is near enough to be what was meant.
pub(crate) fn nearest<T: AsRef<str>>(written: &str, words: &[T]) -> Option<String> {
    let near = words.iter().map(|word| (distance(written, word.as_ref()), word.as_ref()));
    let (distance, word) = near.min_by_key(|(distance, _)| *distance)?;
    let longest = written.chars().count().max(word.chars().count());
    // At most a third of the letters, but never all of them.
    (distance < longest && distance * 3 <= longest.max(3)).then(|| word.to_owned())
}

/// How many letters to insert, remove, change or swap with their neighbour, to come from `a` to `b`:
/// optimal string alignment (Damerau 1964, Levenshtein 1966).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let change = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let best = change.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                if swapped { best.min(rows[i - 2][j - 2] + 1) } else { best }
            };
        }
    }
    rows[a.len()][b.len()]
}

/// The words, each between quotes, with commas.
fn list(words: &[&str], quote: char) -> String {
    words.iter().map(|word| format!("{quote}{word}{quote}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;

    use super::*;

    fn parse(options: &str) -> (Args, Vec<String>) {
        let mut errors = Error::accumulator();
        let args = Args::parse(options.parse().expect("tokens"), &mut errors);
        (args, errors.into_inner().into_iter().flat_map(|error| error.flatten()).map(message).collect())
    }

    fn message(error: Error) -> String {
        syn::Error::from(error).to_string()
    }

    #[track_caller]
    fn good(options: &str) -> Args {
        let (args, errors) = parse(options);
        assert_eq!(errors, [""; 0], "{options}");
        args
    }

    #[track_caller]
    fn bad(options: &str, expected: &str) {
        assert_eq!(parse(options).1, [expected], "{options}");
    }

    fn value<T>(given: Option<Given<T>>) -> T {
        given.expect("given").value.expect("good")
    }

    fn text(tokens: impl ToTokens) -> String {
        tokens.to_token_stream().to_string()
    }

    #[test]
    fn nothing_is_fine() {
        assert!(good("").engine.is_none());
        assert!(good("ttl = \"1s\",").ttl.is_some());
    }

    #[test]
    fn the_documentation_lists_every_option_in_order() {
        let documented: Vec<_> = include_str!("lib.rs")
            .lines()
            .skip_while(|line| !line.contains("# Options"))
            .take_while(|line| !line.contains("# What is refused"))
            .filter_map(|line| line.strip_prefix("/// | `")?.split_once('`'))
            .map(|(name, _)| name)
            .collect();
        assert_eq!(documented, NAMES);
    }

    #[test]
    fn engines() {
        assert_eq!(value(good("engine = \"auto\"").engine), Engine::Auto);
        assert_eq!(value(good("engine = \"memory\"").engine), Engine::Memory);
        assert_eq!(value(good("engine = [\"memory\"]").engine), Engine::Memory);
        let takes =
            "`engine` takes the name of an engine, such as \"memory\", or an array of names, nearest first";
        bad("engine = memory", takes);
        bad("engine = 1", takes);
        bad("engine(\"memory\")", takes);
        bad("engine", takes);
        bad("engine = ", takes);
        bad("engine = [memory]", takes);
        bad("engine = []", "name at least one engine, such as \"memory\"");
        bad("engine = \"memroy\"", "unknown engine \"memroy\": did you mean \"memory\"?");
        bad("engine = [\"memory\", \"memory\"]", "one engine in memory is enough: remove the other");
        bad("engine = [\"memory\", \"auto\"]", "\"auto\" stands alone: name the engines, or say \"auto\"");
    }

    #[test]
    #[cfg(not(feature = "engines"))]
    fn engines_of_ones_own_need_their_feature() {
        bad(
            "engine = \"archive\"",
            "unknown engine \"archive\": there are \"auto\", \"memory\", \"thread\", \"moka\", \"disk\", \"redis\"",
        );
        bad("engine = \"disk\"", "engine \"disk\" needs the cargo feature `disk` of memo");
        bad("engine = \"redis\"", "engine \"redis\" needs the cargo feature `redis` of memo");
        bad("codec = \"json\"", "codec \"json\" needs the cargo feature `json` of memo");
    }

    #[test]
    #[cfg(feature = "engines")]
    fn engines_of_ones_own() {
        let far = |near, names: &[&str]| Engine::Far {
            near,
            names: names.iter().map(ToString::to_string).collect(),
        };
        assert_eq!(value(good("engine = \"archive\"").engine), far(None, &["archive"]));
        assert_eq!(
            value(good("engine = [\"memory\", \"archive\", \"attic\"]").engine),
            far(Some(Near::Memory), &["archive", "attic"])
        );
        bad("engine = [\"archive\", \"archive\"]", "this engine is named twice: keep one");
        bad(
            "engine = [\"archive\", \"memory\"]",
            "the nearest engine comes first: put the one in memory before the others",
        );
    }

    #[test]
    #[cfg(not(feature = "moka"))]
    fn moka_needs_its_feature() {
        bad("engine = \"moka\"", "engine \"moka\" needs the cargo feature `moka` of memo");
    }

    #[test]
    #[cfg(feature = "moka")]
    fn moka() {
        assert_eq!(value(good("engine = \"moka\"").engine), Engine::Moka);
    }

    #[test]
    fn lifetimes() {
        let Lifetime::Literal(ttl) = value(good("ttl = \"1h30m\"").ttl) else { panic!("a literal") };
        assert_eq!(ttl, Duration::from_secs(5400));
        let Lifetime::Expr(tti) = value(good("tti = Duration::from_secs(TTL - 1)").tti) else {
            panic!("no literal")
        };
        assert_eq!(text(tti), "Duration :: from_secs (TTL - 1)");
        let takes = "`ttl` takes a duration such as \"5m\" or \"1h30m\", or an expression of type `Duration`";
        bad("ttl = 300", takes);
        bad("ttl = -5", takes);
        bad("ttl = true", takes);
        bad("ttl", takes);
        bad("ttl = ", takes);
        bad("ttl = pub", takes);
        bad("ttl(\"5m\")", takes);
        bad("ttl = \"5\"", "bad duration \"5\": the number 5 needs a unit, such as \"5m\" or \"1h30m\"");
        bad("ttl = \"0s\"", "`ttl` of zero would store nothing: give a longer one, or remove it");
        bad("tti = \"0ms\"", "`tti` of zero would store nothing: give a longer one, or remove it");
    }

    #[test]
    fn capacities() {
        assert!(matches!(value(good("capacity = \"unbounded\"").capacity), Capacity::Unbounded));
        for count in ["10_000", "CAPACITY", "limits::capacity() * 2", "1 << 20"] {
            let Capacity::Expr(expr) = value(good(&format!("capacity = {count}")).capacity) else {
                panic!("{count} is an expression")
            };
            assert_eq!(text(expr).replace(' ', ""), count.replace(' ', ""));
        }
        let takes = "`capacity` takes a number of entries, greater than zero, or \"unbounded\"";
        bad("capacity = 0", takes);
        bad("capacity = -1", takes);
        bad("capacity = 1.5", takes);
        bad("capacity", takes);
        bad("capacity = \"unbound\"", takes);
    }

    #[test]
    fn weights() {
        assert!(matches!(value(good("max_weight = \"64MiB\"").max_weight), MaxWeight::Bytes(67_108_864)));
        assert!(matches!(value(good("max_weight = 1_000").max_weight), MaxWeight::Bytes(1000)));
        assert!(matches!(value(good("max_weight = MAX").max_weight), MaxWeight::Expr(_)));
        let takes = "`max_weight` takes a size such as \"64MiB\", or an integer greater than zero";
        bad("max_weight = 0", takes);
        bad("max_weight = \"0B\"", takes);
        bad("max_weight = -1", takes);
        bad("max_weight = 1.5", takes);
        bad("max_weight = 99999999999999999999", takes);
        bad("max_weight = \"64mib\"", "bad size \"64mib\": unknown unit `mib`: write `MiB`");
    }

    #[test]
    fn callbacks() {
        let weigh = value(good("weigh = |key: &str, value| -> u32 { value.len() as u32 }").weigh);
        assert!(matches!(weigh.0, Expr::Closure(_)));
        assert_eq!(text(value(good("cache_if = Option::is_some").cache_if).0), "Option :: is_some");
        assert_eq!(
            text(value(good("ttl_of = policy.of(\"a\"), version = 1").ttl_of).0),
            "policy . of (\"a\")"
        );
        let takes = "`cache_if` takes a closure or a path to a function, without quotes";
        bad("cache_if = \"is_ok\"", takes);
        bad("cache_if = true", takes);
        bad("cache_if", takes);
        bad("cache_if = -1", takes);
        bad("cache_if = ", takes);
        bad("cache_if = || true", "`cache_if` is called as `|value|`: write those arguments");
        bad("ttl_of = |key, value| None", "`ttl_of` is called as `|value|`: write those arguments");
        bad("weigh = |value| 1", "`weigh` is called as `|key, value|`: write those arguments");
    }

    #[test]
    fn keys() {
        assert_eq!(text(value(good("key = (user.id, page)").key).0), "(user . id , page)");
        assert_eq!(text(value(good("key = self.id, ttl = \"1s\"").key).0), "self . id");
        let takes = "`key` takes an expression over the arguments and `self`, without quotes, \
                     such as `key = (user.id, page)`";
        bad("key = \"user.id\"", takes);
        bad("key = 1", takes);
        bad("key", takes);
        bad("key(user)", takes);
        bad("key = pub", takes);
    }

    #[test]
    fn skips() {
        let names = value(good("skip(a, r#type, self,)").skip).names;
        assert_eq!(names.iter().map(Ident::to_string).collect::<Vec<_>>(), ["a", "r#type", "self"]);
        let takes = "`skip` takes the names of arguments in brackets, such as `skip(a, b)`";
        bad("skip", takes);
        bad("skip()", takes);
        bad("skip = a", takes);
        bad("skip(\"a\")", takes);
        bad("skip(a b)", takes);
        bad("skip(a.b)", takes);
    }

    #[test]
    fn receivers() {
        assert!(matches!(value(good("receiver = \"instance\"").receiver), ReceiverKey::Instance));
        assert!(matches!(value(good("receiver = \"value\"").receiver), ReceiverKey::Value));
        assert!(matches!(value(good("receiver = \"skip\"").receiver), ReceiverKey::Skip));
        assert!(matches!(value(good("receiver = self.id").receiver), ReceiverKey::Expr(_)));
        let takes = "`receiver` takes \"instance\", \"value\", \"skip\", or an expression such as `self.id`";
        bad("receiver = 1", takes);
        bad("receiver", takes);
        bad("receiver = ", takes);
        bad(
            "receiver = \"skipped\"",
            "unknown receiver \"skipped\": there are \"instance\", \"value\", \"skip\"",
        );
        bad("receiver = \"vaule\"", "unknown receiver \"vaule\": did you mean \"value\"?");
    }

    #[test]
    fn errors_and_nones() {
        assert!(value(good("cache_err = false").cache_err).is_none());
        assert!(matches!(value(good("cache_err = true").cache_err), Some(CacheErr::Yes)));
        let Some(CacheErr::For(Lifetime::Literal(lifetime))) = value(good("cache_err = \"5s\"").cache_err)
        else {
            panic!("a literal")
        };
        assert_eq!(lifetime, Duration::from_secs(5));
        assert!(matches!(value(good("cache_err = SHORT").cache_err), Some(CacheErr::For(Lifetime::Expr(_)))));
        let takes = "`cache_err` takes `true`, or a duration such as \"5s\" for which an `Err` is stored";
        bad("cache_err", takes);
        bad("cache_err = 5", takes);
        bad("cache_err = -5", takes);
        bad("cache_err = ", takes);
        bad("cache_err = \"0s\"", "`cache_err` of zero would store nothing: give a longer one, or remove it");
        assert!(!value(good("cache_none = false").cache_none).0);
        assert!(value(good("cache_none = true").cache_none).0);
        bad("cache_none", "`cache_none` takes `true` or `false`");
        bad("cache_none = \"false\"", "`cache_none` takes `true` or `false`");
    }

    #[test]
    fn what_to_do_on_an_error() {
        assert_eq!(value(good("on_error = \"one\"").on_error), OnError::One);
        assert_eq!(value(good("on_error = \"all\"").on_error), OnError::All);
        bad("on_error = true", "`on_error` takes \"one\" or \"all\"");
        bad("on_error = \"al\"", "unknown on_error \"al\": did you mean \"all\"?");
    }

    #[test]
    fn patience() {
        let second = std::time::Duration::from_secs(1);
        let given = value(good("patience = \"1s\"").patience);
        assert!(matches!(given, Patience::For(Lifetime::Literal(length)) if length == second));
        assert!(matches!(value(good("patience = BOUND").patience), Patience::For(Lifetime::Expr(_))));
        assert!(matches!(value(good("patience = \"never\"").patience), Patience::Never));
        let zero =
            "`patience` of zero would wait for nobody: give a longer one, or write `single_flight = false`";
        bad("patience = \"0s\"", zero);
        let takes =
            "`patience` takes a duration such as \"10s\", an expression of type `Duration`, or \"never\"";
        bad("patience = 10", takes);
    }

    #[test]
    fn single_flights() {
        assert_eq!(value(good("single_flight = false").single_flight), SingleFlight::Off);
        assert_eq!(value(good("single_flight = \"process\"").single_flight), SingleFlight::Process);
        let takes = "`single_flight` takes `false`, \"process\", \"machine\" or \"fleet\"";
        bad("single_flight = true", takes);
        bad("single_flight", takes);
        bad("single_flight = process", takes);
        for (far, meant) in [("machine", SingleFlight::Machine), ("fleet", SingleFlight::Fleet)] {
            let option = format!("single_flight = \"{far}\"");
            if cfg!(feature = "engines") {
                assert_eq!(value(good(&option).single_flight), meant);
            } else {
                bad(
                    &option,
                    &format!("`{option}` needs the cargo feature `engines` of memo, or that of an engine"),
                );
            }
        }
        bad("single_flight = \"proces\"", "unknown single_flight \"proces\": did you mean \"process\"?");
    }

    #[test]
    fn identities() {
        assert_eq!(value(good("name = \"app::rates::rate\"").name).0.value(), "app::rates::rate");
        let takes = "`name` takes a string that is not empty, without white space or `*`";
        bad("name = \"\"", takes);
        bad("name = \"a b\"", takes);
        bad("name = \"a::*\"", takes);
        bad("name = rate", takes);
        assert_eq!(value(good("version = 3").version).0, 3);
        for wrong in ["-1", "1.0", "\"1\"", "VERSION", "99999999999999999999"] {
            bad(&format!("version = {wrong}"), "`version` takes an integer from 0 up");
        }
    }

    #[test]
    fn values_for_engines_that_outlive_the_process() {
        for options in [
            "fallback = \"none\"",
            "fallback = [\"memory\"]",
            #[cfg(feature = "disk")]
            "fallback = [\"disk\", \"memory\"]",
            #[cfg(feature = "engines")]
            "fallback = [\"archive\", \"memory\"]",
            "persist = true",
            "shared = false",
            "large = true",
            "code = \"track\"",
            "code = \"manual\"",
            "codec = \"postcard\"",
            #[cfg(feature = "messagepack")]
            "codec = \"messagepack\"",
            #[cfg(feature = "json")]
            "codec = \"json\"",
        ] {
            good(options);
        }
        bad("fallback = none", "`fallback` takes the name of an engine, an array of names, or \"none\"");
        bad("fallback = [\"rediss\"]", "unknown fallback \"rediss\": did you mean \"redis\"?");
        bad("fallback = []", "name at least one engine, or say \"none\"");
        bad("fallback = [\"none\"]", "\"none\" stands alone: name the engines, or say \"none\"");
        #[cfg(feature = "engines")]
        {
            let after = "an engine in memory never fails: nothing is used after it";
            bad("fallback = [\"memory\", \"archive\"]", after);
            bad("fallback = [\"memory\", \"memory\"]", after);
            bad("fallback = [\"archive\", \"archive\"]", "this engine is named twice: keep one");
        }
        bad("persist", "`persist` takes `true` or `false`");
        bad("code = track", "`code` takes \"track\" or \"manual\"");
        bad("codec = 1", "`codec` takes \"postcard\", \"messagepack\" or \"json\"");
        bad("codec = \"jsn\"", "unknown codec \"jsn\": did you mean \"json\"?");
    }

    #[test]
    fn companions() {
        assert!(matches!(value(good("companion = false").companion), CompanionName::Off));
        for options in ["companion = \"fib_control\"", "companion = fib_control"] {
            let CompanionName::Name(name) = value(good(options).companion) else { panic!("a name") };
            assert_eq!(name, "fib_control");
        }
        let takes = "`companion` takes `false`, or a name such as \"fib_control\"";
        for wrong in ["true", "\"\"", "\"a b\"", "\"fn\"", "a::b", "1", "f()"] {
            bad(&format!("companion = {wrong}"), takes);
        }
        bad("companion", takes);
    }

    #[test]
    fn crate_paths() {
        for (options, expected) in [
            ("crate = crate", "crate"),
            ("crate = ::other::memo", ":: other :: memo"),
            ("crate = \"crate::memo\"", "crate :: memo"),
            ("crate = self::memo", "self :: memo"),
        ] {
            assert_eq!(text(value(good(options).krate)), expected);
        }
        for wrong in ["1", "\"a b\"", "memo<u8>", "f()", "memo::<u8>"] {
            bad(
                &format!("crate = {wrong}"),
                "`crate` takes a path, such as `crate = crate::reexports::memo`",
            );
        }
    }

    #[test]
    fn names_are_checked() {
        bad("tll = \"5m\"", "unknown option `tll`: did you mean `ttl`?");
        bad("cahce_if = |v| true", "unknown option `cahce_if`: did you mean `cache_if`?");
        bad("max_wieght = 1", "unknown option `max_wieght`: did you mean `max_weight`?");
        bad("convert = { a }", &format!("unknown option `convert`: the options are {}", list(NAMES, '`')));
        bad(
            "memo::ttl = \"5m\"",
            &format!("unknown option `memo::ttl`: the options are {}", list(NAMES, '`')),
        );
        bad("ttl = \"5m\", ttl = \"6m\"", "`ttl` is given twice: keep one");
        bad("skip(a), skip(b)", "`skip` is given twice: name all arguments in one, as in `skip(a, b)`");
        bad("\"5m\"", "expected an option, such as `ttl = \"5m\"`: a value needs its option's name");
    }

    #[test]
    fn every_mistake_is_reported_at_once() {
        let (args, errors) =
            parse("ttl = 5, tll = 6, engine = \"redsi\", version = 7, version = 8, cache_none");
        assert_eq!(
            errors,
            [
                "unknown option `tll`: did you mean `ttl`?",
                "`version` is given twice: keep one",
                "unknown engine \"redsi\": did you mean \"redis\"?",
                "`ttl` takes a duration such as \"5m\" or \"1h30m\", or an expression of type `Duration`",
                "`cache_none` takes `true` or `false`",
            ]
        );
        assert!(args.ttl.is_some_and(|ttl| ttl.value.is_none()));
        assert_eq!(value(args.version).0, 7);
    }

    #[test]
    fn tokens_that_are_no_list_are_one_error() {
        bad("ttl \"5m\"", "expected `,`");
    }

    #[test]
    fn expressions_out_of_macros_are_looked_into() {
        use proc_macro2::{Delimiter, Group};
        let inner = quote::quote!("5m");
        let group = Group::new(Delimiter::None, inner);
        let mut errors = Error::accumulator();
        let args = Args::parse(quote::quote!(ttl = #group, version = 1), &mut errors);
        errors.finish().expect("no errors");
        assert!(matches!(value(args.ttl), Lifetime::Literal(_)));
    }

    #[test]
    fn nearest_names() {
        assert_eq!(nearest("skp", &["skip", "key"]).as_deref(), Some("skip"));
        assert_eq!(nearest("ab", &["ac"]).as_deref(), Some("ac"));
        assert_eq!(nearest("a", &["b"]), None);
        assert_eq!(nearest("user", &["page"]), None);
        assert_eq!(nearest("user", &[] as &[&str]), None);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("acb", "abc"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
