//! Asynchronous functions: on tokio, on a spawner, and where neither can take their renewals.

use std::cell::Cell;
use std::rc::Rc;

use memo::memoize;
use memo_tests::{ran, runs_in};

use crate::{MINUTE, advance, clock};

#[cfg(feature = "tokio")]
use crate::until;

fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(future)
}

#[cfg(feature = "tokio")]
#[test]
fn a_renewal_is_a_task_of_the_callers_runtime() {
    #[memoize(ttl = "5m", stale = "1h")]
    async fn page(name: &str, id: u64) -> Result<String, String> {
        tokio::task::yield_now().await;
        Ok(format!("{name} {id} {:?}", std::thread::current().id()))
    }
    let _clock = clock();
    block_on(async {
        let here = format!("a 1 {:?}", std::thread::current().id());
        assert_eq!(page("a", 1).await, Ok(here.clone()));
        advance(6 * MINUTE);
        assert_eq!(page("a", 1).await, Ok(here.clone()));
        assert_eq!(page::stats().renewed, 0, "this thread had no time for it");
        while page::stats().renewed == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(page("a", 1).await, Ok(here), "it ran on this thread");
    });
    assert_eq!((page::stats().computes, page::stats().misses), (2, 1));
}

#[cfg(feature = "tokio")]
#[test]
fn without_a_runtime_a_thread_of_ours_renews() {
    #[memoize(ttl = "5m", stale = "1h")]
    async fn page(id: u64) -> u64 {
        ran();
        id
    }
    let _clock = clock();
    let call = || runs_in(|| smol::block_on(page(1)));
    assert_eq!(call(), (1, 1));
    advance(6 * MINUTE);
    assert_eq!(call(), (0, 1));
    until(|| page::stats().renewed == 1);
    assert_eq!(call(), (0, 1));
}

#[test]
fn a_body_that_stays_on_its_thread_is_computed_in_the_call() {
    #[memoize(ttl = "5m", stale = "1h")]
    async fn page(id: u64) -> u64 {
        ran();
        let count = Rc::new(Cell::new(id));
        std::future::ready(()).await;
        count.set(count.get() + 1);
        count.get()
    }
    let _clock = clock();
    let call = || runs_in(|| block_on(page(1)));
    assert_eq!(call(), (1, 2));
    advance(6 * MINUTE);
    assert_eq!(call(), (1, 2));
    assert_eq!(call(), (0, 2));
    assert_eq!(page::stats().renewed, 1);
}

#[test]
fn an_asynchronous_function_that_calls_itself_is_renewed() {
    #[memoize(ttl = "5m", stale = "1h")]
    async fn fib(n: u64) -> u64 {
        ran();
        if n < 2 { n } else { Box::pin(fib(n - 1)).await + Box::pin(fib(n - 2)).await }
    }
    let _clock = clock();
    assert_eq!(block_on(fib(20)), 6765);
    advance(6 * MINUTE);
    assert_eq!(block_on(fib(20)), 6765);
    assert_eq!(block_on(fib(20)), 6765);
}

#[test]
fn an_asynchronous_function_with_arguments_that_cannot_be_owned() {
    #[memoize(ttl = "5m", stale = "1h", skip(log))]
    async fn changed(log: &mut Vec<u64>, id: u64) -> u64 {
        ran();
        log.push(id);
        id
    }
    #[memoize(ttl = "5m", stale = "1h", skip(what), companion = false)]
    async fn any<T>(what: &T, id: u64) -> u64 {
        ran();
        let _ = size_of_val(what);
        id
    }
    let _clock = clock();
    let mut log = Vec::new();
    let local = 5;
    let mut call = || runs_in(|| block_on(async { (changed(&mut log, 1).await, any(&local, 1).await) }));
    assert_eq!(call(), (2, (1, 1)));
    advance(6 * MINUTE);
    assert_eq!(call(), (2, (1, 1)));
    assert_eq!(call(), (0, (1, 1)));
}

#[test]
fn asynchronous_methods_are_renewed_in_the_call() {
    struct Shop(u64);
    impl Shop {
        #[memoize(ttl = "5m", stale = "1h", receiver = self.0)]
        async fn price(&self, id: u64) -> u64 {
            ran();
            self.0 + id
        }
        #[memoize(ttl = "5m", stale = "1h")]
        async fn of(id: u64) -> u64 {
            ran();
            id
        }
    }
    let _clock = clock();
    let shop = Shop(1);
    let call = || runs_in(|| block_on(async { (shop.price(1).await, Shop::of(2).await) }));
    assert_eq!(call(), (2, (2, 2)));
    advance(6 * MINUTE);
    assert_eq!(call(), (2, (2, 2)));
    assert_eq!(call(), (0, (2, 2)));
}
