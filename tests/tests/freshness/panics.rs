//! Panics of the user's `Clone` and `Drop` while a result is renewed: the result stays, and is renewed later.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use memo::memoize;
use memo_tests::{caught, throw};

use crate::{MINUTE, advance, clock, until};

const FINE: u64 = 0;
const CLONE_PANICS: u64 = 1;
const DROP_PANICS: u64 = 2;

#[test]
fn panics_with_an_argument_that_is_owned_leave_the_result() {
    static MOOD: AtomicU64 = AtomicU64::new(FINE);
    #[derive(Debug)]
    struct Client;
    impl Clone for Client {
        fn clone(&self) -> Self {
            if MOOD.load(SeqCst) == CLONE_PANICS {
                throw("clone");
            }
            Client
        }
    }
    impl Drop for Client {
        fn drop(&mut self) {
            if MOOD.load(SeqCst) == DROP_PANICS {
                throw("drop");
            }
        }
    }
    #[memoize(ttl = "5m", stale = "1h", skip(client))]
    fn price(client: &Client, id: u64) -> u64 {
        let _ = client;
        id
    }
    let _clock = clock();
    let client = Client;
    assert_eq!(price(&client, 1), 1);
    advance(6 * MINUTE);
    MOOD.store(CLONE_PANICS, SeqCst);
    assert_eq!(caught(|| price(&client, 1)), Err("clone"));
    assert_eq!(price(&client, 1), 1, "nobody tries again so soon");
    assert_eq!(price::stats().renewal_failed, 1);
    MOOD.store(DROP_PANICS, SeqCst);
    advance(Duration::from_secs(2));
    assert_eq!(price(&client, 1), 1);
    until(|| price::stats().renewal_failed == 2);
    MOOD.store(FINE, SeqCst);
    assert_eq!(price(&client, 1), 1);
    advance(Duration::from_secs(4));
    assert_eq!(price(&client, 1), 1);
    until(|| price::stats().renewed == 1);
    assert!(!price::peek_entry(1).expect("it is there").is_stale);
}

#[test]
fn panics_as_a_result_is_cloned_take_no_right_to_renew() {
    static PANICS: AtomicU64 = AtomicU64::new(0);
    #[derive(Debug, PartialEq)]
    struct Page(u64);
    impl Clone for Page {
        fn clone(&self) -> Self {
            if PANICS.load(SeqCst) == 1 {
                throw("clone");
            }
            Page(self.0)
        }
    }
    #[memoize(ttl = "5m", stale = "1h")]
    fn page(id: u64) -> Page {
        Page(id)
    }
    let _clock = clock();
    assert_eq!(page(1), Page(1));
    advance(6 * MINUTE);
    PANICS.store(1, SeqCst);
    assert_eq!(caught(|| page(1)), Err("clone"));
    PANICS.store(0, SeqCst);
    assert_eq!(page(1), Page(1));
    until(|| page::stats().renewed == 1);
}
