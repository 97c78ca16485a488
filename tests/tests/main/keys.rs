//! What makes two calls the same: API §3, in memory. Promises 11 and 13.

#![allow(unsafe_code)]

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash, Hasher};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use memo::{Instance, InstanceId, memoize};
use memo_tests::{calls, ran, runs_in};
use proptest::prelude::*;

mod arguments {
    use super::*;

    #[test]
    fn equal_arguments_hit_and_others_miss() {
        #[memoize]
        fn difference(a: u32, b: u32) -> i64 {
            ran();
            i64::from(a) - i64::from(b)
        }
        calls! {
            miss: difference(5, 3) => 2;
            hit: difference(5, 3) => 2;
            miss: difference(3, 5) => -2;
            hit: difference(3, 5) => -2;
        }
    }

    #[test]
    fn no_argument_is_one_key() {
        #[memoize]
        fn constant() -> u32 {
            ran();
            7
        }
        calls! {
            miss: constant() => 7;
            hit: constant() => 7;
        }
    }

    #[test]
    fn parts_delimit_themselves() {
        #[memoize]
        fn joined(a: &str, b: &str) -> String {
            ran();
            format!("{a}{b}")
        }
        calls! {
            miss: joined("ab", "c") => "abc";
            miss: joined("a", "bc") => "abc";
            miss: joined("", "abc") => "abc";
            hit: joined("ab", "c") => "abc";
        }
    }

    #[test]
    fn what_is_borrowed_is_compared_by_value() {
        #[memoize]
        fn sizes(text: &str, bytes: &[u8], path: &Path, owned: &String) -> usize {
            ran();
            text.len() + bytes.len() + path.as_os_str().len() + owned.len()
        }
        calls! {
            miss: sizes("ab", &[1], Path::new("/p"), &"s".to_owned()) => 6;
            hit: sizes(&String::from("ab"), &vec![1], &PathBuf::from("/p"), &"s".to_owned()) => 6;
            miss: sizes("ab", &[2], Path::new("/p"), &"s".to_owned()) => 6;
            miss: sizes("ab", &[1], Path::new("/q"), &"s".to_owned()) => 6;
        }
    }

    #[test]
    fn owned_and_shared_text_is_compared_by_value() {
        #[memoize]
        fn lengths(a: String, b: Box<str>, c: Arc<str>, d: Cow<'_, str>, e: &&str) -> usize {
            ran();
            a.len() + b.len() + c.len() + d.len() + e.len()
        }
        let text = String::from("xy");
        calls! {
            miss: lengths("a".into(), "b".into(), "c".into(), "xy".into(), &"e") => 6;
            hit: lengths("a".into(), "b".into(), "c".into(), Cow::Borrowed(&text), &"e") => 6;
            hit: lengths("a".into(), "b".into(), "c".into(), Cow::Owned(text.clone()), &text[..0].to_string().as_str().max("e")) => 6;
            miss: lengths("a".into(), "b".into(), "c".into(), "xz".into(), &"e") => 6;
        }
    }

    #[test]
    fn none_is_not_the_empty_one() {
        #[memoize]
        fn shown(text: Option<&str>, list: Option<&[u8]>, pair: (&str, u32)) -> String {
            ran();
            format!("{text:?} {list:?} {pair:?}")
        }
        calls! {
            miss: shown(None, None, ("", 0)) => "None None (\"\", 0)";
            miss: shown(Some(""), None, ("", 0)) => "Some(\"\") None (\"\", 0)";
            miss: shown(None, Some(&[]), ("", 0)) => "None Some([]) (\"\", 0)";
            miss: shown(None, None, ("", 1)) => "None None (\"\", 1)";
            hit: shown(None, Some(&[]), ("", 0)) => "None Some([]) (\"\", 0)";
        }
    }

    #[test]
    fn references_within_slices_and_tuples() {
        #[memoize]
        fn total(words: &[&str], pairs: Vec<(&str, u8)>, nested: &[Option<&str>]) -> usize {
            ran();
            words.iter().map(|word| word.len()).sum::<usize>() + pairs.len() + nested.len()
        }
        calls! {
            miss: total(&["ab", "c"], vec![("x", 1)], &[None, Some("n")]) => 6;
            hit: total(&[&"ab".to_string(), "c"], vec![("x", 1)], &[None, Some("n")]) => 6;
            miss: total(&["a", "bc"], vec![("x", 1)], &[None, Some("n")]) => 6;
            miss: total(&["ab", "c"], vec![("x", 2)], &[None, Some("n")]) => 6;
            miss: total(&["ab", "c"], vec![("x", 1)], &[Some("n"), None]) => 6;
        }
    }

    #[test]
    fn types_of_the_standard_library() {
        #[memoize]
        fn all(
            a: u128,
            b: char,
            c: bool,
            d: (),
            e: [u16; 3],
            f: Duration,
            g: IpAddr,
            h: BTreeMap<u8, String>,
            i: Result<u8, String>,
            j: std::ops::Range<u8>,
        ) -> usize {
            ran();
            let () = d;
            usize::from(a > 0)
                + usize::from(c)
                + h.len()
                + e.len()
                + usize::from(b == 'b' && i.is_ok())
                + f.as_secs() as usize
                + usize::from(g.is_ipv4())
                + j.len()
        }
        let call = |a, c, last: u8| {
            let map = BTreeMap::from([(1, "one".to_owned())]);
            all(a, 'b', c, (), [1, 2, 3], Duration::from_secs(1), [127, 0, 0, 1].into(), map, Ok(1), 0..last)
        };
        calls! {
            miss: call(1, true, 2) => 11;
            hit: call(1, true, 2) => 11;
            miss: call(1 << 64, true, 2) => 11;
            miss: call(1, false, 2) => 10;
            miss: call(1, true, 3) => 12;
        }
    }

    #[test]
    fn user_types_by_value_and_borrowed() {
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        enum Shape {
            Square(u32),
            Named { name: String },
        }
        #[memoize]
        fn by_value(shape: Shape) -> String {
            ran();
            format!("{shape:?}")
        }
        #[memoize]
        fn borrowed(shape: &Shape, others: &[Shape]) -> usize {
            ran();
            others.iter().filter(|other| *other == shape).count()
        }
        let named = |name: &str| Shape::Named { name: name.to_owned() };
        calls! {
            miss: by_value(Shape::Square(1)) => "Square(1)";
            miss: by_value(named("a")) => "Named { name: \"a\" }";
            hit: by_value(named("a")) => "Named { name: \"a\" }";
            miss: borrowed(&named("a"), &[named("a"), named("b")]) => 1;
            hit: borrowed(&named("a"), &[named("a"), named("b")]) => 1;
            miss: borrowed(&named("b"), &[named("a"), named("b")]) => 1;
        }
    }

    #[test]
    fn the_types_own_equality_decides() {
        #[derive(Clone, Copy, Eq)]
        struct Name(&'static str);
        impl PartialEq for Name {
            fn eq(&self, other: &Self) -> bool {
                self.0.eq_ignore_ascii_case(other.0)
            }
        }
        impl Hash for Name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.0.to_ascii_lowercase().hash(state);
            }
        }
        #[memoize]
        fn shout(name: Name) -> String {
            ran();
            format!("{}!", name.0)
        }
        calls! {
            miss: shout(Name("Ada")) => "Ada!";
            hit: shout(Name("ADA")) => "Ada!";
            miss: shout(Name("Bob")) => "Bob!";
        }
    }

    /// Equality is checked on the whole key, never on a hash alone.
    #[test]
    fn keys_with_one_hash_are_told_apart() {
        #[derive(Clone, PartialEq, Eq)]
        struct Clash(u32);
        impl Hash for Clash {
            fn hash<H: Hasher>(&self, state: &mut H) {
                0_u32.hash(state);
            }
        }
        #[memoize]
        fn number(clash: Clash) -> u32 {
            ran();
            clash.0
        }
        for n in 0..100 {
            calls! { miss: number(Clash(n)) => n; }
        }
        for n in 0..100 {
            calls! { hit: number(Clash(n)) => n; }
        }
        number::invalidate(Clash(3)).unwrap();
        calls! {
            miss: number(Clash(3)) => 3;
            hit: number(Clash(4)) => 4;
        }
    }

    #[test]
    fn patterns_are_keyed_by_what_they_bind() {
        #[derive(Clone, Copy)]
        struct Point {
            x: i32,
            y: i32,
            #[allow(dead_code)]
            label: &'static str,
        }
        #[memoize]
        fn area((a, b): (u32, u32), Point { x, y: height, .. }: Point, [first, ..]: [u8; 3], _: u64) -> i64 {
            ran();
            i64::from(a * b + u32::from(first)) + i64::from(x * height)
        }
        let at = |x, y, label| Point { x, y, label };
        calls! {
            miss: area((2, 3), at(4, 5, "a"), [1, 0, 0], 0) => 27;
            hit: area((2, 3), at(4, 5, "b"), [1, 9, 9], 7) => 27;
            miss: area((3, 2), at(4, 5, "a"), [1, 0, 0], 0) => 27;
            miss: area((2, 3), at(5, 4, "a"), [1, 0, 0], 0) => 27;
            miss: area((2, 3), at(4, 5, "a"), [2, 0, 0], 0) => 28;
        }
    }

    #[test]
    fn arguments_may_be_changed_and_moved_by_the_body() {
        #[memoize]
        fn sorted(mut list: Vec<u8>, ref text: String, whole @ (_, _): (u8, u8)) -> (Vec<u8>, usize, u8) {
            ran();
            list.sort_unstable();
            (list, text.len(), whole.0)
        }
        calls! {
            miss: sorted(vec![2, 1], "a".into(), (1, 2)) => (vec![1, 2], 1, 1);
            hit: sorted(vec![2, 1], "a".into(), (1, 2)) => (vec![1, 2], 1, 1);
            miss: sorted(vec![1, 2], "a".into(), (1, 2)) => (vec![1, 2], 1, 1);
            miss: sorted(vec![2, 1], "a".into(), (1, 3)) => (vec![1, 2], 1, 1);
        }
    }

    #[test]
    fn lifetimes_where_clauses_and_unsafe() {
        #[memoize]
        fn longest<'a>(a: &'a str, b: &'a str) -> usize
        where
            'a: 'a,
        {
            ran();
            a.len().max(b.len())
        }
        /// # Safety
        ///
        /// None is needed.
        #[memoize]
        unsafe fn careful(n: u32) -> u32 {
            ran();
            n + 1
        }
        // SAFETY: it asks for nothing
        let careful = |n| unsafe { careful(n) };
        calls! {
            miss: longest("ab", "c") => 2;
            hit: longest("ab", "c") => 2;
            miss: careful(1) => 2;
            hit: careful(1) => 2;
        }
    }
}

mod chosen {
    use super::*;

    #[test]
    fn skipped_arguments_do_not_count() {
        struct Connection;
        #[memoize(skip(connection, log, show))]
        fn load(connection: &Connection, id: u32, log: &mut Vec<u32>, show: impl Fn(u32) -> u32) -> u32 {
            ran();
            let Connection = connection;
            log.push(id);
            show(id)
        }
        let mut log = Vec::new();
        let add = |many| move |n| n + many;
        calls! {
            miss: load(&Connection, 1, &mut log, add(1)) => 2;
            hit: load(&Connection, 1, &mut log, add(5)) => 2;
            miss: load(&Connection, 2, &mut log, add(5)) => 7;
        }
        assert_eq!(log, [1, 2]);
    }

    #[test]
    fn the_types_of_skipped_arguments_count_however_they_are_written() {
        #[memoize(skip(f))]
        fn named<F: Fn(u32) -> u32>(n: u32, f: F) -> u32 {
            ran();
            f(n)
        }
        #[memoize(skip(f))]
        fn unnamed(n: u32, f: impl Fn(u32) -> u32) -> u32 {
            ran();
            f(n)
        }
        #[memoize(skip(f, g), companion = false)]
        fn unnamed_two<T: Into<u32> + Copy + std::hash::Hash + Eq + Send + Sync + 'static>(
            f: &mut impl FnMut(u32) -> u32,
            n: T,
            g: impl Fn(u32) -> u32,
        ) -> u32 {
            ran();
            g(f(n.into()))
        }
        let (one, five) = (|n| n + 1, |n| n + 5);
        calls! {
            miss: named(1, one) => 2;
            miss: named(1, five) => 6;
            hit: named(1, one) => 2;
            miss: unnamed(1, one) => 2;
            miss: unnamed(1, five) => 6;
            hit: unnamed(1, one) => 2;
            hit: unnamed(1, five) => 6;
            miss: unnamed_two(&mut one.clone(), 1_u8, five) => 7;
            miss: unnamed_two(&mut five.clone(), 1_u8, five) => 11;
            miss: unnamed_two(&mut five.clone(), 1_u16, one) => 7;
            hit: unnamed_two(&mut one.clone(), 1_u8, five) => 7;
        }
    }

    #[test]
    fn the_companion_is_told_the_types_of_skipped_arguments() {
        #[memoize(skip(f, bias))]
        fn applied<T>(f: impl Fn(u32) -> u32, n: T, bias: u32) -> u32
        where
            T: Into<u32> + Copy + std::hash::Hash + Eq + Send + Sync + 'static,
        {
            ran();
            f(n.into()) + bias
        }
        let (one, five) = (|n| n + 1, |n| n + 5);
        calls! {
            miss: applied(one, 1_u8, 0) => 2;
            miss: applied(five, 1_u8, 0) => 6;
        }
        assert_eq!((applied::peek(one, 1_u8), applied::peek(five, 1_u8)), (Some(2), Some(6)));
        assert_eq!(applied::peek(one, 1_u16), None);
        assert_eq!(applied::refresh(five, 1_u8, 1), 7);
        assert_eq!(applied::uncached(five, 1_u8, 2), 8);
        applied::insert(one, 1_u8, 3).unwrap();
        applied::invalidate(five, 1_u8).unwrap();
        assert_eq!((applied::peek(one, 1_u8), applied::peek(five, 1_u8)), (Some(3), None));
        assert_eq!(applied::plan::<u8>().engines(), ["memory"]);
        applied::clear().unwrap();
        assert_eq!((applied::peek(one, 1_u8), applied::stats().entries), (None, 0));
    }

    #[test]
    fn a_pattern_is_skipped_by_its_names() {
        #[memoize(skip(a, b))]
        fn third((a, b): (u8, u8), c: u8) -> u8 {
            ran();
            let _ = (a, b);
            c
        }
        calls! {
            miss: third((1, 2), 3) => 3;
            hit: third((4, 5), 3) => 3;
            miss: third((1, 2), 4) => 4;
        }
    }

    #[test]
    fn a_key_expression_alone_counts() {
        struct User {
            id: u32,
            name: &'static str,
        }
        #[memoize(key = (user.id, page / 10))]
        fn feed(user: &User, page: u32) -> String {
            ran();
            format!("{} {page}", user.name)
        }
        let (ada, eve) = (User { id: 1, name: "ada" }, User { id: 1, name: "eve" });
        calls! {
            miss: feed(&ada, 10) => "ada 10";
            hit: feed(&eve, 19) => "ada 10";
            miss: feed(&ada, 20) => "ada 20";
        }
    }

    #[test]
    fn a_key_expression_may_be_made_on_the_spot() {
        #[memoize(key = text.trim().to_lowercase())]
        fn words(text: &str) -> usize {
            ran();
            text.split_whitespace().count()
        }
        #[memoize(key = (items.len(), predicate(0)))]
        fn matching(items: &mut Vec<u8>, predicate: impl Fn(u8) -> bool) -> usize {
            ran();
            items.iter().filter(|item| predicate(**item)).count()
        }
        calls! {
            miss: words("One two") => 2;
            hit: words("  one TWO ") => 2;
            miss: words("one") => 1;
            miss: matching(&mut vec![0, 1], |n| n == 0) => 1;
            hit: matching(&mut vec![2, 3], |n| n == 0) => 1;
            miss: matching(&mut vec![2, 3], |n| n == 2) => 1;
        }
    }
}

mod functions {
    use super::*;

    #[test]
    fn promise_13_each_function_has_a_cache_of_its_own() {
        mod left {
            #[super::memoize]
            pub(super) fn side(n: u32) -> String {
                super::ran();
                format!("left {n}")
            }
        }
        mod right {
            #[super::memoize]
            pub(super) fn side(n: u32) -> String {
                super::ran();
                format!("right {n}")
            }
        }
        fn outer(n: u32) -> String {
            #[memoize]
            fn side(n: u32) -> String {
                ran();
                format!("inner {n}")
            }
            side(n)
        }
        calls! {
            miss: left::side(1) => "left 1";
            miss: right::side(1) => "right 1";
            miss: outer(1) => "inner 1";
            hit: left::side(1) => "left 1";
            hit: right::side(1) => "right 1";
            hit: outer(1) => "inner 1";
        }
    }

    #[test]
    fn promise_13_type_and_const_parameters_are_in_the_key() {
        #[memoize]
        fn name<T, const N: usize>(n: u32) -> String {
            ran();
            format!("{} {N} {n}", std::any::type_name::<T>())
        }
        calls! {
            miss: name::<u8, 1>(0) => "u8 1 0";
            miss: name::<u16, 1>(0) => "u16 1 0";
            miss: name::<u8, 2>(0) => "u8 2 0";
            // not even `'static`
            miss: name::<&str, 1>(0) => "&str 1 0";
            hit: name::<u8, 1>(0) => "u8 1 0";
            hit: name::<u16, 1>(0) => "u16 1 0";
            hit: name::<u8, 2>(0) => "u8 2 0";
            hit: name::<&str, 1>(0) => "&str 1 0";
        }
    }

    #[test]
    fn promise_13_generic_arguments_and_results() {
        #[memoize]
        fn twice<T>(value: T) -> Vec<T>
        where
            T: Hash + Eq + Clone + Send + Sync + 'static,
        {
            ran();
            vec![value.clone(), value]
        }
        calls! {
            miss: twice(1_u8) => [1, 1];
            miss: twice(1_u16) => [1, 1];
            miss: twice("a") => ["a", "a"];
            miss: twice("a".to_owned()) => ["a", "a"];
            hit: twice(1_u8) => [1, 1];
            hit: twice("a") => ["a", "a"];
        }
    }

    #[test]
    fn promise_13_parameters_of_the_impl_are_in_the_key() {
        struct Shelf<T, const N: usize>(std::marker::PhantomData<T>);
        impl<T, const N: usize> Shelf<T, N> {
            #[memoize]
            fn label(n: u32) -> String {
                ran();
                format!("{} {N} {n}", std::any::type_name::<T>())
            }

            #[memoize(receiver = "skip")]
            pub fn label_of<U>(&self, n: u32) -> String {
                ran();
                format!("{} {} {N} {n}", std::any::type_name::<T>(), std::any::type_name::<U>())
            }
        }
        let (shelf, other) = (Shelf::<u8, 1>(Default::default()), Shelf::<u8, 2>(Default::default()));
        calls! {
            miss: Shelf::<u8, 1>::label(0) => "u8 1 0";
            miss: Shelf::<u16, 1>::label(0) => "u16 1 0";
            miss: Shelf::<u8, 2>::label(0) => "u8 2 0";
            hit: Shelf::<u8, 1>::label(0) => "u8 1 0";
            hit: Shelf::<u8, 2>::label(0) => "u8 2 0";
            miss: shelf.label_of::<char>(0) => "u8 char 1 0";
            miss: shelf.label_of::<bool>(0) => "u8 bool 1 0";
            miss: other.label_of::<char>(0) => "u8 char 2 0";
            hit: shelf.label_of::<char>(0) => "u8 char 1 0";
            hit: other.label_of::<char>(0) => "u8 char 2 0";
        }
    }

    #[test]
    fn promise_13_the_implementing_type_is_in_the_key() {
        trait Area {
            fn area(&self, scale: u32) -> u32;
            fn doubled(&self, n: u32) -> u32;
        }
        struct Square(u32);
        struct Line(u32);
        impl Area for Square {
            #[memoize(receiver = self.0)]
            fn area(&self, scale: u32) -> u32 {
                ran();
                self.0 * self.0 * scale
            }
            #[memoize(receiver = "skip")]
            fn doubled(&self, n: u32) -> u32 {
                ran();
                2 * n
            }
        }
        impl Area for Line {
            #[memoize(receiver = self.0)]
            fn area(&self, scale: u32) -> u32 {
                ran();
                self.0 * scale
            }
            #[memoize(receiver = "skip")]
            fn doubled(&self, n: u32) -> u32 {
                ran();
                n + n
            }
        }
        calls! {
            miss: Square(3).area(1) => 9;
            miss: Line(3).area(1) => 3;
            hit: Square(3).area(1) => 9;
            hit: Line(3).area(1) => 3;
            miss: Square(3).doubled(1) => 2;
            miss: Line(3).doubled(1) => 2;
            hit: Square(4).doubled(1) => 2;
        }
    }

    #[test]
    fn promise_13_default_methods_of_traits() {
        trait Named {
            const NAME: &'static str;
            #[memoize]
            fn greeting(n: u32) -> String {
                ran();
                format!("{} {n}", Self::NAME)
            }
        }
        struct Ada;
        struct Bob;
        impl Named for Ada {
            const NAME: &'static str = "ada";
        }
        impl Named for Bob {
            const NAME: &'static str = "bob";
        }
        calls! {
            miss: Ada::greeting(1) => "ada 1";
            miss: Bob::greeting(1) => "bob 1";
            hit: Ada::greeting(1) => "ada 1";
            hit: Bob::greeting(1) => "bob 1";
        }
    }
}

mod floats {
    use super::*;

    const OTHER_NANS: [u64; 4] =
        [0x7ff8_0000_0000_0001, 0xfff8_0000_0000_0000, 0x7ff0_0000_0000_0001, 0xffff_ffff_ffff_ffff];

    #[test]
    fn all_nans_are_one_key() {
        #[memoize]
        fn double(x: f64) -> bool {
            ran();
            x.is_nan()
        }
        #[memoize]
        fn single(x: f32) -> bool {
            ran();
            x.is_nan()
        }
        calls! {
            miss: double(f64::NAN) => true;
            miss: single(f32::NAN) => true;
            hit: single(f32::from_bits(0xffc0_0001)) => true;
            hit: single(-f32::NAN) => true;
        }
        for bits in OTHER_NANS {
            calls! { hit: double(f64::from_bits(bits)) => true; }
        }
    }

    #[test]
    fn the_two_zeros_are_one_key() {
        #[memoize]
        fn sign(x: f64, y: f32) -> bool {
            ran();
            x.is_sign_negative() || y.is_sign_negative()
        }
        calls! {
            miss: sign(0.0, 0.0) => false;
            hit: sign(-0.0, 0.0) => false;
            hit: sign(0.0, -0.0) => false;
            miss: sign(f64::MIN_POSITIVE, 0.0) => false;
            miss: sign(-f64::MIN_POSITIVE, 0.0) => true;
            miss: sign(f64::from_bits(1), 0.0) => false;
        }
    }

    #[test]
    fn near_floats_are_different_keys() {
        #[memoize]
        fn same(x: f64) -> f64 {
            ran();
            x
        }
        calls! {
            miss: same(1.0) => 1.0;
            miss: same(1.0_f64.next_up()) => 1.0_f64.next_up();
            miss: same(-1.0) => -1.0;
            miss: same(f64::INFINITY) => f64::INFINITY;
            miss: same(f64::NEG_INFINITY) => f64::NEG_INFINITY;
            hit: same(1.0) => 1.0;
        }
    }

    #[test]
    fn floats_within_other_types() {
        #[memoize]
        #[allow(clippy::too_many_arguments)]
        fn count(
            pair: (f64, u8),
            slice: &[f64],
            list: Vec<f32>,
            array: [f64; 2],
            option: Option<f64>,
            nested: &[(f64, Option<f32>)],
            borrowed: &f64,
            boxed: Box<f64>,
            named: Option<(&str, f64)>,
        ) -> usize {
            ran();
            let _ = (pair, array, option, nested, borrowed, boxed, named);
            slice.len() + list.len()
        }
        let with = |x: f64, y: f32| {
            let nested = [(x, Some(y))];
            count((x, 1), &[x, 1.0], vec![y], [x, 2.0], Some(x), &nested, &x, Box::new(x), Some(("n", x)))
        };
        calls! {
            miss: with(0.0, 0.0) => 3;
            hit: with(-0.0, -0.0) => 3;
            miss: with(f64::NAN, f32::NAN) => 3;
            hit: with(f64::from_bits(OTHER_NANS[1]), -f32::NAN) => 3;
            miss: with(1.0, 0.0) => 3;
            miss: with(0.0, 1.0) => 3;
        }
    }

    #[test]
    fn floats_in_the_key_expression_and_behind_an_alias() {
        type Metres = f64;
        struct Field(Metres);
        #[memoize(key = (field.0, Some(width)))]
        fn area(field: &Field, width: Metres) -> f64 {
            ran();
            field.0 * width
        }
        #[memoize]
        fn half(length: Metres, maybe: Option<Metres>) -> f64 {
            ran();
            length / 2.0 + maybe.unwrap_or(0.0)
        }
        calls! {
            miss: area(&Field(0.0), -0.0);
            hit: area(&Field(-0.0), 0.0);
            miss: half(f64::NAN, Some(0.0));
            hit: half(-f64::NAN, Some(-0.0));
            miss: half(f64::NAN, None);
        }
    }
}

mod receivers {
    use super::*;

    #[derive(Instance)]
    struct Catalogue {
        #[instance]
        id: u32,
        pages: usize,
    }

    impl Catalogue {
        #[memoize]
        fn price(&self, sku: &str) -> usize {
            ran();
            self.pages + sku.len()
        }

        #[memoize]
        fn shared(self: Arc<Self>, n: usize) -> usize {
            ran();
            self.pages + n
        }

        #[memoize]
        fn pinned(self: Pin<&Self>, n: usize) -> usize {
            ran();
            self.pages + n
        }

        #[memoize]
        fn consumed(self, n: usize) -> usize {
            ran();
            self.pages + n
        }

        #[memoize(key = (self.pages, sku))]
        fn keyed(&self, sku: &str) -> usize {
            ran();
            self.pages + sku.len()
        }
    }

    #[test]
    fn promise_13_the_field_marked_instance_is_the_identity() {
        let new = |id, pages| Catalogue { id, pages };
        calls! {
            miss: new(1, 10).price("a") => 11;
            hit: new(1, 99).price("a") => 11;
            miss: new(2, 10).price("a") => 11;
            miss: new(1, 10).price("b") => 11;
        }
    }

    #[test]
    fn arc_pin_and_self_by_value_are_the_instance_they_lead_to() {
        let new = |id, pages| Catalogue { id, pages };
        calls! {
            miss: Arc::new(new(1, 10)).shared(1) => 11;
            hit: Arc::new(new(1, 99)).shared(1) => 11;
            miss: Arc::new(new(2, 20)).shared(1) => 21;
            miss: Pin::new(&new(1, 10)).pinned(1) => 11;
            hit: Pin::new(&new(1, 99)).pinned(1) => 11;
            miss: Pin::new(&new(2, 20)).pinned(1) => 21;
            miss: new(1, 10).consumed(1) => 11;
            hit: new(1, 99).consumed(1) => 11;
            miss: new(2, 20).consumed(1) => 21;
        }
    }

    #[test]
    fn a_key_expression_replaces_the_instance() {
        calls! {
            miss: Catalogue { id: 1, pages: 10 }.keyed("a") => 11;
            hit: Catalogue { id: 2, pages: 10 }.keyed("a") => 11;
            miss: Catalogue { id: 1, pages: 11 }.keyed("a") => 12;
        }
    }

    #[derive(Clone, Default, Instance)]
    struct Session {
        instance: InstanceId,
        user: u32,
    }

    impl Session {
        #[memoize]
        fn user(&self) -> u32 {
            ran();
            self.user
        }
    }

    #[test]
    fn promise_13_an_instance_id_is_one_value_and_its_clone_is_another() {
        let first = Session { user: 1, ..Session::default() };
        let mut copy = first.clone();
        copy.user = 2;
        let other = Session { user: 3, ..Session::default() };
        calls! {
            miss: first.user() => 1;
            miss: copy.user() => 2;
            miss: other.user() => 3;
            hit: first.user() => 1;
            hit: copy.user() => 2;
            hit: other.user() => 3;
        }
        // a moved value is the same one, and a new one in its place is another
        let moved = Box::new(first);
        calls! { hit: moved.user() => 1; }
        drop(moved);
        let again = Box::new(Session { user: 4, ..Session::default() });
        calls! { miss: again.user() => 4; }
    }

    #[test]
    fn an_instance_id_in_an_argument_is_the_instance() {
        #[memoize]
        fn of(id: &InstanceId, n: u32) -> u32 {
            ran();
            n
        }
        let (one, other) = (InstanceId::new(), InstanceId::new());
        calls! {
            miss: of(&one, 1) => 1;
            hit: of(&one, 1) => 1;
            miss: of(&other, 1) => 1;
            miss: of(&one.clone(), 1) => 1;
        }
    }

    #[test]
    fn a_receiver_by_value_by_expression_or_not_at_all() {
        #[derive(Clone, PartialEq, Eq, Hash)]
        struct Text {
            words: Vec<String>,
        }
        impl Text {
            #[memoize(receiver = "value")]
            fn count(&self, word: &str) -> usize {
                ran();
                self.words.iter().filter(|other| *other == word).count()
            }
            #[memoize(receiver = self.words.len())]
            fn halves(&self) -> usize {
                ran();
                self.words.len() / 2
            }
            #[memoize(receiver = "skip")]
            fn twice(&self, n: u32) -> u32 {
                ran();
                2 * n
            }
        }
        let text = |words: &[&str]| Text { words: words.iter().map(|word| (*word).to_owned()).collect() };
        calls! {
            miss: text(&["a", "b"]).count("a") => 1;
            hit: text(&["a", "b"]).count("a") => 1;
            miss: text(&["a", "a"]).count("a") => 2;
            miss: text(&["a", "b"]).halves() => 1;
            hit: text(&["c", "d"]).halves() => 1;
            miss: text(&["a"]).halves() => 0;
            miss: text(&["a"]).twice(4) => 8;
            hit: text(&["b"]).twice(4) => 8;
        }
    }

    #[test]
    fn promise_13_instances_of_a_generic_type() {
        #[derive(Instance)]
        struct Cell<T> {
            #[instance]
            id: u8,
            value: T,
        }
        impl<T: Clone + Send + Sync + 'static> Cell<T> {
            #[memoize]
            fn get(&self) -> T {
                ran();
                self.value.clone()
            }
        }
        calls! {
            miss: Cell { id: 1, value: "a" }.get() => "a";
            miss: Cell { id: 1, value: 1_u8 }.get() => 1;
            hit: Cell { id: 1, value: "b" }.get() => "a";
            hit: Cell { id: 1, value: 2_u8 }.get() => 1;
            miss: Cell { id: 2, value: "b" }.get() => "b";
        }
    }
}

mod randomly {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Eq, Hash)]
    enum Mixed {
        Unit,
        Number(i8),
        Text(String),
        List(Vec<Mixed>),
    }

    #[derive(Debug, Clone)]
    struct Arguments {
        text: String,
        list: Vec<i8>,
        maybe: Option<String>,
        float: f64,
        floats: Vec<Option<f32>>,
        pair: (u8, char),
        mixed: Mixed,
        words: Vec<String>,
    }

    /// Each computation gives another number: so equal results are one entry.
    #[memoize(capacity = "unbounded")]
    #[allow(clippy::too_many_arguments)]
    fn entry(
        text: &str,
        list: &[i8],
        maybe: Option<&str>,
        float: f64,
        floats: &[Option<f32>],
        pair: (u8, char),
        mixed: &Mixed,
        words: &[&str],
    ) -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed)
    }

    fn entry_of(of: &Arguments) -> u64 {
        let Arguments { text, list, maybe, float, floats, pair, mixed, words } = of;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        entry(text, list, maybe.as_deref(), *float, floats, *pair, mixed, &words)
    }

    /// API §3: all NaNs are one, and the two zeros.
    fn same_float(a: f64, b: f64) -> bool {
        a == b || (a.is_nan() && b.is_nan())
    }

    fn equal(a: &Arguments, b: &Arguments) -> bool {
        let floats = a.floats.len() == b.floats.len()
            && a.floats.iter().zip(&b.floats).all(|pair| match pair {
                (Some(a), Some(b)) => same_float((*a).into(), (*b).into()),
                (None, None) => true,
                _ => false,
            });
        floats
            && same_float(a.float, b.float)
            && (&a.text, &a.list, &a.maybe, a.pair, &a.mixed, &a.words)
                == (&b.text, &b.list, &b.maybe, b.pair, &b.mixed, &b.words)
    }

    fn float() -> impl Strategy<Value = f64> {
        prop_oneof![
            Just(0.0),
            Just(-0.0),
            Just(f64::NAN),
            any::<u64>().prop_map(|bits| f64::from_bits(bits | 0x7ff0_0000_0000_0001)),
            Just(1.0),
            any::<f64>(),
        ]
    }

    fn mixed() -> impl Strategy<Value = Mixed> {
        let leaf = prop_oneof![
            Just(Mixed::Unit),
            (0..2_i8).prop_map(Mixed::Number),
            "[ab]{0,2}".prop_map(Mixed::Text)
        ];
        leaf.prop_recursive(2, 6, 2, |inner| prop::collection::vec(inner, 0..3).prop_map(Mixed::List))
    }

    fn arguments() -> impl Strategy<Value = Arguments> {
        (
            "[ab]{0,2}",
            prop::collection::vec(0..2_i8, 0..3),
            prop::option::of("[ab]{0,1}"),
            float(),
            prop::collection::vec(prop::option::of(float().prop_map(|float| float as f32)), 0..2),
            (0..2_u8, prop::char::range('a', 'b')),
            mixed(),
            prop::collection::vec("[ab]{0,2}", 0..3),
        )
            .prop_map(|(text, list, maybe, float, floats, pair, mixed, words)| Arguments {
                text,
                list,
                maybe,
                float,
                floats,
                pair,
                mixed,
                words,
            })
    }

    /// Takes one field from `other`, so that near misses are as frequent as equal ones.
    fn with_field_of(mut one: Arguments, other: &Arguments, field: usize) -> Arguments {
        let other = other.clone();
        match field {
            0 => one.text = other.text,
            1 => one.list = other.list,
            2 => one.maybe = other.maybe,
            3 => one.float = other.float,
            4 => one.floats = other.floats,
            5 => one.pair = other.pair,
            6 => one.mixed = other.mixed,
            _ => one.words = other.words,
        }
        one
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: memo_tests::size(1_000, 100_000) as u32,
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn promise_13_arguments_are_equal_if_and_only_if_they_are_one_entry(
            one in arguments(), other in arguments(), field in 0..8_usize,
        ) {
            let near = with_field_of(one.clone(), &other, field);
            for (a, b) in [(&one, &near), (&one, &other), (&near, &other), (&one, &one.clone())] {
                prop_assert_eq!(entry_of(a) == entry_of(b), equal(a, b), "{:?} and {:?}", a, b);
            }
        }
    }
}

mod hashing {
    use super::*;

    /// Tells what the hasher that it is given makes of it.
    #[derive(Clone, PartialEq, Eq)]
    struct Spy;

    static SEEN: AtomicU64 = AtomicU64::new(0);

    impl Hash for Spy {
        fn hash<H: Hasher>(&self, state: &mut H) {
            7_u64.hash(state);
            SEEN.store(state.finish(), Ordering::SeqCst);
        }
    }

    #[memoize]
    fn spied(spy: Spy) -> u8 {
        1
    }

    fn seen_here() -> u64 {
        spied(Spy);
        SEEN.load(Ordering::SeqCst)
    }

    /// Run by the test below in processes of its own.
    #[test]
    fn the_hash_of_a_key_here() {
        println!("hash {:x}", seen_here());
    }

    #[test]
    fn promise_11_the_hash_of_a_key_differs_between_processes() {
        let hash = || {
            let this = std::env::current_exe().unwrap();
            let name = "keys::hashing::the_hash_of_a_key_here";
            let output = std::process::Command::new(this).args(["--exact", name, "--nocapture"]).output();
            let output = String::from_utf8(output.unwrap().stdout).unwrap();
            let at = output.find("hash ").unwrap_or_else(|| panic!("no hash in {output:?}"));
            output[at..].lines().next().unwrap().to_owned()
        };
        let (first, second) = (hash(), hash());
        assert_ne!(first, second);
    }

    #[test]
    fn promise_11_the_hash_of_a_key_differs_between_functions() {
        #[derive(Clone, PartialEq, Eq)]
        struct Local;
        thread_local! {
            static HASH: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
        }
        impl Hash for Local {
            fn hash<H: Hasher>(&self, state: &mut H) {
                7_u64.hash(state);
                HASH.set(state.finish());
            }
        }
        #[memoize]
        fn one(key: Local) -> u8 {
            1
        }
        #[memoize]
        fn other(key: Local) -> u8 {
            1
        }
        one(Local);
        let first = HASH.get();
        other(Local);
        assert_ne!(first, HASH.get());
        one(Local);
        assert_eq!(first, HASH.get());
    }

    /// A pair that counts its comparisons.
    #[derive(Debug, Clone)]
    struct Crafted(u64, u64);

    static COMPARED: AtomicUsize = AtomicUsize::new(0);

    impl PartialEq for Crafted {
        fn eq(&self, other: &Self) -> bool {
            COMPARED.fetch_add(1, Ordering::Relaxed);
            (self.0, self.1) == (other.0, other.1)
        }
    }

    impl Eq for Crafted {}

    impl Hash for Crafted {
        fn hash<H: Hasher>(&self, state: &mut H) {
            self.0.hash(state);
            self.1.hash(state);
        }
    }

    /// Keys that an unseeded foldhash all sends to one bucket: it multiplies the first number, xored with its seed, by
    /// what depends on the second, and the seed is no secret.
    fn attack() -> Vec<Crafted> {
        let seed = 0x082e_fa98_ec4e_6c89;
        (0..2_000).map(|n| Crafted(seed, n)).collect()
    }

    #[test]
    fn promise_11_a_single_bucket_attack_does_not_degrade() {
        let unseeded = foldhash::fast::FixedState::default();
        let keys = attack();
        let bucket = unseeded.hash_one(&keys[0]);
        assert!(keys.iter().all(|key| unseeded.hash_one(key) == bucket), "these keys are no attack any more");

        // the control: a table without a seed compares each with each
        COMPARED.store(0, Ordering::Relaxed);
        let mut naive = HashMap::with_hasher(unseeded);
        for key in &keys {
            naive.insert(key.clone(), ());
        }
        let naive = COMPARED.load(Ordering::Relaxed);
        assert!(naive > keys.len() * keys.len() / 4, "{naive}");

        #[memoize]
        fn sum(key: &Crafted) -> u64 {
            ran();
            key.0.wrapping_add(key.1)
        }
        COMPARED.store(0, Ordering::Relaxed);
        for _ in 0..2 {
            keys.iter().for_each(|key| assert_eq!(sum(key), key.0.wrapping_add(key.1)));
        }
        let compared = COMPARED.load(Ordering::Relaxed);
        // one comparison for each hit, and one where a call looks a second time
        assert!(compared <= 4 * keys.len(), "{compared} comparisons");
        let (runs, _) = runs_in(|| keys.iter().map(sum).fold(0, u64::wrapping_add));
        assert_eq!(runs, 0);
    }
}

#[test]
fn an_argument_in_a_key_expression_is_borrowed_as_it_would_be_alone() {
    #[memoize(key = (items, scale))]
    fn total(items: &[(&str, u32)], scale: f64, _label: &str) -> f64 {
        f64::from(items.iter().map(|item| item.1).sum::<u32>()) * scale
    }
    assert_eq!(total(&[("a", 1), ("b", 2)], 2.0, "x"), 6.0);
    assert_eq!(total(&[("a", 1), ("b", 2)], 2.0, "y"), 6.0);
    assert_eq!(total(&[("a", 1), ("b", 3)], 2.0, "y"), 8.0);
    assert_eq!((total::stats().hits, total::stats().computes), (1, 2));
}
