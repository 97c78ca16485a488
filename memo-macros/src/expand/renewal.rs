//! Renewals behind the call: how a call hands its body, with arguments of its own, to another thread or task.
//!
//! The author's body stands in the expansion once, since a `static` in it is to be one. So it is a closure that captures
//! nothing, or an `async fn` within the function. Both the call and the renewal call that.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::{GenericParam, Type};

use super::amended;
use super::names::{hidden, private, quiet};
use crate::model::{Model, Place};
use crate::types::{borrow, impl_trait, mutable, peel};

/// A function whose renewals can run behind its calls, if its arguments can be owned.
pub(super) struct Renewal<'m>(&'m Model);

impl<'m> Renewal<'m> {
    /// `None` if the author asks for no renewals behind calls, or if the body cannot stand apart from the call. It cannot if the
    /// function has a receiver, or a lifetime that has a name or may be hidden.
    pub(super) fn of(model: &'m Model) -> Option<Self> {
        let asked = model.options.stale.is_some() || model.options.refresh_ahead.is_some();
        let apart = model.receiver.is_none()
            && !amended::has_inner_attribute(&model.body)
            && model.args.iter().all(|arg| arg.is_whole() && is_apart(&arg.ty))
            && borrow(&model.output).is_none()
            && impl_trait(&model.output).is_none()
            && !model.sig.generics.params.iter().any(|param| matches!(param, GenericParam::Lifetime(_)));
        // The body of an `async fn` becomes an item within the function, since its future can then be asked whether it is `Send`.
        // Such an item cannot use the type parameters of the function.
        let future = model.sig.asyncness.is_none()
            || (model.place == Place::Free && model.sig.generics.params.is_empty());
        (asked && apart && future && !model.on_thread()).then_some(Renewal(model))
    }

    /// The expression for whether the arguments can be owned, and whether the future can be moved to another thread. It stands
    /// outside of the function.
    pub(super) fn can(&self) -> TokenStream {
        let private = private(self.0);
        let types = self.0.args.iter().map(|arg| &arg.ty);
        let ways = quote!({
            #[allow(unused_imports)]
            use #private::own::*;
            true #(&& (&&&#private::Argument::<fn(#types)>::NEW).way().can())*
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

    /// The statement that declares the body apart from the call, by the name `computed`.
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

    /// The call of the body `computed` with the arguments of this call.
    pub(super) fn call(&self, computed: &Ident) -> TokenStream {
        let names = self.0.args.iter().map(|arg| &arg.forward);
        quote!(#computed(#(#names),*))
    }

    /// What makes the renewal: the body `computed`, with copies of the arguments that it owns. It is a closure for the runtime,
    /// and what has to stand in front of that.
    //
    // A future is made by an item. In the function itself the compiler could not be asked whether it is `Send`, if the body
    // awaits the function.
    pub(super) fn job(&self, computed: &Ident) -> (TokenStream, TokenStream) {
        let (private, output) = (private(self.0), &self.0.output);
        let types: Vec<_> = self.0.args.iter().map(|arg| &arg.ty).collect();
        let names: Vec<_> = self.0.args.iter().map(|arg| &arg.forward).collect();
        match self.0.sig.asyncness {
            None => {
                let (own, call) =
                    self.owning(computed, &names.iter().map(|name| quote!(&#name)).collect::<Vec<_>>());
                (TokenStream::new(), quote!(|| { #own #private::Box::new(move || #call) }))
            }
            Some(_) => {
                let task = hidden("task");
                let lent: Vec<_> = (0..names.len()).map(|index| hidden(&format!("lent{index}"))).collect();
                let (own, call) = self.owning(computed, &lent);
                let never = names.iter().map(|_| quote!(#private::never()));
                let quiet = quiet();
                let item = quote! {
                    #quiet
                    fn #task(#(#lent: &#types),*) -> #private::Task<#output> {
                        use #private::hand_over::*;
                        #own
                        (&&#private::FutureBody::of(|| #computed(#(#never),*))).task(async move { #call.await })
                    }
                };
                (item, quote!(|| #task(#(&#names),*)))
            }
        }
    }

    /// The statements that own what these expressions refer to, and the call of `computed` with that.
    fn owning(&self, computed: &Ident, lent: &[impl ToTokens]) -> (TokenStream, TokenStream) {
        let private = private(self.0);
        let of = |part: &str, index: usize| hidden(&format!("{part}{index}"));
        let (ways, owned): (Vec<_>, Vec<_>) =
            (0..lent.len()).map(|index| (of("way", index), of("owned", index))).unzip();
        let types = self.0.args.iter().map(|arg| &arg.ty);
        let own = quote! {
            #(
                #[allow(unused_imports, clippy::all)]
                let #ways = {
                    use #private::own::*;
                    (&&&#private::Argument::<fn(#types)>::NEW).way()
                };
                #[allow(clippy::all)]
                let mut #owned = #ways.own(#lent);
            )*
        };
        (own, quote!(#computed(#(#ways.lend(&mut #owned)),*)))
    }
}

/// Whether values of the type can be owned apart from a call. The type may be a reference, and must show no lifetime otherwise.
fn is_apart(ty: &Type) -> bool {
    let ty = peel(ty);
    let within = match ty {
        Type::Reference(reference) if reference.lifetime.is_none() => &*reference.elem,
        ty => ty,
    };
    borrow(within).is_none() && mutable(ty).is_none() && impl_trait(ty).is_none()
}

/// The statement that hands a renewal over, between the beginning of a call and its body. `rest` is the name of what the call goes
/// on with. Empty if there are no renewals behind calls.
pub(super) fn behind(model: &Model, rest: &Ident, outcome: &Ident, computed: &Ident) -> TokenStream {
    let Some(renewal) = Renewal::of(model) else { return TokenStream::new() };
    let (private, result, (item, job)) = (private(model), hidden("result"), renewal.job(computed));
    let awaits = model.sig.asyncness.map(|_| quote!(.await));
    quote! {
        #item
        let #rest = match #rest.behind(#outcome, #job) {
            #private::Result::Ok(#result) => return #result #awaits,
            #private::Result::Err(#rest) => #rest,
        };
    }
}
