//! The stored format, pinned by files that were written by the first version and are read by every later one.
//!
//! `MEMO_GOLDEN=write cargo test -p memo-engines --test entry` writes those that are missing; those that are
//! there are never written again.

use std::fs;
use std::path::PathBuf;

use memo_engines::entry::{Codec, Expected, LABEL_LEN, LONGEST_STALE, Label, Misfit, Stored};
use proptest::prelude::*;

/// The entries that the golden files hold, in the order of their numbers.
fn golden() -> Vec<(Label, Vec<u8>)> {
    let base = Label {
        identity: *b"an identity here",
        key: std::array::from_fn(|at| (at * 7 + 1) as u8),
        fingerprint: 0x0123_4567_89ab_cdef,
        created: 1_700_000_000_000,
        expires: Some(1_700_000_060_000),
        stale: 0,
        cost: 1_234_567,
        codec: Codec::POSTCARD,
    };
    let counting = |len: usize| (0..len).map(|at| (at % 251) as u8).collect::<Vec<u8>>();
    let mut entries: Vec<_> =
        [0, 1, 3, 15, 16, 17, 127, 128, 129, 240, 241, 512, 1000].map(|len| (base, counting(len))).into();
    entries.push((Label { codec: Codec::RAW, ..base }, "text, as it is: äöü".into()));
    entries.push((Label { codec: Codec::JSON, ..base }, br#"{"a":[1,2,3],"b":null}"#.to_vec()));
    entries.push((Label { codec: Codec::MESSAGEPACK, expires: None, ..base }, vec![0x93, 1, 2, 3]));
    entries.push((Label { codec: Codec(200), cost: u64::MAX, ..base }, counting(33)));
    entries.push((Label { expires: None, created: 0, fingerprint: 0, cost: 0, ..base }, vec![0; 64]));
    entries.push((Label { identity: [0; 16], key: [0; 32], ..base }, vec![0xff; 64]));
    // An entry inside an entry: the inner label is payload, and another key's.
    entries.push((base, Label { key: [9; 32], ..base }.seal(counting(20))));
    entries.push((Label { stale: 3_600_000, ..base }, counting(40)));
    entries
}

fn file(number: usize) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/entry-{number:02}.bin"))
}

/// The golden files, each with what must be found in it.
fn files() -> impl Iterator<Item = (Vec<u8>, Label, Vec<u8>)> {
    (0..).zip(golden()).map(|(number, (label, payload))| {
        let path = file(number);
        if !path.exists() && std::env::var_os("MEMO_GOLDEN").is_some_and(|value| value == "write") {
            fs::write(&path, label.seal(payload.clone())).unwrap();
        }
        (fs::read(&path).unwrap(), label, payload)
    })
}

fn expected(label: &Label) -> Expected {
    Expected {
        identity: label.identity,
        key: label.key,
        fingerprint: label.fingerprint,
        codec: label.codec,
        now: label.created + 1,
    }
}

#[test]
fn promise_16_golden_entries_are_read() {
    assert_eq!(files().count(), 21);
    for (bytes, label, payload) in files() {
        assert_eq!(Stored::open(&bytes, &expected(&label)), Ok(Stored { label, payload: &payload }));
    }
}

#[test]
fn golden_entries_are_written_the_same() {
    for (bytes, label, payload) in files() {
        assert_eq!(label.seal(payload), bytes);
    }
}

#[test]
fn promise_16_every_flipped_bit_is_a_misfit() {
    for (bytes, label, _) in files() {
        let mut damaged = bytes.clone();
        for bit in 0..bytes.len() * 8 {
            damaged[bit / 8] ^= 1 << (bit % 8);
            let misfit = Stored::open(&damaged, &expected(&label)).expect_err("damaged, and it passed");
            assert!(misfit.is_damage() || misfit == Misfit::Version, "bit {bit}: {misfit}");
            damaged[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

#[test]
fn promise_16_every_truncation_is_a_misfit_at_either_end() {
    for (bytes, label, _) in files() {
        for cut in 1..=bytes.len() {
            assert!(
                Stored::open(&bytes[..bytes.len() - cut], &expected(&label)).is_err(),
                "{cut} off the end"
            );
            assert!(Stored::open(&bytes[cut..], &expected(&label)).is_err(), "{cut} off the beginning");
        }
        for more in [1, 7, 8, LABEL_LEN] {
            let longer = [&bytes[..], &vec![0; more]].concat();
            assert!(Stored::open(&longer, &expected(&label)).is_err(), "{more} bytes too many");
        }
    }
}

#[test]
fn promise_16_two_entries_spliced_are_a_misfit() {
    let all: Vec<_> = files().collect();
    for (first, ..) in &all {
        for (second, label, payload) in &all {
            for at in [1, LABEL_LEN / 2, LABEL_LEN, LABEL_LEN + 8] {
                let at = at.min(first.len()).min(second.len());
                let spliced = [&first[..first.len() - at], &second[second.len() - at..]].concat();
                if spliced != *second && spliced != *first {
                    let opened = Stored::open(&spliced, &expected(label));
                    assert!(opened.is_err(), "{} bytes of payload {}", payload.len(), opened.is_ok());
                }
            }
        }
    }
}

/// What a fuzzer would do, within the time of a test: rubbish, and rubbish over the end of good entries.
#[test]
fn promise_16_rubbish_is_a_misfit_without_a_panic() {
    let nightly = std::env::var_os("MEMO_TEST_NIGHTLY").is_some();
    let rounds = if nightly { 1_000_000 } else { 50_000 };
    let seed = std::env::var("MEMO_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0x5eed_u64);
    let good: Vec<_> = files().collect();
    let mut state = seed;
    let mut next = move || {
        // xorshift64*
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    };
    for round in 0..rounds {
        let (bytes, label, _) = &good[next() as usize % good.len()];
        let mut bytes = bytes.clone();
        match next() % 3 {
            0 => bytes = (0..next() % 300).map(|_| next() as u8).collect(),
            1 => {
                // Several bytes of the label, the magic left alone so that the rest is looked at.
                for _ in 0..1 + next() % 8 {
                    let at = bytes.len() - LABEL_LEN + next() as usize % (LABEL_LEN - 8);
                    bytes[at] = next() as u8;
                }
            }
            _ => {
                let at = next() as usize % bytes.len();
                bytes.rotate_left(at);
            }
        }
        if bytes != label.seal(bytes[..bytes.len().saturating_sub(LABEL_LEN)].to_vec()) {
            let opened = Stored::open(&bytes, &expected(label));
            assert!(opened.is_err(), "round {round} of MEMO_TEST_SEED={seed}");
        }
    }
}

proptest! {
    #[test]
    fn what_was_sealed_is_opened(
        identity: [u8; 16], key: [u8; 32], fingerprint: u64, created in 0..u64::MAX / 2,
        life in proptest::option::of(1..u64::MAX / 4), stale in 0..LONGEST_STALE, cost: u64, codec: u8,
        payload in proptest::collection::vec(any::<u8>(), 0..2000),
    ) {
        let expires = life.map(|life| created + life);
        // only what ends can be stale
        let stale = if life.is_some() { stale } else { 0 };
        let label = Label { identity, key, fingerprint, created, expires, stale, cost, codec: Codec(codec) };
        let bytes = label.seal(payload.clone());
        let asked = Expected { identity, key, fingerprint, codec: Codec(codec), now: created };
        prop_assert_eq!(Stored::open(&bytes, &asked), Ok(Stored { label, payload: &payload }));
        prop_assert_eq!(Stored::into_payload(bytes.into()), payload);
    }

    #[test]
    fn promise_9_a_clock_off_by_up_to_ten_years_never_gives_out_what_is_over(
        skew in -315_360_000_000_i64..315_360_000_000, life in 0..1_000_000_000_u64,
    ) {
        let (label, payload) = golden().swap_remove(3);
        let label = Label { expires: Some(label.created + life), ..label };
        let bytes = label.seal(payload);
        let now = label.created.saturating_add_signed(skew);
        let opened = Stored::open(&bytes, &Expected { now, ..expected(&label) });
        if label.created > now + 60_000 {
            prop_assert_eq!(opened, Err(Misfit::FromTheFuture));
        } else {
            prop_assert_eq!(opened.is_ok(), now < label.created + life);
        }
    }
}
