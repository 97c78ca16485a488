//! Which functions renew behind the call: those whose arguments a renewal can own. Of the others, the call that finds its
//! result stale computes itself.

use std::cell::Cell;
use std::ffi::{CStr, OsStr};
use std::fmt::Debug;
use std::hash::Hash;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use memo::{Stats, memoize};
use memo_tests::{ran, runs_in};

use crate::{MINUTE, advance, clock, until};

/// Asserts that a stale result of this call is given while another thread renews it.
#[track_caller]
fn behind<R: PartialEq + Debug>(stats: fn() -> Stats, expected: R, call: impl Fn() -> R) {
    check(stats, &expected, 0, call);
}

/// Asserts that the call renews its stale result itself.
#[track_caller]
fn within<R: PartialEq + Debug>(stats: fn() -> Stats, expected: R, call: impl Fn() -> R) {
    check(stats, &expected, 1, call);
}

/// As `within`, of a function without a companion.
#[track_caller]
fn within_unseen(call: impl Fn() -> usize) {
    let _clock = clock();
    let runs = || runs_in(&call).0;
    assert_eq!((runs(), runs()), (1, 0));
    advance(6 * MINUTE);
    assert_eq!((runs(), runs()), (1, 0));
}

#[track_caller]
fn check<R: PartialEq + Debug>(stats: fn() -> Stats, expected: &R, bodies: usize, call: impl Fn() -> R) {
    let _clock = clock();
    let given = |bodies| {
        let (runs, result) = runs_in(&call);
        assert_eq!((&result, runs), (expected, bodies), "the result, and how often this thread ran the body");
    };
    let renewed = stats().renewed;
    given(1);
    given(0);
    advance(6 * MINUTE);
    given(bodies);
    until(|| stats().renewed == renewed + 1);
    given(0);
    assert_eq!(stats().renewal_failed, 0);
}

/// Something that can be cloned, whose clones are told apart.
#[derive(Debug, Clone)]
struct Client(Arc<AtomicU64>);

/// Something that cannot be cloned.
#[derive(Debug)]
struct Connection(u64);

#[test]
fn what_is_owned_is_owned_once_more() {
    #[memoize(ttl = "5m", stale = "1h")]
    fn all(
        id: u64,
        name: String,
        list: Vec<u8>,
        path: PathBuf,
        pair: (u8, char),
        some: Option<String>,
    ) -> String {
        ran();
        format!("{id} {name} {list:?} {} {pair:?} {some:?}", path.display())
    }
    let call = || all(1, "two".into(), vec![3], "four".into(), (5, '6'), Some("7".into()));
    behind(all::stats, "1 two [3] four (5, '6') Some(\"7\")".into(), call);
}

#[test]
fn what_is_referred_to_is_owned() {
    #[memoize(ttl = "5m", stale = "1h")]
    fn all(
        name: &str,
        path: &Path,
        list: &[u16],
        c: &CStr,
        os: &OsStr,
        number: &u64,
        owned: &String,
    ) -> String {
        ran();
        format!("{name} {} {list:?} {c:?} {os:?} {number} {owned}", path.display())
    }
    let call = || all("one", Path::new("two"), &[3, 4], c"five", OsStr::new("6"), &7, &"8".to_owned());
    behind(all::stats, "one two [3, 4] \"five\" \"6\" 7 8".into(), call);
}

#[test]
fn a_function_without_arguments_renews_behind_the_call() {
    #[memoize(ttl = "5m", stale = "1h")]
    fn answer() -> u64 {
        ran();
        42
    }
    behind(answer::stats, 42, answer);
}

#[test]
fn what_is_skipped_is_cloned_if_it_can_be() {
    #[memoize(ttl = "5m", stale = "1h", skip(client))]
    fn by_value(client: Client, id: u64) -> u64 {
        ran();
        client.0.load(SeqCst) + id
    }
    #[memoize(ttl = "5m", stale = "1h", skip(client))]
    fn by_reference(client: &Client, id: u64) -> u64 {
        ran();
        client.0.load(SeqCst) + id
    }
    #[memoize(ttl = "5m", stale = "1h", skip(client))]
    fn shared(client: &Arc<Connection>, id: u64) -> u64 {
        ran();
        client.0 + id
    }
    let client = Client(Arc::new(AtomicU64::new(10)));
    behind(by_value::stats, 11, || by_value(client.clone(), 1));
    behind(by_reference::stats, 11, || by_reference(&client, 1));
    let connection = Arc::new(Connection(20));
    behind(shared::stats, 21, || shared(&connection, 1));
}

#[test]
fn what_is_skipped_and_cannot_be_owned_stays_in_the_call() {
    #[memoize(ttl = "5m", stale = "1h", skip(connection))]
    fn by_value(connection: Connection, id: u64) -> u64 {
        ran();
        connection.0 + id
    }
    #[memoize(ttl = "5m", stale = "1h", skip(connection))]
    fn by_reference(connection: &Connection, id: u64) -> u64 {
        ran();
        connection.0 + id
    }
    #[memoize(ttl = "5m", stale = "1h", skip(log))]
    fn changed(log: &mut Vec<u64>, id: u64) -> u64 {
        ran();
        log.push(id);
        id
    }
    #[memoize(ttl = "5m", stale = "1h", skip(counter))]
    fn of_one_thread(counter: Rc<Cell<u64>>, id: u64) -> u64 {
        ran();
        counter.set(counter.get() + 1);
        id
    }
    #[memoize(ttl = "5m", stale = "1h", skip(counter))]
    fn of_one_thread_by_reference(counter: &Rc<Cell<u64>>, id: u64) -> u64 {
        ran();
        counter.set(counter.get() + 1);
        id
    }
    #[memoize(ttl = "5m", stale = "1h", skip(visit))]
    fn called(visit: &dyn Fn(u64), id: u64) -> u64 {
        ran();
        visit(id);
        id
    }
    let (log, seen, counter) = (Cell::new(Vec::new()), Cell::new(0), Rc::new(Cell::new(0)));
    within(by_value::stats, 31, || by_value(Connection(30), 1));
    within(by_reference::stats, 31, || by_reference(&Connection(30), 1));
    within(changed::stats, 1, || {
        let mut list = log.take();
        let result = changed(&mut list, 1);
        log.set(list);
        result
    });
    within(of_one_thread::stats, 1, || of_one_thread(counter.clone(), 1));
    within(of_one_thread_by_reference::stats, 1, || of_one_thread_by_reference(&counter, 1));
    within(called::stats, 1, || called(&|id| seen.set(seen.get() + id), 1));
    assert_eq!((log.take(), counter.get(), seen.get()), (vec![1, 1], 4, 2));
}

#[test]
fn lifetimes_stay_in_the_call() {
    #[derive(Clone, Copy)]
    struct View<'a>(&'a str);
    #[memoize(ttl = "5m", stale = "1h")]
    fn optional(name: Option<&str>) -> usize {
        ran();
        name.map_or(0, str::len)
    }
    #[memoize(ttl = "5m", stale = "1h")]
    fn named<'a>(name: &'a str, _other: &'a str) -> usize {
        ran();
        name.len()
    }
    #[memoize(ttl = "5m", stale = "1h", skip(view))]
    fn shown(view: View<'_>, id: usize) -> usize {
        ran();
        view.0.len() + id
    }
    #[allow(elided_lifetimes_in_paths)]
    #[memoize(ttl = "5m", stale = "1h", skip(view), companion = false)]
    fn not_shown(view: View, id: usize) -> usize {
        ran();
        view.0.len() + id
    }
    #[allow(elided_lifetimes_in_paths)]
    #[memoize(ttl = "5m", stale = "1h", skip(view), companion = false)]
    fn not_shown_by_reference(view: &View, id: usize) -> usize {
        ran();
        view.0.len() + id
    }
    let text = "text".to_owned();
    within(optional::stats, 4, || optional(Some(&text)));
    within(named::stats, 4, || named(&text, &text));
    within(shown::stats, 5, || shown(View(&text), 1));
    within_unseen(|| not_shown(View(&text), 1));
    within_unseen(|| not_shown_by_reference(&View(&text), 1));
}

#[test]
fn patterns_stay_in_the_call() {
    #[derive(Debug, Clone, PartialEq, Eq, Hash)]
    struct Point {
        x: u64,
        y: u64,
    }
    #[memoize(ttl = "5m", stale = "1h")]
    fn all((a, b): (u64, u64), Point { x, y: up }: Point, [first, ..]: [u64; 3], mut last: u64) -> u64 {
        ran();
        last += 1;
        a + b * 10 + x * 100 + up * 1000 + first * 10_000 + last * 100_000
    }
    #[memoize(ttl = "5m", stale = "1h")]
    fn names_only(mut first: u64, mut second: String) -> String {
        ran();
        first += 1;
        second.push('!');
        format!("{first}{second}")
    }
    let stats = all::stats;
    within(stats, 654_321, || all((1, 2), Point { x: 3, y: 4 }, [5, 0, 0], 5));
    behind(names_only::stats, "2a!".to_owned(), || names_only(1, "a".to_owned()));
}

#[test]
fn arguments_of_types_that_are_not_named_stay_in_the_call() {
    #[memoize(ttl = "5m", stale = "1h", skip(what), companion = false)]
    fn skipped(what: impl AsRef<str>, id: usize) -> usize {
        ran();
        what.as_ref().len() + id
    }
    within_unseen(|| skipped("abc", 1));
}

#[test]
fn type_parameters_are_owned_if_their_bounds_say_so() {
    #[memoize(ttl = "5m", stale = "1h")]
    fn owned<T: Hash + Eq + Clone + Debug + Send + Sync + 'static>(what: T) -> String {
        ran();
        format!("{what:?}")
    }
    #[memoize(ttl = "5m", stale = "1h")]
    fn referred<T>(what: &[T]) -> usize
    where
        T: Hash + Eq + Clone + Send + Sync + 'static,
    {
        ran();
        what.len()
    }
    #[memoize(ttl = "5m", stale = "1h", skip(what))]
    fn any<T>(what: T, id: u64) -> u64 {
        ran();
        drop(what);
        id
    }
    #[memoize(ttl = "5m", stale = "1h", skip(what), companion = false)]
    fn any_by_reference<T: Debug + ?Sized>(what: &T, id: usize) -> usize {
        ran();
        format!("{what:?}").len() + id
    }
    #[memoize(ttl = "5m", stale = "1h")]
    fn many<const N: usize>(bytes: [u8; N]) -> usize {
        ran();
        bytes.len()
    }
    let local = 5;
    behind(owned::stats, "\"text\"".to_owned(), || owned("text".to_owned()));
    behind(owned::stats, "7".to_owned(), || owned(7));
    behind(referred::stats, 2, || referred(&[1_u8, 2]));
    within(any::stats, 1, || any(&local, 1));
    within_unseen(|| any_by_reference("text", 1));
    behind(many::stats, 3, || many([0; 3]));
}

#[test]
fn methods_without_a_receiver_renew_behind_the_call_and_those_with_one_do_not() {
    #[derive(Clone, PartialEq, Eq, Hash)]
    struct Shop(u64);
    impl Shop {
        #[memoize(ttl = "5m", stale = "1h")]
        fn price(id: u64) -> u64 {
            ran();
            id
        }
        #[memoize(ttl = "5m", stale = "1h", receiver = self.0)]
        fn own_price(&self, id: u64) -> u64 {
            ran();
            self.0 + id
        }
    }
    behind(|| Shop::price_memo().stats(), 1, || Shop::price(1));
    within(|| Shop::own_price_memo().stats(), 3, || Shop(1).own_price(2));
}

#[test]
fn a_static_in_the_body_is_one_for_all_that_run_it() {
    #[memoize(ttl = "5m", stale = "1h")]
    fn count(_id: u64) -> u64 {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        COUNT.fetch_add(1, SeqCst)
    }
    let _clock = clock();
    assert_eq!(count(1), 0);
    advance(6 * MINUTE);
    assert_eq!(count(1), 0);
    until(|| count::stats().renewed == 1);
    assert_eq!((count(1), count(2)), (1, 2));
}

#[test]
fn large_results_and_recursion_renew_behind_the_call() {
    #[memoize(ttl = "5m", stale = "1h")]
    fn large(id: u64) -> [u64; 600] {
        ran();
        [id; 600]
    }
    #[memoize(ttl = "5m", stale = "1h")]
    fn fib(n: u64) -> u64 {
        if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
    }
    behind(large::stats, [4; 600], || large(4));
    let _clock = clock();
    assert_eq!(fib(20), 6765);
    advance(6 * MINUTE);
    assert_eq!(fib(20), 6765);
    until(|| fib::stats().renewed >= 1);
    assert_eq!(fib(20), 6765);
}

#[test]
fn a_body_may_return_early_and_use_what_stands_beside_it() {
    const LIMIT: u64 = 10;
    fn twice(n: u64) -> u64 {
        n * 2
    }
    #[memoize(ttl = "5m", stale = "1h")]
    fn parsed(text: &str) -> Result<u64, std::num::ParseIntError> {
        ran();
        let number = text.parse::<u64>()?;
        if number > LIMIT {
            return Ok(LIMIT);
        }
        Ok(twice(number))
    }
    behind(parsed::stats, Ok(8), || parsed("4"));
    behind(parsed::stats, Ok(10), || parsed("11"));
}
