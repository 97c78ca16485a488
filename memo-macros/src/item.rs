//! The function as it was written: attributes, visibility and signature are parsed, the body is not.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Ident, LitStr, Path, Signature, Token, Visibility, token};

/// A function with a body.
#[derive(Debug, Clone)]
pub(crate) struct Function {
    /// Attributes and doc comments.
    pub(crate) attrs: Vec<Attribute>,
    /// Visibility.
    pub(crate) vis: Visibility,
    /// From `const` or `fn` to the end of the `where` clause.
    pub(crate) sig: Signature,
    /// The body: one group in braces.
    pub(crate) body: TokenStream,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        if let Some(instead) = not_a_function(input) {
            return Err(syn::Error::new(input.span(), instead));
        }
        let sig: Signature = input.parse()?;
        if input.peek(Token![;]) {
            let message = "this function has no body to memoize: put `#[memoize]` where it is implemented";
            return Err(syn::Error::new(input.span(), message));
        }
        if !input.peek(token::Brace) {
            let message = "expected the body of the function, in braces";
            return Err(syn::Error::new(input.span(), message));
        }
        // A block that `macro_rules!` has captured is a group without delimiters around the one in braces.
        let body = input.parse::<TokenTree>()?.into();
        if !input.is_empty() {
            return Err(input.error("unexpected tokens after the body of the function"));
        }
        Ok(Function { attrs, vis, sig, body })
    }
}

/// What to do instead, if the next tokens begin something else than a function. `None` if they begin a function.
fn not_a_function(input: ParseStream<'_>) -> Option<&'static str> {
    let ahead = input.fork();
    loop {
        let closure = ahead.peek(Token![|]) || ahead.peek(Token![||]);
        let word = ahead.call(Ident::parse_any).map(|word| word.to_string()).unwrap_or_default();
        return Some(match word.as_str() {
            "fn" => return None,
            // These may stand before `fn`, and before other items.
            "const" | "async" | "unsafe" | "default" => continue,
            "extern" => {
                ahead.parse::<Option<LitStr>>().ok();
                continue;
            }
            "impl" => "`#[memoize]` goes on a function: put it on each method to memoize, not on the `impl`",
            "trait" => "`#[memoize]` goes on a function with a body: put it on methods, not on the `trait`",
            "struct" | "enum" | "union" => {
                "`#[memoize]` goes on a function: put it on the one that computes this type"
            }
            "mod" => "`#[memoize]` goes on a function: put it on each one to memoize, not on the module",
            _ if closure || matches!(word.as_str(), "move" | "let") => {
                "`#[memoize]` goes on a function: write the closure as a `fn`, with what it captures as arguments"
            }
            _ => "`#[memoize]` goes on a function with a body: there is none here",
        });
    }
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Function { attrs, vis, sig, body } = self;
        tokens.extend(quote!(#(#attrs)* #vis #sig #body));
    }
}

/// Whether the attribute is a `#[memoize]`.
pub(crate) fn is_memoize(attribute: &Attribute, krate: &Path) -> bool {
    let path = attribute.path();
    let mut segments = path.segments.iter().rev();
    let last = segments.next().is_some_and(|segment| segment.ident == "memoize");
    last && match segments.next() {
        None => true,
        Some(segment) => {
            segment.ident == "memo" || krate.segments.last().is_some_and(|last| last.ident == segment.ident)
        }
    }
}
