//! Freshness by configuration: from each source, after a reload, and where it has no effect.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::time::Duration;

use memo::__private::testing::advance;
use memo::{Config, memoize};

use crate::child::write;

const MINUTE: Duration = Duration::from_secs(60);

/// Reloads, and gives what has changed, line by line.
fn changed() -> Vec<String> {
    memo::reload().unwrap().iter().map(ToString::to_string).collect()
}

static DOWN: AtomicBool = AtomicBool::new(false);

#[memoize(name = "app::rate", ttl = "5m", stale = "1m")]
fn rate(id: u64) -> Result<u64, String> {
    if DOWN.load(SeqCst) { Err("down".into()) } else { Ok(id) }
}

/// Waits until so many results were renewed, or failed to be.
fn until_settled(count: u64) {
    while rate::stats().renewed + rate::stats().renewal_failed < count {
        std::thread::yield_now();
    }
}

in_children! {
    fn each_source_sets_each_option(|setting| {
        let file = "[functions.'app::rate']\nstale = '1h'\nrefresh_ahead = 0.75\n[defaults]\njitter = '5%'";
        setting.file("memo.toml", file).variable("MEMO_FUNCTIONS", "{ 'app::*' = { stale_if_error = '1d', jitter = '2.5%' } }")
    }) {
        memo::init(Config::new().function("app::rate", "refresh_ahead", "auto")).unwrap();
        rate(1).unwrap();
        let config = memo::config();
        let value = |option: &str| config.get(&format!("app::rate {option}")).unwrap().value().to_owned();
        assert_eq!(["stale", "stale_if_error", "refresh_ahead", "jitter"].map(value), ["1h", "1d", "auto", "2.5%"]);
        assert_eq!(config.get("defaults.jitter").unwrap().value(), "5%");
        assert_eq!(config.without_effect(), []);
        let plan = rate::plan().to_string();
        assert!(plan.contains("answers calls for 1h more") && plan.contains("up to 2.5 %"), "{plan}");
    }

    fn a_reload_changes_what_calls_accept(|setting| setting.file("memo.toml", "functions.'app::rate'.stale = '1h'")) {
        rate(1).unwrap();
        advance(30 * MINUTE);
        rate(1).unwrap();
        until_settled(1);
        assert_eq!(rate::stats().stale, 1);
        write("functions.'app::rate'.stale = '10m'\nfunctions.'app::rate'.stale_if_error = '2h'");
        let changes = changed();
        let expected = ["app::rate: stale: 1h -> 10m (memo.toml:1)", "app::rate: stale_if_error: none -> 2h (memo.toml:2)"];
        assert_eq!(changes, expected);
        // it was stored for an hour more; ten minutes of these it answers at once, the rest in place of an error
        DOWN.store(true, SeqCst);
        advance(30 * MINUTE);
        assert_eq!(rate(1), Ok(1));
        let stats = rate::stats();
        assert_eq!((stats.stale, stats.misses, stats.renewal_failed), (2, 2, 1));
        write("functions.'app::rate'.stale = 'none'");
        memo::reload().unwrap();
        assert_eq!(rate(1), Err("down".into()));
    }

    fn what_has_no_effect_is_said_once_and_listed(|setting| {
        let file = "[functions.'app::forever']\nstale = '1h'\njitter = 'none'\n[functions.'app::*']\nrefresh_ahead = 'auto'\n[defaults]\nstale_if_error = '1d'";
        setting.file("memo.toml", file)
    }) {
        #[memoize(name = "app::forever")]
        fn forever(n: u64) -> u64 {
            n
        }
        forever(1);
        rate(1).unwrap();
        memo::reload().unwrap();
        forever::plan();
        let all: Vec<_> = memo::config().without_effect().iter().map(ToString::to_string).collect();
        let why = "this has no effect, since results have no lifetime: set `ttl` as well";
        let expected = [format!("memo.toml:2: app::forever stale: {why}"), format!("memo.toml:5: app::forever refresh_ahead: {why}")];
        assert_eq!(all, expected);
        assert!(memo::config().to_string().ends_with(&format!("{}\n", expected.join("\n"))));
    } then |said| {
        assert_eq!(said.lines().len(), 2, "{}", said.0);
        assert!(said.0.contains("memo: warning: memo.toml:2: app::forever stale: this has no effect"), "{}", said.0);
    }

    fn as_many_threads_renew_as_is_said(|setting| setting.variable("MEMO_DEFAULTS__RENEWAL_THREADS", "3")) {
        static GATE: Barrier = Barrier::new(4);
        static CLOSED: AtomicBool = AtomicBool::new(false);
        #[memoize(ttl = "5m", stale = "1h")]
        fn gated(n: u64) -> u64 {
            if CLOSED.load(SeqCst) {
                GATE.wait();
            }
            n
        }
        (0..3).for_each(|n| assert_eq!(gated(n), n));
        CLOSED.store(true, SeqCst);
        advance(6 * MINUTE);
        (0..3).for_each(|n| assert_eq!(gated(n), n));
        // all three are computed at the same time, or this would wait for ever
        let (passed, waits) = channel();
        std::thread::spawn(move || {
            GATE.wait();
            passed.send(()).unwrap();
        });
        waits.recv_timeout(MINUTE).unwrap();
        let threads = memo::config().get("defaults.renewal_threads").unwrap().clone();
        assert_eq!((threads.value(), &*threads.origin().to_string()), ("3", "MEMO_DEFAULTS__RENEWAL_THREADS"));
        memo::init(Config::new().defaults("renewal_threads", 1)).unwrap();
        assert_eq!(memo::config().get("defaults.renewal_threads").unwrap().value(), "1");
    }

    fn fewer_threads_renew_after_a_reload(|setting| setting) {
        static AT_ONCE: AtomicU64 = AtomicU64::new(0);
        static MOST: AtomicU64 = AtomicU64::new(0);
        #[memoize(ttl = "5m", stale = "1h")]
        fn counted(n: u64) -> u64 {
            MOST.fetch_max(AT_ONCE.fetch_add(1, SeqCst) + 1, SeqCst);
            std::thread::sleep(Duration::from_millis(2));
            AT_ONCE.fetch_sub(1, SeqCst);
            n
        }
        let renew = |times: u64| {
            advance(6 * MINUTE);
            (0..20).for_each(|n| assert_eq!(counted(n), n));
            while counted::stats().renewed < times {
                std::thread::yield_now();
            }
        };
        (0..20).for_each(|n| assert_eq!(counted(n), n));
        renew(20);
        write("defaults.renewal_threads = 1");
        assert_eq!(changed(), ["defaults: renewal_threads: 2 -> 1 (memo.toml:1)"]);
        MOST.store(0, SeqCst);
        renew(40);
        assert_eq!(MOST.load(SeqCst), 1);
    }
}
