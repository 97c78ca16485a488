//! Tiers with Redis behind memory: what is shared, what an invalidation reaches, what happens without a server.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;

use memo::memoize;

use crate::servers::{Kind, REDIS, Server, until};
use crate::{in_a_process, register};

static COMPUTES: AtomicU64 = AtomicU64::new(0);

#[memoize(engine = ["memory", "redis"], ttl = "10m")]
fn length(text: &str) -> usize {
    COMPUTES.fetch_add(1, Ordering::SeqCst);
    text.len()
}

#[memoize(engine = "redis")]
async fn double(number: u64) -> Result<u64, String> {
    COMPUTES.fetch_add(1, Ordering::SeqCst);
    Ok(number * 2)
}

#[test]
#[ignore = "run by the tests below, in processes of their own"]
fn child_calls() {
    for _ in 0..3 {
        assert_eq!(length("four"), 4);
        assert_eq!(smol::block_on(double(21)), Ok(42));
        // nobody waits for what is stored
        crate::flush();
    }
    println!("computes: {}", COMPUTES.load(Ordering::SeqCst));
    println!("tiers: {:?} {:?}", length::stats().tiers, double::stats().tiers);
}

#[test]
fn what_one_process_computed_another_finds() {
    if !REDIS.is_there() {
        return;
    }
    let server = Server::start(REDIS, Kind::default());
    let url = server.url();
    let call = || in_a_process("tiers::child_calls", &[("MEMO_ENGINES__REDIS__URL", &url)]);
    let first = call();
    assert!(first.contains("computes: 2\n"), "{first}");
    let second = call();
    assert!(second.contains("computes: 0\n"), "{second}");
    // the server was asked each time for what is not kept near
    assert!(second.contains("hits: 3,"), "{second}");
}

#[test]
fn without_an_address_it_is_said_once_and_done_without() {
    let printed = in_a_process("tiers::child_calls", &[]);
    assert!(printed.contains("computes: 2\n"), "{printed}");
    assert_eq!(printed.matches("memo: warning:").count(), 1, "{printed}");
    assert!(printed.contains("MEMO_ENGINES__REDIS__URL"), "{printed}");
}

#[test]
fn a_wrong_address_is_said_without_what_is_secret_in_it() {
    let url = "redis://:hunter2@127.0.0.1/what";
    let printed = in_a_process("tiers::child_calls", &[("MEMO_ENGINES__REDIS__URL", url)]);
    assert!(printed.contains("computes: 2\n") && printed.contains("127.0.0.1"), "{printed}");
    assert!(!printed.contains("hunter2"), "{printed}");
}

#[test]
fn promise_06_an_invalidation_elsewhere_wins_over_a_computation() {
    // two functions of one name are one function to the server, as those of two machines are
    mod here {
        use std::sync::Mutex;
        use std::sync::mpsc::{Receiver, Sender};
        pub(super) static STEPS: Mutex<Option<(Sender<()>, Receiver<()>)>> = Mutex::new(None);

        #[memo::memoize(engine = ["memory", "promise-06-here"], name = "promise_06::slow", code = "manual")]
        pub(super) fn slow(number: u64) -> u64 {
            // the lock is not kept while it waits
            let steps = STEPS.lock().unwrap().take();
            if let Some((begun, go_on)) = steps {
                begun.send(()).unwrap();
                go_on.recv().unwrap();
            }
            number
        }
    }
    mod there {
        #[memo::memoize(engine = "promise-06-there", name = "promise_06::slow", code = "manual")]
        pub(super) fn slow(number: u64) -> u64 {
            number
        }
    }
    if !REDIS.is_there() {
        return;
    }
    let server = Server::start(REDIS, Kind::default());
    // two engines of one server, as two machines have
    register("promise-06-here", &server.url());
    register("promise-06-there", &server.url());
    // listening, and all that came of its beginning is over
    here::slow(2);
    crate::flush();
    there::slow::insert(2, 0).unwrap();
    until("what is in memory to be replaced", || (here::slow(2) == 0).then_some(()));
    there::slow::invalidate(2).unwrap();
    let invalidations: [fn(); 2] = [|| there::slow::invalidate(1).unwrap(), || there::slow::clear().unwrap()];
    for invalidate in invalidations {
        let (begun, wait_begun) = mpsc::channel();
        let (go_on, wait_go_on) = mpsc::channel();
        *here::STEPS.lock().unwrap() = Some((begun, wait_go_on));
        let computing = std::thread::spawn(|| here::slow(1));
        wait_begun.recv().unwrap();
        invalidate();
        // messages come in order: when this one has come, so has that of the invalidation
        here::slow(2);
        crate::flush();
        there::slow::invalidate(2).unwrap();
        until("the entry to leave memory", || here::slow::peek(2).is_none().then_some(()));
        go_on.send(()).unwrap();
        assert_eq!(computing.join().unwrap(), 1, "the result goes to who computed it");
        crate::flush();
        assert_eq!(there::slow::peek(1), None, "and is not stored there");
        assert_eq!(here::slow::peek(1), None, "nor near");
    }
}

#[test]
fn entries_of_a_namespace_follow_what_others_change_there() {
    mod here {
        #[memo::memoize(engine = ["memory", "namespaces-here"], name = "namespaces::same", code = "manual")]
        pub(super) fn same(number: u64) -> u64 {
            number
        }
    }
    mod there {
        #[memo::memoize(engine = "namespaces-there", name = "namespaces::same", code = "manual")]
        pub(super) fn same(number: u64) -> u64 {
            number
        }
    }
    if !REDIS.is_there() {
        return;
    }
    let server = Server::start(REDIS, Kind::default());
    register("namespaces-here", &server.url());
    register("namespaces-there", &server.url());
    let here = |namespace: &str| memo::scope().namespace(namespace).with(|| here::same(1));
    let insert = |namespace: &str, result: u64| {
        memo::scope().namespace(namespace).with(|| there::same::insert(1, result)).unwrap();
    };
    // twice: what a namespace has that is used again is followed again
    for (one, other) in [(10, 20), (11, 21)] {
        for (namespace, result) in [("one", one), ("other", other)] {
            here(namespace);
            crate::flush();
            insert(namespace, result);
            until("the change to be seen", || (here(namespace) == result).then_some(()));
        }
        assert_eq!((here("one"), here("other"), here::same(1)), (one, other, 1));
        // so many that the two are given up for others
        for number in 0..300 {
            here(&format!("{one} {number}"));
        }
    }
}
