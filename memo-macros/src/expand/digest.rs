//! A digest of a function's code, by which an edit makes stored results unreachable.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::quote;

use crate::model::Model;

/// A digest of the tokens of the signature and the body, so that neither layout nor comments count. It is FNV-1a with 64 bits,
/// which gives the same number with every version of the compiler.
pub(super) fn digest(model: &Model) -> u64 {
    let (sig, body) = (&model.sig, &model.body);
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut note = |bytes: &[u8]| {
        for &byte in bytes.iter().chain(&[0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    };
    fn tokens(stream: TokenStream, note: &mut impl FnMut(&[u8])) {
        for token in stream {
            match token {
                TokenTree::Group(group) => {
                    let (open, close) = match group.delimiter() {
                        Delimiter::Parenthesis => ("(", ")"),
                        Delimiter::Brace => ("{", "}"),
                        Delimiter::Bracket => ("[", "]"),
                        Delimiter::None => ("", ""),
                    };
                    note(open.as_bytes());
                    tokens(group.stream(), note);
                    note(close.as_bytes());
                }
                token => note(token.to_string().as_bytes()),
            }
        }
    }
    tokens(quote!(#sig #body), &mut note);
    hash
}
