//! What becomes of a result that is refused, and who hears of it.

use std::process::Command;
use std::sync::atomic::{AtomicU8, Ordering};

use memo::memoize;
use serde::{Deserialize, Serialize};

use crate::twice::shelf;

/// A result that is refused if `lost` is anything.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Marked {
    kept: u8,
    #[serde(skip)]
    lost: u8,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Skipped {
    A,
    #[serde(skip)]
    B,
    C,
}

#[memoize(engine = ["memory", "shelf"])]
fn skipped(n: u8) -> Skipped {
    match n {
        0 => Skipped::A,
        1 => Skipped::B,
        _ => Skipped::C,
    }
}

#[memoize(engine = ["memory", "shelf"], codec = "json")]
fn logarithm(n: i32) -> Option<f64> {
    Some(f64::from(n).ln())
}

#[memoize(engine = "shelf", fallback = "none", codec = "postcard")]
fn parsed(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

#[memoize(engine = ["memory", "shelf"])]
fn marked(n: u8) -> Marked {
    Marked { kept: n, lost: n }
}

#[test]
#[ignore = "run by the test below, in a process of its own"]
fn child_is_refused() {
    shelf();
    for _ in 0..2 {
        assert_eq!([0, 2, 1, 3].map(skipped), [Skipped::A, Skipped::C, Skipped::B, Skipped::C]);
        assert_eq!(logarithm(1), Some(0.0));
        assert!(logarithm(-1).unwrap().is_nan());
        assert_eq!(parsed("[1]"), serde_json::json!([1]));
        assert_eq!(marked(1), Marked { kept: 1, lost: 1 });
    }
    let stats = skipped::stats();
    assert_eq!((stats.hits, stats.computes), (4, 4), "memory keeps what is refused");
    assert_eq!(stats.tiers[0].unstorable, 3);
    assert_eq!(parsed::stats().tiers[0].unstorable, 2, "nothing keeps it");
    for plan in [skipped::plan(), logarithm::plan(), parsed::plan(), marked::plan()] {
        println!("plan: {plan}");
    }
}

#[test]
fn promise_24_what_is_refused_is_said_once_for_each_function() {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["told::child_is_refused", "--exact", "--ignored", "--nocapture"]);
    let output = child.output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}");
    let told = String::from_utf8_lossy(&output.stderr);
    let warnings: Vec<_> = told.lines().filter(|line| line.starts_with("memo: warning: ")).collect();
    let expected = [
        (
            "`attributes::told::skipped`: a result of type `attributes::told::Skipped` is not stored",
            "written as postcard, it",
            "write `codec = \"messagepack\"`, which carries it",
        ),
        (
            "`attributes::told::logarithm`: a result of type `core::option::Option<f64>` is not stored",
            "written as json, it would be read as another value",
            "write `codec = \"postcard\"`, which carries it",
        ),
        (
            "`attributes::told::parsed`: a result of type `serde_json::value::Value` is not stored",
            "written as postcard, it would not be read again",
            "write `codec = \"messagepack\"`, which carries it",
        ),
        (
            "`attributes::told::marked`: a result of type `attributes::told::Marked` is not stored",
            "written as postcard, it would be read as another value",
            "look at serde's attributes `skip`",
        ),
    ];
    assert_eq!(warnings.len(), expected.len(), "{told}");
    let plans: Vec<_> = printed.lines().filter(|line| line.starts_with("plan: ")).collect();
    for (place, (subject, why, advice)) in expected.into_iter().enumerate() {
        let warning = warnings.iter().find(|warning| warning.contains(subject)).expect(subject);
        assert!(warning.contains(why) && warning.contains(advice), "{warning}");
        assert!(
            plans[place].contains("results have been refused, since ") && plans[place].contains(why),
            "{plans:?}"
        );
    }
    assert!(plans[2].contains("postcard cannot read results whose type asks what is there"), "{plans:?}");
}

static LOST: AtomicU8 = AtomicU8::new(0);

#[test]
fn promise_24_what_a_refused_result_replaces_is_gone() {
    mod here {
        #[memo::memoize(engine = ["memory", "shelf"], name = "told::replaced", code = "manual")]
        pub(super) fn f(kept: u8) -> super::Marked {
            super::Marked { kept, lost: super::LOST.load(super::Ordering::SeqCst) }
        }
    }
    mod next {
        #[memo::memoize(engine = "shelf", fallback = "none", name = "told::replaced", code = "manual")]
        pub(super) fn f(kept: u8) -> super::Marked {
            super::Marked { kept, lost: 99 }
        }
    }
    shelf();
    for kept in [1, 2] {
        here::f(kept);
        assert_eq!(next::f(kept), Marked { kept, lost: 0 }, "it is stored");
    }
    LOST.store(5, Ordering::SeqCst);
    assert_eq!(here::f::refresh(1), Marked { kept: 1, lost: 5 });
    assert_eq!(next::f(1), Marked { kept: 1, lost: 99 }, "and not the result of before");

    let inserted = here::f::insert(2, Marked { kept: 2, lost: 6 });
    assert!(inserted.is_ok(), "memory has it");
    assert_eq!(here::f(2), Marked { kept: 2, lost: 6 });
    assert_eq!(next::f(2), Marked { kept: 2, lost: 99 });
}
