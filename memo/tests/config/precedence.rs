//! Which source wins, and which pattern.

#[cfg(feature = "disk")]
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
#[cfg(feature = "disk")]
use std::time::{Duration, Instant};

use memo::{Config, memoize};

/// What a function of this name, with nothing in its attribute, goes by.
macro_rules! plain {
    ($function:ident, $name:literal) => {
        #[memoize(name = $name)]
        fn $function(n: u64) -> u64 {
            n
        }
        $function(1);
    };
}

fn value(key: &str) -> String {
    memo::config().get(key).unwrap_or_else(|| panic!("{key} in {}", memo::config())).value().to_owned()
}

in_children! {
    fn a_file_fills_in_what_the_attribute_leaves_open(|setting| setting.file("memo.toml", "defaults = { capacity = 3, ttl = '1h' }")) {
        #[memoize(name = "app::open")]
        fn open(n: u64) -> u64 {
            n
        }
        #[memoize(name = "app::said", capacity = 7, ttl = "5s")]
        fn said(n: u64) -> u64 {
            n
        }
        #[memoize(name = "app::weighed", weigh = |_, _| 1, max_weight = 9, ttl_of = |_| None)]
        fn weighed(n: u64) -> u64 {
            n
        }
        open::warm(0..20);
        said::warm(0..20);
        weighed::warm(0..20);
        assert!(open::stats().entries <= 3 && said::stats().entries <= 7, "{}", memo::report());
        assert_eq!((value("app::open capacity"), value("app::open ttl")), ("3".into(), "1h".into()));
        assert_eq!((value("app::said capacity"), value("app::said ttl")), ("7".into(), "5s".into()));
        assert_eq!((value("app::weighed capacity"), value("app::weighed ttl")), ("unbounded".into(), "none".into()));
        assert!(open::plan().to_string().contains("at most 3 entries; each lives 1h"), "{}", open::plan());
    }

    fn a_section_for_functions_goes_over_the_attribute(|setting| setting.file("memo.toml", "functions = { 'app::said' = { capacity = 2, ttl = 'none' } }")) {
        #[memoize(name = "app::said", capacity = 7, ttl = "5s")]
        fn said(n: u64) -> u64 {
            n
        }
        // as it will be, before it is first called
        assert!(said::plan().to_string().ends_with("at most 2 entries"), "{}", said::plan());
        said::warm(0..20);
        assert!(said::stats().entries <= 2);
        assert_eq!(value("app::said ttl"), "none");
    }

    fn the_environment_goes_over_a_file_and_code_over_both(|setting| {
        let file = "[defaults]\ncapacity = 1\nttl = '1s'\ntti = '1s'\n[functions.'app::*']\ncache_err = '1s'\nttl = '2s'";
        setting
            .file("memo.toml", file)
            .variable("MEMO_DEFAULTS__TTL", "3s")
            .variable("MEMO_DEFAULTS__TTI", "3s")
            .variable("MEMO_FUNCTIONS", "{ 'app::*' = { cache_err = '3s' } }")
    }) {
        memo::init(Config::new().defaults("tti", "4s").function("other::*", "ttl", "4s")).unwrap();
        plain!(app, "app::f");
        plain!(other, "other::f");
        let values = ["capacity", "ttl", "tti", "cache_err"].map(|option| value(&format!("app::f {option}")));
        assert_eq!(values, ["1", "2s", "4s", "3s"], "{}", memo::config());
        let values = ["capacity", "ttl", "tti", "cache_err"].map(|option| value(&format!("other::f {option}")));
        assert_eq!(values, ["1", "4s", "4s", "none"], "{}", memo::config());
    }

    fn code_goes_over_the_environment_whatever_the_pattern(|setting| setting.variable("MEMO_FUNCTIONS", "{ 'app::f' = { ttl = '1s', tti = '1s' } }")) {
        memo::init(Config::new().function("*", "ttl", "2s")).unwrap();
        plain!(f, "app::f");
        assert_eq!((value("app::f ttl"), value("app::f tti")), ("2s".into(), "1s".into()));
    }

    fn the_pattern_that_says_most_wins_option_by_option(|setting| {
        let file = "
            [functions.'app::rates::usd']
            capacity = 1
            [functions.'*']
            capacity = 4
            ttl = '4s'
            tti = '4s'
            cache_err = '4s'
            [functions.'app::rates::*']
            capacity = 2
            ttl = '2s'
            [functions.'app::*::usd']
            capacity = 3
            ttl = '3s'
            tti = '3s'
        ";
        setting.file("memo.toml", file)
    }) {
        plain!(usd, "app::rates::usd");
        plain!(eur, "app::rates::eur");
        let values = ["capacity", "ttl", "tti", "cache_err"].map(|option| value(&format!("app::rates::usd {option}")));
        assert_eq!(values, ["1", "2s", "3s", "4s"]);
        let values = ["capacity", "ttl", "tti", "cache_err"].map(|option| value(&format!("app::rates::eur {option}")));
        assert_eq!(values, ["2", "2s", "4s", "4s"]);
    }

    fn a_file_is_the_one_that_is_named(|setting| {
        setting
            .file("memo.toml", "defaults.capacity = 1")
            .file("other.toml", "defaults.capacity = 2")
            .file("third.toml", "defaults.capacity = 3")
            .variable("MEMO_CONFIG", "other.toml")
    }) {
        assert_eq!(value("defaults.capacity"), "2");
        memo::init(Config::new().file("third.toml")).unwrap();
        assert_eq!(value("defaults.capacity"), "3");
        let missing = memo::init(Config::new().file("fourth.toml")).unwrap_err();
        assert!(missing.to_string().contains("fourth.toml: the file cannot be read"), "{missing}");
        assert_eq!(value("defaults.capacity"), "3");
    }

    fn a_text_from_code_is_code(|setting| setting.variable("MEMO_DEFAULTS__CAPACITY", "1")) {
        memo::init(Config::new().toml("[defaults]\ncapacity = 2\nttl = '1s'").defaults("ttl", "2s")).unwrap();
        assert_eq!((value("defaults.capacity"), value("defaults.ttl")), ("2".into(), "2s".into()));
    }

    /// Once, and then never again: neither for a call nor for a function.
    fn nothing_is_read_for_a_call(|setting| setting) {
        plain!(first, "app::first");
        std::fs::write("memo.toml", "this is wrong").unwrap();
        plain!(second, "app::second");
        assert_eq!((first(1), first::stats().hits), (1, 1));
        assert_eq!(value("app::second capacity"), "10000");
    } then |said| {
        assert!(said.lines().is_empty(), "{}", said.0);
    }

    fn without_init_a_wrong_value_is_said_once_and_the_rest_applies(|setting| {
        setting
            .file("memo.toml", "[defaults]\ncapcity = 5\nttl = '1h'\n[functions.'app::f']\ntti = 5")
            .variable("MEMO_DEFAULTS__CAPACITY", "many")
    }) {
        plain!(f, "app::f");
        plain!(g, "app::g");
        assert_eq!((value("app::f ttl"), value("app::f tti"), value("app::g ttl")), ("1h".into(), "none".into(), "1h".into()));
    } then |said| {
        assert_eq!(said.lines(), [
            "memo: error: memo.toml:2: defaults.capcity: there is no such option; did you mean `capacity`?; it is left out",
            "memo: error: memo.toml:5: functions.\"app::f\".tti: the number 5 needs a unit: write \"5s\" for seconds; it is left out",
            "memo: error: MEMO_DEFAULTS__CAPACITY: defaults.capacity: expected a whole number of at least 1, or \"unbounded\", \
             not the text \"many\"; it is left out",
        ]);
    }

    fn functions_can_be_switched_off(|setting| setting.variable("MEMO_DEFAULTS__ENABLED", "false")) {
        plain!(f, "app::f");
        assert_eq!((f(1), f(1), f::refresh(1)), (1, 1, 1));
        assert_eq!((f::stats().computes, f::stats().entries, f::peek(1)), (4, 0, None));
        assert_eq!(f::insert(1, 1).unwrap_err().kind(), memo::ErrorKind::NotStorable);
        f::invalidate(1).unwrap();
        f::clear().unwrap();
    }
}

#[cfg(feature = "disk")]
in_children! {
    fn the_disk_is_where_it_is_configured_to_be(|setting| setting.file("memo.toml", "[engines.disk]\npath = 'results'\nmax_size = '64MiB'")) {
        #[memoize(engine = "disk")]
        fn f(n: u64) -> u64 {
            n
        }
        f(1);
        memo::engines().flush().unwrap();
        assert!(std::fs::read_dir("results").unwrap().count() > 0);
    }

    fn the_engine_of_a_function_can_be_set(|setting| {
        let file = "
            engines.disk.path = 'results'
            defaults.fallback = 'none'
            defaults.large_over = '2KiB'
            functions.'app::f'.engine = ['memory', 'disk']
            functions.'app::g'.engine = 'memory'
            functions.'app::plain'.engine = 'disk'
            functions.'app::unwritten' = { engine = 'disk', fallback = 'memory' }
        ";
        setting.file("memo.toml", file)
    }) {
        #[memoize(engine = "disk", name = "app::f")]
        fn f(n: u64) -> u64 {
            n
        }
        #[memoize(engine = "disk", name = "app::g")]
        fn g(n: u64) -> u64 {
            n
        }
        #[memoize(name = "app::plain")]
        fn plain(n: u64) -> u64 {
            n
        }
        #[derive(Clone)]
        struct Unwritten;
        #[memoize(name = "app::unwritten")]
        fn unwritten(_n: u64) -> Unwritten {
            Unwritten
        }
        let _ = (f(1), f(1), g(1), plain(1), unwritten(1));
        let plans = [f::plan(), g::plan(), plain::plan(), unwritten::plan()];
        let engines = plans.each_ref().map(|plan| plan.engines().join(" "));
        assert_eq!(engines, ["memory disk", "memory", "disk", "memory"]);
        assert!(plans[3].to_string().contains("cannot be written and read"), "{}", plans[3]);
        assert_eq!((plans[2].fallbacks(), plans[2].to_string().contains("nothing is kept")), (&[][..], true), "{}", plans[2]);
        assert!(plans[0].to_string().contains("a result over 2KiB is kept outside of memory only"), "{}", plans[0]);
        assert_eq!((f::stats().hits, f::stats().tiers.len(), g::stats().tiers.len()), (1, 1, 0));
    }
}

#[cfg(feature = "disk")]
in_children! {
    fn hints_can_be_given_and_taken_back(|setting| {
        let file = "
            engines.disk.path = 'results'
            defaults.persist = true
            functions.'app::large'.large = true
            functions.'app::said'.persist = false
            functions.'app::named'.engine = 'memory'
        ";
        setting.file("memo.toml", file)
    }) {
        plain!(open, "app::open");
        plain!(large, "app::large");
        plain!(named, "app::named");
        #[memoize(name = "app::said", persist = true)]
        fn said(n: u64) -> u64 {
            n
        }
        said(1);
        let engines = [open::plan(), large::plan(), named::plan(), said::plan()].map(|plan| plan.engines().join(" "));
        assert_eq!(engines, ["memory disk", "disk", "memory", "memory"]);
        assert!(open::plan().to_string().contains("`persist = true`"), "{}", open::plan());
        let origins = ["app::open persist", "app::large large", "app::said persist"];
        let origins = origins.map(|key| memo::config().get(key).unwrap().origin().to_string());
        assert_eq!(origins, ["memo.toml:3", "memo.toml:4", "memo.toml:5"]);

        std::fs::write("memo.toml", "engines.disk.path = 'results'\nfunctions.'app::open'.shared = false").unwrap();
        let changed: Vec<_> = memo::reload().unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(changed, [
            "app::open: persist: true -> false (default)",
            "app::large: persist: true -> false (default)",
            "app::large: large: true -> false (default)",
            "app::named: engine: memory -> auto (default)",
            "app::named: persist: true -> false (default)",
            "app::said: persist: false -> true (attribute)",
        ]);
        let engines = [open::plan(), large::plan(), named::plan(), said::plan()].map(|plan| plan.engines().join(" "));
        assert_eq!(engines, ["memory", "memory", "memory", "memory disk"]);
    }
}

in_children! {
    fn what_happens_on_an_error_can_be_said_in_each_source(|setting| {
        let file = "[functions.'app::filed']\non_error = 'one'";
        setting.file("memo.toml", file).variable("MEMO_DEFAULTS__ON_ERROR", "all")
    }) {
        #[memoize(name = "app::said", on_error = "one")]
        fn said(n: u64) -> u64 {
            n
        }
        memo::init(Config::new().function("app::told", "on_error", "one")).unwrap();
        plain!(filed, "app::filed");
        plain!(open, "app::open");
        plain!(told, "app::told");
        said(1);
        let values = ["filed", "open", "told", "said"].map(|name| value(&format!("app::{name} on_error")));
        assert_eq!(values, ["one", "all", "one", "one"]);
    }

    fn how_long_to_wait_for_a_future_can_be_said_in_each_source(|setting| {
        let file = "[functions.'app::filed']\npatience = 'never'";
        setting.file("memo.toml", file).variable("MEMO_DEFAULTS__PATIENCE", "2m")
    }) {
        #[memoize(name = "app::said", patience = "1s")]
        fn said(n: u64) -> u64 {
            n
        }
        memo::init(Config::new().function("app::told", "patience", std::time::Duration::from_secs(3))).unwrap();
        plain!(filed, "app::filed");
        plain!(open, "app::open");
        plain!(told, "app::told");
        said(1);
        let values = ["filed", "open", "told", "said"].map(|name| value(&format!("app::{name} patience")));
        assert_eq!(values, ["never", "2m", "3s", "1s"]);
    }
}

#[cfg(feature = "disk")]
in_children! {
    fn how_far_computations_are_shared_can_be_said_in_each_source(|setting| {
        let file = "engines.disk.path = 'disk'\n[defaults]\nengine = 'disk'\n[functions.'app::filed']\nsingle_flight = 'machine'";
        setting.file("memo.toml", file).variable("MEMO_DEFAULTS__SINGLE_FLIGHT", "fleet")
    }) {
        #[memoize(name = "app::said", single_flight = "process")]
        fn said(n: u64) -> u64 {
            n
        }
        memo::init(Config::new().function("app::told", "single_flight", false)).unwrap();
        plain!(filed, "app::filed");
        plain!(open, "app::open");
        plain!(told, "app::told");
        said(1);
        let values = ["filed", "open", "told", "said"].map(|name| value(&format!("app::{name} single_flight")));
        assert_eq!(values, ["machine", "fleet", "false", "process"]);
        let says = [filed::plan(), open::plan(), told::plan(), said::plan()].map(|plan| {
            let plan = plan.to_string();
            let words = ["and machine, by leases of \"disk\"", "`single_flight = \"fleet\"` is asked for, but no engine"];
            words.map(|words| plan.contains(words))
        });
        assert_eq!(says, [[true, false], [false, true], [false; 2], [false; 2]]);
    }

    /// Two functions of one name are one to the engine and know nothing of each other, as in two processes.
    fn what_a_file_says_of_one_computation_per_machine_is_so(|setting| {
        setting.file("memo.toml", "engines.disk.path = 'disk'\ndefaults.single_flight = 'machine'")
    }) {
        static COMPUTES: AtomicU64 = AtomicU64::new(0);
        static GO: AtomicBool = AtomicBool::new(false);
        fn slow(n: u64) -> u64 {
            COMPUTES.fetch_add(1, SeqCst);
            let end = Instant::now() + Duration::from_secs(60);
            while !GO.load(SeqCst) && Instant::now() < end {
                std::thread::yield_now();
            }
            n
        }
        #[memoize(engine = "disk", name = "app::f", code = "manual")]
        fn first(n: u64) -> u64 {
            slow(n)
        }
        #[memoize(engine = "disk", name = "app::f", code = "manual")]
        fn second(n: u64) -> u64 {
            slow(n)
        }
        std::thread::scope(|scope| {
            scope.spawn(|| assert_eq!(first(1), 1));
            while COMPUTES.load(SeqCst) == 0 {
                std::thread::yield_now();
            }
            scope.spawn(|| assert_eq!(second(1), 1));
            while second::stats().tiers.first().is_none_or(|tier| tier.misses == 0) {
                std::thread::yield_now();
            }
            // it has found nothing, and waits: else it computes as well, sooner or later
            GO.store(true, SeqCst);
        });
        assert_eq!((COMPUTES.load(SeqCst), second::stats().computes), (1, 0));
    }
}
