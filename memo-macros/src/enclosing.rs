//! Where a function stands: an attribute is shown the function alone, so this looks at the source.
//!
//! The span of the `fn` token tells file, line and column. There the innermost open brace is found, and
//! the words before it tell an `impl` from a `trait` from all the rest. The file is not parsed: a small
//! lexer takes comments and literals out, and brackets are counted. Where the source does not tell (a
//! macro wrote the function, the file cannot be read) the function itself is asked, and the answer is
//! one that compiles.

mod bare;
mod brackets;
mod header;
mod namesakes;
mod path;
mod place;
mod source;

pub(crate) use self::namesakes::Namesakes;
pub(crate) use self::place::{Place, place};
