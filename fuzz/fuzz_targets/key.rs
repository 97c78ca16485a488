//! Whatever the value, its encoding as a key tells it: see `check`.
#![no_main]

#[path = "../../memo/src/far/encode.rs"]
mod encode;
#[path = "../../memo/src/far/encode_check.rs"]
mod encode_check;
#[path = "../../memo/src/far/sets.rs"]
mod sets;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|directions: &[u8]| encode_check::check(directions));
