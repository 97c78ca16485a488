//! What one use of `#[memoize]` means, as plain data: all that `expand` reads.
//!
//! A model is made of the options and the function as they were written, and does not say whether they fit each other.
//! [`validate`](mod@crate::validate) refuses what cannot be memoized, so that `expand` gets only models that can be expanded.

mod argument;
mod companion;

use proc_macro2::{Span, TokenStream};
use syn::{Attribute, FnArg, ReturnType, Signature, Type, Visibility, parse_quote};

pub(crate) use self::argument::Arg;
pub(crate) use self::companion::Companion;
pub(crate) use crate::enclosing::Place;
use crate::enclosing::{self, Namesakes};
use crate::item::Function;
pub(crate) use crate::options::{
    CacheErr, CacheNone, Capacity, Code, Codec, Condition, Count, Engine, Jitter, Length, Limit, LimitWait,
    MaxWeight, Name, OnError, Patience, ReceiverKey, RefreshAhead, SingleFlight, Version,
};
use crate::options::{CompanionName, GivenOptions, Options};

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
    /// Whether another function has the same path. Without a `name`, engines know a function by its path.
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
        [self.options.persist.0, self.options.shared.0, self.options.large.0]
    }

    /// Whether the author lets results be stale, or has them renewed before their end.
    pub(crate) fn may_be_stale(&self) -> bool {
        let Options { stale, stale_if_error, refresh_ahead, .. } = &self.options;
        stale.is_some() || stale_if_error.is_some() || refresh_ahead.is_some()
    }

    /// Whether results stay on the thread that computed them.
    pub(crate) fn on_thread(&self) -> bool {
        self.options.engine == Engine::Thread
    }

    /// The arguments of type `impl Trait` that are not in the key. Their types have no names, and still tell the instantiation.
    pub(crate) fn unnamed(&self) -> impl Iterator<Item = &Arg> {
        self.args.iter().filter(|arg| arg.skipped && arg.is_impl_trait && arg.is_whole())
    }

    /// Puts the options and the function together. An option whose value was wrong, which is reported
    /// already, counts as not given.
    pub(crate) fn new(given: &GivenOptions, function: Function) -> Self {
        let Function { attrs, vis, sig, body } = function;
        let options = given.options();
        let explicit = matches!(options.companion, CompanionName::Name(_));
        let place = enclosing::place(&vis, &sig, &body, explicit);
        // Engines that outlive the process know the function by its path.
        let named_by_path = cfg!(feature = "engines")
            && given.name.is_none()
            && !matches!(options.engine, Engine::Memory | Engine::Moka);

        let receiver = sig.receiver().map(|receiver| Receiver {
            span: receiver.self_token.span,
            key: if given.key.is_some() { ReceiverKey::Skip } else { options.receiver.clone() },
            receiver: receiver.clone(),
        });
        let typed = sig.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(arg) => Some(arg),
            FnArg::Receiver(_) => None,
        });
        let arguments = typed
            .enumerate()
            .map(|(index, arg)| Arg::new(index, &arg.pat, &arg.ty, &options.skip.0))
            .collect();

        Model {
            companion: Companion::of(&options.companion, place, &sig.ident),
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

#[cfg(test)]
mod tests {
    use quote::ToTokens;

    use super::*;
    use crate::errors::Errors;

    pub(super) fn model(options: &str, function: &str) -> Model {
        let mut errors = Errors::default();
        let given = GivenOptions::parse(options.parse().expect("tokens"), &mut errors);
        errors.finish().expect("good options");
        Model::new(&given, syn::parse_str(function).expect("a function"))
    }

    fn text(tokens: impl ToTokens) -> String {
        tokens.to_token_stream().to_string()
    }

    #[test]
    fn defaults() {
        let Model { place, companion, output, args, receiver, options, .. } = model("", "fn f() {}");
        assert_eq!(text(options.krate.0), ":: memo");
        assert_eq!(place, Place::Free);
        assert!(matches!(companion, Some(Companion::Type(name)) if name == "f"));
        assert_eq!(text(output), "()");
        assert!(args.is_empty() && receiver.is_none() && options.key.is_none());
        assert_eq!(options.engine, Engine::Auto);
        assert!(options.ttl.is_none() && options.tti.is_none() && options.ttl_of.is_none());
        assert!(options.capacity.is_none() && options.weigh.is_none() && options.max_weight.is_none());
        assert!(
            options.cache_if.is_none()
                && !options.cache_err.is_on()
                && matches!(options.cache_none, CacheNone::Yes)
        );
        assert_eq!(options.single_flight, None);
        assert_eq!(options.on_error, None);
        assert!(options.name.is_none());
        assert_eq!(options.version.0, 0);
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
