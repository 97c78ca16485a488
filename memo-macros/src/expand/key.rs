//! The key of a call, borrowed from its arguments.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{Expr, GenericArgument, PathArguments, Type};

use super::names::{hidden_at, pointing_at, private};
use super::plain;
use crate::model::{Arg, Model, ReceiverKey};

/// The largest tuple that is a part in the runtime. With more parts, tuples are nested.
const LARGEST_TUPLE: usize = 8;

/// One part of a key: a reference to what it is taken from, and that one's type where it is written.
struct Source<'m> {
    reference: TokenStream,
    ty: Option<&'m Type>,
    /// Where errors about it point.
    span: Span,
}

/// Whether the types of all parts are known by their names, so that no traits have to be probed for them. Such a key borrows
/// nothing from the call: it holds copies of primitive values, and strings that the caller has lent.
pub(super) fn needs_no_probe(model: &Model) -> bool {
    model.options.key.is_none()
        && model.receiver.is_none()
        && sources(model).iter().all(|source| source.ty.is_some_and(is_known))
}

/// The expression for a key that [needs no probe](needs_no_probe).
pub(super) fn without_probe(model: &Model) -> TokenStream {
    let sources = sources(model);
    let parts: Vec<_> =
        sources.iter().map(|source| part(model, &source.reference, source.ty, source.span)).collect();
    tuple(&parts)
}

/// The expression that evaluates `then` with `key` as the name of the borrowed key. Temporaries in the author's expressions
/// live until its end.
pub(super) fn with_key(model: &Model, key: &Ident, then: &TokenStream) -> TokenStream {
    if needs_no_probe(model) {
        let parts = without_probe(model);
        return quote!({
            let #key = #parts;
            #then
        });
    }
    let sources = sources(model);
    let names: Vec<_> = sources
        .iter()
        .enumerate()
        .map(|(index, source)| hidden_at(&format!("part{index}"), source.span))
        .collect();
    let references = sources.iter().map(|source| &source.reference);
    let parts: Vec<_> = sources
        .iter()
        .zip(&names)
        .map(|(source, name)| part(model, &name.to_token_stream(), source.ty, source.span))
        .collect();
    let parts = tuple(&parts);
    let private = private(model);
    let probe = if model.on_thread() { quote!(probe_here) } else { quote!(probe) };
    // which of the imported traits are used depends on the types
    quote!(match (#(#references,)*) {
        (#(#names,)*) => {
            #[allow(unused_imports, clippy::all)]
            let #key = {
                use #private::#probe::*;
                #parts
            };
            #then
        }
    })
}

/// The parts as one part: a tuple, or the part itself if there is only one.
fn tuple(parts: &[TokenStream]) -> TokenStream {
    if let [part] = parts {
        return part.clone();
    }
    if parts.len() <= LARGEST_TUPLE {
        return quote!((#(#parts,)*));
    }
    let groups: Vec<_> = parts.chunks(LARGEST_TUPLE).map(tuple).collect();
    tuple(&groups)
}

/// What the parts of the key are taken from, in order.
fn sources(model: &Model) -> Vec<Source<'_>> {
    if let Some(key) = &model.options.key {
        return from_expr(model, &key.0);
    }
    let receiver = model.receiver.iter().flat_map(|receiver| {
        let (private, span) = (private(model), receiver.span);
        let this = &receiver.receiver.self_token;
        match &receiver.key {
            ReceiverKey::Skip => Vec::new(),
            ReceiverKey::Instance => {
                let reference = quote_spanned!(span=> <Self as #private::Instance>::instance(&#this));
                vec![Source { reference, ty: None, span }]
            }
            ReceiverKey::Value => {
                let reference = quote_spanned!(span=> #private::borrow::<Self>(&#this));
                vec![Source { reference, ty: None, span }]
            }
            ReceiverKey::Expr(expr) => from_expr(model, expr),
        }
    });
    receiver.chain(model.args.iter().filter(|arg| !arg.skipped).flat_map(from_arg)).collect()
}

/// What an expression of the author's gives to the key. Each element of a tuple is a part by itself, so that it is borrowed
/// where it is, and not moved into the tuple.
fn from_expr<'m>(model: &'m Model, expr: &'m Expr) -> Vec<Source<'m>> {
    match expr {
        Expr::Tuple(tuple) => tuple.elems.iter().flat_map(|elem| from_expr(model, elem)).collect(),
        Expr::Paren(paren) => from_expr(model, &paren.expr),
        expr => {
            // The type is written here only if the expression is the name of an argument.
            let named = |arg: &&Arg| {
                arg.is_whole() && matches!(expr, Expr::Path(path) if path.path.is_ident(&arg.forward))
            };
            let ty = model.args.iter().find(named).map(|arg| &arg.ty);
            vec![Source { reference: quote!(&(#expr)), ty, span: expr.span() }]
        }
    }
}

/// What an argument gives to the key: all that its pattern binds. The body does not see the rest of the argument either.
fn from_arg(arg: &Arg) -> Vec<Source<'_>> {
    let ty = arg.is_whole().then_some(&arg.ty);
    let source = |binding: &Ident| Source { reference: quote!(&#binding), ty, span: binding.span() };
    arg.bindings.iter().map(source).collect()
}

/// The expression for the part that stands for what `reference` refers to. How the type is written shows references and floats
/// within tuples, options and slices, which become parts of their own. For all else the part is found by the traits of the
/// type.
fn part(model: &Model, reference: &TokenStream, ty: Option<&Type>, span: Span) -> TokenStream {
    let private = private(model);
    let at = pointing_at(span);
    if ty.is_some_and(plain::is_primitive) {
        return quote_spanned!(at=> #private::copied(#reference));
    }
    if ty.is_some_and(plain::is_str) {
        return quote_spanned!(at=> #private::text(#reference));
    }
    match ty.filter(|ty| has_borrow_or_float(ty)) {
        Some(Type::Reference(outer)) if has_borrow_or_float(&outer.elem) => {
            part(model, &quote!((*#reference)), Some(&outer.elem), span)
        }
        Some(Type::Tuple(tuple_type)) if tuple_type.elems.len() <= LARGEST_TUPLE => {
            let names: Vec<_> = (0..tuple_type.elems.len())
                .map(|index| hidden_at(&format!("element{index}"), span))
                .collect();
            let parts = tuple_type.elems.iter().zip(&names);
            let parts = parts.map(|(ty, name)| part(model, &name.to_token_stream(), Some(ty), span));
            quote!(match #reference { (#(#names,)*) => (#(#parts,)*) })
        }
        Some(Type::Paren(inner)) => part(model, reference, Some(&inner.elem), span),
        Some(Type::Group(inner)) => part(model, reference, Some(&inner.elem), span),
        Some(ty) => {
            let element = hidden_at("element", span);
            match container(ty) {
                Some((Container::Option, inner)) => {
                    let inner = part(model, &element.to_token_stream(), Some(inner), span);
                    quote!(#private::Option::map(#private::Option::as_ref(#reference), |#element| #inner))
                }
                Some((Container::Slice, inner)) => {
                    let inner = part(model, &element.to_token_stream(), Some(inner), span);
                    quote!(#private::Each::new(&#reference[..], |#element| #inner))
                }
                None => leaf(&private, reference, span),
            }
        }
        None => leaf(&private, reference, span),
    }
}

/// Whether the name of the type tells which part stands for it.
fn is_known(ty: &Type) -> bool {
    plain::is_primitive(ty) || plain::is_str(ty)
}

/// The expression for a part that is found by the traits of its type.
fn leaf(private: &syn::Path, reference: &TokenStream, span: Span) -> TokenStream {
    quote_spanned!(pointing_at(span)=> (&&&&&#private::Probe(#reference)).part())
}

/// A type that holds elements which are parts by themselves.
enum Container {
    Option,
    Slice,
}

/// The container that the type is, and the type of its elements.
fn container(ty: &Type) -> Option<(Container, &Type)> {
    match ty {
        Type::Slice(slice) => Some((Container::Slice, &slice.elem)),
        Type::Array(array) => Some((Container::Slice, &array.elem)),
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            let kind = match last.ident.to_string().as_str() {
                "Option" => Container::Option,
                "Vec" => Container::Slice,
                _ => return None,
            };
            let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
            match arguments.args.iter().collect::<Vec<_>>()[..] {
                [GenericArgument::Type(inner)] => Some((kind, inner)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether something borrowed, or a float, is somewhere in the type.
fn has_borrow_or_float(ty: &Type) -> bool {
    struct Found(bool);
    impl Visit<'_> for Found {
        fn visit_type_reference(&mut self, _: &syn::TypeReference) {
            self.0 = true;
        }
        fn visit_lifetime(&mut self, lifetime: &syn::Lifetime) {
            self.0 |= lifetime.ident != "static";
        }
        fn visit_ident(&mut self, ident: &Ident) {
            self.0 |= ident == "f64" || ident == "f32";
        }
        fn visit_type_fn_ptr(&mut self, _: &syn::TypeFnPtr) {}
        fn visit_expr(&mut self, _: &Expr) {}
    }
    let mut found = Found(false);
    found.visit_type(ty);
    found.0
}
