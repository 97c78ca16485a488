//! What the author has called `Result`, `Some`, `std` or `memo` changes nothing.
#![allow(dead_code, non_camel_case_types, non_upper_case_globals)]

mod memo {}
mod std {}
mod core {}
struct Result;
struct Option;
struct String;
struct Vec;
struct Box;
struct Some;
struct None;
struct Ok;
struct Err;
struct Fn;
struct Send;
struct Future;
struct Duration;
struct Site;
struct Settings;
struct Outcome;
trait Clone {}
trait IntoIterator {}
const FUNCTION: () = ();
const key: () = ();
const outcome: () = ();
const missed: () = ();
const result: () = ();
const hooks: () = ();
const part0: () = ();

#[allow(unused_macros)]
macro_rules! module_path {
    () => {
        compile_error!("of the author's")
    };
}

#[::memo::memoize(ttl = "1m", weigh = |_, _| 1, max_weight = "1KiB", cache_if = |value| *value > 0)]
fn free(a: u64, b: &str) -> u64 {
    a + b.len() as u64
}

#[::memo::memoize(cache_err = "1s", cache_none = true)]
fn fallible(a: ::std::option::Option<&str>) -> ::std::result::Result<u64, ()> {
    a.map(|a| a.len() as u64).ok_or(())
}

#[::memo::memoize]
async fn waiting(a: &[&str]) -> ::std::string::String {
    a.concat()
}

#[derive(::memo::Instance)]
struct Type {
    #[instance]
    id: u64,
}

impl Type {
    #[::memo::memoize]
    fn method(&self, a: u64) -> u64 {
        self.id + a
    }

    #[::memo::memoize]
    async fn waiting(&self, a: u64) -> u64 {
        self.id + a
    }
}

fn main() {
    assert_eq!(free(1, "a"), 2);
    free::warm([(1, "b")]);
    assert!(fallible(::std::option::Option::None).is_err());
    assert!(fallible::peek(::std::option::Option::None).is_some());
    assert_eq!(Type { id: 1 }.method(2), 3);
    assert!(Type::method_memo().peek((&Type { id: 1 }, 2)).is_some());
    let _ = (waiting(&["a"]), Type { id: 1 }.waiting(2));
}
