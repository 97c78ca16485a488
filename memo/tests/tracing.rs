//! What subscribers of `tracing` see.
#![cfg(feature = "tracing")]

use std::cell::{Cell, RefCell};
use std::fmt;
use std::sync::{Mutex, MutexGuard, Once, mpsc};
use std::thread;
use std::time::Duration;

use memo::memoize;
use tracing_core::field::{Field, Visit};
use tracing_core::span::{Attributes, Current, Id, Record};
use tracing_core::subscriber::{Interest, Subscriber};
use tracing_core::{Event, Level, Metadata};

thread_local! {
    /// How much this thread's test wants to see.
    static LEVEL: Cell<Level> = const { Cell::new(Level::TRACE) };
    static SEEN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    static ENTERED: RefCell<Vec<Id>> = const { RefCell::new(Vec::new()) };
}

/// Writes down what is seen on each thread: `LEVEL message field=value ..`, without times.
#[derive(Default)]
struct Collector(Mutex<Vec<&'static Metadata<'static>>>);

impl Collector {
    /// All spans, by their numbers from 1 on.
    fn spans(&self) -> MutexGuard<'_, Vec<&'static Metadata<'static>>> {
        self.0.lock().unwrap()
    }

    fn metadata(&self, span: &Id) -> &'static Metadata<'static> {
        self.spans()[span.into_u64() as usize - 1]
    }
}

impl Subscriber for Collector {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "memo" && *metadata.level() <= LEVEL.get()
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut line = Line::of(span.metadata());
        line.0 += &format!(" {}", span.metadata().name());
        span.record(&mut line);
        line.seen();
        let mut spans = self.spans();
        spans.push(span.metadata());
        Id::from_u64(spans.len() as u64)
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::of(event.metadata());
        event.record(&mut line);
        line.seen();
    }

    fn enter(&self, span: &Id) {
        Line("enter".to_owned()).seen();
        ENTERED.with_borrow_mut(|entered| entered.push(span.clone()));
    }

    fn exit(&self, _: &Id) {
        Line("exit".to_owned()).seen();
        ENTERED.with_borrow_mut(Vec::pop);
    }

    fn current_span(&self) -> Current {
        let span = ENTERED.with_borrow(|entered| entered.last().cloned());
        span.map_or_else(Current::none, |span| Current::new(span.clone(), self.metadata(&span)))
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        Line(format!("{} follows {}", self.metadata(span).name(), self.metadata(follows).name())).seen();
    }
}

struct Line(String);

impl Line {
    fn of(metadata: &Metadata<'_>) -> Self {
        Line(metadata.level().to_string())
    }

    fn seen(self) {
        SEEN.with_borrow_mut(|seen| seen.push(self.0));
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.0 += &format!(" {value:?}"),
            "time" => {}
            name => self.0 += &format!(" {name}={value:?}"),
        }
    }
}

/// From now on this thread sees what is of `level` or more important.
fn see(level: Level) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Collector::default()).unwrap());
    LEVEL.set(level);
}

fn seen() -> Vec<String> {
    SEEN.take()
}

#[test]
fn calls_are_traced_and_keys_are_not_shown() {
    see(Level::TRACE);
    #[memoize(name = "traced::square")]
    fn square(secret: u64) -> u64 {
        secret * secret
    }
    square(4242);
    let of = r#"function="traced::square""#;
    assert_eq!(
        seen(),
        [
            format!("TRACE miss {of}"),
            format!("DEBUG memo.compute {of}"),
            "enter".to_owned(),
            "exit".to_owned(),
            format!("TRACE computed {of}"),
            format!("DEBUG stored {of}"),
        ]
    );
    square(4242);
    assert_eq!(seen(), [format!("TRACE hit {of} engine=\"memory\"")]);
}

#[test]
fn a_subscriber_for_less_sees_less() {
    #[memoize(name = "traced::cube")]
    fn cube(n: u64) -> u64 {
        n * n * n
    }
    see(Level::DEBUG);
    cube(1);
    let of = r#"function="traced::cube""#;
    assert_eq!(
        seen(),
        [
            format!("DEBUG memo.compute {of}"),
            "enter".to_owned(),
            "exit".to_owned(),
            format!("DEBUG stored {of}"),
        ]
    );
    cube(1);
    cube::insert(2, 8).unwrap();
    assert_eq!(seen(), [format!("DEBUG stored {of}")]);
    see(Level::INFO);
    cube(3);
    cube(3);
    assert_eq!(seen(), [""; 0]);
    see(Level::TRACE);
    cube(3);
    assert_eq!(seen().len(), 1);
}

#[test]
fn the_span_of_an_async_computation_is_entered_whenever_it_is_polled() {
    see(Level::DEBUG);
    #[memoize(name = "traced::fetch")]
    async fn fetch(n: u64) -> u64 {
        tokio::task::yield_now().await;
        n
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(fetch(1));
    let seen = seen();
    assert_eq!(seen[0], r#"DEBUG memo.compute function="traced::fetch""#);
    assert!(seen[1..].starts_with(&["enter", "exit", "enter", "exit"].map(str::to_owned)), "{seen:?}");
    assert_eq!(seen.last().unwrap(), r#"DEBUG stored function="traced::fetch""#);
}

#[test]
fn a_renewal_behind_a_call_has_a_span_that_follows_from_that_of_the_call() {
    static SEND: Mutex<Option<mpsc::Sender<Vec<String>>>> = Mutex::new(None);
    #[memoize(name = "traced::price", ttl = "5m", stale = "1h")]
    fn price(id: u64) -> u64 {
        if let Some(send) = &*SEND.lock().unwrap() {
            send.send(seen()).unwrap();
        }
        id
    }
    see(Level::TRACE);
    price(1);
    memo::__private::testing::advance(Duration::from_secs(360));
    let (send, renewed) = mpsc::channel();
    *SEND.lock().unwrap() = Some(send);
    seen();
    tracing::debug_span!(target: "memo", "request").in_scope(|| price(1));
    let of = r#"function="traced::price""#;
    assert_eq!(
        seen(),
        [
            "DEBUG request".to_owned(),
            "enter".to_owned(),
            format!("DEBUG memo.renew {of}"),
            "memo.renew follows request".to_owned(),
            format!("TRACE hit {of} engine=\"memory\" stale=true"),
            "exit".to_owned(),
        ]
    );
    // on the thread that renews
    let before_the_body = renewed.recv_timeout(Duration::from_secs(60)).unwrap();
    assert_eq!(before_the_body, ["enter", &format!("DEBUG memo.compute {of}"), "enter"]);
    while price::stats().renewed == 0 {
        thread::yield_now();
    }
}

/// All that is shown of keys is decided here, for the whole process; other tests say what they show themselves.
#[test]
fn keys_are_shown_when_that_is_asked_for_and_they_can_be() {
    #[memoize(name = "traced::named")]
    fn named(first: &str, second: f64) -> usize {
        first.len() + second as usize
    }
    #[derive(Clone, PartialEq, Eq, Hash)]
    struct Opaque(u8);
    #[memoize(name = "traced::opaque")]
    fn opaque(key: Opaque) -> u8 {
        key.0
    }
    #[memoize(name = "traced::generic")]
    fn generic<T: Clone + Eq + std::hash::Hash + Send + Sync + 'static>(key: T) -> usize {
        drop(key);
        size_of::<T>()
    }
    #[derive(Clone, PartialEq, Eq, Hash)]
    struct Rude(u8);
    impl fmt::Debug for Rude {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            std::panic::resume_unwind(Box::new("no name"))
        }
    }
    #[memoize(name = "traced::rude")]
    fn rude(key: Rude) -> u8 {
        key.0
    }
    // in a process of its own, since it is about all functions
    if std::env::var_os("MEMO_TEST_CHILD").is_none() {
        let this = "keys_are_shown_when_that_is_asked_for_and_they_can_be";
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", this, "--nocapture"])
            .env("MEMO_TEST_CHILD", "1")
            .output()
            .unwrap();
        assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
        assert!(String::from_utf8_lossy(&child.stdout).contains("1 passed"));
        return;
    }
    see(Level::TRACE);
    memo::log_keys(true);
    named("four", 2.5);
    let key = r#"key=("four", 2.5)"#;
    let lines = seen();
    let with_key = lines.iter().filter(|line| line.contains(key)).count();
    assert_eq!(with_key, 4, "miss, span, computed, stored: {lines:?}");
    named("four", 2.5);
    assert_eq!(seen(), [format!(r#"TRACE hit function="traced::named" engine="memory" {key}"#)]);
    see(Level::DEBUG);
    named("five", 2.5);
    assert_eq!(seen().iter().filter(|line| line.contains(r#"key=("five", 2.5)"#)).count(), 2, "span, stored");
    see(Level::TRACE);
    assert_eq!((opaque(Opaque(1)), generic(7_u8), rude(Rude(1))), (1, 1, 1));
    let lines = seen();
    assert!(lines.iter().any(|line| line.contains("traced::rude")), "{lines:?}");
    assert!(lines.iter().all(|line| !line.contains("key=")), "{lines:?}");

    #[cfg(feature = "config")]
    {
        memo::init(memo::Config::new().function("traced::quiet", "log_keys", false)).unwrap();
        #[memoize(name = "traced::quiet")]
        fn quiet(secret: u64) -> u64 {
            secret
        }
        quiet(4242);
        let lines = seen();
        assert!(lines.iter().all(|line| !line.contains("4242")), "{lines:?}");
        assert!(!lines.is_empty());
    }
}

#[test]
fn warnings_go_to_the_subscriber() {
    see(Level::WARN);
    #[memoize(name = "traced::plain", ttl = "1h")]
    fn plain(n: u64) -> u64 {
        n
    }
    // an engine that is not there is said once
    memo::scope().engine("nowhere").with(|| plain(1));
    let seen = seen();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(seen[0].starts_with("WARN a scope asks for the engine \"nowhere\""), "{seen:?}");
}

#[cfg(all(feature = "engines", feature = "testing"))]
#[test]
fn engines_that_fail_are_warned_of() {
    use memo::testing::{Mood, engine};

    see(Level::TRACE);
    #[memoize(name = "traced::far", engine = "traced-far", fallback = "none")]
    fn far(n: u64) -> u64 {
        n
    }
    let double = engine("traced-far");
    far(1);
    seen();
    far(1);
    assert_eq!(seen(), [r#"TRACE hit function="traced::far" engine="traced-far""#]);
    double.set(Mood::Failing(memo::engine::ErrorKind::Unavailable));
    far(1);
    let seen = seen();
    let warned: Vec<_> = seen.iter().filter(|line| line.starts_with("WARN")).collect();
    assert_eq!(warned.len(), 1, "{seen:?}");
    assert!(
        warned[0].contains(r#"engine="traced-far""#) && warned[0].contains("until it is back"),
        "{warned:?}"
    );
    assert!(
        seen.iter().any(|line| line.starts_with("DEBUG engine failed function=\"traced::far\"")),
        "{seen:?}"
    );
}
