//! What derives become, and what they refuse.

use super::*;

fn derived(input: &str) -> String {
    derive(input.parse().expect("tokens")).to_string()
}

#[track_caller]
fn implements(input: &str, expected: TokenStream) {
    let expected = quote!(#[automatically_derived] #expected);
    assert_eq!(derived(input).replace(' ', ""), expected.to_string().replace(' ', ""));
}

#[track_caller]
fn refuses(input: &str, expected: &str) {
    let derived = derived(input);
    assert!(derived.contains(&format!("{{ {expected:?} }}")), "{derived}");
    assert_eq!(derived.matches("compile_error").count(), 1, "{derived}");
    assert!(derived.contains(":: __private :: Instance for X"), "{derived}");
}

#[test]
fn a_marked_field() {
    implements(
        "struct X { a: u8, #[instance] id: Uuid, other: InstanceId }",
        quote! {
            impl ::memo::__private::Instance for X {
                type Id = Uuid;
                fn instance(&self) -> &Self::Id { &self.id }
            }
        },
    );
    implements(
        "struct X(u8, #[instance] (u8, String));",
        quote! {
            impl ::memo::__private::Instance for X {
                type Id = (u8, String);
                fn instance(&self) -> &Self::Id { &self.1 }
            }
        },
    );
}

#[test]
fn the_only_instance_id() {
    for ty in [quote!(InstanceId), quote!(memo::InstanceId), quote!((InstanceId))] {
        implements(
            &quote!(struct X { r#type: #ty, a: u8 }).to_string(),
            quote! {
                impl ::memo::__private::Instance for X {
                    type Id = #ty;
                    fn instance(&self) -> &Self::Id { &self.r#type }
                }
            },
        );
    }
}

#[test]
fn generics_and_crate_path() {
    implements(
        "#[memo(crate = crate::m)] struct X<'a, T: Tr = u8, const N: usize = 1>(#[instance] T, &'a u8) where T: Eq;",
        quote! {
            impl<'a, T: Tr, const N: usize> crate::m::__private::Instance for X<'a, T, N> where T: Eq {
                type Id = T;
                fn instance(&self) -> &Self::Id { &self.0 }
            }
        },
    );
}

#[test]
fn refusals() {
    let nothing = "nothing here tells instances apart: mark the field that does with `#[instance]`, \
                   or add a field of type `memo::InstanceId`";
    refuses("struct X { a: u8 }", nothing);
    refuses("struct X(Option<InstanceId>);", nothing);
    refuses("struct X;", nothing);
    refuses(
        "struct X { a: InstanceId, b: memo::InstanceId }",
        "there are several fields of type `InstanceId`: mark one with `#[instance]`",
    );
    refuses(
        "struct X { #[instance] a: u8, #[instance] b: u8 }",
        "`#[instance]` is on several fields: keep it on one, which may be a struct or a tuple",
    );
    refuses("struct X { #[instance(a)] a: u8 }", "`#[instance]` takes no arguments: remove them");
    refuses("struct X { #[instance = 1] a: u8 }", "`#[instance]` takes no arguments: remove them");
    refuses("struct X { #[instance] #[instance] a: u8 }", "`#[instance]` is given twice: keep one");
    refuses(
        "#[instance] struct X { a: u8 }",
        "`#[instance]` goes on a field: put it on the one that tells instances apart",
    );
    refuses(
        "enum X { A { #[instance] a: u8 } }",
        "only a struct has a field that every value of it has: put the enum into a struct with an `#[instance]` \
         field, or implement `Instance` by hand",
    );
    refuses(
        "union X { a: u8 }",
        "the fields of a union cannot be told apart: put it into a struct with an `#[instance]` field, \
         or implement `Instance` by hand",
    );
    refuses(
        "#[memo(krate = a)] struct X { #[instance] a: u8 }",
        "unknown option: there is only `#[memo(crate = path)]`",
    );
    refuses(
        "#[memo(crate = 1)] struct X { #[instance] a: u8 }",
        "`crate` takes a path, such as `#[memo(crate = crate::reexports::memo)]`",
    );
    refuses(
        "#[memo(crate = a)] #[memo(crate = b)] struct X { #[instance] a: u8 }",
        "`crate` is given twice: keep one",
    );
}
