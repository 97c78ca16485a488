//! Drops wait until the thread has left the store that it is inside of.

use super::*;

#[test]
fn drops_wait_until_the_thread_is_out_and_survive_panics() {
    struct Tells(Arc<AtomicI64>, bool);
    impl Drop for Tells {
        fn drop(&mut self) {
            assert!(!is_closed());
            self.0.fetch_add(1, Relaxed);
            assert!(!self.1, "on purpose");
        }
    }
    let dropped = Arc::new(AtomicI64::new(0));
    let inside = inside::Inside::begin().expect("out");
    assert!(inside::Inside::begin().is_none());
    for panics in [false, true, false] {
        drop_retired(Tells(dropped.clone(), panics));
    }
    assert_eq!(dropped.load(Relaxed), 0);
    drop(inside);
    assert_eq!(dropped.load(Relaxed), 3);
    drop_retired(Tells(dropped.clone(), true));
    assert_eq!(dropped.load(Relaxed), 4);
    assert!(inside::Inside::begin().is_some());
}
