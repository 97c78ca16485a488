//! Functions that begin to use Redis while the program runs.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use memo::memoize;

use crate::servers::{Kind, REDIS, Server, until};
use crate::{in_a_process, register};

static TRUTH: AtomicU64 = AtomicU64::new(0);

#[memoize(name = "reload::truth", code = "manual")]
fn truth() -> u64 {
    TRUTH.load(Ordering::SeqCst)
}

/// The same function on another machine, as far as the server can tell: one of the same name. (It has the engine that a
/// scope chooses, which goes over what is configured for the name.)
mod there {
    #[memo::memoize(engine = "there", name = "reload::truth", code = "manual")]
    pub(super) fn truth() -> u64 {
        super::TRUTH.load(std::sync::atomic::Ordering::SeqCst)
    }
}

/// Has functions go by this from now on; gives what has changed.
fn reload(text: &str) -> String {
    let path = PathBuf::from(std::env::var_os("MEMO_CONFIG").expect("it is set for the child"));
    std::fs::write(path, text).unwrap();
    memo::reload().unwrap().to_string()
}

fn within(namespace: Option<&str>) -> memo::Scope {
    namespace.map_or_else(memo::scope, |namespace| memo::scope().namespace(namespace))
}

#[test]
#[ignore = "run by the test below, in a process of its own"]
fn child_begins_to_follow() {
    register("there", &std::env::var("MEMO_ENGINES__REDIS__URL").unwrap());
    let places = [None, Some("tenant"), Some("other")];
    let here = |place| within(place).with(truth);
    let there = |place, change: fn()| within(place).engine("there").with(change);
    let invalidate = || there::truth::invalidate().unwrap();
    for place in places {
        assert_eq!(here(place), 0);
        there(place, invalidate);
    }
    TRUTH.store(1, Ordering::SeqCst);
    assert_eq!(places.map(here), [0; 3], "what is in memory alone follows nothing");
    let changed = reload("functions.'reload::truth'.engine = ['memory', 'redis']");
    assert!(changed.contains("reload::truth: engine: auto -> memory, redis"), "{changed}");
    assert_eq!(places.map(here), [1; 3], "it is gone: nobody would have told of a change to it");
    crate::flush();
    let hits = || truth::stats().hits - truth::stats().tiers[0].hits;
    until("hits in memory, when the beginning of the connection is over", || {
        let before = hits();
        for place in places {
            here(place);
        }
        (hits() == before + 3).then_some(())
    });
    let changes: [fn(); 3] = [
        invalidate,
        || there::truth::clear().unwrap(),
        || there::truth::insert(TRUTH.load(Ordering::SeqCst)).unwrap(),
    ];
    for change in changes {
        for place in places {
            let now = TRUTH.fetch_add(1, Ordering::SeqCst) + 1;
            there(place, change);
            until("the change to be seen", || (here(place) == now).then_some(()));
            // so that the next change begins with one truth everywhere
            places.iter().for_each(|place| there(*place, invalidate));
            until("it to be seen", || (places.map(here) == [now; 3]).then_some(()));
            crate::flush();
        }
    }
    println!("followed");
}

#[test]
fn promise_22_a_function_that_begins_to_follow_as_it_is_reloaded_drops_what_others_change() {
    if !REDIS.is_there() {
        return;
    }
    let server = Server::start(REDIS, Kind::default());
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("memo.toml");
    std::fs::write(&path, "").unwrap();
    let variables = [("MEMO_ENGINES__REDIS__URL", &*server.url()), ("MEMO_CONFIG", path.to_str().unwrap())];
    let printed = in_a_process("reload::child_begins_to_follow", &variables);
    assert!(printed.contains("followed\n"), "{printed}");
}
