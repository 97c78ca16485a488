//! A file that changes while the program runs.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::time::Duration;

use memo::__private::testing::advance;
use memo::{Config, memoize};

use crate::child::write;

#[memoize(name = "app::square")]
fn square(n: u64) -> u64 {
    n * n
}

/// Reloads, and gives what has changed, line by line.
fn changed() -> Vec<String> {
    memo::reload().unwrap().iter().map(ToString::to_string).collect()
}

/// How often the body of [`square`] has run.
fn computes() -> u64 {
    square::stats().computes
}

in_children! {
    fn nothing_changes_without_a_change(|setting| setting.file("memo.toml", "defaults.capacity = 5")) {
        assert!(memo::reload().unwrap().is_empty());
        square(1);
        assert!(memo::reload().unwrap().is_empty());
        square(1);
        assert_eq!(computes(), 1);
    }

    fn what_has_changed_is_said(|setting| setting.file("memo.toml", "defaults.ttl = '1h'")) {
        square(1);
        write("[defaults]\nttl = '2h'\nsingle_flight = false");
        let changes = memo::reload().unwrap();
        assert_eq!(changes.to_string(), "app::square: ttl: 1h -> 2h (memo.toml:2)\napp::square: single_flight: process -> false (memo.toml:3)\n");
        let ttl = changes.iter().next().unwrap();
        assert_eq!((ttl.subject(), ttl.option(), ttl.before(), ttl.after(), ttl.is_applied()), ("app::square", "ttl", "1h", "2h", true));
        write("");
        assert_eq!(changed(), ["app::square: ttl: 2h -> none (default)", "app::square: single_flight: false -> process (default)"]);
    }

    fn a_wrong_file_changes_nothing(|setting| setting.file("memo.toml", "defaults.ttl = '1h'")) {
        square(1);
        write("[defaults]\nttl = '2h'\ntti = 'long'");
        let error = memo::reload().unwrap_err();
        assert_eq!(error.problems().len(), 1, "{error}");
        assert_eq!(memo::config().get("app::square ttl").unwrap().value(), "1h");
        square(1);
        assert_eq!(computes(), 1);
    }

    fn what_code_has_said_stays(|setting| setting) {
        memo::init(Config::new().defaults("ttl", "1h")).unwrap();
        square(1);
        write("[defaults]\nttl = '2h'\ntti = '3h'");
        assert_eq!(changed(), ["app::square: tti: none -> 3h (memo.toml:3)"]);
    }

    fn init_counts_for_functions_that_have_run(|setting| setting) {
        square(1);
        memo::init(Config::new().defaults("capacity", 500)).unwrap();
        assert!(square::plan().to_string().contains("at most 500 entries"), "{}", square::plan());
    }

    fn a_longer_lifetime_keeps_what_there_is(|setting| setting.file("memo.toml", "defaults.ttl = '1m'")) {
        square(1);
        write("defaults.ttl = '1h'");
        changed();
        let _ = (square(1), square(2));
        assert_eq!(computes(), 2, "the entry fits");
        advance(Duration::from_secs(120));
        let _ = (square(1), square(2));
        assert_eq!(computes(), 3, "each lives as long as it was to when it was stored");
    }

    fn a_shorter_lifetime_holds_at_once(|setting| setting.file("memo.toml", "defaults.ttl = '1h'")) {
        square(1);
        write("defaults.ttl = '1m'");
        changed();
        square(1);
        assert_eq!(computes(), 2, "how old it is has not been kept");
        advance(Duration::from_secs(120));
        square(1);
        assert_eq!(computes(), 3);
    }

    fn a_lifetime_where_there_was_none(|setting| setting) {
        square(1);
        write("defaults.ttl = '1m'");
        changed();
        square(1);
        advance(Duration::from_secs(120));
        square(1);
        assert_eq!(computes(), 3);
    }

    fn an_idle_time_can_come_and_go(|setting| setting) {
        square(1);
        write("defaults.tti = '1m'");
        assert_eq!(changed(), ["app::square: tti: none -> 1m (memo.toml:1)"]);
        square(1);
        for _ in 0..3 {
            advance(Duration::from_secs(45));
            square(1);
        }
        assert_eq!(computes(), 2, "read again and again");
        advance(Duration::from_secs(75));
        square(1);
        assert_eq!(computes(), 3);
        write("");
        changed();
        square(1);
        advance(Duration::from_secs(75));
        square(1);
        assert_eq!(computes(), 4);
    }

    fn a_smaller_capacity_evicts_and_a_larger_one_keeps(|setting| setting.file("memo.toml", "defaults.capacity = 1_000")) {
        square::warm(0..1_000);
        let full = square::stats().entries;
        write("defaults.capacity = 4_000");
        assert_eq!(changed(), ["app::square: capacity: 1000 -> 4000 (memo.toml:1)"]);
        assert_eq!(square::stats().entries, full, "those that fit stay");
        square::warm(0..4_000);
        let fuller = square::stats().entries;
        assert!(fuller > 3_000 && fuller <= 4_000, "{fuller}");
        write("defaults.capacity = 100");
        changed();
        let stats = square::stats();
        assert!((50..=100).contains(&stats.entries), "{stats}");
        assert!(stats.evicted >= fuller - 100, "{stats}");
        write("defaults.capacity = 'unbounded'");
        changed();
        square::warm(0..20_000);
        assert_eq!(square::stats().entries, 20_000);
        write("defaults.capacity = 10");
        changed();
        square::warm(0..1_000);
        assert!(square::stats().entries <= 10);
    }

    fn what_cannot_change_is_said_to_come_later(|setting| setting.file("memo.toml", "defaults.capacity = 1_000")) {
        square::warm(0..50);
        // the store has several parts, each of which keeps at least one
        write("[functions.'app::square']\ncapacity = 1\nsingle_flight = false");
        let changes = memo::reload().unwrap();
        assert_eq!(
            changes.to_string(),
            "app::square: single_flight: process -> false (memo.toml:3)\n\
             app::square: capacity: 1000 -> 1 (memo.toml:2), from the next start\n",
        );
        assert!(!changes.iter().nth(1).unwrap().is_applied());
        square::warm(0..50);
        assert_eq!(square::stats().entries, 50, "as before");
    }

    fn a_bound_by_weight_moves(|setting| setting) {
        #[memoize(name = "app::weighed", weigh = |n, _| *n as u32, max_weight = 1_000)]
        fn weighed(n: u64) -> u64 {
            n
        }
        weighed::warm((1..=10).chain([200]));
        assert_eq!(weighed::stats().weight, 255);
        write("functions.'app::weighed'.max_weight = 100");
        assert_eq!(memo::reload().unwrap().to_string(), "app::weighed: max_weight: 1000B -> 100B (memo.toml:1)\n");
        let stats = weighed::stats();
        assert_eq!((stats.entries, stats.weight, stats.evicted), (10, 55, 1), "what is too heavy has left: {stats}");
        weighed::warm([200]);
        assert_eq!(weighed::peek(200), None);
        write("functions.'app::weighed'.max_weight = 20");
        memo::reload().unwrap();
        assert!((1..=20).contains(&weighed::stats().weight), "{}", weighed::stats());
        write("functions.'app::weighed'.max_weight = 1_000");
        memo::reload().unwrap();
        weighed::warm((1..=10).chain([200]));
        assert_eq!(weighed::stats().weight, 255);
    }

    fn a_function_switched_off_and_on(|setting| setting) {
        square::warm(0..10);
        write("functions.'app::square'.enabled = false");
        assert_eq!(changed(), ["app::square: enabled: true -> false (memo.toml:1)"]);
        assert_eq!((square::stats().entries, square(3), square(3), computes()), (0, 9, 9, 12));
        assert_eq!(square::peek(3), None);
        write("");
        changed();
        assert_eq!((square(3), square(3), computes()), (9, 9, 13));
    }

    /// It began by the old settings, and must not leave behind what the new ones forbid.
    fn a_computation_under_way_stores_nothing_once_switched_off(|setting| setting) {
        let (began, begun) = channel();
        let (go, gone) = channel::<()>();
        #[memoize(name = "app::slow", skip(wait))]
        fn slow(n: u64, wait: impl FnOnce()) -> u64 {
            wait();
            n
        }
        std::thread::scope(|scope| {
            let first = scope.spawn(move || {
                slow(1, || {
                    began.send(()).unwrap();
                    gone.recv().unwrap();
                })
            });
            begun.recv().unwrap();
            write("defaults.enabled = false");
            memo::reload().unwrap();
            go.send(()).unwrap();
            assert_eq!(first.join().unwrap(), 1);
        });
        let control = memo::function("app::slow").unwrap();
        assert_eq!(control.stats().entries, 0);
        slow(1, || ());
        assert_eq!(control.stats().hits, 0);
    }

    /// It has been decided to store the result, and then the function is switched off.
    fn a_result_about_to_be_stored_is_not_once_switched_off(|setting| setting) {
        static SWITCH_OFF: AtomicBool = AtomicBool::new(true);
        #[memoize(name = "app::fickle", cache_if = |_| {
            if SWITCH_OFF.swap(false, SeqCst) {
                memo::init(Config::new().defaults("enabled", false)).unwrap();
            }
            true
        })]
        fn fickle(n: u64) -> u64 {
            n
        }
        assert_eq!((fickle(1), fickle(1)), (1, 1));
        let stats = fickle::stats();
        assert_eq!((stats.computes, stats.entries), (2, 0), "{stats}");
    }

    /// Whatever is configured meanwhile, calls return what the function returns, and in the end the last word holds.
    fn reloads_from_many_threads_beside_calls(|setting| setting) {
        static CALLS: AtomicU64 = AtomicU64::new(0);
        let texts = ["", "defaults.enabled = false", "defaults.capacity = 20", "defaults.ttl = '1h'", "defaults = { tti = '1h', single_flight = false }"];
        let rounds = if std::env::var_os("MEMO_TEST_NIGHTLY").is_some() { 2_000 } else { 50 };
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for thread in 0..3 {
                let over = &over;
                scope.spawn(move || {
                    for n in (thread..).take_while(|_| !over.load(SeqCst)) {
                        assert_eq!(square(n % 100), (n % 100) * (n % 100));
                        CALLS.fetch_add(1, SeqCst);
                        if n % 7 == 0 {
                            let _ = square::insert(n % 100, (n % 100) * (n % 100));
                        }
                    }
                });
            }
            let reloading = [0, 1].map(|thread| scope.spawn(move || {
                for round in 0..rounds {
                    memo::init(Config::new().toml(texts[(round + 3 * thread) % texts.len()])).unwrap();
                }
            }));
            for thread in reloading {
                thread.join().unwrap();
            }
            memo::init(Config::new().toml("defaults.enabled = false")).unwrap();
            over.store(true, SeqCst);
        });
        assert!(CALLS.load(SeqCst) > 0);
        assert_eq!((square::stats().entries, square::peek(1)), (0, None));
        memo::init(Config::new()).unwrap();
        let _ = (square(1), square(1));
        assert_eq!(square::peek(1), Some(1));
    }

    fn values_that_are_evicted_by_a_reload_may_reload(|setting| setting) {
        #[derive(Clone)]
        struct Nosy;
        impl Drop for Nosy {
            fn drop(&mut self) {
                let _ = (memo::reload(), memo::config());
                square(1);
            }
        }
        #[memoize(name = "app::nosy")]
        fn nosy(_n: u64) -> Nosy {
            Nosy
        }
        nosy::warm(0..100);
        write("defaults.capacity = 10");
        memo::reload().unwrap();
        assert!(memo::function("app::nosy").unwrap().stats().entries <= 10);
    }
}

#[cfg(feature = "disk")]
in_children! {
    fn a_function_moves_to_the_disk_and_back(|setting| setting.file("memo.toml", "engines.disk.path = 'results'")) {
        #[memoize(name = "app::text", engine = ["memory", "disk"])]
        fn text(n: u64) -> String {
            n.to_string()
        }
        let engine = |names: &str| {
            write(&format!("engines.disk.path = 'results'\nfunctions.'app::text'.engine = {names}"));
            changed()
        };
        text::warm(0..10);
        memo::engines().flush().unwrap();
        assert_eq!(engine("'memory'"), ["app::text: engine: memory, disk -> memory (memo.toml:2)"]);
        text::warm(0..10);
        assert_eq!((text::stats().computes, text::stats().hits), (10, 10), "those in memory stay");
        text::clear().unwrap();
        assert_eq!(engine("'disk'"), ["app::text: engine: memory -> disk (memo.toml:2)"]);
        text::warm(0..10);
        assert_eq!((text::stats().computes, text::stats().entries), (10, 0), "those on disk have stayed");
        assert_eq!(text::plan().engines(), ["disk"]);
        assert_eq!(engine("['memory', 'disk']"), ["app::text: engine: disk -> memory, disk (memo.toml:2)"]);
        text::warm(0..10);
        assert_eq!((text::stats().computes, text::stats().entries), (10, 10));
        assert_eq!(engine("'disk'").len(), 1);
        assert_eq!(text::stats().entries, 0, "nothing in memory hides what the disk has");
    }

    fn switched_off_not_even_the_disk_is_asked(|setting| setting.file("memo.toml", "engines.disk.path = 'results'")) {
        #[memoize(name = "app::text", engine = "disk")]
        fn text(n: u64) -> String {
            n.to_string()
        }
        text(1);
        memo::engines().flush().unwrap();
        write("engines.disk.path = 'results'\ndefaults.enabled = false");
        changed();
        assert_eq!((text(1), text::stats().computes, text::peek(1)), ("1".to_owned(), 2, None));
        write("engines.disk.path = 'results'");
        changed();
        assert_eq!((text(1), text::stats().computes), ("1".to_owned(), 2), "it has stayed");
    }

    fn an_engine_in_use_keeps_what_it_was_made_with(|setting| setting.file("memo.toml", "engines.disk.path = 'results'")) {
        #[memoize(name = "app::text", engine = "disk")]
        fn text(n: u64) -> String {
            n.to_string()
        }
        text(1);
        write("engines.disk.path = 'results'\nengines.disk.max_size = '64MiB'");
        assert_eq!(changed(), ["engines.disk: max_size: default -> 64MiB (memo.toml:2), from the next start"]);
        write("engines.disk.path = 'results'");
        assert_eq!(changed(), ["engines.disk: max_size: 64MiB -> default, from the next start"]);
    }
}
