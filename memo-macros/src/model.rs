//! What one use of `#[memoize]` means, as plain data: all that `expand` reads.
//!
//! A model is made of the options and the function as they were written; it holds no judgement.
//! [`validate`](mod@crate::validate) refuses what cannot be memoized, so `expand` meets only models that
//! can be expanded.

use proc_macro2::{Span, TokenStream};
use quote::format_ident;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, FnArg, Ident, Pat, ReturnType, Signature, Type, Visibility, parse_quote};

use crate::args::{Args, CompanionName, Options};
pub(crate) use crate::args::{
    CacheErr, Capacity, Code, Codec, Engine, Lifetime, MaxWeight, OnError, Patience, ReceiverKey,
    SingleFlight,
};
pub(crate) use crate::enclosing::Place;
use crate::enclosing::{self, Namesakes};
use crate::item::Function;
use crate::types::impl_trait;

/// A function and how to memoize it.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    /// The function's attributes and doc comments, as written, without `#[memoize]`.
    pub(crate) attrs: Vec<Attribute>,
    /// The function's visibility, as written.
    pub(crate) vis: Visibility,
    /// The function's signature, as written.
    pub(crate) sig: Signature,
    /// The function's body, as written: one group in braces, so that `#body` is a block.
    pub(crate) body: TokenStream,
    /// Where the function stands.
    pub(crate) place: Place,
    /// Whether others have its path, which is its name where the author gives none.
    pub(crate) namesakes: Namesakes,
    /// The control item to stand beside the function; `None` when it is off, or when there is no room.
    pub(crate) companion: Option<Companion>,
    /// What the function returns, before any `async` is put around it.
    pub(crate) output: Type,
    /// The arguments with a type, in order; the receiver is not among them.
    pub(crate) args: Vec<Arg>,
    /// `self`, where there is one.
    pub(crate) receiver: Option<Receiver>,
    /// What the options mean. If there is a `key`, neither the arguments nor the receiver count.
    pub(crate) options: Options,
    /// Whether there can be engines that outlive the process: the cargo feature `engines`.
    pub(crate) outlives: bool,
    /// Whether keys may have to be shown: the cargo feature `tracing`.
    pub(crate) traced: bool,
}

/// The control item.
#[derive(Debug, Clone)]
pub(crate) enum Companion {
    /// A type of this name beside a free function.
    Type(Ident),
    /// An associated function of this name beside a method or an associated function.
    Function(Ident),
}

/// One argument with a type.
#[derive(Debug, Clone)]
pub(crate) struct Arg {
    /// The pattern, as written.
    pub(crate) pat: Pat,
    /// The type, as written.
    pub(crate) ty: Type,
    /// The names that the pattern binds, in order, each once.
    pub(crate) bindings: Vec<Ident>,
    /// Whether `skip` leaves it out of the key.
    pub(crate) skipped: bool,
    /// The name to pass it on by: its own where the pattern is nothing but a name (`x` or `mut x`), else
    /// `argN`, hygienic, where N counts from 0 over the arguments with a type.
    pub(crate) forward: Ident,
    /// Whether `impl Trait` is somewhere in the type, so that the type cannot be named.
    pub(crate) is_impl_trait: bool,
}

/// `self`, and how it enters the key.
#[derive(Debug, Clone)]
pub(crate) struct Receiver {
    /// The receiver, as written.
    pub(crate) receiver: syn::Receiver,
    /// Where `self` is written, for errors about the type's traits.
    pub(crate) span: Span,
    /// How it enters the key.
    pub(crate) key: ReceiverKey,
}

impl Model {
    /// Whether the strategy may choose an engine that outlives the process.
    pub(crate) fn may_outlive(&self) -> bool {
        self.outlives && self.options.engine == Engine::Auto
    }

    /// The hints to the strategy: `persist`, `shared` and `large`.
    pub(crate) fn hints(&self) -> [bool; 3] {
        [self.options.persist, self.options.shared, self.options.large]
    }

    /// Whether results stay on the thread that computed them.
    pub(crate) fn on_thread(&self) -> bool {
        self.options.engine == Engine::Thread
    }

    /// The arguments that are not in the key and whose types are type parameters without a name.
    pub(crate) fn unnamed(&self) -> impl Iterator<Item = &Arg> {
        self.args.iter().filter(|arg| arg.skipped && arg.is_impl_trait && arg.is_whole())
    }

    /// Puts the options and the function together. An option whose value was wrong, which is reported
    /// already, counts as not given.
    pub(crate) fn new(args: &Args, function: Function) -> Self {
        let Function { attrs, vis, sig, body } = function;
        let options = args.options();
        let explicit = matches!(options.companion, Some(CompanionName::Name(_)));
        let place = enclosing::place(&vis, &sig, &body, explicit);
        // where the path is a name in engines that outlive the process
        let named_by_path = cfg!(feature = "engines")
            && args.name.is_none()
            && !matches!(options.engine, Engine::Memory | Engine::Moka);

        let receiver = sig.receiver().map(|receiver| Receiver {
            span: receiver.self_token.span,
            key: if args.key.is_some() { ReceiverKey::Skip } else { options.receiver.clone() },
            receiver: receiver.clone(),
        });
        let typed = sig.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(arg) => Some(arg),
            FnArg::Receiver(_) => None,
        });
        let arguments =
            typed.enumerate().map(|(index, arg)| Arg::new(index, &arg.pat, &arg.ty, &options.skip)).collect();

        Model {
            companion: companion(options.companion.as_ref(), place, &sig.ident),
            output: match &sig.output {
                ReturnType::Default => parse_quote!(()),
                ReturnType::Type(_, ty) => (**ty).clone(),
            },
            args: arguments,
            receiver,
            options,
            outlives: cfg!(feature = "engines"),
            traced: cfg!(feature = "tracing"),
            place,
            namesakes: if named_by_path { Namesakes::of(&sig) } else { Namesakes::None },
            attrs,
            vis,
            sig,
            body,
        }
    }
}

/// The control item that fits the place.
fn companion(named: Option<&CompanionName>, place: Place, function: &Ident) -> Option<Companion> {
    let name = match named {
        Some(CompanionName::Off) => return None,
        Some(CompanionName::Name(name)) => Some(name.clone()),
        None => None,
    };
    match place {
        Place::Free => Some(Companion::Type(name.unwrap_or_else(|| function.clone()))),
        Place::Inherent => {
            Some(Companion::Function(name.unwrap_or_else(|| format_ident!("{}_memo", function.unraw()))))
        }
        Place::Trait => None,
    }
}

impl Arg {
    fn new(index: usize, pat: &Pat, ty: &Type, skipped: &[Ident]) -> Self {
        let mut bindings = Bindings::default();
        bindings.visit_pat(pat);
        let bindings = bindings.0;
        let forward = match pat {
            Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none() => name.ident.clone(),
            _ => Ident::new(&format!("arg{index}"), Span::mixed_site().located_at(pat.span())),
        };
        Arg {
            pat: pat.clone(),
            ty: ty.clone(),
            skipped: !bindings.is_empty() && bindings.iter().all(|binding| skipped.contains(binding)),
            bindings,
            forward,
            is_impl_trait: impl_trait(ty).is_some(),
        }
    }
}

impl Arg {
    /// Whether its pattern is nothing but its name.
    pub(crate) fn is_whole(&self) -> bool {
        matches!(&self.pat, Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none())
    }
}

/// The names that a pattern binds.
#[derive(Default)]
struct Bindings(Vec<Ident>);

impl<'ast> Visit<'ast> for Bindings {
    fn visit_pat_ident(&mut self, pat: &'ast syn::PatIdent) {
        // The branches of `(A(x) | B(x))` bind the same names.
        if !self.0.contains(&pat.ident) {
            self.0.push(pat.ident.clone());
        }
        visit::visit_pat_ident(self, pat);
    }

    // A const block or the length of an array may hold patterns of their own.
    fn visit_expr(&mut self, _: &'ast Expr) {}
    fn visit_block(&mut self, _: &'ast syn::Block) {}
}

#[cfg(test)]
mod tests {
    use darling::Error;
    use quote::ToTokens;

    use super::*;

    fn model(options: &str, function: &str) -> Model {
        let mut errors = Error::accumulator();
        let args = Args::parse(options.parse().expect("tokens"), &mut errors);
        errors.finish().expect("good options");
        Model::new(&args, syn::parse_str(function).expect("a function"))
    }

    fn text(tokens: impl ToTokens) -> String {
        tokens.to_token_stream().to_string()
    }

    #[test]
    fn defaults() {
        let Model { place, companion, output, args, receiver, options, .. } = model("", "fn f() {}");
        assert_eq!(text(options.krate), ":: memo");
        assert_eq!(place, Place::Free);
        assert!(matches!(companion, Some(Companion::Type(name)) if name == "f"));
        assert_eq!(text(output), "()");
        assert!(args.is_empty() && receiver.is_none() && options.key.is_none());
        assert_eq!(options.engine, Engine::Auto);
        assert!(options.ttl.is_none() && options.tti.is_none() && options.ttl_of.is_none());
        assert!(options.capacity.is_none() && options.weigh.is_none() && options.max_weight.is_none());
        assert!(options.cache_if.is_none() && options.cache_err.is_none() && options.cache_none);
        assert_eq!(options.single_flight, None);
        assert_eq!(options.on_error, None);
        assert!(options.name.is_none());
        assert_eq!(options.version, 0);
    }

    #[test]
    fn arguments() {
        let function = "fn f(mut a: u8, (b, ref c): (u8, &impl Tr), d @ [e, ..]: [u8; 2], _: u8, ref g: u8, \
                        P { h, i: (A(j) | B(j)) }: P) -> u8 { 1 }";
        let Model { args, .. } = model("skip(a, b, c)", function);
        let bindings = |arg: &Arg| arg.bindings.iter().map(Ident::to_string).collect::<Vec<_>>().join(" ");
        let seen: Vec<_> =
            args.iter().map(|arg| (arg.forward.to_string(), bindings(arg), arg.skipped)).collect();
        let expected = [
            ("a", "a", true),
            ("arg1", "b c", true),
            ("arg2", "d e", false),
            ("arg3", "", false),
            ("arg4", "g", false),
            ("arg5", "h j", false),
        ];
        assert_eq!(
            seen,
            expected.map(|(name, bindings, skipped)| (name.to_owned(), bindings.to_owned(), skipped))
        );
        assert_eq!(
            args.iter().map(|arg| arg.is_impl_trait).collect::<Vec<_>>(),
            [false, true, false, false, false, false]
        );
    }

    #[test]
    fn receivers() {
        let key =
            |options: &str| model(options, "fn f(self: &Arc<Self>) -> u8 { 1 }").receiver.map(|it| it.key);
        assert!(matches!(key(""), Some(ReceiverKey::Instance)));
        assert!(matches!(key("receiver = \"value\""), Some(ReceiverKey::Value)));
        assert!(matches!(key("receiver = \"skip\""), Some(ReceiverKey::Skip)));
        assert!(matches!(key("receiver = self.id"), Some(ReceiverKey::Expr(_))));
        assert!(matches!(key("key = self.id"), Some(ReceiverKey::Skip)));
    }

    #[test]
    fn companions() {
        let companion = |options: &str, function: &str| match model(options, function).companion {
            None => "none".to_owned(),
            Some(Companion::Type(name)) => format!("type {name}"),
            Some(Companion::Function(name)) => format!("fn {name}"),
        };
        assert_eq!(companion("", "fn f() {}"), "type f");
        assert_eq!(companion("companion = g", "fn f() {}"), "type g");
        assert_eq!(companion("companion = false", "fn f() {}"), "none");
        assert_eq!(companion("", "pub fn f(&self) {}"), "fn f_memo");
        assert_eq!(companion("", "pub fn r#type(&self) {}"), "fn type_memo");
        assert_eq!(companion("companion = \"g\"", "pub fn f(&self) {}"), "fn g");
        assert_eq!(companion("companion = false", "pub fn f(&self) {}"), "none");
        assert_eq!(companion("", "fn f(&self) {}"), "none");
        assert_eq!(companion("companion = \"g\"", "fn f(&self) {}"), "fn g");
    }

    #[test]
    fn what_is_written_is_kept() {
        let function =
            "/// Docs.\n#[inline] pub(crate) async unsafe fn f<T>(a: T) -> u8 where T: A { a !! b }";
        let Model { attrs, vis, sig, body, output, .. } = model("", function);
        let written: TokenStream = function.parse().expect("tokens");
        assert_eq!(text(quote::quote!(#(#attrs)* #vis #sig #body)), text(written));
        assert_eq!(body.into_iter().count(), 1);
        assert_eq!(text(output), "u8");
    }
}
