//! What stands before an opening brace.

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Ident, ItemImpl, Visibility};

use super::bare::is_word;

/// The kind of what stands before an opening brace.
#[derive(Debug, PartialEq)]
pub(super) enum Header {
    /// `impl Type`.
    Impl,
    /// `impl Trait for Type`, or `trait ..`.
    Trait,
    /// `pattern =>`.
    Arm,
    /// A macro's call or definition.
    Macro,
    /// A module, a function, a block.
    Other,
}

/// The kind of a header. `None` if it holds an `impl` that cannot be read.
pub(super) fn kind(header: &str) -> Option<Header> {
    let trimmed = header.trim_end();
    let word = |word: &str| trimmed.split(|c: char| !is_word(c)).any(|part| part == word);
    if trimmed.ends_with('!') || word("macro_rules") || word("macro") {
        Some(Header::Macro)
    } else if trimmed.ends_with("=>") {
        Some(Header::Arm)
    } else if word("impl") || word("trait") {
        // The definition of a macro may say `impl $name`. No keyword begins with `__`.
        let readable = format!("{} {{}}", trimmed.replace('$', "__"));
        parse_header.parse_str(&readable).ok()
    } else {
        Some(Header::Other)
    }
}

/// Reads an item with nothing in its braces.
fn parse_header(input: ParseStream<'_>) -> syn::Result<Header> {
    input.call(Attribute::parse_inner)?;
    input.call(Attribute::parse_outer)?;
    input.parse::<Visibility>()?;
    loop {
        let begin = input.fork();
        let word = input.call(Ident::parse_any).map(|word| word.to_string()).unwrap_or_default();
        let header = match word.as_str() {
            "unsafe" | "auto" | "default" | "const" => continue,
            "trait" => Header::Trait,
            "impl" => {
                let item: ItemImpl = begin.parse()?;
                if item.trait_.is_some() { Header::Trait } else { Header::Impl }
            }
            _ => Header::Other,
        };
        // A parser of `syn` must read all tokens.
        input.parse::<TokenStream>()?;
        return Ok(header);
    }
}
