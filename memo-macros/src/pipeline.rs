//! The pipeline from end to end: `options → model → validate → expand`, or `refused`.

use proc_macro2::TokenStream;

use crate::errors::{Errors, Result};
use crate::expand::expand;
use crate::item::Function;
use crate::model::Model;
use crate::options::GivenOptions;
use crate::refused::refused;
use crate::validate::validate;

/// The function memoized, or the function and what is wrong.
pub(crate) fn memoized(options: TokenStream, item: TokenStream) -> TokenStream {
    match try_expand(options, item.clone()) {
        Ok(tokens) => tokens,
        Err(errors) => refused(errors, item),
    }
}

/// The function memoized.
///
/// # Errors
///
/// All mistakes in the options and in how they fit the function.
pub(crate) fn try_expand(options: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let mut errors = Errors::default();
    let given = GivenOptions::parse(options, &mut errors);
    let function = match syn::parse2::<Function>(item) {
        Ok(function) => function,
        Err(error) => {
            errors.push(error.into());
            return Err(errors.into());
        }
    };
    let model = Model::new(&given, function);
    validate(&given, &model, &mut errors);
    errors.finish()?;
    Ok(expand(&model))
}

#[cfg(test)]
mod tests {
    use memo_text::OPTIONS;

    use super::*;

    /// What may stand behind the name of an option or between options, right and wrong.
    const PIECES: &[&str] = &[
        "= \"disk\"",
        "= [\"memory\", \"own\"]",
        "= \"1h30m\"",
        "= \"64MiB\"",
        "= 10_000",
        "= |v| v.len()",
        "= |k, v| 1",
        "= (a, b)",
        "(a)",
        "(a, b)",
        "= \"unbounded\"",
        "= true",
        "= false",
        "= self.id",
        "= -1",
        "= 999999999999999999999",
        "= \"9999999999999999999w\"",
        "= \"\"",
        ",",
        ",,",
        "=",
        "==",
        "[]",
        "{}",
        "()",
        "#",
        "'a",
        "'a'",
        "r#type",
        "::",
        "..",
        "=>",
        "|",
        "\"\\u{10ffff}\"",
        "1e9",
        "0x",
        "_",
    ];

    const FUNCTIONS: &[&str] = &[
        "fn f(a: u64, b: &str) -> u64 { a }",
        "async fn f(&self, a: u64, (b, c): (u8, u8)) -> Result<String, E> { a }",
        "pub(crate) unsafe fn f<'a, T: K, const N: usize>(a: &'a mut T, b: impl Fn()) -> Vec<T> where T: Ord { b }",
        "const fn f(self: Pin<&Self>) {}",
        "extern \"C\" fn f(a: i32, ...) -> ! { loop {} }",
        "fn f(&mut self, _: [f64; 3], Point { x, y }: Point) -> impl Iterator;",
        "struct Nothing;",
        "fn",
        "",
    ];

    /// Thinly what the fuzz target `attribute` does.
    #[test]
    fn any_options_on_any_function_give_tokens_and_no_panic() {
        let nightly = std::env::var_os("MEMO_TEST_NIGHTLY").is_some();
        let seed = std::env::var("MEMO_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
        let mut state: u64 = seed.unwrap_or_else(|| u64::from(std::process::id()) << 20 | 1);
        eprintln!("MEMO_TEST_SEED={state}");
        let mut below = |bound: usize| {
            // xorshift64
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 33) as usize % bound
        };
        let pieces: Vec<_> = OPTIONS.iter().map(|row| row.name).chain(PIECES.iter().copied()).collect();
        for _ in 0..if nightly { 200_000 } else { 3_000 } {
            let options: Vec<_> = (0..below(12)).map(|_| pieces[below(pieces.len())]).collect();
            let Ok(options) = options.join(" ").parse::<TokenStream>() else { continue };
            let function = FUNCTIONS[below(FUNCTIONS.len())];
            let memoized = memoized(options.clone(), function.parse().unwrap());
            assert!(!memoized.is_empty() || function.is_empty(), "#[memoize({options})] {function} is gone");
        }
    }
}
