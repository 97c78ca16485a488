//! What stands between two commas of the attribute, before anybody knows whether it is an option.

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
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
    let ahead = input.fork();
    if let Ok(expr) = ahead.parse() {
        input.advance_to(&ahead);
        return Ok(expr);
    }
    let mut verbatim = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        verbatim.extend([input.parse::<TokenTree>()?]);
    }
    Ok(Expr::Verbatim(verbatim))
}
