//! What is told to those who listen.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use memo::{Event, Listening, memoize};

/// What was told of one function: names of events.
type Heard = Arc<Mutex<Vec<String>>>;

/// Writes down what is told of the function called `function`.
fn listen(function: &'static str) -> (Heard, Listening) {
    let heard = Heard::default();
    let log = heard.clone();
    let listening = memo::on_event(move |event| {
        if event.function() == Some(function) {
            log.lock().unwrap().push(name(event));
        }
    });
    (heard, listening)
}

fn name(event: &Event<'_>) -> String {
    match event {
        Event::Hit { engine, .. } => format!("hit {engine}"),
        Event::Miss { .. } => "miss".to_owned(),
        Event::Waited { .. } => "waited".to_owned(),
        Event::Computed { .. } => "computed".to_owned(),
        Event::Unfinished { .. } => "unfinished".to_owned(),
        Event::Stored { .. } => "stored".to_owned(),
        Event::Misfit { engine, reason, .. } => format!("misfit {engine} {reason}"),
        Event::EngineFailed { engine, .. } => format!("failed {engine}"),
        other => format!("{other:?}"),
    }
}

fn take(heard: &Heard) -> Vec<String> {
    std::mem::take(&mut *heard.lock().unwrap())
}

#[test]
fn a_call_is_told_as_it_went_and_no_longer_than_somebody_listens() {
    #[memoize(name = "events::square")]
    fn square(n: u64) -> u64 {
        n * n
    }
    let (heard, listening) = listen("events::square");
    square(2);
    assert_eq!(take(&heard), ["miss", "computed", "stored"]);
    square(2);
    assert_eq!(take(&heard), ["hit memory"]);
    square::refresh(2);
    assert_eq!(take(&heard), ["computed", "stored"]);
    square::uncached(2);
    assert_eq!(take(&heard), ["computed"]);
    square::insert(3, 9).unwrap();
    assert_eq!(take(&heard), ["stored"]);
    memo::scope().read_only().with(|| square(4));
    assert_eq!(take(&heard), ["miss", "computed"]);
    memo::scope().namespace("tenant").with(|| (square(2), square(2)));
    assert_eq!(take(&heard), ["miss", "computed", "stored", "hit memory"]);
    drop(listening);
    square(5);
    square(5);
    assert_eq!(take(&heard), [""; 0]);
}

#[test]
fn times_are_those_of_the_body_and_of_the_call() {
    #[memoize(name = "events::slow")]
    fn slow(n: u64) -> u64 {
        thread::sleep(Duration::from_millis(20));
        n
    }
    let times = Arc::new(Mutex::new(Vec::new()));
    let log = times.clone();
    let pause = Duration::from_millis(100);
    let _listening = memo::on_event(move |event| match *event {
        Event::Computed { function: "events::slow", time, .. }
        | Event::Hit { function: "events::slow", time, .. } => log.lock().unwrap().push(time),
        // this is no time of the body's
        Event::Miss { function: "events::slow", .. } => thread::sleep(pause),
        _ => {}
    });
    let begun = Instant::now();
    slow(1);
    let first = begun.elapsed();
    slow(1);
    let second = begun.elapsed() - first;
    let times = times.lock().unwrap();
    let [computed, hit] = times[..] else { panic!("{times:?}") };
    assert!(computed >= Duration::from_millis(20), "{computed:?}");
    assert!(computed + pause <= first, "{computed:?} of {first:?}");
    assert!(hit <= second, "{hit:?} of {second:?}");
}

#[test]
fn a_call_without_a_result_is_told_too() {
    #[memoize(name = "events::panics")]
    fn panics(n: u64) -> u64 {
        resume_unwind(Box::new(n))
    }
    #[memoize(name = "events::pending")]
    async fn pending(n: u64) -> u64 {
        std::future::pending::<()>().await;
        n
    }
    let (heard, _listening) = listen("events::panics");
    catch_unwind(|| panics(1)).unwrap_err();
    assert_eq!(take(&heard), ["miss", "unfinished"]);

    let (heard, _listening) = listen("events::pending");
    let mut call = Box::pin(pending(1));
    let mut context = Context::from_waker(Waker::noop());
    assert!(call.as_mut().poll(&mut context).is_pending());
    assert_eq!(take(&heard), ["miss"]);
    drop(call);
    assert_eq!(take(&heard), ["unfinished"]);
}

#[test]
fn who_waited_is_told_of_as_a_miss() {
    #[memoize(name = "events::shared")]
    async fn shared(n: u64) -> u64 {
        let mut polled = false;
        std::future::poll_fn(|_| {
            if std::mem::replace(&mut polled, true) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        n
    }
    let (heard, _listening) = listen("events::shared");
    let (mut first, mut second) = (pin!(shared(1)), pin!(shared(1)));
    let mut context = Context::from_waker(Waker::noop());
    assert!(first.as_mut().poll(&mut context).is_pending());
    assert!(second.as_mut().poll(&mut context).is_pending());
    assert!(first.as_mut().poll(&mut context).is_ready());
    assert!(second.as_mut().poll(&mut context).is_ready());
    assert_eq!(take(&heard), ["miss", "computed", "stored", "miss", "waited"]);
}

#[test]
fn promise_4_a_callback_that_panics_changes_no_call() {
    #[memoize(name = "events::calm")]
    fn calm(n: u64) -> u64 {
        n + 1
    }
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            if !thread::panicking() {
                resume_unwind(Box::new("dropped"));
            }
        }
    }
    let told = Heard::default();
    let log = told.clone();
    let _loud = memo::on_event(move |event| {
        if event.function() == Some("events::calm") {
            log.lock().unwrap().push(name(event));
            // what it throws throws again as it is dropped
            resume_unwind(Box::new(Bomb));
        }
    });
    let (heard, _listening) = listen("events::calm");
    assert_eq!((calm(1), calm(1)), (2, 2));
    let all = ["miss", "computed", "stored", "hit memory"];
    assert_eq!(
        (take(&told), take(&heard)),
        (all.map(str::to_owned).to_vec(), all.map(str::to_owned).to_vec())
    );
    assert_eq!(calm::stats().computes, 1);
}

#[test]
fn promise_5_a_callback_may_do_anything_with_the_function_that_it_hears_of() {
    #[memoize(name = "events::busy")]
    fn busy(n: u64) -> u64 {
        n * 2
    }
    let told = Heard::default();
    let (log, this) = (told.clone(), thread::current().id());
    let _listening = memo::on_event(move |event| {
        // what the other threads do is told as well, there
        if event.function() != Some("events::busy") || thread::current().id() != this {
            return;
        }
        log.lock().unwrap().push(name(event));
        // the very key, which is being computed at the first of these
        assert_eq!(busy(7), 14);
        assert_eq!(busy(8), 16);
        // another thread does not wait for this one either
        let other = thread::spawn(|| {
            busy::invalidate(7).unwrap();
            busy::clear().unwrap();
            busy(9)
        });
        assert_eq!(other.join().unwrap(), 18);
        drop(memo::on_event(|_| {}));
    });
    assert_eq!((busy(7), busy(7)), (14, 14));
    // the other thread's invalidation comes last, before each of the calls and in between
    assert_eq!(take(&told)[..2], ["miss", "computed"]);
}

#[cfg(feature = "moka")]
#[test]
fn what_user_code_does_inside_a_store_is_told_to_nobody() {
    #[memoize(name = "events::inner")]
    fn inner(n: u64) -> u64 {
        n
    }
    #[derive(Clone)]
    struct Curious(u64);
    impl std::hash::Hash for Curious {
        fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
            self.0.hash(state);
        }
    }
    impl PartialEq for Curious {
        fn eq(&self, other: &Self) -> bool {
            inner(self.0);
            self.0 == other.0
        }
    }
    impl Eq for Curious {}
    #[memoize(name = "events::outer", engine = "moka")]
    fn outer(key: Curious) -> u64 {
        key.0
    }
    outer(Curious(1));
    let (heard, _listening) = listen("events::inner");
    let (about, _also) = listen("events::outer");
    assert_eq!(outer(Curious(1)), 1);
    assert_eq!(take(&about), ["hit moka"]);
    assert_eq!(take(&heard), [""; 0]);
}

#[test]
fn events_are_as_many_as_the_statistics_count() {
    #[memoize(name = "events::counted", capacity = 64)]
    fn counted(n: u64) -> Result<u64, u64> {
        if n.is_multiple_of(7) { Err(n) } else { Ok(n) }
    }
    #[memoize(name = "events::counted_async", capacity = 64)]
    async fn counted_async(n: u64) -> Option<u64> {
        tokio::task::yield_now().await;
        Some(n)
    }
    let counts = Arc::new(Mutex::new(HashMap::<String, u64>::new()));
    let log = counts.clone();
    let _listening = memo::on_event(move |event| {
        if let Some(function) = event.function().filter(|function| function.starts_with("events::counted")) {
            *log.lock().unwrap().entry(format!("{function} {}", name(event))).or_default() += 1;
        }
    });
    let seed = memo_seed();
    thread::scope(|scope| {
        for thread in 0..4_u64 {
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                let mut random = seed ^ (thread << 32);
                for _ in 0..2_000 {
                    random = random
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1_442_695_040_888_963_407);
                    let key = (random >> 33) % 100;
                    match (random >> 50) % 16 {
                        0 => drop(counted::refresh(key)),
                        1 => drop(counted::uncached(key)),
                        2 => drop(memo::scope().namespace("other").with(|| counted(key))),
                        3..8 => drop(counted(key)),
                        8 => drop(counted::insert(key, Ok(key))),
                        9 => counted::invalidate(key).unwrap(),
                        _ => drop(runtime.block_on(counted_async(key))),
                    }
                }
            });
        }
    });
    let counts = counts.lock().unwrap();
    for (function, stats) in
        [("events::counted", counted::stats()), ("events::counted_async", counted_async::stats())]
    {
        let told = |what: &str| counts.get(&format!("{function} {what}")).copied().unwrap_or(0);
        assert_eq!(
            (told("hit memory"), told("miss"), told("computed"), told("waited"), told("stored")),
            (stats.hits, stats.misses, stats.computes, stats.waits, stats.stored),
            "{function}, seed {seed}"
        );
        assert!(stats.hits > 0 && stats.computes > 0, "{stats}");
    }
}

/// The seed of this run: `MEMO_TEST_SEED`, or a new one.
fn memo_seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    let given = std::env::var("MEMO_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| RandomState::new().hash_one(0))
}

#[test]
fn a_listener_may_be_dropped_in_its_own_callback() {
    #[memoize(name = "events::once")]
    fn once(n: u64) -> u64 {
        n
    }
    let slot = Arc::new(Mutex::new(None::<Listening>));
    let (own, heard) = (slot.clone(), Heard::default());
    let log = heard.clone();
    let listening = memo::on_event(move |event| {
        if event.function() == Some("events::once") {
            log.lock().unwrap().push(name(event));
            drop(own.lock().unwrap().take());
        }
    });
    *slot.lock().unwrap() = Some(listening);
    once(1);
    assert_eq!(take(&heard), ["miss"]);
    let _ = catch_unwind(AssertUnwindSafe(|| once(1)));
}

#[cfg(all(feature = "engines", feature = "testing"))]
mod engines {
    use super::*;
    use memo::engine::ErrorKind;
    use memo::testing::{Mood, engine};

    #[test]
    fn what_is_wrong_with_an_engine_is_told() {
        #[memoize(name = "events::far", engine = "events-far", fallback = "none")]
        fn far(n: u64) -> u64 {
            n
        }
        let double = engine("events-far");
        let circuits = Heard::default();
        let log = circuits.clone();
        let _circuits = memo::on_event(move |event| {
            if event.function().is_none() && event.engine() == Some("events-far") {
                let what = if matches!(event, Event::CircuitOpened { .. }) { "opened" } else { "closed" };
                log.lock().unwrap().push(what.to_owned());
            }
        });
        let (heard, _listening) = listen("events::far");
        far(1);
        far(1);
        assert_eq!(take(&heard), ["miss", "computed", "stored", "hit events-far"]);
        double.set(Mood::Corrupting);
        far(1);
        assert_eq!(take(&heard)[1..], ["miss", "computed", "stored"]);
        far(1);
        assert!(take(&heard)[0].starts_with("misfit events-far "));
        double.set(Mood::Failing(ErrorKind::Unavailable));
        far(1);
        let told = take(&heard);
        assert_eq!(told, ["failed events-far", "miss", "computed"]);
        assert_eq!(take(&circuits), ["opened"]);
        let tier = &far::stats().tiers[0];
        assert_eq!((tier.errors, tier.engine.as_str()), (1, "events-far"));

        double.set(Mood::Well);
        let until = Instant::now() + Duration::from_secs(20);
        while take(&circuits).is_empty() {
            assert!(Instant::now() < until, "the engine is back, and nobody says so");
            far(1);
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// The engine fails for the first time as it is told to store: the result is being stored, and an invalidation
    /// waits for that.
    #[test]
    fn promise_5_a_callback_that_hears_of_a_failed_store_may_have_another_thread_invalidate() {
        #[memoize(name = "events::put", engine = "events-put", fallback = "none")]
        fn put(n: u64) -> u64 {
            if n == 1 {
                engine_of_put().set(Mood::Failing(ErrorKind::Unavailable));
            }
            n
        }
        fn engine_of_put() -> &'static memo::testing::Double {
            static ENGINE: std::sync::OnceLock<memo::testing::Double> = std::sync::OnceLock::new();
            ENGINE.get_or_init(|| engine("events-put"))
        }
        engine_of_put();
        let heard = Heard::default();
        let (log, this) = (heard.clone(), thread::current().id());
        let _listening = memo::on_event(move |event| {
            if thread::current().id() != this {
                return;
            }
            let own = event.function() == Some("events::put");
            if own || (event.function().is_none() && event.engine() == Some("events-put")) {
                log.lock().unwrap().push(name(event));
                if !own || matches!(event, Event::EngineFailed { .. }) {
                    put(1);
                    thread::spawn(|| put::invalidate(1)).join().unwrap().unwrap_err();
                }
            }
        });
        put(1);
        let told = take(&heard);
        assert_eq!(told[0], "miss");
        assert!(told.iter().any(|what| what.starts_with("CircuitOpened")), "{told:?}");
        assert!(told.contains(&"failed events-put".to_owned()), "{told:?}");
    }
}
