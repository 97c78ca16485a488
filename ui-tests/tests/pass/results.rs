//! Results of every form, also behind an alias.
use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use memo::memoize;

type Alias<T> = Result<T, NotClone>;
type Text = &'static str;

#[derive(Debug)]
struct NotClone;

#[memoize]
fn aliased(a: u64) -> Alias<u64> {
    if a == 0 { Err(NotClone) } else { Ok(a) }
}

#[memoize]
fn of_io(a: u64) -> io::Result<Arc<str>> {
    if a == 0 { Err(io::ErrorKind::NotFound.into()) } else { Ok("a".into()) }
}

#[memoize(cache_none = false)]
fn optional(a: u64) -> Option<u64> {
    a.checked_sub(1)
}

#[memoize(cache_none = false)]
fn optional_in_result(a: u64) -> Result<Option<u64>, NotClone> {
    Ok(a.checked_sub(1))
}

#[memoize(cache_err = true, cache_none = false, cache_if = |_| true)]
fn errors_too(a: u64) -> Result<Option<u64>, String> {
    if a == 0 { Err("zero".into()) } else { Ok(a.checked_sub(2)) }
}

#[memoize]
fn text(a: u64) -> Text {
    if a == 0 { "zero" } else { "more" }
}

#[memoize]
fn reference(a: u64) -> &'static [u64] {
    if a == 0 { &[] } else { &[1] }
}

#[memoize]
fn cow(a: &str) -> Cow<'static, str> {
    a.to_owned().into()
}

#[memoize]
fn pointer(a: u64) -> fn(u64) -> u64 {
    if a == 0 { |_| 0 } else { |a| a }
}

#[memoize]
fn dynamic(a: u64) -> Arc<dyn Fn(u64) -> u64 + Send + Sync> {
    Arc::new(move |b| a + b)
}

#[memoize]
fn nothing_or_error(a: u64) -> Result<(), NotClone> {
    if a == 0 { Err(NotClone) } else { Ok(()) }
}

fn main() {
    assert!(aliased(0).is_err() && aliased(1).is_ok() && aliased::peek(0).is_none());
    assert!(of_io(0).is_err() && of_io(1).is_ok());
    assert_eq!((optional(0), optional::peek(0), optional(1)), (None, None, Some(0)));
    assert!(optional_in_result(0).unwrap().is_none() && optional_in_result::peek(0).is_none());
    assert!(errors_too(0).is_err() && errors_too::peek(0).is_some());
    assert!(errors_too(1).unwrap().is_none() && errors_too::peek(1).is_none());
    assert_eq!((text(0), reference(1), cow("a")), ("zero", &[1][..], "a".into()));
    assert_eq!((pointer(1)(2), dynamic(1)(2)), (2, 3));
    assert!(nothing_or_error(1).is_ok());
}
