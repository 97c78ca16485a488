//! What is told of stale results and of renewals: events, recordings, statistics.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use memo::{Answer, Event, Listening, memoize};

use crate::{MINUTE, advance, clock, until};

/// What was told of one function: names of events.
type Heard = Arc<Mutex<Vec<String>>>;

/// Writes down what is told of the function called `function`.
fn listen(function: &'static str) -> (Heard, Listening) {
    let heard = Heard::default();
    let log = heard.clone();
    let listening = memo::on_event(move |event| {
        if event.function() == Some(function) {
            log.lock().unwrap().push(match *event {
                Event::Hit { stale, .. } => if stale { "stale hit" } else { "hit" }.to_owned(),
                Event::Miss { .. } => "miss".to_owned(),
                Event::Waited { .. } => "waited".to_owned(),
                Event::Computed { .. } => "computed".to_owned(),
                Event::Unfinished { .. } => "unfinished".to_owned(),
                Event::Stored { .. } => "stored".to_owned(),
                Event::Renewed { .. } => "renewed".to_owned(),
                Event::RenewalFailed { failures, next, .. } => {
                    format!("failed {failures} {}", next.as_secs())
                }
                Event::StaleInstead { .. } => "stale instead".to_owned(),
                ref other => format!("{other:?}"),
            });
        }
    });
    (heard, listening)
}

fn take(heard: &Heard) -> Vec<String> {
    std::mem::take(&mut *heard.lock().unwrap())
}

/// How the calls of a recording were answered, and whether with stale results.
fn answers(recording: &memo::Recording) -> Vec<(Answer, bool)> {
    recording.calls().iter().map(|call| (call.answer, call.stale)).collect()
}

#[test]
fn a_renewal_behind_a_call_is_told_once_for_each_number_that_grows() {
    static DOWN: AtomicBool = AtomicBool::new(false);
    #[memoize(name = "told::price", ttl = "5m", stale = "1h")]
    fn price(id: u64) -> Result<u64, String> {
        if DOWN.load(SeqCst) { Err("down".into()) } else { Ok(id) }
    }
    let _clock = clock();
    let (heard, _listening) = listen("told::price");
    let _ = price(1);
    assert_eq!(take(&heard), ["miss", "computed", "stored"]);
    advance(6 * MINUTE);
    let told = |count: usize| until(|| heard.lock().unwrap().len() == count);
    let _ = price(1);
    told(4);
    let mut all = take(&heard);
    // the call and the renewal are on two threads
    let hit = all.iter().position(|event| event == "stale hit").expect("it is told");
    all.remove(hit);
    assert_eq!(all, ["computed", "stored", "renewed"]);
    DOWN.store(true, SeqCst);
    advance(6 * MINUTE);
    for (seconds, failures) in [(1, 1), (2, 2), (4, 3)] {
        let _ = price(1);
        told(3);
        let mut all = take(&heard);
        all.sort();
        assert_eq!(all, ["computed", &*format!("failed {failures} {seconds}"), "stale hit"]);
        let _ = price(1);
        assert_eq!(take(&heard), ["stale hit"], "nobody tries again for a while");
        advance(Duration::from_secs(seconds));
    }
    let stats = price::stats();
    assert_eq!((stats.hits, stats.misses, stats.stale), (7, 1, 7));
    assert_eq!((stats.computes, stats.stored, stats.renewed, stats.renewal_failed), (5, 2, 1, 3));
    assert!(stats.to_string().ends_with(" saved, 7 stale, 1 renewed, 3 renewals failed"), "{stats}");
}

#[test]
fn what_answers_in_place_of_a_failure_is_told_and_recorded() {
    static PANICS: AtomicBool = AtomicBool::new(false);
    #[memoize(name = "told::rate", ttl = "5m", stale_if_error = "1h")]
    fn rate(id: u64) -> Result<u64, String> {
        assert!(!PANICS.load(SeqCst), "on purpose");
        if rate::stats().computes > 0 { Err("down".into()) } else { Ok(id) }
    }
    let _clock = clock();
    let (heard, _listening) = listen("told::rate");
    let guard = memo::scope().record().enter();
    let recording = guard.recording();
    assert_eq!(rate(1), Ok(1));
    take(&heard);
    advance(6 * MINUTE);
    assert_eq!(rate(1), Ok(1));
    assert_eq!(take(&heard), ["miss", "computed", "stale instead", "failed 1 1"]);
    assert_eq!(rate(1), Ok(1));
    assert_eq!(take(&heard), ["stale hit"]);
    PANICS.store(true, SeqCst);
    advance(6 * MINUTE);
    assert_eq!(rate(1), Ok(1));
    assert_eq!(take(&heard), ["miss", "stale instead", "failed 2 2"]);
    let all = [(Answer::Computed, false), (Answer::Computed, true), (Answer::Hit, true), (Answer::Hit, true)];
    assert_eq!(answers(&recording), all);
    let stats = rate::stats();
    assert_eq!((stats.stale, stats.renewal_failed, stats.computes), (3, 2, 2));
}

#[test]
fn a_renewal_in_the_call_is_told_after_what_was_stored() {
    struct Shop(u64);
    impl Shop {
        #[memoize(name = "told::Shop::price", ttl = "5m", stale = "1h", receiver = self.0)]
        fn price(&self, id: u64) -> u64 {
            self.0 + id
        }
    }
    let _clock = clock();
    let shop = Shop(1);
    shop.price(2);
    advance(6 * MINUTE);
    let (heard, _listening) = listen("told::Shop::price");
    let guard = memo::scope().record().enter();
    shop.price(2);
    shop.price(2);
    assert_eq!(take(&heard), ["miss", "computed", "stored", "renewed", "hit"]);
    assert_eq!(answers(&guard.recording()), [(Answer::Computed, false), (Answer::Hit, false)]);
}

#[test]
fn a_renewal_that_nobody_could_take_over_is_told() {
    static GATE: RwLock<()> = RwLock::new(());
    #[memoize(name = "told::many", ttl = "5m", stale = "1h", capacity = 5000)]
    fn many(id: u64) -> u64 {
        drop(GATE.read());
        id
    }
    let _clock = clock();
    let all = || (0..1200).map(many).sum::<u64>();
    let sum = all();
    advance(6 * MINUTE);
    let (heard, _listening) = listen("told::many");
    let closed = GATE.write().unwrap();
    assert_eq!(all(), sum);
    let refused = many::stats().renewal_refused;
    assert!(refused > 0);
    drop(closed);
    until(|| many::stats().renewed + refused == 1200);
    let told = |name: &str| take_of(&heard, name);
    until(|| told("renewed") == 1200 - refused);
    assert_eq!((told("RenewalRefused"), told("stale hit")), (refused, 1200));
}

/// How many events of this name were told.
fn take_of(heard: &Heard, name: &str) -> u64 {
    heard.lock().unwrap().iter().filter(|event| event.starts_with(name)).count() as u64
}

/// Without the feature, a call that finds a stale result renews it itself.
#[cfg(feature = "tokio")]
#[test]
fn a_renewal_of_an_async_function_is_told_too() {
    static PANICS: AtomicBool = AtomicBool::new(false);
    #[memoize(name = "told::page", ttl = "5m", stale = "1h")]
    async fn page(id: u64) -> u64 {
        assert!(!PANICS.load(SeqCst), "on purpose");
        id
    }
    let _clock = clock();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let call = || runtime.block_on(page(1));
    call();
    let (heard, _listening) = listen("told::page");
    advance(6 * MINUTE);
    call();
    until(|| take_of(&heard, "renewed") == 1);
    let mut all = take(&heard);
    all.sort();
    assert_eq!(all, ["computed", "renewed", "stale hit", "stored"]);
    PANICS.store(true, SeqCst);
    advance(6 * MINUTE);
    call();
    until(|| take_of(&heard, "failed") == 1);
    let mut all = take(&heard);
    all.sort();
    assert_eq!(all, ["failed 1 1", "stale hit"]);
    let stats = page::stats();
    assert_eq!((stats.computes, stats.renewed, stats.renewal_failed, stats.stale), (2, 1, 1, 2));
}

#[test]
fn a_plan_says_for_how_long_results_are_fresh_and_where_they_are_renewed() {
    #[memoize(ttl = "5m", stale = "1h", refresh_ahead = 0.5)]
    fn price(id: u64) -> u64 {
        id
    }
    struct Shop(u64);
    impl Shop {
        #[memoize(ttl = "5m", stale = "1h", receiver = self.0)]
        fn price(&self, id: u64) -> u64 {
            self.0 + id
        }
    }
    #[memoize]
    fn plain(id: u64) -> u64 {
        id
    }
    let said = |plan: memo::Plan| plan.reasons().map(str::to_owned).collect::<Vec<_>>();
    let stale = "after its lifetime it is stale, and answers calls for 1h more while one renews it";
    let expected = [
        "each lives 5m",
        "a hit renews it from 50 % of its lifetime on",
        stale,
        "renewals run behind the call",
    ];
    // before the first call and after it
    assert!(said(price::plan()).ends_with(&expected.map(str::to_owned)), "{}", price::plan());
    price(1);
    assert!(said(price::plan()).ends_with(&expected.map(str::to_owned)), "{}", price::plan());
    let here = "a renewal runs in the call that finds the result stale, since its arguments cannot be owned"
        .to_owned();
    assert_eq!(said(Shop::price_memo().plan()).last(), Some(&here));
    Shop(1).price(2);
    assert_eq!(said(Shop::price_memo().plan()).last(), Some(&here));
    plain(1);
    let under = |scope: memo::Scope| scope.with(|| said(plain::plan()));
    let why = "a renewal runs in the call that finds the result stale, since its attribute says neither `stale` nor \
               `refresh_ahead`";
    assert!(under(memo::scope().ttl("5m").stale("1h")).ends_with(&[stale, why].map(str::to_owned)));
    let none = "none has a lifetime, so none gets stale".to_owned();
    assert_eq!(under(memo::scope().stale("1h")).last(), Some(&none));
    assert!(!said(plain::plan()).contains(&none));
}
