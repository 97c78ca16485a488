//! Every option, in forms that are expressions.
use std::time::Duration;

use memo::memoize;

const MINUTE: Duration = Duration::from_secs(60);
const ENTRIES: usize = 10;

fn capacity() -> u16 {
    10
}

fn weight(key: &u64, value: &u64) -> u32 {
    (*key + *value) as u32
}

#[memoize(ttl = MINUTE, tti = MINUTE * 2, capacity = ENTRIES)]
fn constants(a: u64) -> u64 {
    a
}

#[memoize(ttl = { let minute = 60; Duration::from_secs(minute) }, capacity = capacity() + 1)]
fn expressions(a: u64) -> u64 {
    a
}

#[memoize(weigh = weight, max_weight = ENTRIES * 10, cache_if = is_even, ttl_of = lifetime)]
fn paths(a: u64) -> u64 {
    a
}

fn is_even(value: &u64) -> bool {
    *value % 2 == 0
}

fn lifetime(_: &u64) -> Option<Duration> {
    None
}

#[memoize(capacity = "unbounded", ttl_of = |value: &u64| (*value > 1).then_some(MINUTE), cache_if = |v| *v > 0)]
fn closures(a: u64) -> u64 {
    a
}

#[memoize(weigh = |key: &(String, u64), value| key.0.len() as u32 + value.len() as u32, max_weight = "64MiB")]
fn weighed(a: &str, b: u64) -> String {
    a.repeat(b as usize)
}

#[memoize(engine = ["memory"], single_flight = "process", on_error = "one")]
fn other(a: u64) -> u64 {
    a
}

struct Type;

impl Type {
    const TTL: Duration = MINUTE;
    const CAPACITY: u64 = 10;

    fn weigh(_: &(), value: &u64) -> u32 {
        *value as u32
    }

    #[memoize(receiver = "skip", ttl = Self::TTL, weigh = Self::weigh, max_weight = Self::CAPACITY)]
    fn method(&self) -> u64 {
        1
    }
}

#[memoize(ttl = T::TTL, cache_if = T::stores)]
fn of_a_parameter<T: Settings>(a: u64) -> u64 {
    a
}

trait Settings: 'static {
    const TTL: Duration;
    fn stores(value: &u64) -> bool;
}

impl Settings for Type {
    const TTL: Duration = MINUTE;
    fn stores(value: &u64) -> bool {
        *value > 0
    }
}

macro_rules! with_options {
    ($name:ident, $ttl:expr, $capacity:literal, $key:expr, $condition:expr) => {
        #[memoize(ttl = $ttl, capacity = $capacity, key = $key, cache_if = $condition)]
        fn $name() -> u64 {
            1
        }
    };
}
with_options!(from_a_macro, MINUTE, 10, (1, "a"), |value| *value > 0);

fn main() {
    assert_eq!(constants(1) + expressions(1) + paths(1) + closures(1) + other(1), 5);
    assert_eq!(weighed("a", 2), "aa");
    assert_eq!(Type.method() + of_a_parameter::<Type>(1) + from_a_macro(), 3);
}
