//! What cannot be memoized, or not like this: each rule is one error, on the token that breaks it.

use darling::Error;
use darling::error::Accumulator;
use memo_text::{OPTIONS, nearest};
use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    Attribute, FnArg, GenericArgument, Ident, Lifetime, ParenthesizedGenericArguments, Pat, PatIdent, Path,
    PathArguments, Receiver, ReceiverKind, ReturnType, Signature, Token, TraitBound, Type, TypeFnPtr,
    TypeReference,
};

use crate::args::{Args, CompanionName, Given};
use crate::enclosing::Namesakes;
use crate::model::{Arg, Companion, Engine, Fallback, Model, Place, ReceiverKey, SingleFlight, impl_trait};

/// Reports all that is wrong with a model, and with the options as given.
pub(crate) fn validate(args: &Args, model: &Model, errors: &mut Accumulator) {
    let mut rules = Rules { args, model, errors };
    rules.options();
    rules.far();
    rules.thread();
    rules.companion();
    rules.skip();
    rules.function();
    rules.output();
    rules.receiver();
    rules.arguments();
}

/// Whether the attribute is a `#[memoize]`.
pub(crate) fn is_memoize(attribute: &Attribute, krate: &Path) -> bool {
    let path = attribute.path();
    let mut segments = path.segments.iter().rev();
    let last = segments.next().is_some_and(|segment| segment.ident == "memoize");
    last && match segments.next() {
        None => true,
        Some(segment) => {
            segment.ident == "memo" || krate.segments.last().is_some_and(|last| last.ident == segment.ident)
        }
    }
}

struct Rules<'a> {
    args: &'a Args,
    model: &'a Model,
    errors: &'a mut Accumulator,
}

impl Rules<'_> {
    fn refuse(&mut self, span: Span, message: impl std::fmt::Display) {
        self.errors.push(Error::custom(message).with_span(&span));
    }

    /// Options that need others, or exclude them, as their rows say.
    fn options(&mut self) {
        for row in OPTIONS {
            let Some(key) = self.args.key_of(row.name) else { continue };
            for (other, message) in row.needs {
                if self.args.key_of(other).is_none() {
                    self.refuse(key, message);
                }
            }
            for (other, message) in row.excludes {
                if self.args.key_of(other).is_some() {
                    self.refuse(key, message);
                }
            }
        }
    }

    /// Options for engines that outlive this process.
    fn far(&mut self) {
        fn at<T>(given: &Option<Given<T>>) -> Option<Span> {
            given.as_ref().filter(|given| given.value.is_some()).map(|given| given.key)
        }
        let named = self.args.engine.as_ref().and_then(|engine| engine.value.as_ref());
        let in_memory = matches!(named, Some(Engine::Memory | Engine::Moka | Engine::Thread));
        let outlives = self.model.outlives;
        if let (Some(span), Some(fallback)) = (at(&self.args.fallback), &self.model.options.fallback) {
            self.fallback(span, fallback, named);
        }
        let Args { persist, shared, large, code, codec, .. } = self.args;
        let hints = [("persist", at(persist)), ("shared", at(shared)), ("large", at(large))];
        for ((name, span), given) in hints.into_iter().zip(self.model.hints()) {
            let (Some(span), true) = (span, given) else { continue };
            if !outlives {
                self.refuse(span, needs_engines(name));
            } else if named.is_some_and(|engine| *engine != Engine::Auto) {
                self.refuse(
                    span,
                    format!(
                        "`{name}` is a hint to the strategy, which has no say where `engine` names one: \
                         keep one of the two"
                    ),
                );
            }
        }
        if let (Some(Given { key, value: Some(reach), .. }), true) = (&self.args.single_flight, in_memory)
            && matches!(reach, SingleFlight::Machine | SingleFlight::Fleet)
        {
            let message = "processes share computations by an engine that outlives them, and this one is in memory: \
                           name such an engine, or use \"process\"";
            self.refuse(*key, message);
        }
        if self.model.namesakes == Namesakes::Some && matches!(named, Some(Engine::Far { .. })) {
            let name = &self.model.sig.ident;
            let message = format!(
                "another `{name}` in another block has the same path, which is its name in engines that outlive \
                 the process: tell them apart by `name = \"..\"`"
            );
            self.refuse(name.span(), message);
        }
        // an engine that was given and is wrong may well have been meant to be one of those
        let far = match (&self.args.engine, named) {
            (Some(_), None) => true,
            (_, Some(Engine::Far { .. })) => true,
            (_, Some(Engine::Auto) | None) => outlives,
            (_, Some(Engine::Memory | Engine::Moka | Engine::Thread)) => false,
        };
        for (name, span) in [("code", at(code)), ("codec", at(codec))] {
            match span {
                Some(span) if !far && in_memory => self.refuse(
                    span,
                    format!("`{name}` is for engines that outlive the process: name one, or remove it"),
                ),
                Some(span) if !far => self.refuse(span, needs_engines(name)),
                _ => {}
            }
        }
    }

    /// What stays on its thread is for functions that do.
    fn thread(&mut self) {
        if !self.model.on_thread() {
            return;
        }
        if let Some(asyncness) = self.model.sig.asyncness {
            let message = "the future of an `async fn` may go from thread to thread, and `engine = \"thread\"` keeps \
                           results on one: use \"memory\", or memoize a plain function that this one calls";
            self.refuse(asyncness.span, message);
        }
        if let Some(Given { key, value: Some(_), .. }) = &self.args.single_flight {
            let message = "with `engine = \"thread\"` threads share nothing, so there is nobody to wait for: \
                           remove `single_flight`";
            self.refuse(*key, message);
        }
    }

    /// What stands in has something to stand in for, which is not itself.
    fn fallback(&mut self, span: Span, fallback: &Fallback, engine: Option<&Engine>) {
        match engine {
            Some(Engine::Memory | Engine::Moka | Engine::Thread) => {
                self.refuse(span, "an engine in memory is never unavailable: remove `fallback`");
            }
            _ if !self.model.outlives => self.refuse(span, needs_engines("fallback")),
            Some(Engine::Far { near, names }) => {
                if let Some(itself) = fallback.far.iter().find(|name| names.contains(name)) {
                    self.refuse(
                        span,
                        format!("the engine \"{itself}\" cannot stand in for itself: name another"),
                    );
                }
                if let (Some(near), Some(other)) = (near, fallback.near)
                    && *near != other
                {
                    let near = near.name();
                    self.refuse(
                        span,
                        format!(
                            "one engine in memory is enough: \"{near}\" goes on by itself, remove the other"
                        ),
                    );
                }
            }
            _ => {}
        }
    }

    /// A companion that was asked for by name needs room, and a name of its own.
    fn companion(&mut self) {
        let Some(Given { value: Some(CompanionName::Name(name)), .. }) = &self.args.companion else { return };
        match &self.model.companion {
            None if self.model.place == Place::Trait => {
                let message = "a trait and its impls have no room for a companion: remove it, \
                               and use `memo::function(\"path::to::Type::method\")`";
                self.refuse(name.span(), message);
            }
            Some(Companion::Function(companion)) if *companion == self.model.sig.ident => {
                self.refuse(name.span(), "the companion of a method needs a name of its own: choose another");
            }
            _ => {}
        }
    }

    /// `skip` names arguments, each once, and whole.
    fn skip(&mut self) {
        let Some(Given { value: Some(skip), .. }) = &self.args.skip else { return };
        let all: Vec<String> =
            self.model.args.iter().flat_map(|arg| &arg.bindings).map(Ident::to_string).collect();
        for (index, name) in skip.names.iter().enumerate() {
            let message = if skip.names[..index].contains(name) {
                format!("`{name}` is skipped twice: name it once")
            } else if name == "self" {
                "`self` is not an argument: say `receiver = \"skip\"`".to_owned()
            } else if name == "_" {
                "an argument needs a name to be skipped: call it `_unused`, say".to_owned()
            } else if let Some(arg) = self.model.args.iter().find(|arg| arg.bindings.contains(name)) {
                match arg.bindings.iter().find(|other| !skip.names.contains(other)) {
                    Some(other) => {
                        format!("`{name}` is a part of an argument: skip `{other}` too, or give a `key`")
                    }
                    None => continue,
                }
            } else if let Some(nearest) = nearest(&name.to_string(), all.iter().map(String::as_str)) {
                format!("no argument is called `{name}`: did you mean `{nearest}`?")
            } else if all.is_empty() {
                format!("no argument is called `{name}`: there are none, remove `skip`")
            } else {
                format!("no argument is called `{name}`: there are `{}`", all.join("`, `"))
            };
            self.refuse(name.span(), message);
        }
    }

    /// Kinds of functions.
    fn function(&mut self) {
        let Signature { constness, abi, variadic, .. } = &self.model.sig;
        if let Some(again) =
            self.model.attrs.iter().find(|attribute| is_memoize(attribute, &self.model.options.krate))
        {
            self.refuse(again.path().span(), "`#[memoize]` is given twice: put all options into one");
        }
        if let Some(constness) = constness {
            let message =
                "a `const fn` has no cache to look into: remove `const`, or memoize a function that calls it";
            self.refuse(constness.span, message);
        }
        if let Some(variadic) = variadic {
            let message = "a variable number of arguments is no key: memoize a function that takes a slice";
            self.refuse(variadic.dots.spans[0], message);
        } else if let Some(abi) = abi {
            let message =
                "an `extern fn` cannot be memoized: memoize a plain function and call it from this one";
            self.refuse(abi.extern_token.span, message);
        }
    }

    /// Results have to be values that can be kept.
    fn output(&mut self) {
        let message = "a function that returns nothing leaves nothing to store: return what it computes, \
                       or remove `#[memoize]`";
        let ReturnType::Type(_, output) = &self.model.sig.output else {
            return self.refuse(self.model.sig.ident.span(), message);
        };
        match plain(output) {
            Type::Tuple(tuple) if tuple.elems.is_empty() => return self.refuse(tuple.span(), message),
            Type::Never(never) => {
                let message = "a function that never returns leaves nothing to store: remove `#[memoize]`";
                return self.refuse(never.span(), message);
            }
            _ => {}
        }
        if let Some(opaque) = impl_trait(output) {
            let message = "a result of type `impl Trait` cannot be stored, for its type has no name: name it, \
                           or return an `Arc<dyn Trait>`";
            self.refuse(opaque.impl_token.span, message);
        } else if let Some(borrow) = borrow(output) {
            let message = "a stored result outlives the call, so it cannot borrow: return an owned value such as \
                           `String` or `Arc<str>`, or a `&'static` one";
            self.refuse(borrow, message);
        }
    }

    /// The receiver and its option.
    fn receiver(&mut self) {
        let Args { key, receiver: given, .. } = self.args;
        let Some(receiver) = &self.model.receiver else {
            // Beside a `key` it is refused anyhow.
            if let (Some(given), None) = (given, key) {
                self.refuse(given.key, "this function has no `self`: remove `receiver`");
            }
            return;
        };
        if let Some(attribute) = conditional(&receiver.receiver.attrs) {
            self.refuse(attribute.path().span(), CONDITIONAL);
        }
        // An option whose value was wrong was meant to cover it.
        let meant = given.as_ref().is_some_and(|given| given.value.is_none());
        let covered =
            key.is_some() || meant || matches!(receiver.key, ReceiverKey::Skip | ReceiverKey::Expr(_));
        if let (Some(span), false) = (mutable_receiver(&receiver.receiver), covered) {
            let message = "a call answered from the cache would leave `self` unchanged: \
                           take `&self`, or say `receiver = \"skip\"`, `receiver = self.id` or `key = ..`";
            self.refuse(span, message);
        }
    }

    /// Arguments that cannot enter a key.
    fn arguments(&mut self) {
        let typed = self.model.sig.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(arg) => Some(arg),
            FnArg::Receiver(_) => None,
        });
        for (arg, written) in self.model.args.iter().zip(typed) {
            if let Some(attribute) = conditional(&written.attrs) {
                self.refuse(attribute.path().span(), CONDITIONAL);
            }
            if self.covered(arg) {
                continue;
            }
            let skip = match &arg.bindings[..] {
                [] => "give it a name and skip it".to_owned(),
                names => {
                    let names: Vec<_> = names.iter().map(Ident::to_string).collect();
                    format!("leave it out with `skip({})`", names.join(", "))
                }
            };
            if let Some(opaque) = impl_trait(&arg.ty) {
                let message =
                    format!("an `impl Trait` argument cannot enter the key: {skip}, or give a `key`");
                self.refuse(opaque.impl_token.span, message);
            } else if let Some(mutable) = mutable(&arg.ty) {
                let message = format!(
                    "a call answered from the cache would leave a `&mut` argument unchanged: \
                     take it by value or by `&`, {skip}, or give a `key`"
                );
                self.refuse(mutable, message);
            } else if let (Pat::Ident(PatIdent { subpat: None, .. }), Some(borrow)) =
                (&arg.pat, buried(&arg.ty))
            {
                let message = format!(
                    "the key outlives the call, so it cannot hold what this type borrows: take an owned type, {skip}, \
                     or say with `key = ..` what counts (if the type is an alias: write it out)"
                );
                self.refuse(borrow, message);
            }
        }
    }

    /// Whether the argument is out of the key, or meant to be.
    fn covered(&self, arg: &Arg) -> bool {
        let meant = match &self.args.skip {
            Some(Given { value: Some(skip), .. }) => {
                arg.bindings.iter().any(|name| skip.names.contains(name))
            }
            Some(_) => true,
            None => false,
        };
        self.args.key.is_some() || arg.skipped || meant
    }
}

fn needs_engines(name: &str) -> String {
    format!(
        "`{name}` is for engines that outlive the process: it needs the cargo feature `engines` of memo, or `disk`"
    )
}

const CONDITIONAL: &str =
    "an argument that is there or not cannot enter the key: put the `#[cfg]` on two functions instead";

/// The `#[cfg]` or `#[cfg_attr]` of an argument.
fn conditional(attributes: &[Attribute]) -> Option<&Attribute> {
    attributes
        .iter()
        .find(|attribute| attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr"))
}

/// The type itself, without brackets.
fn plain(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => plain(&group.elem),
        Type::Paren(paren) => plain(&paren.elem),
        _ => ty,
    }
}

/// Where a receiver is taken by `&mut`.
fn mutable_receiver(receiver: &Receiver) -> Option<Span> {
    match &receiver.kind {
        ReceiverKind::Reference(_, _, mutability) => {
            mutability.map(|mutability: Token![mut]| mutability.span)
        }
        ReceiverKind::Typed(_, ty) => mutable(ty),
        _ => None,
    }
}

/// The first `&mut` in a type. Those in the signature of a function are of another call.
fn mutable(ty: &Type) -> Option<Span> {
    struct First(Option<Span>);
    impl<'ast> Visit<'ast> for First {
        fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
            if let Some(mutability) = reference.mutability {
                self.0.get_or_insert(mutability.span);
            }
            visit::visit_type_reference(self, reference);
        }
        fn visit_type_fn_ptr(&mut self, _: &'ast TypeFnPtr) {}
        fn visit_parenthesized_generic_arguments(&mut self, _: &'ast ParenthesizedGenericArguments) {}
    }
    let mut first = First(None);
    first.visit_type(ty);
    first.0
}

/// The first borrow in a type that is not `'static`. Those in the signature of a function, or under a
/// `for<'a>`, are for any lifetime.
fn borrow(ty: &Type) -> Option<Span> {
    struct First(Option<Span>);
    impl<'ast> Visit<'ast> for First {
        fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
            if reference.lifetime.as_ref().is_none_or(|lifetime| lifetime.ident != "static") {
                self.0.get_or_insert(reference.and_token.span);
            }
            visit::visit_type_reference(self, reference);
        }
        fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
            if lifetime.ident != "static" {
                self.0.get_or_insert(lifetime.span());
            }
        }
        fn visit_trait_bound(&mut self, bound: &'ast TraitBound) {
            if bound.lifetimes.is_none() {
                visit::visit_trait_bound(self, bound);
            }
        }
        fn visit_type_fn_ptr(&mut self, _: &'ast TypeFnPtr) {}
        fn visit_parenthesized_generic_arguments(&mut self, _: &'ast ParenthesizedGenericArguments) {}
        fn visit_expr(&mut self, _: &'ast syn::Expr) {}
    }
    let mut first = First(None);
    first.visit_type(ty);
    first.0
}

/// The first borrow in an argument's type that no form of a key makes owned: references, `Cow`, and tuples, slices,
/// `Vec` and `Option` of them have one.
fn buried(ty: &Type) -> Option<Span> {
    match ty {
        Type::Group(group) => buried(&group.elem),
        Type::Paren(paren) => buried(&paren.elem),
        Type::Reference(reference) => buried(&reference.elem),
        Type::Slice(slice) => buried(&slice.elem),
        Type::Array(array) => buried(&array.elem),
        Type::Tuple(tuple) => tuple.elems.iter().find_map(buried),
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            let within = match last.ident.to_string().as_str() {
                "Option" | "Vec" => buried,
                "Cow" => borrow,
                _ => return borrow(ty),
            };
            let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
            arguments.args.iter().find_map(|argument| match argument {
                GenericArgument::Type(ty) => within(ty),
                _ => None,
            })
        }
        _ => borrow(ty),
    }
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;
    use quote::ToTokens;

    use super::*;
    use crate::pipeline::{memoized, try_expand};

    const PUT: &str = "pub fn f(a: u8) -> u8 { a }";

    /// The errors of `#[memoize(options)] function`.
    fn errors(options: &str, function: &str) -> Vec<String> {
        let tokens = |text: &str| text.parse::<TokenStream>().expect("tokens");
        match try_expand(tokens(options), tokens(function)) {
            Ok(_) => Vec::new(),
            Err(error) => {
                // Beside the errors stands the function, as it was.
                let fallback = memoized(tokens(options), tokens(function)).to_string();
                let dense = |text: &str| text.replace(' ', "");
                assert!(dense(&fallback).ends_with(&dense(&tokens(function).to_string())), "{fallback}");
                assert_eq!(fallback.matches("compile_error").count(), error.len(), "{fallback}");
                error.flatten().into_iter().map(|error| syn::Error::from(error).to_string()).collect()
            }
        }
    }

    #[track_caller]
    fn accepts(options: &str, function: &str) {
        assert_eq!(errors(options, function), [""; 0], "#[memoize({options})] {function}");
    }

    #[track_caller]
    fn refuses(options: &str, function: &str, expected: &str) {
        assert_eq!(errors(options, function), [expected], "#[memoize({options})] {function}");
    }

    #[test]
    fn all_of_the_contract_is_accepted() {
        for function in [
            "fn fib(n: u64) -> u64 { if n < 2 { n } else { fib(n - 1) + fib(n - 2) } }",
            "/// Docs.\n #[inline] pub(crate) async unsafe fn f<'a, T: Clone, const N: usize>(a: &'a [T; N], _: u8) \
             -> Result<Vec<T>, E> where T: 'static { body! { } }",
            "fn f((a, b): (u32, u32), [c, ..]: [u8; 3], P { d, e: (f, _) }: P) -> u8 { a }",
            "fn f(&self) -> u8 { 1 }",
            "fn f(self: Arc<Self>, a: &str) -> Option<&'static str> { None }",
            "fn f(self: Pin<&Self>) -> u8 { 1 }",
            "fn f() -> fn(&u8) -> &u8 { g }",
            "fn f(g: fn(&mut u8) -> &mut u8) -> Arc<dyn for<'a> Tr<'a> + Send> { g }",
            "fn f() -> Box<dyn Fn(&mut u8) -> &u8> { g }",
            "fn f() -> Cow<'static, str> { g }",
            "fn f() -> [u8; { let _: &u8 = &1; 2 }] { g }",
            "fn f() -> Result<(), E> { g }",
        ] {
            accepts("", function);
        }
        accepts(
            "capacity = 10_000, ttl = \"5m\", tti = T, ttl_of = |v| None, cache_if = Option::is_some",
            PUT,
        );
        accepts("weigh = |k, v| 1, max_weight = \"64MiB\", cache_err = \"5s\", cache_none = false", PUT);
        accepts(
            "engine = [\"memory\"], single_flight = false, on_error = \"all\", name = \"f\", version = 2, crate = other",
            PUT,
        );
    }

    #[test]
    fn bodies_and_items_that_are_no_functions() {
        let body = "this function has no body to memoize: put `#[memoize]` where it is implemented";
        refuses("", "fn f(&self) -> u8;", body);
        let cases = [
            ("pub struct X { a: u8 }", "put it on the one that computes this type"),
            ("enum X { A }", "put it on the one that computes this type"),
            ("union X { a: u8 }", "put it on the one that computes this type"),
            ("impl X { fn f() {} }", "put it on each method to memoize, not on the `impl`"),
            ("unsafe impl T for X {}", "put it on each method to memoize, not on the `impl`"),
            ("mod m { fn f() {} }", "put it on each one to memoize, not on the module"),
            ("|a| a", "write the closure as a `fn`, with what it captures as arguments"),
            ("move || a", "write the closure as a `fn`, with what it captures as arguments"),
            ("async move |a| a", "write the closure as a `fn`, with what it captures as arguments"),
            ("let f = |a| a;", "write the closure as a `fn`, with what it captures as arguments"),
        ];
        for (item, instead) in cases {
            refuses("", item, &format!("`#[memoize]` goes on a function: {instead}"));
        }
        refuses(
            "",
            "trait T { }",
            "`#[memoize]` goes on a function with a body: put it on methods, not on the `trait`",
        );
        for item in ["const A: u8 = 1;", "static A: u8 = 1;", "use a::b;", "extern \"C\" { fn f(); }", "f()"]
        {
            refuses("", item, "`#[memoize]` goes on a function with a body: there is none here");
        }
        refuses("", "fn f() -> u8 { 1 } fn g() {}", "unexpected tokens after the body of the function");
        refuses("", "fn f() -> u8", "expected the body of the function, in braces");
        refuses("", "fn f() -> u8 = 1;", "expected the body of the function, in braces");
    }

    #[test]
    fn kinds_of_functions() {
        refuses(
            "",
            "const fn f() -> u8 { 1 }",
            "a `const fn` has no cache to look into: remove `const`, or memoize a function that calls it",
        );
        let abi = "an `extern fn` cannot be memoized: memoize a plain function and call it from this one";
        refuses("", "extern \"C\" fn f() -> u8 { 1 }", abi);
        refuses("", "pub unsafe extern fn f() -> u8 { 1 }", abi);
        refuses(
            "",
            "unsafe extern \"C\" fn f(a: u8, ...) -> u8 { 1 }",
            "a variable number of arguments is no key: memoize a function that takes a slice",
        );
    }

    #[test]
    fn borrows_in_arguments() {
        for ty in [
            "&str",
            "&'a [&'a str]",
            "Option<(f64, &str)>",
            "Vec<Cow<'_, str>>",
            "&(Option<&Path>, [&str; 2])",
            "Text<'static>",
            "fn(&str) -> &str",
            "Arc<dyn for<'a> Tr<'a>>",
        ] {
            accepts("", &format!("fn f<'a>(a: {ty}) -> u8 {{ 1 }}"));
        }
        let message = "the key outlives the call, so it cannot hold what this type borrows: take an owned type, leave it \
                       out with `skip(a)`, or say with `key = ..` what counts (if the type is an alias: write it out)";
        for ty in ["Text<'_>", "&[Text<'a>]", "BTreeMap<&str, u8>", "Option<Box<&str>>", "Cow<'_, [&str]>"] {
            let function = format!("fn f<'a>(a: {ty}) -> u8 {{ 1 }}");
            refuses("", &function, message);
            accepts("skip(a)", &function);
            accepts("key = a.id", &function);
        }
        accepts("", "fn f(Text { a, b }: Text<'_>) -> u8 { 1 }");
    }

    #[test]
    fn a_second_memoize_is_refused_and_left_out() {
        let tokens = |text: &str| text.parse::<TokenStream>().expect("tokens");
        for again in ["#[memoize(ttl = \"5m\")]", "#[memo::memoize]"] {
            let function = format!("#[inline] {again} fn f() -> u8 {{ 1 }}");
            let expanded = memoized(TokenStream::new(), tokens(&function)).to_string();
            assert!(expanded.contains("`#[memoize]` is given twice: put all options into one"), "{expanded}");
            assert!(expanded.ends_with(&tokens("#[inline] fn f() -> u8 { 1 }").to_string()), "{expanded}");
        }
        accepts("", "#[other::memoize] fn f() -> u8 { 1 }");
    }

    #[test]
    fn results_that_are_nothing() {
        let nothing = "a function that returns nothing leaves nothing to store: return what it computes, \
                       or remove `#[memoize]`";
        refuses("", "fn f(a: u8) {}", nothing);
        refuses("", "async fn f(a: u8) -> () {}", nothing);
        refuses("", "fn f(a: u8) -> (()) {}", nothing);
        let never = "a function that never returns leaves nothing to store: remove `#[memoize]`";
        refuses("", "fn f(a: u8) -> ! { panic!() }", never);
    }

    #[test]
    fn results_without_a_name() {
        let opaque = "a result of type `impl Trait` cannot be stored, for its type has no name: name it, \
                      or return an `Arc<dyn Trait>`";
        refuses("", "fn f() -> impl Iterator<Item = u8> { g() }", opaque);
        refuses("", "fn f() -> Option<(u8, impl Fn() -> &u8)> { g() }", opaque);
        refuses("", "fn f<'a>(a: &'a str) -> impl Iterator<Item = &'a str> + 'a { g() }", opaque);
    }

    #[test]
    fn results_that_borrow() {
        let borrows = "a stored result outlives the call, so it cannot borrow: return an owned value such as \
                       `String` or `Arc<str>`, or a `&'static` one";
        for output in [
            "&str",
            "&'a str",
            "&'_ str",
            "&'a mut u8",
            "Option<&str>",
            "(u8, [&str; 2])",
            "Result<u8, &'static &str>",
            "Cow<'a, str>",
            "Ref<'_, str>",
            "Arc<dyn Tr + 'a>",
            "Arc<dyn Tr<'a>>",
            "<Self as Tr<'a>>::Out",
            "Vec<&'a &'a str>",
        ] {
            refuses("", &format!("fn f<'a>(a: &'a str) -> {output} {{ a }}"), borrows);
        }
    }

    #[test]
    fn mutable_arguments() {
        let message = |skip: &str| {
            format!(
                "a call answered from the cache would leave a `&mut` argument unchanged: \
                 take it by value or by `&`, {skip}, or give a `key`"
            )
        };
        let by_name = message("leave it out with `skip(a)`");
        for ty in ["&mut u8", "&'a mut u8", "Option<&mut u8>", "Pin<&mut X>", "&mut dyn Tr", "&&mut u8"] {
            let function = format!("fn f<'a>(a: {ty}, b: u8) -> u8 {{ b }}");
            refuses("", &function, &by_name);
            refuses("skip(b)", &function, &by_name);
            accepts("skip(a)", &function);
            accepts("key = b", &function);
        }
        refuses("", "fn f(_: &mut u8) -> u8 { 1 }", &message("give it a name and skip it"));
        let pair = "fn f((a, b): (&mut u8, u8)) -> u8 { b }";
        refuses("", pair, &message("leave it out with `skip(a, b)`"));
        accepts("skip(b, a)", pair);
        assert_eq!(errors("", "fn f(a: &mut u8, b: &mut u8) -> u8 { 1 }").len(), 2);
        // What is wrong with `skip` and `key` is said once.
        assert_eq!(errors("skip = a", "fn f(a: &mut u8) -> u8 { 1 }").len(), 1);
        assert_eq!(errors("key = \"a\"", "fn f(a: &mut u8) -> u8 { 1 }").len(), 1);
        assert_eq!(errors("skp(a)", "fn f(a: &mut u8) -> u8 { 1 }").len(), 1);
        assert_eq!(errors("ttl \"5m\", skip(a)", "fn f(a: &mut u8) -> u8 { 1 }").len(), 1);
    }

    #[test]
    fn opaque_arguments() {
        let message =
            "an `impl Trait` argument cannot enter the key: leave it out with `skip(a)`, or give a `key`";
        for ty in ["impl Into<String>", "&impl AsRef<str>", "&mut impl Read", "Vec<impl Tr>"] {
            let function = format!("fn f(a: {ty}) -> u8 {{ 1 }}");
            refuses("", &function, message);
            accepts("skip(a)", &function);
            accepts("key = a.id()", &function);
        }
        refuses(
            "",
            "fn f(_: impl Tr) -> u8 { 1 }",
            "an `impl Trait` argument cannot enter the key: give it a name and skip it, or give a `key`",
        );
    }

    #[test]
    fn conditional_arguments() {
        let message = "an argument that is there or not cannot enter the key: put the `#[cfg]` on two functions instead";
        refuses("", "fn f(#[cfg(unix)] a: u8) -> u8 { 1 }", message);
        refuses("", "fn f(#[cfg_attr(unix, allow(unused))] &self) -> u8 { 1 }", message);
        accepts("", "fn f(#[allow(unused)] a: u8) -> u8 { 1 }");
    }

    #[test]
    fn mutable_receivers() {
        let message = "a call answered from the cache would leave `self` unchanged: \
                       take `&self`, or say `receiver = \"skip\"`, `receiver = self.id` or `key = ..`";
        for receiver in ["&mut self", "&'a mut self", "self: &mut Self", "self: Pin<&mut Self>"] {
            let function = format!("pub fn f<'a>({receiver}) -> u8 {{ 1 }}");
            refuses("", &function, message);
            refuses("receiver = \"value\"", &function, message);
            refuses("receiver = \"instance\"", &function, message);
            accepts("receiver = \"skip\"", &function);
            accepts("receiver = self.id", &function);
            accepts("key = self.id", &function);
            assert_eq!(errors("receiver = 1", &function).len(), 1);
        }
        accepts("", "pub fn f(mut self) -> u8 { 1 }");
    }

    #[test]
    fn receiver_without_self() {
        let message = "this function has no `self`: remove `receiver`";
        refuses("receiver = \"skip\"", PUT, message);
        refuses(
            "receiver = self.id, key = a",
            PUT,
            "`key` replaces the receiver: say in `key` what counts of `self`, and remove `receiver`",
        );
    }

    #[test]
    fn key_contradicts() {
        refuses(
            "key = self.id, receiver = \"skip\"",
            "fn f(&self) -> u8 { 1 }",
            "`key` replaces the receiver: say in `key` what counts of `self`, and remove `receiver`",
        );
        refuses(
            "key = 1 + a, skip(a)",
            PUT,
            "`key` replaces all arguments, so there is nothing to skip: remove `skip`",
        );
    }

    #[test]
    #[cfg(feature = "engines")]
    fn processes_share_no_computation_by_memory() {
        let message = "processes share computations by an engine that outlives them, and this one is in memory: \
                       name such an engine, or use \"process\"";
        refuses("engine = \"memory\", single_flight = \"machine\"", PUT, message);
        refuses("single_flight = \"fleet\", engine = [\"memory\"]", PUT, message);
        accepts("engine = \"memory\", single_flight = \"process\"", PUT);
        accepts("engine = [\"memory\", \"archive\"], single_flight = \"machine\"", PUT);
    }

    #[test]
    fn weights_need_each_other() {
        refuses(
            "weigh = |k, v| 1",
            PUT,
            "`weigh` needs a bound: add `max_weight`, such as `max_weight = \"64MiB\"`",
        );
        refuses("max_weight = 1", PUT, "`max_weight` needs weights: add `weigh = |key, value| ..`");
        refuses(
            "weigh = |k, v| 1, max_weight = 1, capacity = 1",
            PUT,
            "`capacity` and `max_weight` contradict each other: keep one of them",
        );
        // What is wrong with one of them is said once.
        assert_eq!(errors("weigh = |k, v| 1, max_weight = \"64\"", PUT).len(), 1);
        assert_eq!(errors("wiegh = |k, v| 1, max_weight = 1", PUT).len(), 1);
    }

    #[test]
    fn what_is_for_engines_that_outlive_the_process() {
        let options = [
            ("fallback", "fallback = \"none\""),
            ("fallback", "engine = \"auto\", fallback = [\"memory\"]"),
            ("persist", "persist = true"),
            ("shared", "shared = true"),
            ("large", "large = true"),
            ("code", "code = \"track\""),
            ("codec", "engine = \"auto\", codec = \"postcard\""),
        ];
        for (name, option) in options {
            if cfg!(feature = "engines") {
                accepts(option, PUT);
            } else {
                refuses(option, PUT, &super::needs_engines(name));
            }
        }
        for (name, option) in [("code", "code = \"track\""), ("codec", "codec = \"postcard\"")] {
            refuses(
                &format!("engine = \"memory\", {option}"),
                PUT,
                &format!("`{name}` is for engines that outlive the process: name one, or remove it"),
            );
        }
        refuses(
            "engine = \"memory\", fallback = \"memory\"",
            PUT,
            "an engine in memory is never unavailable: remove `fallback`",
        );
        assert_eq!(errors("persist = 1", PUT), ["`persist` takes `true` or `false`"]);
        accepts("engine = \"memory\", persist = false", PUT);
    }

    #[cfg(feature = "engines")]
    #[test]
    fn what_contradicts_an_engine_that_is_named() {
        for hint in ["persist", "shared", "large"] {
            for engine in ["\"memory\"", "\"archive\"", "[\"memory\", \"archive\"]"] {
                refuses(
                    &format!("engine = {engine}, {hint} = true"),
                    PUT,
                    &format!(
                        "`{hint}` is a hint to the strategy, which has no say where `engine` names one: \
                         keep one of the two"
                    ),
                );
            }
            accepts(&format!("engine = \"auto\", {hint} = true"), PUT);
        }
        refuses(
            "engine = [\"memory\", \"archive\"], fallback = [\"attic\", \"archive\"]",
            PUT,
            "the engine \"archive\" cannot stand in for itself: name another",
        );
        accepts("engine = [\"memory\", \"archive\"], fallback = [\"attic\", \"memory\"]", PUT);
        accepts("engine = \"archive\", fallback = \"memory\"", PUT);
        #[cfg(feature = "moka")]
        refuses(
            "engine = [\"memory\", \"archive\"], fallback = \"moka\"",
            PUT,
            "one engine in memory is enough: \"memory\" goes on by itself, remove the other",
        );
    }

    #[test]
    fn skip_names_arguments() {
        let function = "fn f(user: u8, page: u8, (a, b): (u8, u8), _: u8) -> u8 { 1 }";
        accepts("skip(user, a, b)", function);
        refuses("skip(usr)", function, "no argument is called `usr`: did you mean `user`?");
        refuses(
            "skip(database)",
            function,
            "no argument is called `database`: there are `user`, `page`, `a`, `b`",
        );
        refuses("skip(user, user)", function, "`user` is skipped twice: name it once");
        refuses("skip(self)", function, "`self` is not an argument: say `receiver = \"skip\"`");
        refuses("skip(_)", function, "an argument needs a name to be skipped: call it `_unused`, say");
        refuses("skip(a)", function, "`a` is a part of an argument: skip `b` too, or give a `key`");
        refuses("skip(a)", "fn f() -> u8 { 1 }", "no argument is called `a`: there are none, remove `skip`");
        assert_eq!(errors("skip(usr, pagee)", function).len(), 2);
    }

    #[test]
    fn companions_need_room() {
        accepts("companion = \"g\"", PUT);
        accepts("companion = \"g\"", "fn f(&self) -> u8 { 1 }");
        accepts("companion = false", "fn f(&self) -> u8 { 1 }");
        refuses(
            "companion = \"f\"",
            "pub fn f(&self) -> u8 { 1 }",
            "the companion of a method needs a name of its own: choose another",
        );
    }

    #[test]
    fn companions_have_no_room_in_traits() {
        // Unit tests have no source to look at, so the place is put in by hand.
        let mut errors = Error::accumulator();
        let args = Args::parse("companion = \"g\"".parse().expect("tokens"), &mut errors);
        let mut model = Model::new(&args, syn::parse_str("fn f(&self) -> u8 { 1 }").expect("a function"));
        (model.place, model.companion) = (Place::Trait, None);
        validate(&args, &model, &mut errors);
        let errors: Vec<_> = errors.into_inner().iter().map(Error::to_string).collect();
        let message = "a trait and its impls have no room for a companion: remove it, \
                       and use `memo::function(\"path::to::Type::method\")`";
        assert_eq!(errors, [message]);
    }

    #[test]
    fn independent_mistakes_are_reported_together() {
        let found = errors("ttl = 5, skip(b), tll = 1", "const fn f(a: &mut u8) {}");
        assert_eq!(found.len(), 6, "{found:#?}");
        assert_eq!(errors("ttl = 5", "struct X;").len(), 2);
    }

    #[test]
    fn the_function_is_expanded_as_written() {
        let function: TokenStream = PUT.parse().expect("tokens");
        let model = crate::model::Model::new(&Default::default(), syn::parse2(function).expect("a function"));
        assert_eq!(model.body.to_token_stream().to_string(), "{ a }");
    }
}
