//! How much of a thread's stack a memoized call takes: results that are large by value, and deep recursion.
//!
//! Each test runs on a thread of 2 MiB, which is what `std::thread` gives. An overflow ends the whole test program.

use memo::memoize;
use smol::block_on;

const KIB: usize = 1024;
const THREAD: usize = 2048 * KIB;

/// 64 KiB and 128 KiB.
type Large = [u64; 8 * KIB];
type Larger = [u64; 16 * KIB];

/// Runs `work` on a thread with so many bytes of stack.
fn on_stack<R: Send>(bytes: usize, work: impl FnOnce() -> R + Send) -> R {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(bytes);
        thread.spawn_scoped(scope, work).expect("a thread").join().expect("no panic")
    })
}

#[memoize]
fn large(n: u64) -> Large {
    [n; 8 * KIB]
}

#[memoize]
fn larger(n: u64) -> Larger {
    [n; 16 * KIB]
}

#[memoize]
fn fallible(n: u64) -> Result<Larger, String> {
    if n == 0 { Err("zero".to_owned()) } else { Ok([n; 16 * KIB]) }
}

#[memoize(capacity = 2, ttl = "1h")]
fn evicted(n: u64) -> Larger {
    [n; 16 * KIB]
}

#[memoize]
async fn slowly(n: u64) -> Large {
    [n; 8 * KIB]
}

#[test]
fn large_results_are_handed_out_on_a_thread_of_the_usual_size() {
    on_stack(THREAD, || {
        for _ in 0..3 {
            assert_eq!(large(1)[5], 1);
            assert_eq!(larger(1)[5], 1);
            assert_eq!(fallible(1).unwrap()[5], 1);
            assert!(fallible(0).is_err());
            assert_eq!(block_on(slowly(1))[5], 1);
        }
    });
    assert_eq!([large::stats().computes, larger::stats().computes, slowly::stats().computes], [1; 3]);
}

#[test]
fn large_results_leave_a_full_store_on_a_thread_of_the_usual_size() {
    on_stack(THREAD, || (0..100).for_each(|n| assert_eq!(evicted(n)[7], n)));
    assert_eq!(evicted::stats().entries, 2);
}

#[test]
fn large_results_are_controlled_on_a_thread_of_the_usual_size() {
    #[memoize]
    fn controlled(n: u64) -> Large {
        [n; 8 * KIB]
    }
    on_stack(THREAD, || {
        controlled::insert(1, [10; 8 * KIB]).unwrap();
        assert_eq!(controlled::peek(1).unwrap()[0], 10);
        assert_eq!(controlled::refresh(1)[0], 1);
        assert_eq!(controlled(1)[0], 1);
        controlled::invalidate(1).unwrap();
        assert_eq!(memo::scope().isolated().with(|| controlled(1))[0], 1);
        assert!(controlled::peek(1).is_none());
    });
}

#[test]
fn large_results_are_shared_with_those_who_wait_on_threads_of_the_usual_size() {
    #[memoize]
    fn shared(n: u64) -> Larger {
        // nobody else leads, so that the others wait or hit
        std::thread::sleep(std::time::Duration::from_millis(20));
        [n; 16 * KIB]
    }
    let call = || on_stack(THREAD, || assert_eq!(shared(3)[9], 3));
    std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(call))));
    assert_eq!(shared::stats().computes, 1);
}

#[test]
fn a_recursion_of_two_thousand_levels_fits_into_a_thread_of_the_usual_size() {
    #[memoize]
    fn depth(n: u64) -> u64 {
        if n == 0 { 0 } else { 1 + depth(n - 1) }
    }
    on_stack(THREAD, || assert_eq!(depth(2_000), 2_000));
}

#[test]
fn an_async_recursion_of_a_thousand_levels_fits_into_a_thread_of_the_usual_size() {
    #[memoize]
    async fn depth(n: u64) -> u64 {
        if n == 0 { 0 } else { 1 + Box::pin(depth(n - 1)).await }
    }
    on_stack(THREAD, || assert_eq!(block_on(depth(1_000)), 1_000));
}
