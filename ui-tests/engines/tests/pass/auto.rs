//! A function that names no engine demands nothing of its types but what memory demands.

#![deny(warnings)]

use memo::memoize;
use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

/// Neither can be written.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Plain(u8);

/// Named as traits that generated code imports.
#[derive(Clone)]
struct Shared;

#[memoize]
fn shared(_a: u8) -> Result<Shared, Plain> {
    Ok(Shared)
}

/// What the compiler says of lifetimes comes after it has been asked for traits.
type Hidden = &'static str;

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Lends<'a> {
    #[serde(borrow)]
    text: Cow<'a, str>,
}

#[memoize]
fn plain(_a: &Plain) -> Plain {
    Plain(1)
}

#[memoize]
fn borrowed(_a: &str, _b: Option<&[f64]>) -> &'static str {
    "borrowed"
}

#[memoize]
fn hidden(_a: (&str, f32)) -> Result<Option<Hidden>, Rc<str>> {
    Ok(Some("hidden"))
}

#[memoize]
fn lends(_a: u8) -> Lends<'static> {
    Lends { text: "lends".into() }
}

#[memoize]
fn bytes(_a: u8) -> Vec<&'static [u8]> {
    vec![b"bytes"]
}

#[memoize]
fn function(_a: fn(&str) -> u8) -> Arc<dyn Fn(u8) -> u8 + Send + Sync> {
    Arc::new(|a| a)
}

#[memoize(persist = true)]
fn generic<T: Clone + Eq + std::hash::Hash + Send + Sync + 'static, const N: usize>(a: T) -> [T; N] {
    [(); N].map(|()| a.clone())
}

#[memoize(key = a.len(), shared = true, cache_if = |value: &Value| value.0 > 0, code = "manual")]
fn opaque(a: impl ExactSizeIterator<Item = u8>) -> Value {
    Value(a.len())
}

/// Named as a trait that generated code imports.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Value(usize);

trait Key {}
impl Key for u8 {}

struct Shop<T>(T);

impl<T: Clone + Send + Sync + 'static + Key> Shop<T> {
    #[memoize(receiver = "skip", large = true)]
    fn first(&self, _a: &str) -> T {
        self.0.clone()
    }

    #[memoize(receiver = "skip", fallback = "none")]
    async fn later(self: Arc<Self>, _a: u64) -> u8 {
        1
    }
}

impl PartialEq<u8> for Shop<u8> {
    #[memoize(receiver = self.0)]
    fn eq(&self, other: &u8) -> bool {
        self.0 == *other
    }
}

/// More than a tuple of parts has.
#[memoize]
fn many(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8, i: u8) -> u8 {
    a + b + c + d + e + f + g + h + i
}

fn main() {
    assert!(plain(&Plain(1)) == Plain(1) && plain::plan().engines() == ["memory"]);
    assert!(shared(1).is_ok());
    assert_eq!(borrowed("a", None), "borrowed");
    assert_eq!(hidden(("a", 1.0)), Ok(Some("hidden")));
    assert_eq!(lends(1).text, "lends");
    assert_eq!(bytes(1), [b"bytes"]);
    assert_eq!(function(|_| 1)(2), 2);
    assert_eq!(generic::<_, 2>(1), [1, 1]);
    assert_eq!(generic::plan::<u8, 2>().engines(), ["memory"]);
    assert_eq!(opaque([1_u8].into_iter()).0, 1);
    assert!(Shop(1_u8) == 1);
    assert_eq!(Shop::<u8>::later_memo().plan().engines(), ["memory"]);
    drop(Arc::new(Shop(1_u8)).later(1));
    assert!(Shop::<u8>::first_memo().plan().to_string().starts_with("Results live in memory: `large = true`"));
    assert_eq!(many(1, 1, 1, 1, 1, 1, 1, 1, 1), 9);
    assert_eq!(many::plan().engines(), ["memory"]);
}
