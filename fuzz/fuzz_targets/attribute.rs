//! Any tokens may be the options of `#[memoize]`, on any item: what comes out is tokens, and there is no panic.
//!
//! The attribute's crate cannot be linked to, so its sources are included.
#![no_main]
#![allow(dead_code, reason = "the sources that are included have uses beside the one here")]

extern crate proc_macro;

#[path = "../../memo-macros/src"]
mod macros {
    pub(crate) mod args;
    pub(crate) mod crate_path;
    pub(crate) mod enclosing;
    pub(crate) mod errors;
    pub(crate) mod expand;
    pub(crate) mod fallback;
    pub(crate) mod item;
    pub(crate) mod model;
    pub(crate) mod pipeline;
    pub(crate) mod types;
    pub(crate) mod validate;
}

use libfuzzer_sys::fuzz_target;
use macros::*;
use proc_macro2::TokenStream;

const FUNCTIONS: [&str; 4] = [
    "fn f(a: u64, b: &str) -> u64 { a }",
    "async fn f(&self, a: u64, (b, c): (u8, f64)) -> Result<String, E> { a }",
    "pub fn f<'a, T: K, const N: usize>(a: &'a mut T, b: impl Fn()) -> Vec<T> where T: Ord { b }",
    "fn f(self: Arc<Self>, a: [f64; 3], Point { x, y }: Point) -> Option<&'static str>;",
];

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, text)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    // Either options alone, on a function of ours, or options, a line's end, and a function.
    let choice = usize::from(*choice) % (FUNCTIONS.len() + 1);
    let (options, function) = match FUNCTIONS.get(choice) {
        Some(function) => (text, *function),
        None => text.split_once('\n').unwrap_or((text, "")),
    };
    let (Ok(options), Ok(function)) = (options.parse::<TokenStream>(), function.parse::<TokenStream>())
    else {
        return;
    };
    let some = !function.is_empty();
    let memoized = pipeline::memoized(options, function);
    assert!(!some || !memoized.is_empty(), "the function is gone");
});
