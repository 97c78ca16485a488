//! Several threads do everything at once, and user code panics.

use super::*;

thread_local! {
    /// After how many calls of user code one panics; 0 for never.
    static FUSE: Cell<u32> = const { Cell::new(0) };
}

fn burn() {
    let left = FUSE.get();
    if left > 0 && !thread::panicking() {
        FUSE.set(left - 1);
        assert!(left > 1, "on purpose");
    }
}

/// Says what it is, three times over, and is counted. Its `Eq`, `Clone` and `Drop` panic now and then.
#[derive(Debug)]
struct Counted {
    number: u64,
    boxed: Box<u64>,
    check: u64,
    alive: Arc<AtomicI64>,
}

impl Counted {
    fn new(number: u64, alive: &Arc<AtomicI64>) -> Self {
        alive.fetch_add(1, SeqCst);
        Counted { number, boxed: Box::new(!number), check: hash(number), alive: alive.clone() }
    }

    fn audit(&self) {
        assert_eq!((*self.boxed, self.check), (!self.number, hash(self.number)), "torn, or freed");
    }
}

impl PartialEq for Counted {
    fn eq(&self, other: &Self) -> bool {
        self.audit();
        other.audit();
        burn();
        self.number == other.number
    }
}

impl Eq for Counted {}

impl Clone for Counted {
    fn clone(&self) -> Self {
        self.audit();
        burn();
        Counted::new(self.number, &self.alive)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.audit();
        self.check = 0;
        *self.boxed = 0;
        self.alive.fetch_sub(1, SeqCst);
        burn();
    }
}

/// Everything at once, by several threads, on one store, which also takes the other limits now and then.
fn stress(limits: Limits, others: &[Limits], threads: u64, rounds: u64, keys: u64) {
    let _alone = clock::alone();
    assert!(others.is_empty() || cfg!(feature = "config"), "it cannot take them");
    let alive = Arc::new(AtomicI64::new(0));
    let store = Memory::<Counted, Counted>::new(&limits);
    thread::scope(|scope| {
        for number in 0..threads {
            let (store, alive) = (&store, &alive);
            scope.spawn(move || {
                let mut random = Random(number * 77 + 1);
                for _ in 0..rounds {
                    let key = random.next() % keys;
                    // A third of the keys share their hashes with others.
                    let hash = if key.is_multiple_of(3) { hash(key / 9) } else { hash(key) };
                    let dice = random.next() % 100;
                    if random.next().is_multiple_of(16) {
                        FUSE.set(1 + (random.next() % 8) as u32);
                    }
                    let told = || Counted::new(key, alive);
                    // Made out here, as a result is leaked when a local panics in its drop (rust-lang/rust#47949).
                    let asked = told();
                    let by = || Same(&asked);
                    let _ = catch_unwind(AssertUnwindSafe(|| match dice {
                        0..30 => store.insert(hash, told(), told(), (key % 5) as u32, None),
                        30..40 => {
                            let hours = Duration::from_secs(3600 * (random.next() % 3));
                            store.insert(hash, told(), told(), 1, Some(hours));
                        }
                        40..85 => {
                            if let Some(found) = store.get(hash, by()) {
                                found.audit();
                                assert_eq!(found.number, key);
                            }
                        }
                        85..90 => {
                            store.peek(hash, &by()).inspect(Counted::audit);
                        }
                        90..97 => {
                            store.remove(hash, &by());
                        }
                        97 => clock::advance(Duration::from_secs(600)),
                        98 => store.sweep(),
                        #[cfg(feature = "config")]
                        _ if !others.is_empty() && random.next().is_multiple_of(4) => {
                            store.resize(&others[random.next() as usize % others.len()]);
                        }
                        _ if random.next().is_multiple_of(8) => store.clear(),
                        _ => {
                            store.counts();
                        }
                    }));
                    FUSE.set(0);
                }
            });
        }
    });
    #[cfg(feature = "config")]
    assert!(others.is_empty() || store.resize(&limits));
    store.settle();
    let counts = store.counts();
    assert_eq!(alive.load(SeqCst), 2 * counts.entries as i64, "{counts:?}");
    if let Some(most) = limits.capacity {
        assert!(counts.entries <= most);
    }
    drop(store);
    assert_eq!(alive.load(SeqCst), 0);
}

/// Panics that are on purpose, not told on.
fn quietly(test: impl FnOnce()) {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(|panic| {
        if panic.payload().downcast_ref::<&str>() != Some(&"on purpose") {
            eprintln!("{panic}");
        }
    }));
    let result = catch_unwind(AssertUnwindSafe(test));
    std::panic::set_hook(told);
    result.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}

#[test]
fn values_are_whole_and_dropped_once_whatever_threads_do_and_panic_in() {
    // For how long, in the nightly run.
    let minutes: u64 = match std::env::var_os("MEMO_TEST_NIGHTLY") {
        Some(_) => 3,
        None => 0,
    };
    let start = std::time::Instant::now();
    quietly(|| {
        loop {
            let rounds = times(8_000, 60);
            let idle = |limits| Limits { tti: Some(Duration::from_secs(3600)), lifetimes: true, ..limits };
            let weighed = Limits { max_weight: Some(300), ..Limits::default() };
            stress(entries(100), &[], 5, rounds, 400);
            stress(entries(3000), &[], 4, rounds, 5000);
            stress(weighed, &[], 4, rounds, 400);
            stress(idle(entries(100)), &[], 4, rounds, 300);
            stress(Limits::default(), &[], 4, rounds, 2000);
            if cfg!(feature = "config") {
                let any = Limits::default();
                stress(entries(100), &[entries(30), weighed, idle(any), any, entries(200)], 4, rounds, 400);
                stress(entries(3000), &[entries(40), idle(entries(900)), any], 4, rounds, 3000);
            }
            if start.elapsed() >= Duration::from_secs(60 * minutes) {
                break;
            }
        }
    });
}
