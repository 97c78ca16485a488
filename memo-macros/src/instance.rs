//! `#[derive(Instance)]`: finds the field that tells instances apart.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Expr, Field, Fields, Member, Path, Type, parse_quote};

use crate::crate_path;
use crate::errors::{Error, Errors, Result};

/// The impl of `Instance`. On a mistake it is the errors, and beside them an impl that is never used, so that the compiler does
/// not report the methods that need one too.
pub(crate) fn derive(input: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let mut errors = Errors::default();
    let krate = errors.handle(krate(&input.attrs)).unwrap_or_else(crate_path::default);
    let field = errors.handle(id(&input));
    match (errors.finish(), field) {
        (Ok(()), Some((member, ty))) => implement(&input, &krate, ty, quote!(&self.#member)),
        (result, _) => {
            let errors = result.err().map(Error::into_compile_errors);
            let dummy = implement(&input, &krate, &parse_quote!(()), quote!(loop {}));
            quote!(#errors #dummy)
        }
    }
}

/// The impl, in which `instance` is the reference to the identity and `id` its type.
fn implement(input: &DeriveInput, krate: &Path, id: &Type, instance: TokenStream) -> TokenStream {
    let name = &input.ident;
    let (generics, arguments, bounds) = input.generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #generics #krate::__private::Instance for #name #arguments #bounds {
            type Id = #id;

            fn instance(&self) -> &Self::Id {
                #instance
            }
        }
    }
}

/// The path of `#[memo(crate = path)]`.
fn krate(attributes: &[Attribute]) -> Result<Path> {
    let mut found = None;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("memo")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("crate") {
                return Err(meta.error("unknown option: there is only `#[memo(crate = path)]`"));
            }
            if found.is_some() {
                return Err(meta.error("`crate` is given twice: keep one"));
            }
            let value: Expr = meta.value()?.parse()?;
            let wrong = "`crate` takes a path, such as `#[memo(crate = crate::reexports::memo)]`";
            found = Some(crate_path::parse(&value).ok_or_else(|| syn::Error::new_spanned(&value, wrong))?);
            Ok(())
        })?;
    }
    Ok(found.unwrap_or_else(crate_path::default))
}

/// The field that is the identity, and its type.
fn id(input: &DeriveInput) -> Result<(Member, &Type)> {
    let refuse = |span: Span, message: &str| Err(Error::new(message).at(&span));
    if let Some(attribute) = input.attrs.iter().find(|attribute| is_instance(attribute)) {
        return refuse(
            attribute.path().span(),
            "`#[instance]` goes on a field: put it on the one that tells instances apart",
        );
    }
    let fields = match &input.data {
        Data::Struct(data) => &data.fields,
        Data::Enum(data) => {
            let message = "only a struct has a field that every value of it has: put the enum into a struct with \
                           an `#[instance]` field, or implement `Instance` by hand";
            return refuse(data.enum_token.span, message);
        }
        Data::Union(data) => {
            let message = "the fields of a union cannot be told apart: put it into a struct with an `#[instance]` \
                           field, or implement `Instance` by hand";
            return refuse(data.union_token.span, message);
        }
    };
    let marked = marked(fields)?;
    let members: Vec<(Member, &Field)> = fields.members().zip(fields).collect();
    let ids: Vec<_> = members.iter().filter(|(_, field)| is_instance_id(&field.ty)).collect();
    match (&marked[..], &ids[..]) {
        ([index], _) => Ok((members[*index].0.clone(), &members[*index].1.ty)),
        ([], [(member, field)]) => Ok((member.clone(), &field.ty)),
        ([], []) => {
            let message = "nothing here tells instances apart: mark the field that does with `#[instance]`, \
                           or add a field of type `memo::InstanceId`";
            refuse(input.ident.span(), message)
        }
        ([], [_, (_, second), ..]) => refuse(
            second.ty.span(),
            "there are several fields of type `InstanceId`: mark one with `#[instance]`",
        ),
        ([_, second, ..], _) => {
            let message =
                "`#[instance]` is on several fields: keep it on one, which may be a struct or a tuple";
            refuse(members[*second].1.span(), message)
        }
    }
}

/// The indices of the fields with `#[instance]`.
fn marked(fields: &Fields) -> Result<Vec<usize>> {
    let mut errors = Errors::default();
    let mut marked = Vec::new();
    for (index, field) in fields.iter().enumerate() {
        let mut attributes = field.attrs.iter().filter(|attribute| is_instance(attribute));
        let Some(first) = attributes.next() else { continue };
        if first.meta.require_path_only().is_err() {
            errors.push(Error::new("`#[instance]` takes no arguments: remove them").at(first.path()));
        }
        if let Some(second) = attributes.next() {
            errors.push(Error::new("`#[instance]` is given twice: keep one").at(second.path()));
        }
        marked.push(index);
    }
    errors.finish()?;
    Ok(marked)
}

fn is_instance(attribute: &Attribute) -> bool {
    attribute.path().is_ident("instance")
}

/// Whether the type is called `InstanceId`, by whatever path.
fn is_instance_id(ty: &Type) -> bool {
    match ty {
        Type::Group(group) => is_instance_id(&group.elem),
        Type::Paren(paren) => is_instance_id(&paren.elem),
        Type::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == "InstanceId"),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
