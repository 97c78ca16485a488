//! What engines that outlive the process need to know of a function: where it stands, of which types it is, and how its
//! results are written.

use crate::far::codec::Codec;
use crate::far::origin::Origin;

/// What engines that outlive the process need to know of a function.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lasting {
    /// The type parameters, as far as engines that outlive the process need to know.
    pub(crate) parameters: String,
    /// Which of them has no name that lasts, in words.
    pub(crate) nameless: Option<String>,
    /// The path of a closure in the function, where that stands in the `impl` of a trait.
    pub(crate) implementation: Option<&'static str>,
    /// Where the function stands, if its results may outlive the process.
    pub(crate) origin: Option<Origin>,
    /// A digest of the function's tokens; 0 where edits are not tracked.
    pub(crate) code: u64,
    /// None where the author names none.
    pub(crate) codec: Option<Codec>,
}
