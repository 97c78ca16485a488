//! Which engines the results of a function live in, who decides it, and how the plan says so.
#![cfg(feature = "engines")]

mod shelf;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Once};

use memo::engine::{Capability, Reach};
use memo::{DefaultStrategy, FunctionProfile, Plan, Strategy, TypeStrategy, memoize};
use serde::{Deserialize, Serialize};

use shelf::Shelf;

#[derive(Clone, Serialize, Deserialize)]
struct Thumbnail;
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
struct UserId(u64);
#[derive(Clone)]
struct Handle;
#[derive(Clone, PartialEq, Eq, Hash)]
struct Token(u64);

/// The engines and the strategy of all tests here: both belong to the process.
fn set() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        Shelf::with("local", Capability { reach: Reach::Machine, persistent: true, ..Capability::default() });
        Shelf::with("fleet", Capability { reach: Reach::Fleet, ..Capability::default() });
        memo::set_strategy(
            TypeStrategy::new()
                .value::<Thumbnail>("local")
                .key::<UserId>(["memory", "fleet"])
                .function("reports::*", ["memory", "local"])
                .function("later::*", "comes later")
                .function("lost", ["memory", "nowhere", "memory", "moka"])
                .otherwise(|function: &FunctionProfile<'_>| match function.name() {
                    "panics" => panic!("as it was told"),
                    "profile" => {
                        let (key, value) = (function.key(), function.value());
                        Plan::on("local")
                            .because(format!("async {}", function.is_async()))
                            .because(format!("{:?}", function.ttl()))
                            .because(format!("{} {}", key.name(), value.size()))
                            .because(format!("{}", value.is::<u64>()))
                            .fallback([] as [&str; 0])
                    }
                    _ => DefaultStrategy.plan(function),
                }),
        );
    });
}

/// The rest of a plan of tiers over `engine`.
fn tiers(engine: &str) -> String {
    format!(
        "memory holds at most 10000 entries; a result over 1MiB is kept outside of memory only; while {engine} is \
         unavailable, memory serves alone"
    )
}

#[test]
fn plans_read_as_sentences() {
    #[memoize]
    fn nothing(n: u64) -> u64 {
        n
    }
    #[memoize(persist = true)]
    fn persist(n: u64) -> u64 {
        n
    }
    #[memoize(shared = true, ttl = "5m")]
    fn shared(n: u64) -> u64 {
        n
    }
    #[memoize(large = true)]
    fn large(n: u64) -> u64 {
        n
    }
    #[memoize(persist = true, large = true, fallback = "none")]
    fn persist_large(n: u64) -> u64 {
        n
    }
    #[memoize(persist = true)]
    fn result_stays(_n: u64) -> Handle {
        Handle
    }
    #[memoize(persist = true)]
    fn counted(_n: u64) -> Arc<Thumbnail> {
        Arc::new(Thumbnail)
    }
    #[memoize(persist = true)]
    fn key_stays(_token: &Token) -> u64 {
        1
    }
    #[memoize]
    fn by_value(_n: u64) -> Option<Thumbnail> {
        None
    }
    #[memoize]
    fn by_key(_user: &UserId, n: u64) -> u64 {
        n
    }
    #[memoize(name = "reports::yearly")]
    fn by_name(n: u64) -> u64 {
        n
    }
    #[memoize(name = "lost")]
    fn lost(n: u64) -> u64 {
        n
    }
    #[memoize(name = "panics")]
    fn panics(n: u64) -> u64 {
        n
    }
    #[memoize(engine = ["local", "fleet"], fallback = ["attic", "memory"])]
    fn chained(n: u64) -> u64 {
        n
    }
    set();
    Shelf::named("attic");
    let rule = "a rule of the strategy is for";
    let nearest =
        "Results live in memory: no engine is asked for, and memory is the nearest; at most 10000 entries";
    let moka = if cfg!(feature = "moka") {
        "one engine in memory is enough, so moka is left out"
    } else {
        "moka needs the cargo feature `moka`, so it is left out"
    };
    let plans = [
        (nothing::plan(), nearest.to_owned()),
        (
            persist::plan(),
            format!(
                "Results live in memory, then in \"local\": `persist = true` asks for results that outlive the process; {}",
                tiers("\"local\"")
            ),
        ),
        (
            shared::plan(),
            "Results live in memory, then in \"fleet\": `shared = true` asks for results that other machines see; \
             memory holds at most 10000 entries; each lives 5m; a result over 1MiB is kept outside of memory only; \
             while \"fleet\" is unavailable, memory serves alone"
                .to_owned(),
        ),
        (
            large::plan(),
            format!(
                "Results live {}: `large = true` asks for results to be kept out of memory; while {} is unavailable, \
                 memory serves, with at most 10000 entries",
                if cfg!(feature = "disk") { "on disk" } else { "in \"local\"" },
                if cfg!(feature = "disk") { "the disk" } else { "\"local\"" },
            ),
        ),
        (
            persist_large::plan(),
            format!(
                "Results live {}: `persist = true` and `large = true` ask for results that outlive the process; \
                 while {} is unavailable, each call computes and nothing is kept",
                if cfg!(feature = "disk") { "on disk" } else { "in \"local\"" },
                if cfg!(feature = "disk") { "the disk" } else { "\"local\"" },
            ),
        ),
        (
            result_stays::plan(),
            "Results live in memory: `persist = true` asks for results that outlive the process, but results of type \
             `strategy::Handle` cannot be written and read (serde), so memory is all that is left; at most 10000 \
             entries"
                .to_owned(),
        ),
        (
            counted::plan(),
            format!(
                "Results live in \"local\": {rule} results of type `strategy::Thumbnail`; while \"local\" is \
                 unavailable, memory serves, with at most 10000 entries"
            ),
        ),
        (
            key_stays::plan(),
            "Results live in memory: `persist = true` asks for results that outlive the process, but keys of type \
             `strategy::Token` cannot be written (serde), so memory is all that is left; at most 10000 entries"
                .to_owned(),
        ),
        (
            by_value::plan(),
            format!(
                "Results live in \"local\": {rule} results of type `strategy::Thumbnail`; while \"local\" is \
                 unavailable, memory serves, with at most 10000 entries"
            ),
        ),
        (
            by_key::plan(),
            format!(
                "Results live in memory, then in \"fleet\": {rule} keys with a `strategy::UserId`; {}",
                tiers("\"fleet\"")
            ),
        ),
        (
            by_name::plan(),
            format!(
                "Results live in memory, then in \"local\": {rule} functions named `reports::*`; {}",
                tiers("\"local\"")
            ),
        ),
        (
            lost::plan(),
            format!(
                "Results live in memory: {rule} functions named `lost`; \"nowhere\" is not registered, so it is left \
                 out; one engine in memory is enough, so memory is left out; {moka}; at most 10000 entries"
            ),
        ),
        (
            panics::plan(),
            nearest
                .replace("; at most", "; the strategy panicked, and the default one answered for it; at most"),
        ),
        (
            chained::plan(),
            "Results live in \"local\", then in \"fleet\": `engine = [\"local\", \"fleet\"]` is asked for; while \
             \"fleet\" is unavailable, \"attic\" stands in; should that fail too, memory serves, with at most 10000 \
             entries"
                .to_owned(),
        ),
    ];
    for (plan, expected) in plans {
        // the engine `disk` is nearer than any other where it is there
        let plan = plan.to_string();
        let expected = if cfg!(feature = "disk") && expected.contains("`persist = true` asks") {
            expected.replace("in \"local\"", "on disk").replace("\"local\"", "the disk")
        } else {
            expected
        };
        assert_eq!(plan, expected);
    }
}

#[test]
fn a_strategy_is_told_what_is_known() {
    #[memoize(name = "profile", ttl = "2s")]
    async fn asynchronous(_a: &str, _b: f64) -> Result<u64, String> {
        Ok(1)
    }
    set();
    let plan = asynchronous::plan();
    let reasons: Vec<_> = plan.reasons().collect();
    let key = "(alloc::string::String, memo::key::Float<u64>) 8";
    assert_eq!(reasons[..4], ["async true", "Some(2s)", key, "true"], "{plan}");
    assert_eq!((plan.engines().len(), plan.fallbacks().len()), (1, 0), "{plan}");
}

#[test]
fn the_plan_before_the_first_call_is_the_plan_after_it() {
    struct Shop(u64);
    impl Shop {
        #[memoize(receiver = self.0, persist = true)]
        fn price(&self, sku: &str, size: Option<f32>) -> Option<String> {
            size.map(|size| format!("{sku} {size}"))
        }
        #[memoize(receiver = "skip", shared = true)]
        async fn later<T: Clone + std::hash::Hash + Eq + Send + Sync + 'static>(
            self: Arc<Self>,
            key: T,
        ) -> u8 {
            drop(key);
            1
        }
    }
    #[memoize(key = (a.len(), b.0), persist = true)]
    fn keyed(a: &str, b: &Shop) -> usize {
        a.len() + b.0 as usize
    }
    #[memoize(persist = true)]
    fn generic<T: Clone + std::hash::Hash + Eq + Serialize + Send + Sync + 'static, const N: usize>(
        a: [T; N],
    ) -> usize {
        a.len()
    }
    set();
    let far = |plan: &Plan| plan.engines().len() == 2;
    let before = Shop::price_memo().plan();
    Shop(1).price("a", Some(1.0));
    assert_eq!(Shop::price_memo().plan(), before);
    assert!(far(&before), "{before}");
    let before = keyed::plan();
    keyed("a", &Shop(1));
    assert_eq!(keyed::plan(), before);
    assert!(far(&before), "{before}");
    let before = generic::plan::<u8, 2>();
    generic([1_u8, 2]);
    assert_eq!(generic::plan::<u8, 2>(), before);
    // of a type parameter nothing is known but its bounds
    let before = Shop::later_memo::<u8>().plan();
    drop(Arc::new(Shop(1)).later(1_u8));
    assert!(!far(&before) && before.to_string().contains("keys of type `u8` cannot be written"), "{before}");
}

#[test]
fn what_borrows_for_good_is_kept_in_memory_only_or_not_read_back() {
    type Hidden = &'static str;
    #[derive(Debug, PartialEq, Clone, Serialize, Deserialize)]
    struct Lends<'a> {
        #[serde(borrow)]
        text: std::borrow::Cow<'a, str>,
    }
    #[memoize]
    fn plain(_n: u64) -> &'static str {
        "plain"
    }
    #[memoize(name = "reports::hidden")]
    fn hidden(_n: u64) -> Option<Hidden> {
        Some("hidden")
    }
    #[memoize(name = "reports::lends")]
    fn lends(_n: u64) -> Lends<'static> {
        Lends { text: "lends".into() }
    }
    set();
    assert_eq!((plain(1), plain(1)), ("plain", "plain"));
    assert_eq!((hidden(1), lends(1).text.as_ref()), (Some("hidden"), "lends"));
}

#[test]
fn what_the_strategy_sends_to_an_engine_is_found_there() {
    mod first {
        #[memo::memoize(name = "reports::length", code = "manual")]
        pub(super) fn length(text: &str) -> Option<usize> {
            Some(text.len())
        }
    }
    mod second {
        #[memo::memoize(name = "reports::length", code = "manual")]
        pub(super) fn length(_text: &str) -> Option<usize> {
            unreachable!("it is stored")
        }
    }
    set();
    assert_eq!(first::length("four"), Some(4));
    assert_eq!(second::length("four"), Some(4));
    assert_eq!(second::length::stats().tiers[0].hits, 1);
}

#[test]
fn a_function_that_was_called_keeps_its_plan() {
    #[memoize(name = "later::before")]
    fn before(n: u64) -> u64 {
        n
    }
    #[memoize(name = "later::after")]
    fn after(n: u64) -> u64 {
        n
    }
    set();
    before(1);
    let plan = before::plan();
    Shelf::named("comes later");
    assert_eq!(before::plan(), plan);
    assert_eq!(
        (plan.engines(), after::plan().engines()),
        (&["memory".into()][..], &["comes later".into()][..])
    );
}

#[test]
fn without_a_fallback_calls_compute_and_keep_nothing_while_the_engine_is_away() {
    #[memoize(engine = "no fallback", fallback = "none")]
    fn half(n: u64) -> u64 {
        n / 2
    }
    let shelf = Shelf::named("no fallback");
    shelf.fail(true);
    for computes in 1..=3 {
        assert_eq!((half(4), half::stats().computes), (2, computes));
    }
    let stats = half::stats();
    assert_eq!((stats.entries, stats.stored, shelf.len()), (0, 0, 0));
    let plan = half::plan().to_string();
    assert!(plan.ends_with("; \"no fallback\" is unavailable just now"), "{plan}");
    assert_eq!(half::plan().fallbacks(), [""; 0]);
    shelf.fail(false);
    until(|| {
        half(4);
        shelf.len() == 1
    });
    let computes = half::stats().computes;
    assert_eq!((half(4), half::stats().computes), (2, computes), "the engine has it again");
    assert!(!half::plan().to_string().contains("just now"));
}

#[test]
fn without_engine_and_fallback_nothing_is_kept() {
    #[memoize(engine = "nowhere", fallback = "none")]
    fn half(n: u64) -> u64 {
        n / 2
    }
    assert_eq!(
        half::plan().to_string(),
        "Results are not kept: `engine = \"nowhere\"` is asked for; \"nowhere\" is not registered, so it is left out"
    );
    assert_eq!((half(4), half(4), half::stats().computes), (2, 2, 2));
    assert!(half::insert(1, 1).is_err(), "it is not kept, and that is said");
    assert_eq!(half::peek(1), None);
}

#[test]
fn an_engine_that_is_missing_leaves_its_place_to_the_fallback() {
    #[memoize(engine = "nowhere", fallback = "spare")]
    fn half(n: u64) -> u64 {
        n / 2
    }
    let spare = Shelf::named("spare");
    assert_eq!(half::plan().engines(), ["spare"]);
    assert_eq!((half(4), half(4), half::stats().computes, spare.len()), (2, 2, 1, 1));
}

#[test]
fn promise_20_an_engine_that_stands_in_serves_until_the_preferred_one_is_back_and_never_what_is_old() {
    #[memoize(engine = "preferred", fallback = "stand-in", name = "stands-in", code = "manual")]
    fn half(n: u64) -> u64 {
        n / 2
    }
    // the same function in another process
    #[memoize(engine = "preferred", fallback = "none", name = "stands-in", code = "manual")]
    fn elsewhere(n: u64) -> u64 {
        n / 2
    }
    let (preferred, stand_in) = (Shelf::named("preferred"), Shelf::named("stand-in"));
    assert_eq!(half::plan().fallbacks(), ["stand-in"]);
    preferred.fail(true);
    assert_eq!((half(4), half(4)), (2, 2));
    let stats = half::stats();
    assert_eq!((stats.computes, stats.entries, preferred.len(), stand_in.len()), (1, 0, 0, 1));
    assert_eq!(stats.tiers[0].stand_ins, [("stand-in".to_owned(), 2)]);
    assert_eq!(half::peek(4), Some(2));
    assert!(half::plan().to_string().ends_with("; \"preferred\" is unavailable just now"));

    preferred.fail(false);
    until(|| {
        half(6);
        preferred.len() == 1
    });
    assert_eq!(half(4), 2);
    assert_eq!(preferred.len(), 2);
    let left = stand_in.len();
    elsewhere::invalidate(4).unwrap();
    assert_eq!((preferred.len(), stand_in.len()), (1, left), "of which the other engine hears nothing");
    let computes = half::stats().computes;
    preferred.fail(true);
    assert_eq!(half(4), 2);
    assert_eq!(half::stats().computes, computes + 1, "what was invalidated meanwhile is not given out");
}

#[test]
fn promise_20_what_memory_keeps_for_an_engine_that_is_away_is_gone_once_it_is_back() {
    #[memoize(engine = "comes back")]
    fn half(n: u64) -> u64 {
        n / 2
    }
    let shelf = Shelf::named("comes back");
    for _ in 0..2 {
        shelf.fail(true);
        // nobody asks for anything else, and so no call finds out that the engine is back
        until(|| {
            half(4);
            half::stats().entries == 1
        });
        shelf.fail(false);
        until(|| half::stats().entries == 0);
        half::clear().unwrap();
    }
}

#[test]
fn a_large_result_stays_out_of_memory_until_a_small_one_replaces_it() {
    use std::sync::atomic::AtomicUsize;
    static SIZE: AtomicUsize = AtomicUsize::new(1);
    #[memoize(engine = ["memory", "large"])]
    fn text(_n: u64) -> String {
        "x".repeat(SIZE.load(Ordering::SeqCst))
    }
    let shelf = Shelf::named("large");
    text(1);
    assert_eq!((text::stats().entries, shelf.len()), (1, 1));
    SIZE.store((1 << 20) + 1, Ordering::SeqCst);
    text::refresh(1);
    assert_eq!((text::stats().entries, text(1).len()), (0, (1 << 20) + 1), "what it replaces is gone");
    assert_eq!(text::stats().computes, 2, "it is in the engine");
    text::insert(1, "x".to_owned()).unwrap();
    assert_eq!((text::stats().entries, text(1).len()), (1, 1));
    text::insert(1, "x".repeat(2 << 20)).unwrap();
    assert_eq!((text::stats().entries, text(1).len()), (0, 2 << 20));
}

/// Does it until it holds, which has to be soon.
#[track_caller]
fn until(mut holds: impl FnMut() -> bool) {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while !holds() {
        assert!(std::time::Instant::now() < end, "it does not come to hold");
        std::thread::yield_now();
    }
}
