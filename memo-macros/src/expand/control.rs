//! The control of a function: a companion type beside a free function, `<method>_memo()` beside a method.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Lifetime, PatIdent, ReceiverKind, Safety, Type, TypeFnPtr, TypeReference, parse_quote};

use super::kind::is_single;
use super::names::{hidden, private, quiet};
use super::outcome::outcome;
use super::site::{Shared, new_site, own_unnamed, single_function, turbofish, unnamed};
use super::thin::{self, Thin};
use super::{key, settings, site};
use crate::model::{Arg, Companion, Model, ReceiverKey};

/// The type beside a free function.
pub(super) fn companion(model: &Model, name: &Ident) -> TokenStream {
    let vis = &model.vis;
    let function = &model.sig.ident;
    let (cfgs, quiet) = (cfgs(model), quiet());
    let shared = shared_items(model);
    let operations = operations(model);
    let doc = format!("Controls what the memoized function [`{function}()`] keeps.");
    quote! {
        #(#cfgs)*
        #[doc = #doc]
        #[allow(non_camel_case_types, missing_debug_implementations, clippy::all, clippy::pedantic)]
        #vis enum #name {}

        #(#cfgs)*
        #quiet
        impl #name {
            #shared
            #operations
        }
    }
}

/// The type beside a function whose control the runtime has written already.
pub(super) fn thin_companion(model: &Model, name: &Ident, thin: &Thin) -> TokenStream {
    let private = private(model);
    let Model { vis, output, .. } = model;
    let function = &model.sig.ident;
    let (cfgs, quiet) = (cfgs(model), quiet());
    let controlled = thin::name(name);
    let passed = thin.passed(&private);
    let (args, ask, key, outcome_name) = (hidden("args"), hidden("ask"), hidden("key"), hidden("outcome"));
    let known = Arguments::of_control(model);
    let (types, pats) = (known.types(), known.patterns());
    let places = (0..types.len()).map(syn::Index::from);
    let written = single_function(model, &controlled);
    let (outcome, hooks) = (outcome(model), settings::hooks(model));
    let then = quote!(#private::control::<_, #output, _>(
        Self::FUNCTION.site(), #hooks, &#key, #outcome_name, #ask
    ));
    let then = key::with_key(model, &key, &then);
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
                #then
            }
        }
    }
}

/// The associated function beside a method.
pub(super) fn method_control(model: &Model, name: &Ident) -> TokenStream {
    let private = private(model);
    let Model { vis, output, .. } = model;
    let (cfgs, quiet) = (cfgs(model), quiet());
    let shared = shared_items(model);
    let Some(Shared { control, .. }) = Shared::of(model) else { return TokenStream::new() };
    let site = site::site(model, None);
    let turbofish = turbofish(model);
    let function = &model.sig.ident;
    let (params, bounds) = (&model.sig.generics.params, &model.sig.generics.where_clause);
    let call = Arguments::of_call(model);
    let known = Arguments::of_control(model);
    let (call_type, call_pattern, call_names) = (call.tuple_type(), call.tuple_pattern(), call.names());
    let (known_type, known_pattern) = (known.tuple_type(), known.tuple_pattern());
    let unsafety = &model.sig.safety;
    let called = quote!(Self::#function #turbofish (#(#call_names),*));
    let called = if matches!(unsafety, Safety::Unsafe(_)) { quote!(unsafe { #called }) } else { called };
    let opaque = quote_spanned!(Span::mixed_site()=> impl);
    // the future of an `async` method has its arguments' lifetimes, which are named for it
    let (type_name, lifetime, call_type, call_params) = if model.sig.asyncness.is_some() {
        let (lifetime, call_type) = with_named_lifetimes(&call_type);
        let params = quote!(#call_type, #opaque #private::Future<Output = #output>);
        (quote!(AsyncMethodControl), lifetime, call_type, params)
    } else {
        (quote!(MethodControl), None, call_type.clone(), quote!(#opaque #private::Fn(#call_type) -> #output))
    };
    let lifetime = lifetime.iter();
    let ask = hidden("ask");
    let asked = known.ask(&quote!(Self::#control #turbofish), &ask);
    let plan = plan(model);
    let doc = format!("Controls what the memoized method [`{function}`](Self::{function}) keeps.");
    quote! {
        #(#cfgs)*
        #[doc = #doc]
        #quiet
        #vis #unsafety fn #name <#(#lifetime,)* #params>() -> #private::#type_name<
            #output,
            #opaque #private::Fn(#known_type, #private::Ask<'_, #output>),
            #call_params,
        > #bounds {
            #private::#type_name::new(
                #site,
                |#known_pattern: #known_type, #ask: #private::Ask<'_, #output>| #asked,
                |#call_pattern: #call_type| #called,
                || #plan,
            )
        }

        #shared
    }
}

/// The hidden functions that both kinds of control, and the memoized function, are built on.
fn shared_items(model: &Model) -> TokenStream {
    let private = private(model);
    let Some(Shared { owner, function, site, control, types }) = Shared::of(model) else {
        return TokenStream::new();
    };
    let cfgs = cfgs(model);
    let function_body = site::function(model);
    // a companion tells of the function without its type parameters, and allows for all its items at once
    let (function_item, function_expr, quiet) = match &function {
        Some(function) => {
            let item = quote! {
                #(#cfgs)*
                #[doc(hidden)]
                fn #function() -> &'static #private::Family #function_body
            };
            (item, quote!(#owner::#function()), TokenStream::new())
        }
        None => (TokenStream::new(), function_body, quiet()),
    };
    // all of them as one more type
    let types_told = own_unnamed(model).map(|_| hidden("Told").into_token_stream());
    let told_input = types_told.as_ref().map(|told| quote!(_: #private::Told<#told>));
    let site_params = model.sig.generics.params.iter().map(ToTokens::to_token_stream).chain(types_told);
    let output = &model.output;

    let (params, bounds) = (&model.sig.generics.params, &model.sig.generics.where_clause);
    let known = Arguments::of_control(model);
    let (this, inputs) = known.inputs();
    let this = this.iter();
    let (ask, key, outcome_name) = (hidden("ask"), hidden("key"), hidden("outcome"));
    let asking = if model.on_thread() { quote!(control_here) } else { quote!(control) };
    let site_expr = site::site(model, own_unnamed(model).as_ref());
    let (outcome, hooks) = (outcome(model), settings::hooks(model));
    let then = quote!(#private::#asking::<_, #output, _>(#site_expr, #hooks, &#key, #outcome_name, #ask));
    let then = key::with_key(model, &key, &then);
    let types = types.map(|types| {
        let (this, inputs) = Arguments::of_key(model).inputs();
        let these = this.iter();
        let typed = hidden("typed");
        let answers = settings::answers(model, &hidden("asked"), &quote!(#typed));
        let then = quote!({
            let #typed = #private::types::<_, #output, _>(&#key, #outcome_name);
            #private::probed(#typed, #answers)
        });
        let then = key::with_key(model, &key, &then);
        let opaque = quote_spanned!(Span::mixed_site()=> impl);
        quote! {
            #(#cfgs)*
            #[doc(hidden)]
            #quiet
            fn #types <#params>(#(#these,)* #(#inputs),*) -> #opaque #private::Typed #bounds {
                let #outcome_name = #outcome;
                #then
            }
        }
    });
    let site_item = match &model.companion {
        Some(Companion::Type(companion)) if is_single(model) => {
            let function = single_function(model, companion);
            quote! {
                #(#cfgs)*
                #[doc(hidden)]
                const #site: &'static #private::Single = #function;
            }
        }
        _ => {
            let new_site = new_site(model, &function_expr);
            quote! {
                #(#cfgs)*
                #[doc(hidden)]
                #[inline(always)]
                #quiet
                fn #site <#(#site_params),*>(#told_input) -> #private::Site #bounds {
                    #new_site
                }
            }
        }
    };
    quote! {
        #types

        #function_item

        #site_item

        #(#cfgs)*
        #[doc(hidden)]
        #quiet
        #[inline]
        fn #control <#params>(
            #(#this,)*
            #ask: #private::Ask<'_, #output>,
            #(#inputs),*
        ) #bounds {
            let #outcome_name = #outcome;
            #then
        }
    }
}

/// The expression for where results live. What the strategy wants to know of the types is inferred from a call that is
/// never made.
fn plan(model: &Model) -> TokenStream {
    let private = private(model);
    let site = match own_unnamed(model) {
        // nobody has said of which types
        Some(_) => {
            let any = site::site(model, Some(&quote!(#private::told(&()))));
            quote!(#any.any())
        }
        None => site::site(model, None),
    };
    let Some(Shared { owner, types: Some(types), .. }) = Shared::of(model) else {
        return quote!(#site.plan());
    };
    let turbofish = turbofish(model);
    let arguments = Arguments::of_key(model).names().into_iter().map(|_| quote!(loop {}));
    quote!({
        #[allow(unreachable_code, clippy::all)]
        #site.plan_of(if false {
            #private::Option::Some(#owner::#types #turbofish (#(#arguments),*))
        } else {
            #private::Option::None
        })
    })
}

/// The public functions of a companion type.
fn operations(model: &Model) -> TokenStream {
    let private = private(model);
    let Model { vis, output, .. } = model;
    let Some(Shared { function, site: static_name, control, .. }) = Shared::of(model) else {
        return TokenStream::new();
    };
    let written = function.map_or_else(|| quote!(Self::#static_name), |function| quote!(Self::#function()));
    let (params, bounds) = (&model.sig.generics.params, &model.sig.generics.where_clause);
    let turbofish = turbofish(model);
    let plan = plan(model);
    let function = &model.sig.ident;
    let unsafety = &model.sig.safety;
    let asyncness = &model.sig.asyncness;

    let call = Arguments::of_call(model);
    let known = Arguments::of_control(model);
    let (call_inputs, call_names, known_inputs) = (call.plain_inputs(), call.names(), known.plain_inputs());
    let result = known.unused("value");

    let name = |arg: &Arg| {
        let place = call.args.iter().position(|other| other.forward == arg.forward).unwrap_or_default();
        call.arg_names().swap_remove(place)
    };
    let site = site::site(model, unnamed(model, name).as_ref());
    let called = quote!(#function #turbofish (#(#call_names),*));
    let directed = |directive: &str| {
        let directive = format_ident!("{directive}");
        // in an `unsafe fn`, what is called here is as safe as the caller has promised
        let called =
            if matches!(unsafety, Safety::Unsafe(_)) { quote!(unsafe { #called }) } else { called.clone() };
        match asyncness {
            Some(_) => quote!(#private::Directed::new(#site, #private::Directive::#directive, #called).await),
            None => quote!(#private::direct(&#site, #private::Directive::#directive, || #called)),
        }
    };
    let (uncached, refresh) = (directed("Bypass"), directed("Refresh"));
    let (settled, clear) = match asyncness {
        Some(_) => (quote!(.settled().await), quote!(#written.clear_async().await)),
        None => (quote!(.now()), quote!(#written.clear())),
    };
    let warm = warm(model, &call);
    let errors = "# Errors\n\nIf it was not done in every tier.";
    let insert_errors = "# Errors\n\nIf the function's settings do not store this value.";
    let ask = hidden("ask");
    let asked = known.ask(&quote!(Self::#control #turbofish), &ask);
    quote! {
        /// Runs the body: neither looks for a result of this call nor stores one. What it calls is memoized as ever.
        #[inline]
        #vis #asyncness #unsafety fn uncached <#params>(#(#call_inputs),*) -> #output #bounds { #uncached }

        /// Computes now, replaces what is stored, and returns the result.
        #[inline]
        #vis #asyncness #unsafety fn refresh <#params>(#(#call_inputs),*) -> #output #bounds { #refresh }

        #warm

        /// What is stored now. Computes nothing, and counts as no use.
        #[inline]
        #vis #asyncness fn peek <#params>(#(#known_inputs),*) -> #private::Option<#output> #bounds {
            #private::peek(|#ask| #asked) #settled
        }

        /// Stores a result, as if it had just been computed.
        #[doc = ""]
        #[doc = #insert_errors]
        #[inline]
        #vis #asyncness fn insert <#params>(
            #(#known_inputs,)*
            #result: #output,
        ) -> #private::Result<(), #private::Error> #bounds {
            #private::insert(#result, |#ask| #asked) #settled
        }

        /// Drops the entry of these arguments. What is being computed for them now is not stored.
        #[doc = ""]
        #[doc = #errors]
        #[inline]
        #vis #asyncness fn invalidate <#params>(
            #(#known_inputs),*
        ) -> #private::Result<(), #private::Error> #bounds {
            #private::invalidate(|#ask| #asked) #settled
        }

        /// Drops all entries, whatever the type parameters. What is being computed now is not stored.
        #[doc = ""]
        #[doc = #errors]
        #[inline]
        #vis #asyncness fn clear() -> #private::Result<(), #private::Error> {
            #clear
        }

        /// What the function has counted, whatever the type parameters.
        #[inline]
        #vis fn stats() -> #private::Stats {
            #written.stats()
        }

        /// Where results live, and why.
        #[inline]
        #vis fn plan <#params>() -> #private::Plan #bounds {
            #plan
        }
    }
}

/// `warm`, where the arguments' types can be named.
fn warm(model: &Model, call: &Arguments<'_>) -> TokenStream {
    if call.args.is_empty() || model.args.iter().any(|arg| arg.is_impl_trait) {
        return TokenStream::new();
    }
    let private = private(model);
    let Model { vis, .. } = model;
    let (params, bounds) = (&model.sig.generics.params, &model.sig.generics.where_clause);
    let (asyncness, unsafety, function) = (&model.sig.asyncness, &model.sig.safety, &model.sig.ident);
    let turbofish = turbofish(model);
    let (names, pattern) = (call.names(), call.tuple_pattern());
    let (lifetime, item) = with_named_lifetimes(&call.tuple_type());
    let lifetime = lifetime.iter();
    let calls = hidden("calls");
    let called = quote!(#function #turbofish (#(#names),*));
    let called = if asyncness.is_some() { quote!(#called.await) } else { called };
    let called = if matches!(unsafety, Safety::Unsafe(_)) { quote!(unsafe { #called }) } else { called };
    quote! {
        /// Computes what is missing of these calls, one after the other.
        #[inline]
        #vis #asyncness #unsafety fn warm <#(#lifetime,)* #params>(
            #calls: impl #private::IntoIterator<Item = #item>
        ) #bounds {
            for #pattern in #calls {
                let _ = #called;
            }
        }
    }
}

/// The attributes that decide whether the function is there at all.
fn cfgs(model: &Model) -> Vec<&Attribute> {
    model.attrs.iter().filter(|attr| attr.path().is_ident("cfg")).collect()
}

/// Arguments to be passed on.
struct Arguments<'m> {
    receiver: Option<&'m syn::Receiver>,
    args: Vec<&'m Arg>,
}

impl<'m> Arguments<'m> {
    /// All of them: what the function takes.
    fn of_call(model: &'m Model) -> Self {
        Arguments {
            receiver: model.receiver.as_ref().map(|receiver| &receiver.receiver),
            args: model.args.iter().collect(),
        }
    }

    /// Those that the companion wants to know for an entry: what the key may be taken from, and what tells the types that
    /// have no names.
    fn of_control(model: &'m Model) -> Self {
        let args = model.args.iter().filter(|arg| !arg.skipped || (arg.is_impl_trait && arg.is_whole()));
        Arguments { args: args.collect(), ..Self::of_key(model) }
    }

    /// Those that the key may be taken from.
    fn of_key(model: &'m Model) -> Self {
        let receiver = model
            .receiver
            .as_ref()
            .filter(|receiver| model.options.key.is_some() || !matches!(receiver.key, ReceiverKey::Skip));
        Arguments {
            receiver: receiver.map(|receiver| &receiver.receiver),
            args: model.args.iter().filter(|arg| !arg.skipped).collect(),
        }
    }

    /// Names that shadow none of the author's, the receiver's first.
    fn names(&self) -> Vec<Ident> {
        self.this().into_iter().chain(self.arg_names()).collect()
    }

    fn this(&self) -> Option<Ident> {
        self.receiver.map(|_| hidden("this"))
    }

    /// Each of them once: what stands for a pattern, `arg1`, may be what the author calls another argument.
    fn arg_names(&self) -> Vec<Ident> {
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

    /// A name for documentation that is none of the arguments'.
    fn unused(&self, name: &str) -> Ident {
        if self.args.iter().any(|arg| arg.forward == name) {
            self.unused(&format!("{name}_"))
        } else {
            Ident::new(name, Span::mixed_site())
        }
    }

    fn types(&self) -> Vec<Type> {
        let this = self.receiver.iter().map(|this| receiver_type(this));
        this.chain(self.args.iter().map(|arg| arg.ty.clone())).collect()
    }

    /// As they stand in a signature, under their own names, for the author's expressions: the receiver, the others.
    fn inputs(&self) -> (Option<TokenStream>, Vec<TokenStream>) {
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

    /// Their patterns, for the author's expressions.
    fn patterns(&self) -> impl Iterator<Item = syn::Pat> {
        self.args.iter().map(|arg| {
            let mut pat = arg.pat.clone();
            Immutable.visit_pat_mut(&mut pat);
            pat
        })
    }

    /// As they stand in a signature, under names of ours.
    fn plain_inputs(&self) -> Vec<TokenStream> {
        self.names().iter().zip(self.types()).map(|(name, ty)| quote!(#name: #ty)).collect()
    }

    /// `control(this, ask, a, b)`, by the names of ours.
    fn ask(&self, control: &TokenStream, ask: &impl ToTokens) -> TokenStream {
        let (this, args) = (self.this().into_iter(), self.arg_names());
        quote!(#control(#(#this,)* #ask, #(#args),*))
    }

    /// `A`, or `(A, B)`: one argument stands for itself.
    fn tuple_type(&self) -> Type {
        match &self.types()[..] {
            [ty] => ty.clone(),
            types => parse_quote!((#(#types),*)),
        }
    }

    fn tuple_pattern(&self) -> TokenStream {
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

/// `ty` with a name for each lifetime that has none, since `impl Trait` may have none such; and the name, if it is used.
fn with_named_lifetimes(ty: &Type) -> (Option<Lifetime>, Type) {
    let mut named = NamedLifetimes { name: Lifetime::new("'call", Span::mixed_site()), used: false };
    let mut ty = ty.clone();
    named.visit_type_mut(&mut ty);
    (named.used.then_some(named.name), ty)
}

struct NamedLifetimes {
    name: Lifetime,
    used: bool,
}

impl NamedLifetimes {
    fn name(&mut self) -> Lifetime {
        self.used = true;
        self.name.clone()
    }
}

impl VisitMut for NamedLifetimes {
    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        if reference.lifetime.is_none() {
            reference.lifetime = Some(self.name());
        }
        visit_mut::visit_type_reference_mut(self, reference);
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident == "_" {
            *lifetime = self.name();
        }
    }

    // the lifetimes of these are their own
    fn visit_type_fn_ptr_mut(&mut self, _: &mut TypeFnPtr) {}
}

/// Takes `mut` from the names in a pattern: what is only looked at need not be mutable.
struct Immutable;

impl VisitMut for Immutable {
    fn visit_pat_ident_mut(&mut self, pat: &mut PatIdent) {
        if pat.by_ref.is_none() {
            pat.mutability = None;
        }
        visit_mut::visit_pat_ident_mut(self, pat);
    }
}
