//! Renewals behind the call: how a call hands its body, with arguments of its own, to another thread or task.
//!
//! The author's body stands in the expansion once, since a `static` in it is to be one. So it is a closure that captures
//! nothing, or an `async fn` within the function. Both the call and the renewal call that.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{GenericParam, Type};

use super::amended;
use super::names::{hidden, private};
use crate::model::{Model, Place};
use crate::types::{borrow, impl_trait, mutable, plain as bare};

/// A function whose renewals can run behind its calls, if its arguments can be owned.
pub(super) struct Renewal<'m>(&'m Model);

impl<'m> Renewal<'m> {
    /// None where the author does not let results be stale, or where the body cannot be had apart from the call: it has a
    /// receiver, or a lifetime that has a name or may be hidden.
    pub(super) fn of(model: &'m Model) -> Option<Self> {
        let asked = model.options.stale.is_some() || model.options.refresh_ahead.is_some();
        let apart = model.receiver.is_none()
            && !amended::has_inner_attribute(&model.body)
            && model.args.iter().all(|arg| arg.is_whole() && is_apart(&arg.ty))
            && borrow(&model.output).is_none()
            && impl_trait(&model.output).is_none()
            && !model.sig.generics.params.iter().any(|param| matches!(param, GenericParam::Lifetime(_)));
        // the future of an item within the function can be asked whether it is `Send`, and an item has no type parameters of ours
        let future = model.sig.asyncness.is_none()
            || (model.place == Place::Free && model.sig.generics.params.is_empty());
        (asked && apart && future && !model.on_thread()).then_some(Renewal(model))
    }

    /// Whether the arguments can be owned, and the future be moved: an expression beside the function.
    pub(super) fn can(&self) -> TokenStream {
        let private = private(self.0);
        let types = self.0.args.iter().map(|arg| &arg.ty);
        let ways = quote!({
            #[allow(unused_imports)]
            use #private::own::*;
            true #(&& (&&&#private::Argument::<#types>::NEW).way().can())*
        });
        if self.0.sig.asyncness.is_none() {
            return ways;
        }
        let function = &self.0.sig.ident;
        let never = self.0.args.iter().map(|_| quote!(#private::never()));
        quote!(#ways && {
            #[allow(unused_imports)]
            use #private::hand_over::*;
            (&&#private::FutureBody::of(|| #function(#(#never),*))).can()
        })
    }

    /// The body apart from the call, by the name `computed`.
    pub(super) fn body(&self, computed: &Ident) -> TokenStream {
        let Model { body, output, .. } = self.0;
        let args = self.0.args.iter().map(|arg| {
            let (pat, ty) = (&arg.pat, &arg.ty);
            quote!(#pat: #ty)
        });
        match self.0.sig.asyncness {
            None => quote!(let #computed = |#(#args),*| -> #output #body;),
            Some(_) => quote!(async fn #computed(#(#args),*) -> #output #body),
        }
    }

    /// The body called with the arguments of this call.
    pub(super) fn call(&self, computed: &Ident) -> TokenStream {
        let names = self.0.args.iter().map(|arg| &arg.forward);
        quote!(#computed(#(#names),*))
    }

    /// What makes the body with arguments of its own.
    pub(super) fn job(&self, computed: &Ident) -> TokenStream {
        let private = private(self.0);
        let of = |part: &str, index: usize| hidden(&format!("{part}{index}"));
        let (ways, owned): (Vec<_>, Vec<_>) =
            (0..self.0.args.len()).map(|index| (of("way", index), of("owned", index))).unzip();
        let types = self.0.args.iter().map(|arg| &arg.ty);
        let names = self.0.args.iter().map(|arg| &arg.forward);
        let own = quote! {
            #(
                #[allow(unused_imports, clippy::all)]
                let #ways = {
                    use #private::own::*;
                    (&&&#private::Argument::<#types>::NEW).way()
                };
                #[allow(clippy::all)]
                let mut #owned = #ways.own(&#names);
            )*
        };
        let call = quote!(#computed(#(#ways.lend(&mut #owned)),*));
        let made = match self.0.sig.asyncness {
            None => quote!(#private::Box::new(move || #call)),
            Some(_) => {
                let never = self.0.args.iter().map(|_| quote!(#private::never()));
                quote!({
                    #[allow(unused_imports)]
                    use #private::hand_over::*;
                    (&&#private::FutureBody::of(|| #computed(#(#never),*))).task(async move { #call.await })
                })
            }
        };
        quote!(|| { #own #made })
    }
}

/// Whether values of the type can be had apart from a call: behind a reference at most, with no other lifetime to be seen.
fn is_apart(ty: &Type) -> bool {
    let ty = bare(ty);
    let within = match ty {
        Type::Reference(reference) if reference.lifetime.is_none() => &*reference.elem,
        ty => ty,
    };
    borrow(within).is_none() && mutable(ty).is_none() && impl_trait(ty).is_none()
}

/// The call of the runtime that hands a renewal over, between the beginning of a call and its body. `rest` is what the call goes on
/// with.
pub(super) fn behind(model: &Model, rest: &Ident, outcome: &Ident, computed: &Ident) -> TokenStream {
    let Some(renewal) = Renewal::of(model) else { return TokenStream::new() };
    let (private, result, job) = (private(model), hidden("result"), renewal.job(computed));
    quote! {
        let #rest = match #rest.behind(#outcome, #job) {
            #private::Result::Ok(#result) => return #result,
            #private::Result::Err(#rest) => #rest,
        };
    }
}
