//! Where a function and its control find the record of an instantiation.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::GenericParam;
use syn::ext::IdentExt;

use super::kind::is_single;
use super::names::private;
use super::ready_made::{self, ReadyMade};
use super::settings::settings;
use crate::model::{Arg, Companion, Model};

/// The names of the hidden items that a function and its control share.
pub(super) struct HiddenNames {
    /// Where they are found: the companion type, or `Self`.
    pub(super) owner: TokenStream,
    /// The function that returns the memoized function's `static`. `None` if `site` leads to that itself.
    pub(super) function: Option<Ident>,
    /// What gives the site.
    pub(super) site: Ident,
    /// The function that asks about the key of some arguments.
    pub(super) control: Ident,
    /// The function that tells what the types of key and result can do. `None` if the strategy need not know it, or if the
    /// arguments have types without a name.
    pub(super) types: Option<Ident>,
}

impl HiddenNames {
    /// The names for this function. `None` if it has no control.
    pub(super) fn of(model: &Model) -> Option<Self> {
        let name = model.sig.ident.unraw();
        let named = model.args.iter().all(|arg| arg.skipped || !arg.is_impl_trait);
        let types = |name: Ident| (model.may_outlive() && named).then_some(name);
        match model.companion.as_ref()? {
            Companion::Type(companion) if ReadyMade::of(model).is_some() => {
                let controlled = ready_made::name(companion);
                let private = private(model);
                Some(HiddenNames {
                    owner: quote!(<#controlled as #private::Controlled>),
                    function: None,
                    site: format_ident!("FUNCTION"),
                    control: format_ident!("ask"),
                    types: None,
                })
            }
            Companion::Type(companion) if is_single(model) => Some(HiddenNames {
                owner: quote!(#companion),
                function: None,
                site: format_ident!("__FUNCTION"),
                control: format_ident!("__control"),
                types: None,
            }),
            Companion::Type(companion) => Some(HiddenNames {
                owner: quote!(#companion),
                function: Some(format_ident!("__function")),
                site: format_ident!("__site"),
                control: format_ident!("__control"),
                types: types(format_ident!("__types")),
            }),
            Companion::Function(_) => Some(HiddenNames {
                owner: quote!(Self),
                function: None,
                site: format_ident!("__{name}_memo_site"),
                control: format_ident!("__{name}_memo_control"),
                types: types(format_ident!("__{name}_memo_types")),
            }),
        }
    }

    /// The expression for the site. `unnamed` tells the types that have no names.
    fn site(&self, model: &Model, unnamed: Option<&TokenStream>) -> TokenStream {
        let HiddenNames { owner, site, .. } = self;
        if is_single(model) {
            return quote!(#owner::#site.site());
        }
        let inferred = unnamed.map(|_| quote!(_));
        let parameters: Vec<_> = parameters(model).into_iter().chain(inferred).collect();
        let turbofish = if parameters.is_empty() { TokenStream::new() } else { quote!(::<#(#parameters),*>) };
        quote!(#owner::#site #turbofish (#unnamed))
    }
}

/// `::<T, N>`: the function's type and const parameters.
pub(super) fn turbofish(model: &Model) -> TokenStream {
    let names = parameters(model);
    if names.is_empty() { TokenStream::new() } else { quote!(::<#(#names),*>) }
}

/// The names of the function's type and const parameters. Lifetimes tell no instantiations apart.
fn parameters(model: &Model) -> Vec<TokenStream> {
    let names = model.sig.generics.params.iter().filter_map(|param| match param {
        GenericParam::Type(param) => Some(param.ident.to_token_stream()),
        GenericParam::Const(param) => Some(param.ident.to_token_stream()),
        GenericParam::Lifetime(_) => None,
    });
    names.collect()
}

/// The expression that tells the types that have no names, by the arguments of such types. `names` gives the name of each.
/// `None` if there are no such arguments.
pub(super) fn unnamed(model: &Model, names: impl Fn(&Arg) -> Ident) -> Option<TokenStream> {
    let private = private(model);
    let names: Vec<_> = model.unnamed().map(names).collect();
    (!names.is_empty()).then(|| quote!(#private::unnamed(&(#(&#names,)*))))
}

/// The expression that [tells the types that have no names](unnamed), where the arguments have the author's names.
pub(super) fn own_unnamed(model: &Model) -> Option<TokenStream> {
    unnamed(model, |arg| arg.forward.clone())
}

/// The block that gives the function as it is written, whatever its instantiation: a reference to a `static`.
pub(super) fn function(model: &Model) -> TokenStream {
    let private = private(model);
    let name = model.sig.ident.unraw().to_string();
    quote!({
        static FUNCTION: #private::Family = #private::Family::new(#private::module_path!(), #name);
        &FUNCTION
    })
}

/// The block that gives a function with one instantiation: a reference to a `static`. The type `marker` stands for the
/// function.
pub(super) fn single_function(model: &Model, marker: &Ident) -> TokenStream {
    let private = private(model);
    let name = model.sig.ident.unraw().to_string();
    let settings = settings(model);
    quote!({
        static FUNCTION: #private::Single =
            #private::Single::new::<#marker>(#private::module_path!(), #name, #settings);
        &FUNCTION
    })
}

/// The expression that makes a site of the function `function`.
pub(super) fn new_site(model: &Model, function: &TokenStream) -> TokenStream {
    let private = private(model);
    let settings = settings(model);
    quote!(#private::Site::new(#function, || (), #settings))
}

/// The expression that finds this instantiation. `unnamed` is what tells the types without names.
pub(super) fn site(model: &Model, unnamed: Option<&TokenStream>) -> TokenStream {
    match HiddenNames::of(model) {
        Some(names) => names.site(model, unnamed),
        None => new_site(model, &function(model)),
    }
}
