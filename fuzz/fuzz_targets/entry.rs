//! Any bytes may be found where an entry should be: they are a misfit, or an entry that seals to the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use memo_engines::entry::{Expected, Stored};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(stored) = Stored::inspect(bytes) {
        assert_eq!(stored.label.seal(stored.payload.to_vec()), bytes);
        let label = stored.label;
        let expected = Expected {
            identity: label.identity,
            key: label.key,
            fingerprint: label.fingerprint,
            codec: label.codec,
            now: label.created,
        };
        let _ = Stored::open(bytes, &expected);
    }
});
