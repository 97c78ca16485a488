//! `limit`: no more computations in some time than was said.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use memo::{Limited, memoize};
use memo_tests::Task;

use crate::sparing::woken;
use crate::{MINUTE, advance, clock};

#[test]
fn who_comes_too_early_waits_for_its_turn() {
    #[memoize(limit = "2/10s")]
    async fn load(id: u64) -> u64 {
        id
    }
    let _clock = clock();
    assert_eq!((Task::new(load(1)).ready(), Task::new(load(2)).ready()), (1, 2));
    let (mut third, mut fourth) = (Task::started(load(3)), Task::started(load(4)));
    assert_eq!(Task::new(load(1)).ready(), 1, "hits are not limited");
    advance(Duration::from_millis(5100));
    woken(&third);
    fourth.pending();
    assert_eq!(third.ready(), 3);
    fourth.pending();
    advance(Duration::from_millis(5100));
    woken(&fourth);
    assert_eq!(fourth.ready(), 4);
    assert_eq!((load::stats().limited, load::stats().computes), (2, 4));
}

#[test]
fn a_burst_is_what_may_come_at_one_time() {
    #[derive(Debug, Clone, PartialEq)]
    struct Busy;
    impl From<Limited> for Busy {
        fn from(_: Limited) -> Self {
            Busy
        }
    }
    #[memoize(limit = "60/m burst 3", limit_wait = "none")]
    fn load(id: u64) -> Result<u64, Busy> {
        Ok(id)
    }
    let _clock = clock();
    for id in 0..3 {
        assert_eq!(load(id), Ok(id));
    }
    assert_eq!(load(3), Err(Busy));
    advance(Duration::from_secs(1));
    assert_eq!((load(3), load(4)), (Ok(3), Err(Busy)));
    assert_eq!(load::stats().limited, 2);
}

#[test]
fn who_has_a_stale_result_does_not_wait() {
    static NOW: AtomicU64 = AtomicU64::new(1);
    #[memoize(ttl = "5m", stale_if_error = "1d", limit = "1/h", at_once = 2)]
    fn load(id: u64) -> Result<u64, String> {
        Ok(id + 100 * NOW.load(SeqCst))
    }
    let _clock = clock();
    assert_eq!(load(1), Ok(101));
    NOW.store(2, SeqCst);
    advance(6 * MINUTE);
    assert_eq!(load(1), Ok(101));
    assert_eq!(load::stats().limited, 1);
    advance(60 * MINUTE);
    assert_eq!(load(1), Ok(201));
}
