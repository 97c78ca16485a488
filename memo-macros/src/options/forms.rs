//! The forms of values: literals, strings, expressions.

use syn::{Expr, Lit, LitStr, UnOp};

/// The expression itself, without the invisible brackets that `macro_rules!` puts around `$x:expr`.
pub(super) fn peel(value: &Expr) -> &Expr {
    match value {
        Expr::Group(group) => peel(&group.expr),
        _ => value,
    }
}

/// The literal that the value is, if it is one.
pub(super) fn literal(value: &Expr) -> Option<&Lit> {
    match peel(value) {
        Expr::Lit(literal) => Some(&literal.lit),
        _ => None,
    }
}

/// The string literal that the value is, if it is one.
pub(super) fn string(value: &Expr) -> Option<&LitStr> {
    match literal(value) {
        Some(Lit::Str(text)) => Some(text),
        _ => None,
    }
}

/// The expression that the value is, if it is more than a literal (with or without a minus sign).
pub(super) fn expression(value: &Expr) -> Option<&Expr> {
    match peel(value) {
        Expr::Lit(_) | Expr::Verbatim(_) => None,
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) && literal(&unary.expr).is_some() => None,
        expr => Some(expr),
    }
}
