//! A hit does not allocate, whatever the key is made of: API §3.

use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use memo::{Instance, InstanceId, memoize};
use memo_tests::counting::allocations_in;

/// Asserts that the second of two equal calls does not allocate; nor the tenth.
macro_rules! free_hits {
    ($($call:expr => $expected:expr;)*) => {$(
        assert_eq!($call, $expected);
        // the first hit of a thread may set up what it counts in
        assert_eq!($call, $expected);
        for _ in 0..10 {
            let (allocations, result) = allocations_in(|| $call);
            assert_eq!(result, $expected);
            assert_eq!(allocations, 0, "a hit of `{}` allocates", stringify!($call));
        }
    )*};
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Point {
    name: String,
    tags: Vec<String>,
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations_in(|| drop(vec![1_u8])).0, 1);
    assert_eq!(allocations_in(|| 1).0, 0);
    #[memoize]
    fn misses(text: &str) -> usize {
        text.len()
    }
    assert!(allocations_in(|| misses("a")).0 > 0, "a miss makes the key");
}

#[test]
fn a_hit_does_not_allocate_while_scopes_are_alive_elsewhere_or_gone() {
    #[memoize]
    fn number(n: u64) -> u64 {
        n
    }
    let guard = memo::scope().namespace("tenant").enter();
    assert_eq!(number(1), 1);
    drop(guard);
    free_hits! { number(1) => 1; }
    let elsewhere = memo::scope().refresh().run(async {});
    free_hits! { number(1) => 1; }
    drop(elsewhere);
    // and under one it makes no more of it than a look
    let _guard = memo::scope().namespace("tenant").ttl("1h").enter();
    free_hits! { number(1) => 1; }
}

#[test]
fn a_hit_of_a_function_does_not_allocate() {
    #[memoize]
    fn number(n: u64) -> u64 {
        n
    }
    #[memoize]
    fn text(text: &str) -> usize {
        text.len()
    }
    #[memoize]
    fn slice(slice: &[u32]) -> usize {
        slice.len()
    }
    #[memoize]
    fn path(path: &Path) -> usize {
        path.as_os_str().len()
    }
    #[memoize]
    fn pair(pair: (&str, u32)) -> u32 {
        pair.1
    }
    #[memoize]
    fn two(text: &str, n: u32) -> u32 {
        text.len() as u32 + n
    }
    #[memoize]
    fn maybe(text: Option<&str>) -> usize {
        text.map_or(0, str::len)
    }
    #[memoize]
    fn user_type(point: &Point) -> usize {
        point.tags.len()
    }
    #[memoize]
    fn words(words: &[&str], floats: &[f64], nested: &[(&str, Option<f32>)]) -> usize {
        words.len() + floats.len() + nested.len()
    }
    #[memoize(key = (point.name.as_str(), n))]
    fn by_key(point: &Point, n: u8) -> usize {
        point.tags.len() + usize::from(n)
    }
    #[memoize]
    fn generic<T: std::hash::Hash + Eq + Clone + Send + Sync + 'static>(value: &T) -> usize {
        size_of_val(value)
    }
    let point = Point { name: "a long enough name".into(), tags: vec!["tag".into()] };
    free_hits! {
        number(1) => 1;
        text("a text that is longer than any small one") => 40;
        slice(&[1, 2, 3]) => 3;
        path(Path::new("/some/path")) => 10;
        pair(("text", 2)) => 2;
        two("text", 2) => 6;
        maybe(Some("text")) => 4;
        maybe(None) => 0;
        user_type(&point) => 1;
        words(&["a", "b"], &[1.0, f64::NAN], &[("c", Some(0.0))]) => 5;
        by_key(&point, 1) => 2;
        generic(&point) => size_of::<Point>();
        generic(&1_u16) => 2;
    }
}

#[test]
fn a_hit_with_a_lifetime_or_a_bound_does_not_allocate() {
    #[memoize(ttl = "1h")]
    fn dated(text: &str) -> usize {
        text.len()
    }
    #[memoize(tti = "1h", capacity = 10)]
    fn idle(text: &str) -> usize {
        text.len()
    }
    #[memoize(weigh = |_, _| 1, max_weight = 10)]
    fn weighed(text: &str) -> usize {
        text.len()
    }
    #[memoize]
    fn fallible(text: &str) -> Result<u32, std::num::ParseIntError> {
        text.parse()
    }
    free_hits! {
        dated("text") => 4;
        idle("text") => 4;
        weighed("text") => 4;
        fallible("17") => Ok(17);
    }
}

#[test]
fn a_hit_of_a_method_does_not_allocate() {
    #[derive(Instance)]
    struct Catalogue {
        #[instance]
        id: String,
    }
    impl Catalogue {
        #[memoize]
        fn price(&self, sku: &str) -> usize {
            self.id.len() + sku.len()
        }
        #[memoize(receiver = self.id.as_str())]
        fn stock(&self, sku: &str) -> usize {
            self.id.len() + sku.len()
        }
    }
    #[derive(Instance)]
    struct Session {
        instance: InstanceId,
    }
    impl Session {
        #[memoize]
        fn length(&self, text: &str) -> usize {
            text.len()
        }
    }
    let (catalogue, session) = (Catalogue { id: "one".into() }, Session { instance: InstanceId::new() });
    free_hits! {
        catalogue.price("sku") => 6;
        catalogue.stock("sku") => 6;
        session.length("text") => 4;
    }
}

/// Polls once, which is all that a hit needs.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a hit that waits"),
    }
}

#[test]
fn a_hit_of_an_async_function_neither_waits_nor_allocates() {
    #[memoize]
    async fn text(text: &str, n: u32) -> usize {
        text.len() + n as usize
    }
    #[derive(Instance)]
    struct Catalogue {
        #[instance]
        id: u32,
    }
    impl Catalogue {
        #[memoize(ttl = "1h")]
        async fn price(&self, sku: &str) -> usize {
            self.id as usize + sku.len()
        }
    }
    let catalogue = Catalogue { id: 1 };
    free_hits! {
        at_once(text("text", 1)) => 5;
        at_once(catalogue.price("sku")) => 4;
    }
}
