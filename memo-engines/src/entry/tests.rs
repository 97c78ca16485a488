//! Entries that fit and that do not.

use super::label::at;
use super::*;

fn label() -> Label {
    Label {
        identity: [1; 16],
        key: [2; 32],
        fingerprint: 3,
        created: 1_000_000,
        expires: Some(2_000_000),
        stale: 0,
        cost: 5,
        codec: Codec::POSTCARD,
    }
}

fn expected() -> Expected {
    let Label { identity, key, fingerprint, codec, .. } = label();
    Expected { identity, key, fingerprint, codec, now: 1_500_000 }
}

#[test]
fn an_entry_that_fits_gives_its_payload() {
    let bytes = label().seal(b"result".to_vec());
    assert_eq!(bytes.len(), 6 + LABEL_LEN);
    let stored = Stored::open(&bytes, &expected()).unwrap();
    assert_eq!(stored, Stored { label: label(), payload: b"result" });
    assert_eq!(Stored::into_payload(bytes.into()), b"result");
}

#[test]
fn promise_16_each_misfit_is_told_by_its_reason() {
    let sealed = |change: fn(&mut Label)| {
        let mut label = label();
        change(&mut label);
        label.seal(b"result".to_vec())
    };
    let why = |bytes: &[u8]| Stored::open(bytes, &expected()).unwrap_err();
    let whole = sealed(|_| ());

    assert_eq!(why(&whole[whole.len() - LABEL_LEN + 1..]), Misfit::Truncated);
    assert_eq!(why(&whole[..whole.len() - 1]), Misfit::Magic);
    assert_eq!(why(&whole[1..]), Misfit::Length);
    let mut newer = whole.clone();
    *newer.last_mut().unwrap() = 1;
    assert_eq!(why(&newer), Misfit::Version);
    let mut flipped = whole.clone();
    flipped[0] ^= 1;
    assert_eq!(why(&flipped), Misfit::Checksum);
    assert_eq!(why(&sealed(|label| label.key[31] = 0)), Misfit::Key);
    assert_eq!(why(&sealed(|label| label.identity[15] = 0)), Misfit::Identity);
    assert_eq!(why(&sealed(|label| label.fingerprint = 4)), Misfit::Fingerprint);
    assert_eq!(why(&sealed(|label| label.codec = Codec::JSON)), Misfit::Codec);
    assert_eq!(why(&sealed(|label| label.expires = Some(1_500_000))), Misfit::Expired);
    assert_eq!(why(&sealed(|label| label.created = 1_560_001)), Misfit::FromTheFuture);
    assert!(Stored::open(&sealed(|label| label.created = 1_560_000), &expected()).is_ok());
    assert!(Stored::open(&sealed(|label| label.expires = None), &expected()).is_ok());
}

#[test]
fn a_feature_that_this_reader_does_not_know_is_a_misfit() {
    for at in at::FLAGS..at::CHECKSUM {
        let mut bytes = label().seal(b"result".to_vec());
        bytes[6 + at] = 1;
        let checksum = XxHash3_64::oneshot(&bytes[..6 + at::CHECKSUM]);
        bytes[6 + at::CHECKSUM..6 + at::MAGIC].copy_from_slice(&checksum.to_le_bytes());
        assert_eq!(Stored::inspect(&bytes), Err(Misfit::Flags));
    }
}

#[test]
fn an_entry_that_may_be_stale_is_opened_until_it_is_gone() {
    let label = Label { stale: 500, ..label() };
    let bytes = label.seal(b"result".to_vec());
    let at = |now| Stored::open(&bytes, &Expected { now, ..expected() });
    assert_eq!(at(2_000_499), Ok(Stored { label, payload: b"result" }));
    assert_eq!(at(2_000_500), Err(Misfit::Expired));
    assert_eq!(label.gone(), Some(2_000_500));
    // the flag and the time come together
    for flags in [0, 2, 3] {
        let mut other = bytes.clone();
        other[6 + at::FLAGS] = flags;
        let checksum = XxHash3_64::oneshot(&other[..6 + at::CHECKSUM]);
        other[6 + at::CHECKSUM..6 + at::MAGIC].copy_from_slice(&checksum.to_le_bytes());
        assert_eq!(Stored::inspect(&other), Err(Misfit::Flags), "{flags}");
    }
}

#[test]
fn a_stale_time_is_cut_to_its_place_and_needs_an_end() {
    let read = |label: Label| Stored::inspect(&label.seal(Vec::new())).unwrap().label;
    assert_eq!(read(Label { stale: u64::MAX, ..label() }).stale, LONGEST_STALE);
    let endless = read(Label { expires: None, stale: 5, ..label() });
    assert_eq!((endless.stale, endless.gone()), (0, None));
}

#[test]
fn clocks_at_their_ends_overflow_nothing() {
    let bytes = Label { created: u64::MAX, expires: Some(u64::MAX - 1), ..label() }.seal(vec![]);
    assert_eq!(Stored::open(&bytes, &expected()), Err(Misfit::FromTheFuture));
    assert!(Stored::open(&bytes, &Expected { now: u64::MAX - 2, ..expected() }).is_ok());
    assert_eq!(Stored::open(&bytes, &Expected { now: u64::MAX, ..expected() }), Err(Misfit::Expired));
}
