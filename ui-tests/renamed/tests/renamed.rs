//! `crate = path` is all that a renamed `memo` takes.

use memo_ui_tests_renamed::{Session, Type, checked, double, half, waiting};

#[test]
fn functions() {
    assert_eq!((double(2), double(2), half(2)), (4, 4, 1));
    assert_eq!(double::stats().computes, 1);
    assert_eq!(checked(Some("a"), &[1.0]), Ok(Some(1)));
    assert_eq!(checked::peek(Some("a"), &[1.0]), Some(Ok(Some(1))));
    drop(waiting("a"));
}

#[test]
fn methods() {
    let one = Type::new(1);
    assert_eq!(one.plus(1), 2);
    assert_eq!(Type::plus_memo().peek((&one, 1)), Some(2));
    assert_eq!(Session::default().double(1), 2);
    drop(one.waiting("a"));
}
