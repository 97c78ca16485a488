//! Where a function stands. The compiler shows an attribute the function alone, so this looks at the source.
//!
//! The span of the `fn` token tells file, line and column. There the innermost open brace is found, and the words before it
//! tell whether it belongs to an `impl`, a `trait` or anything else. The file is not parsed: comments and literals are blanked
//! out, and brackets are counted. If the source does not tell, because a macro wrote the function or the file cannot be read,
//! the place is guessed from the function, so that what is generated compiles.

mod bare;
mod brackets;
mod header;
mod namesakes;
mod path;
mod place;
mod source;

pub(crate) use self::namesakes::Namesakes;
pub(crate) use self::place::{Place, place};
