//! Any bytes may be found where an entry should be: they are a misfit, or an entry that seals to the same. And any label
//! and payload are found again as they were sealed, and no more once one bit is flipped or the end is cut off.
#![no_main]

use libfuzzer_sys::fuzz_target;
use memo_engines::entry::{Codec, Expected, LONGEST_STALE, Label, Stored};

fuzz_target!(|bytes: &[u8]| {
    found(bytes);
    sealed(bytes);
});

fn found(bytes: &[u8]) {
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
}

/// Chance alone does not come by a checksum that is right.
fn sealed(bytes: &[u8]) {
    let mut rest = bytes;
    let (Some(identity), Some(key), Some(codec)) = (take(&mut rest), take(&mut rest), take::<1>(&mut rest))
    else {
        return;
    };
    let mut number = || take(&mut rest).map(u64::from_le_bytes);
    let (Some(fingerprint), Some(created), Some(cost), Some(end), Some(place)) =
        (number(), number(), number(), number(), number())
    else {
        return;
    };
    // The last moment of all stands for no end.
    let expires = (end != u64::MAX).then_some(end);
    // only what ends can be stale, and for so long that its place holds it
    let stale = if expires.is_some() { cost & LONGEST_STALE } else { 0 };
    let label = Label { identity, key, fingerprint, created, expires, stale, cost, codec: Codec(codec[0]) };
    let entry = label.seal(rest.to_vec());
    assert_eq!(Stored::inspect(&entry), Ok(Stored { label, payload: rest }));
    found(&entry);
    let bit = place as usize % (entry.len() * 8);
    let mut flipped = entry.clone();
    flipped[bit / 8] ^= 1 << (bit % 8);
    assert!(Stored::inspect(&flipped).is_err(), "bit {bit} of {entry:?}");
    let cut = place as usize % entry.len();
    assert!(Stored::inspect(&entry[..cut]).is_err(), "{cut} of {entry:?}");
    assert!(Stored::inspect(&entry[cut + 1..]).is_err(), "{entry:?} from {cut} on");
}

fn take<const N: usize>(from: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = from.split_first_chunk()?;
    *from = rest;
    Some(*first)
}
