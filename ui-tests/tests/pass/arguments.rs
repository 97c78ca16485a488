//! Arguments of every form, each looked up as it is borrowed.
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use memo::memoize;

macro_rules! takes {
    ($($name:ident: $ty:ty = $value:expr;)*) => {
        $(
            #[memoize]
            fn $name(a: $ty) -> u64 {
                let _ = a;
                1
            }
        )*

        fn all() {
            $(
                    let a: $ty = $value;
                assert_eq!($name::peek($value), None, stringify!($name));
                assert_eq!($name($value), 1);
                assert_eq!($name::peek($value), Some(1), stringify!($name));
                $name::warm([a]);
            )*
        }
    };
}

/// The same, with the types as the attribute sees them when no macro has touched them.
mod written {
    use super::*;

    #[memoize]
    pub fn all(
        a: &str,
        b: &[&str],
        c: (&str, u32),
        d: Option<(f64, &str)>,
        e: &[f64],
        f: [f32; 3],
        g: &&str,
        h: Option<&[&str]>,
        i: &(f64, String),
        j: Cow<'_, str>,
        k: Option<Option<&Path>>,
        l: Vec<(f64, &str)>,
        m: &[(u8, &[f64])],
    ) -> u64 {
        let _ = (a, b, c, d, e, f, g, h, i, j, k, l, m);
        1
    }
}

type Text = &'static str;
type Maybe = Option<&'static str>;
type Number = f64;
type Owned = (String, Option<u64>);

takes! {
    text: &str = "a";
    texts: &[&str] = &["a"];
    pair: (&str, u32) = ("a", 1);
    nested_pair: (&str, (u32, &[u8])) = ("a", (1, &[1]));
    optional_pair: Option<(f64, &str)> = Some((1.0, "a"));
    floats: &[f64] = &[1.0];
    three_floats: [f32; 3] = [1.0, f32::NAN, -0.0];
    twice: &&str = &"a";
    optional: Option<&str> = Some("a");
    shared_text: Arc<str> = "a".into();
    boxed_text: Box<str> = "a".into();
    cow: Cow<'_, str> = "a".into();
    cow_path: Cow<'_, Path> = Path::new("a").into();
    path: &Path = Path::new("a");
    path_buf: PathBuf = "a".into();
    reference: &u64 = &1;
    of_string: &String = &"a".into();
    of_vec: &Vec<String> = &vec!["a".into()];
    slice: &[String] = &["a".into()];
    vec_of_texts: Vec<&str> = vec!["a"];
    array_of_texts: [&str; 2] = ["a", "b"];
    empty: [&str; 0] = [];
    map: BTreeMap<String, u64> = [("a".into(), 1)].into();
    of_map: &BTreeMap<String, u64> = &[("a".into(), 1)].into();
    set: BTreeSet<u64> = [1].into();
    float: f64 = f64::NAN;
    of_float: &f32 = &1.0;
    optional_float: Option<f64> = Some(-0.0);
    unit: () = ();
    character: char = 'a';
    long: (u8, u8, u8, u8, u8, u8, u8, u8, u8, u8) = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
    pointer: fn(&str) -> u64 = length;
    result_of: Result<u64, String> = Ok(1);
    alias_of_text: Text = "a";
    alias_of_option: Maybe = Some("a");
    alias_of_float: Number = 1.0;
    alias_of_owned: Owned = ("a".into(), None);
    of_alias: &Owned = &("a".into(), None);
    option_of_alias: Option<Number> = Some(1.0);
    slice_of_alias: &[Text] = &["a"];
    vec_of_cows: Vec<Cow<'_, str>> = vec!["a".into()];
    static_pair: (&'static str, u32) = ("a", 1);
    dynamic: &Arc<[String]> = &vec!["a".into()].into();
    byte_array: &[u8; 4] = &[1; 4];
    boxed: Box<[u64]> = Box::new([1]);
    optional_cow: Option<Cow<'_, str>> = Some("a".into());
}

fn length(text: &str) -> u64 {
    text.len() as u64
}

#[memoize]
fn none() -> u64 {
    1
}

#[memoize]
fn nine(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8, i: u8) -> u64 {
    [a, b, c, d, e, f, g, h, i].map(u64::from).into_iter().sum()
}

#[rustfmt::skip]
#[memoize]
fn twenty(
    a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8, i: u8, j: &str, k: u8, l: u8, m: u8, n: u8, o: u8, p: u8,
    q: u8, r: u8, s: u8, t: Option<&str>,
) -> u64 {
    let _ = (j, t);
    [a, b, c, d, e, f, g, h, i, k, l, m, n, o, p, q, r, s].map(u64::from).into_iter().sum()
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Point {
    x: u64,
    y: (u64, String),
}

#[memoize]
fn patterns(
    (a, mut b): (u64, u64),
    Point { x, y: (y, _) }: Point,
    [first, .., last]: [u64; 3],
    _: u8,
) -> u64 {
    b += 1;
    a + b + x + y + first + last
}

#[memoize]
fn bound(ref a: String, b @ (c, _): (u64, u64), mut d: u64) -> u64 {
    d += 1;
    a.len() as u64 + b.1 + c + d
}

#[memoize(skip(a, b))]
fn skipped_pattern((a, b): (u64, Rc<u64>), c: u64) -> u64 {
    a + *b + c
}

#[memoize(key = (user.x, *page))]
fn keyed(user: &Point, page: &u32, other: Rc<u64>) -> u64 {
    user.x + u64::from(*page) + *other
}

#[memoize(key = text.as_ref().to_lowercase())]
fn keyed_impl(text: impl AsRef<str>) -> String {
    text.as_ref().to_lowercase()
}

#[memoize(key = (text.as_ref(), items.clone().into_iter().collect::<Vec<u64>>()))]
fn keyed_impls(text: impl AsRef<str>, items: impl IntoIterator<Item = u64> + Clone) -> u64 {
    text.as_ref().len() as u64 + items.into_iter().sum::<u64>()
}

#[memoize(key = ())]
fn keyed_by_nothing(a: Rc<u64>) -> u64 {
    *a
}

fn main() {
    all();
    let floats = (1.0, "a".to_owned());
    let call = || {
        let m: &[(u8, &[f64])] = &[(1, &[1.0])];
        let l = vec![(1.0, "a")];
        written::all(
            "a",
            &["a"],
            ("a", 1),
            None,
            &[1.0],
            [1.0; 3],
            &"a",
            Some(&["a"]),
            &floats,
            "a".into(),
            Some(None),
            l,
            m,
        )
    };
    assert_eq!(call() + call(), 2);
    assert_eq!(written::all::stats().hits, 1);

    assert_eq!(none() + none(), 2);
    assert_eq!(none::stats().computes, 1);
    assert_eq!(nine(1, 2, 3, 4, 5, 6, 7, 8, 9), 45);
    let ten = twenty(1, 1, 1, 1, 1, 1, 1, 1, 1, "a", 1, 1, 1, 1, 1, 1, 1, 1, 1, None);
    assert_eq!(ten, 18);
    let point = Point { x: 1, y: (2, "a".into()) };
    assert_eq!(patterns((1, 2), point.clone(), [1, 2, 3], 4), 11);
    assert_eq!(
        patterns::peek((1, 2), point.clone(), [1, 0, 3], 0),
        Some(11),
        "what is not bound is not seen"
    );
    assert_eq!(bound("a".into(), (1, 2), 3), 8);
    assert_eq!(skipped_pattern((1, Rc::new(2)), 3), 6);
    assert_eq!(skipped_pattern::peek(3), Some(6));
    assert_eq!(keyed(&point, &1, Rc::new(1)), 3);
    assert_eq!(keyed_impl("A") + &keyed_impl(String::from("a")), "aa");
    assert_eq!(keyed_impl::peek("a"), Some("a".into()));
    assert_eq!(keyed_impls("a", [1, 2]), 4);
    assert_eq!(keyed_by_nothing(Rc::new(1)) + keyed_by_nothing(Rc::new(2)), 2);
}
