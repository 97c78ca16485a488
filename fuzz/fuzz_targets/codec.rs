//! Whatever the value, what is written of it is read as that value, or nothing is written: see `check`.
#![no_main]
#![allow(dead_code, reason = "the sources that are included have uses beside the one here")]

#[path = "../../memo/src/far/bounded.rs"]
mod bounded;
#[path = "../../memo/src/far/codec.rs"]
mod codec;
#[path = "../../memo/src/far/content.rs"]
mod content;
#[path = "../../memo/src/far/detached.rs"]
mod detached;
#[path = "../../memo/src/far/encode.rs"]
mod encode;
#[path = "../../memo/src/far/fingerprint.rs"]
mod fingerprint;
#[path = "../../memo/src/far/proof.rs"]
mod proof;
#[path = "../../memo/src/far/proof_check.rs"]
mod proof_check;
#[path = "../../memo/src/far/sets.rs"]
mod sets;

use libfuzzer_sys::fuzz_target;
use memo_engines::entry::LABEL_LEN as ROOM;

fuzz_target!(|directions: &[u8]| {
    proof_check::check(directions);
});
