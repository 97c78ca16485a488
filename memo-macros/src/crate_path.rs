//! Where generated code finds `memo`.

use syn::{Expr, Lit, Path, parse_quote};

/// `::memo`.
pub(crate) fn default() -> Path {
    parse_quote!(::memo)
}

/// The path of `crate = path`, or of `crate = "path"`, which is how serde has it. `None` if it is anything but names.
pub(crate) fn parse(value: &Expr) -> Option<Path> {
    match value {
        Expr::Group(group) => parse(&group.expr),
        Expr::Path(path) if path.qself.is_none() && path.attrs.is_empty() => {
            let plain = path.path.segments.iter().all(|segment| segment.arguments.is_none());
            plain.then(|| path.path.clone())
        }
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => text.parse_with(Path::parse_mod_style).ok(),
            _ => None,
        },
        _ => None,
    }
}
