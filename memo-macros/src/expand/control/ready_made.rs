//! The companion that is ready made: an alias for a type of the runtime, and the trait by which that type knows the
//! function.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use crate::expand::arguments::Arguments;
use crate::expand::names::{cfgs, hidden, private, quiet};
use crate::expand::outcome::outcome;
use crate::expand::ready_made::{self, ReadyMade};
use crate::expand::site::single_function;
use crate::expand::{hooks, key};
use crate::model::Model;

/// The alias `name` for the companion type of the runtime, and the hidden type that stands for the function in it.
pub(super) fn companion(model: &Model, name: &Ident, arguments: &ReadyMade) -> TokenStream {
    let private = private(model);
    let (vis, function) = (&model.vis, &model.sig.ident);
    let cfgs = cfgs(model);
    let controlled = ready_made::name(name);
    let passed = arguments.passed(&private);
    let controlled_impl = controlled_impl(model, &controlled, &passed);
    let doc = format!(
        "Controls what the memoized function [`{function}()`] keeps: `{name}::peek`, `insert`, `invalidate`, `clear`, \
         `refresh`, `uncached`, `warm`, `stats`, `plan`."
    );
    quote! {
        #(#cfgs)*
        #[doc = #doc]
        #[allow(non_camel_case_types)]
        #vis type #name = #private::Companion<#controlled, #passed>;

        #(#cfgs)*
        #[doc(hidden)]
        #[allow(non_camel_case_types, missing_debug_implementations)]
        #vis enum #controlled {}

        #controlled_impl
    }
}

/// What the runtime has to know of the function: its arguments, its result, its `static`, how it is called, and how it is
/// asked about a key.
fn controlled_impl(model: &Model, controlled: &Ident, passed: &TokenStream) -> TokenStream {
    let private = private(model);
    let (output, function) = (&model.output, &model.sig.ident);
    let (cfgs, quiet) = (cfgs(model), quiet());
    let (args, ask, key, outcome_name) = (hidden("args"), hidden("ask"), hidden("key"), hidden("outcome"));
    let known = Arguments::of_control(model);
    let (types, pats) = (known.types(), known.patterns());
    let places = (0..types.len()).map(syn::Index::from);
    let written = single_function(model, controlled);
    let (outcome, hooks) = (outcome(model), hooks::hooks(model));
    let control = quote!(#private::control::<_, #output, _>(
        Self::FUNCTION.site(), #hooks, &#key, #outcome_name, #ask
    ));
    let control = key::with_key(model, &key, &control);
    quote! {
        #(#cfgs)*
        #quiet
        impl #private::Controlled for #controlled {
            type Arguments = #passed;
            type Output = #output;
            const FUNCTION: &'static #private::Single = #written;

            fn call(#args: (#(#types,)*)) -> #output {
                #function(#(#args.#places),*)
            }

            fn ask(#ask: #private::Ask<'_, #output>, (#(#pats,)*): (#(#types,)*)) {
                let #outcome_name = #outcome;
                #control
            }
        }
    }
}
