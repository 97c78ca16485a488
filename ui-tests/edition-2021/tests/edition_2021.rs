//! The attribute in a crate of edition 2021.

#![allow(unsafe_code)]

use memo_ui_tests_edition_2021::{joined, longest, raw, Table};

#[test]
fn functions() {
    assert_eq!(longest(&[1, 2], None), Some(2));
    assert_eq!(longest::peek(&[1, 2], None), Some(Some(2)));
    longest::warm([(&["a"][..], Some("b"))]);
    // SAFETY: nothing is needed.
    assert_eq!(unsafe { raw(1) }, 1);
    assert_eq!(raw::peek(1), Some(1));
}

#[test]
fn methods() {
    let text = String::from("text");
    let table = Table { id: 1, items: [&text, "b"] };
    assert_eq!(table.row(1, "-"), "1-b");
    assert_eq!(Table::<i32, 2>::row_memo().peek((&table, 1, "-")), Some("1-b".into()));
    assert_eq!(table.pair(&'a', &text), (1, 'a', 4));
    assert_eq!(Table::<i32, 2>::pair_memo::<char>().refresh((&table, &'a', &text)), (1, 'a', 4));
    assert_eq!(Table::<i32, 2>::width("a") + Table::<i32, 3>::width("a"), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits() {
    assert_eq!(joined(&[1], "a", "b").await, "[1]ab");
    assert_eq!(joined::peek(&[1], "a", "b").await, Some("[1]ab".into()));
    tokio::spawn(async {
        let text = String::from("text");
        let table = Table { id: 1, items: [&text] };
        assert_eq!(table.waiting(0, "-").await, "1-text");
        assert_eq!(table.waiting_pair(&'a', &text).await, (1, 'a', 4));
        let control = Table::<i32, 1>::waiting_memo();
        assert_eq!(control.peek((&table, 0, "-")).await, Some("1-text".into()));
        assert_eq!(control.refresh((&table, 0, "-")).await, "1-text");
    })
    .await
    .unwrap();
}
