//! Arguments as a control takes them and passes them on.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::visit_mut::{self, VisitMut};
use syn::{PatIdent, ReceiverKind, Type, parse_quote};

use super::names::hidden;
use crate::model::{Arg, Model, ReceiverKey};

/// Some of a function's arguments, in order.
pub(super) struct Arguments<'m> {
    receiver: Option<&'m syn::Receiver>,
    pub(super) args: Vec<&'m Arg>,
}

impl<'m> Arguments<'m> {
    /// All of them: those that a call of the function takes.
    pub(super) fn of_call(model: &'m Model) -> Self {
        Arguments {
            receiver: model.receiver.as_ref().map(|receiver| &receiver.receiver),
            args: model.args.iter().collect(),
        }
    }

    /// Those that tell the entry of a call: the ones in its key, and those whose types have no names, which tell the
    /// instantiation.
    pub(super) fn of_control(model: &'m Model) -> Self {
        let args = model.args.iter().filter(|arg| !arg.skipped || (arg.is_impl_trait && arg.is_whole()));
        Arguments { args: args.collect(), ..Self::of_key(model) }
    }

    /// Those that the key may be made of.
    pub(super) fn of_key(model: &'m Model) -> Self {
        let receiver = model
            .receiver
            .as_ref()
            .filter(|receiver| model.options.key.is_some() || !matches!(receiver.key, ReceiverKey::Skip));
        Arguments {
            receiver: receiver.map(|receiver| &receiver.receiver),
            args: model.args.iter().filter(|arg| !arg.skipped).collect(),
        }
    }

    /// Names of ours for them, which hide none of the author's. The receiver's comes first.
    pub(super) fn names(&self) -> Vec<Ident> {
        self.this().into_iter().chain(self.arg_names()).collect()
    }

    /// The name of ours for the receiver.
    fn this(&self) -> Option<Ident> {
        self.receiver.map(|_| hidden("this"))
    }

    /// The names of ours without the receiver's, each once: `arg1`, which stands for a pattern, may be the author's name of
    /// another argument.
    pub(super) fn arg_names(&self) -> Vec<Ident> {
        let mut names: Vec<Ident> = Vec::new();
        for arg in &self.args {
            let mut name = arg.forward.clone();
            name.set_span(Span::mixed_site());
            while names.contains(&name) {
                name = format_ident!("{name}_");
            }
            names.push(name);
        }
        names
    }

    /// `name`, or a longer one if an argument has that name: for one parameter more, whose name documentation shows.
    pub(super) fn unused(&self, name: &str) -> Ident {
        if self.args.iter().any(|arg| arg.forward == name) {
            self.unused(&format!("{name}_"))
        } else {
            Ident::new(name, Span::mixed_site())
        }
    }

    /// Their types, the receiver's first.
    pub(super) fn types(&self) -> Vec<Type> {
        let this = self.receiver.iter().map(|this| receiver_type(this));
        this.chain(self.args.iter().map(|arg| arg.ty.clone())).collect()
    }

    /// The receiver and the others as parameters of a function, by the author's patterns, so that the author's expressions can
    /// stand in it.
    pub(super) fn inputs(&self) -> (Option<TokenStream>, Vec<TokenStream>) {
        let args = self.patterns().zip(&self.args).map(|(pat, arg)| {
            let ty = &arg.ty;
            quote!(#pat: #ty)
        });
        let this = self.receiver.map(|this| {
            let mut this = this.clone();
            this.mutability = None;
            this.to_token_stream()
        });
        (this, args.collect())
    }

    /// The author's patterns, without the receiver.
    pub(super) fn patterns(&self) -> impl Iterator<Item = syn::Pat> {
        self.args.iter().map(|arg| {
            let mut pat = arg.pat.clone();
            Immutable.visit_pat_mut(&mut pat);
            pat
        })
    }

    /// All of them as parameters of a function, by the names of ours.
    pub(super) fn plain_inputs(&self) -> Vec<TokenStream> {
        self.names().iter().zip(self.types()).map(|(name, ty)| quote!(#name: #ty)).collect()
    }

    /// The call `control(this, ask, a, b)`, by the names of ours.
    pub(super) fn ask(&self, control: &TokenStream, ask: &impl ToTokens) -> TokenStream {
        let (this, args) = (self.this().into_iter(), self.arg_names());
        quote!(#control(#(#this,)* #ask, #(#args),*))
    }

    /// Their types as one: `(A, B)`, or `A` if there is one only.
    pub(super) fn tuple_type(&self) -> Type {
        match &self.types()[..] {
            [ty] => ty.clone(),
            types => parse_quote!((#(#types),*)),
        }
    }

    /// The pattern for a value of [that type](Self::tuple_type), by the names of ours.
    pub(super) fn tuple_pattern(&self) -> TokenStream {
        match &self.names()[..] {
            [name] => name.to_token_stream(),
            names => quote!((#(#names),*)),
        }
    }
}

/// The type that a receiver is short for.
fn receiver_type(receiver: &syn::Receiver) -> Type {
    match &receiver.kind {
        ReceiverKind::Reference(and, lifetime, mutability) => parse_quote!(#and #lifetime #mutability Self),
        ReceiverKind::Typed(_, ty) => (**ty).clone(),
        _ => parse_quote!(Self),
    }
}

/// Removes `mut` from the names in a pattern. The control only reads its arguments, and the compiler warns of a `mut` that is
/// not needed.
struct Immutable;

impl VisitMut for Immutable {
    fn visit_pat_ident_mut(&mut self, pat: &mut PatIdent) {
        if pat.by_ref.is_none() {
            pat.mutability = None;
        }
        visit_mut::visit_pat_ident_mut(self, pat);
    }
}
