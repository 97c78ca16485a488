//! Type, const and lifetime parameters, of the function and of the impl around it.
use std::borrow::Cow;
use std::fmt::Debug;
use std::hash::Hash;

use memo::memoize;

trait Key: Hash + Eq + Clone + Send + Sync + 'static {}
impl<T: Hash + Eq + Clone + Send + Sync + 'static> Key for T {}

#[memoize]
fn size<T>() -> usize {
    size_of::<T>()
}

#[memoize]
fn same<T: Key, const N: usize>(a: [T; N]) -> Vec<T>
where
    T: Debug,
{
    a.to_vec()
}

#[memoize]
fn lifetimes<'a, 'b: 'a, T: Key + 'a>(a: &'a [T], b: &'b str, c: Cow<'a, str>) -> usize
where
    'b: 'a,
    for<'c> &'c T: Debug,
{
    a.len() + b.len() + c.len()
}

#[memoize]
async fn lifetimes_waiting<'a, 'b: 'a, T: Key>(a: &'a [T], b: &'b str, c: &str) -> usize {
    a.len() + b.len() + c.len()
}

#[memoize]
fn mixed<T: Key>(a: T, b: &str) -> (T, String) {
    (a, b.to_owned())
}

struct Borrowed<'a, T, const N: usize> {
    id: &'a str,
    values: [T; N],
}

impl<'a, T: Key, const N: usize> memo::Instance for Borrowed<'a, T, N> {
    type Id = &'a str;
    fn instance(&self) -> &&'a str {
        &self.id
    }
}

impl<'a, T: Key, const N: usize> Borrowed<'a, T, N>
where
    T: Debug,
{
    #[memoize]
    fn first(&self, a: u64) -> Option<T> {
        self.values.get(a as usize).cloned()
    }

    #[memoize]
    fn other<'b, U: Key>(&'b self, other: &'b U, text: &str) -> (U, usize) {
        (other.clone(), self.id.len() + N + text.len())
    }

    #[memoize(receiver = self.id)]
    async fn waiting(&self, a: &str) -> Vec<T> {
        let _ = a;
        self.values.to_vec()
    }

    #[memoize(receiver = self.id)]
    async fn waiting_for<'b, U: Key>(&'b self, a: &'a U, b: &str) -> (U, usize) {
        (a.clone(), b.len())
    }

    #[memoize]
    fn associated() -> usize {
        size_of::<T>() * N
    }

    #[memoize]
    async fn associated_waiting(a: &'a str) -> usize {
        a.len() + size_of::<T>() * N
    }
}

#[derive(memo::Instance)]
struct Derived<'a, T: Key, const N: usize = 3>
where
    T: Debug,
{
    #[instance]
    id: T,
    text: &'a str,
}

impl<T: Key + Debug> Derived<'_, T> {
    #[memoize]
    fn length(&self) -> usize {
        self.text.len()
    }

    #[memoize]
    async fn length_waiting(&self) -> usize {
        self.text.len()
    }
}

fn main() {
    assert_eq!((size::<u8>(), size::<u64>()), (1, 8));
    assert_eq!(same([1, 2]), [1, 2]);
    assert_eq!(same(["a"]), ["a"]);
    assert_eq!(same::peek(["a"]), Some(vec!["a"]));
    assert_eq!(lifetimes(&[1], "a", "b".into()), 3);
    lifetimes::warm([(&[1_u8][..], "a", "b".into())]);
    assert_eq!(mixed(1, "a"), (1, "a".into()));

    let id = String::from("one");
    let one = Borrowed { id: &id, values: [1, 2] };
    let two = Borrowed { id: &id, values: [1_u8] };
    assert_eq!((one.first(0), two.first(0)), (Some(1), Some(1)));
    assert_eq!(one.other(&'a', "b"), ('a', 6));
    assert_eq!(Borrowed::first_memo().peek((&one, 0)), Some(Some(1)));
    assert_eq!(Borrowed::<i32, 2>::other_memo::<char>().peek((&one, &'a', "b")), Some(('a', 6)));
    assert_eq!(Borrowed::<u8, 3>::associated() + Borrowed::<u16, 3>::associated(), 9);

    let derived = Derived::<_> { id: 1, text: &id };
    assert_eq!(derived.length(), 3);

    tokio::runtime::Runtime::new().unwrap().block_on(async {
        assert_eq!(lifetimes_waiting(&[1], "a", "b").await, 3);
        assert_eq!(one.waiting("a").await, [1, 2]);
        assert_eq!(Borrowed::waiting_memo().peek((&one, "a")).await, Some(vec![1, 2]));
        assert_eq!(one.waiting_for(&1, "a").await, (1, 1));
        assert_eq!(Borrowed::<u8, 3>::associated_waiting(&id).await, 6);
        assert_eq!(derived.length_waiting().await, 3);
    });
}
