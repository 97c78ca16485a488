//! What users of `memo` read when something is wrong, and what they may write. There is no code here, only tests:
//!
//! | where | what |
//! |---|---|
//! | `tests/ui/*.rs` | one mistake each, in about ten lines; beside it, in `.stderr`, all that the compiler says |
//! | `tests/pass/*.rs` | what is accepted, a program for each subject: it has to compile, and to run |
//! | `renamed/` | a crate that knows `memo` by another name only (`crate = cache`) |
//! | `edition-2021/` | a crate of the edition before, where `impl Trait` and `async` capture otherwise |
//! | `engines/` | as here, with engines that outlive the process |
//!
//! # To add a case
//!
//! A case in `tests/ui` is named for the rule that it shows: `option-…` for the value of an option, `contradiction-…`
//! for options that do not go together, `refuses-…` for functions that cannot be memoized, `needs-…` for a trait that a
//! type lacks, `derive-…` for `#[derive(Instance)]`, `scope-…` for scopes, `body-…` for the author's own mistakes, which
//! should read as if there were no attribute. Its mistake is its only one. Then let the compiler write the `.stderr`, and
//! read it as someone who has not seen the macro: one error, on the token that is wrong, that says what to do.
//!
//! ```text
//! TRYBUILD=overwrite cargo test -p memo-ui-tests --test ui
//! ```
//!
//! # When the toolchain changes
//!
//! The words around ours are the compiler's, and change with it. They are compared on the one version that `tests/ui.rs`
//! names, and on others the cases are left out. After a change of that version: the same command, and read the diff.
