//! What stands between two commas of the attribute, before anybody knows whether it is an option.

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, Ident, Lit, LitBool, Path, PathSegment, Token, token};

/// What stands between two commas.
pub(super) enum Item {
    /// A name, and perhaps a value.
    Named(Path, Written),
    /// A value without a name.
    Literal(Lit),
}

/// What stands behind a name.
pub(super) enum Written {
    /// Nothing.
    Nothing,
    /// `= value`. What is no expression is verbatim: its option refuses it, because it knows what it takes.
    Value(Expr),
    /// `(..)`, or another bracket.
    List(TokenStream),
}

/// Reads all items.
///
/// # Errors
///
/// Where something is neither a name nor a literal, or where a comma is missing.
pub(super) fn items(tokens: TokenStream) -> syn::Result<impl Iterator<Item = Item>> {
    let items = Punctuated::<Item, Token![,]>::parse_terminated.parse2(tokens)?;
    Ok(items.into_iter())
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        // `true` and `false` may be names too.
        if input.peek(Lit) && !(input.peek(LitBool) && input.peek2(Token![=])) {
            return input.parse().map(Item::Literal);
        }
        let path = path(input)?;
        let written = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Written::Value(value(input)?)
        } else if input.peek(token::Paren) || input.peek(token::Bracket) || input.peek(token::Brace) {
            match input.parse()? {
                TokenTree::Group(group) => Written::List(group.stream()),
                other => return Err(syn::Error::new(other.span(), "expected brackets")),
            }
        } else {
            Written::Nothing
        };
        Ok(Item::Named(path, written))
    }
}

/// Reads a path whose segments may be keywords, such as `crate`.
fn path(input: ParseStream<'_>) -> syn::Result<Path> {
    let leading_colon = input.parse()?;
    if !input.peek(Ident::peek_any) {
        return Err(input.error("expected identifier or literal"));
    }
    let segment = |input: ParseStream<'_>| input.call(Ident::parse_any).map(PathSegment::from);
    Ok(Path { leading_colon, segments: Punctuated::parse_separated_nonempty_with(input, segment)? })
}

/// Reads the value up to the next comma.
fn value(input: ParseStream<'_>) -> syn::Result<Expr> {
    if input.peek(Token![#]) {
        return Err(input.error("unexpected attribute inside of attribute"));
    }
    // Not from a fork: where a token within brackets is wrong, `syn` remembers it and reports that very token in the end.
    let written = input.fork();
    input.parse().or_else(|_| {
        up_to_comma(input)?;
        up_to_comma(&written).map(Expr::Verbatim)
    })
}

/// Takes the tokens before the next comma.
fn up_to_comma(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let mut tokens = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        tokens.extend([input.parse::<TokenTree>()?]);
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;

    use super::*;

    /// The items in `text`, each as `name`, `name = value`, `name [list]` or `literal`; or the error.
    fn read(text: &str) -> Result<Vec<String>, String> {
        let dense = |tokens: &dyn ToTokens| tokens.to_token_stream().to_string().replace(' ', "");
        let told = |item: Item| match item {
            Item::Literal(literal) => format!("literal {}", dense(&literal)),
            Item::Named(path, Written::Nothing) => dense(&path),
            Item::Named(path, Written::Value(Expr::Verbatim(tokens))) => {
                format!("{} = verbatim {}", dense(&path), dense(&tokens))
            }
            Item::Named(path, Written::Value(value)) => format!("{} = {}", dense(&path), dense(&value)),
            Item::Named(path, Written::List(tokens)) => format!("{} [{}]", dense(&path), dense(&tokens)),
        };
        let items = items(text.parse().expect("tokens")).map_err(|error| error.to_string())?;
        Ok(items.map(told).collect())
    }

    #[test]
    fn items_are_split_by_commas() {
        let text =
            "a, crate = x::y, ::b::c(d, e), true = 1, false, \"5m\", f = pub(in g), h = , i { j }, k[],";
        let expected = [
            "a",
            "crate = x::y",
            "::b::c [d,e]",
            "true = 1",
            "literal false",
            "literal \"5m\"",
            "f = verbatim pub(ing)",
            "h = verbatim ",
            "i [j]",
            "k []",
        ]
        .map(str::to_owned);
        assert_eq!(read(text), Ok(expected.to_vec()));
        assert_eq!(read(""), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for (text, expected) in [
            ("= 1", "expected identifier or literal"),
            ("a, , b", "expected identifier or literal"),
            ("a b", "expected `,`"),
            ("a = 1 b", "expected `,`"),
            ("a = #[x] 1", "unexpected attribute inside of attribute"),
            ("a = (b,, c), d", "unexpected token, expected `)`"),
        ] {
            assert_eq!(read(text), Err(expected.to_owned()), "{text}");
        }
        assert!(read("a::").is_err());
    }
}
