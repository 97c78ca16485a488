//! Functions that behave otherwise for a while: for one request, for one tenant, in a test.

use std::sync::atomic::{AtomicU64, Ordering};

use memo::{Scope, memoize, scope};

static SOURCE: AtomicU64 = AtomicU64::new(100);

/// A price as the source has it, asked for at most once per article and tenant.
#[memoize]
fn price(article: &str) -> u64 {
    SOURCE.load(Ordering::Relaxed) + article.len() as u64
}

/// What a request asks for.
async fn total(articles: [&'static str; 2]) -> u64 {
    articles.into_iter().map(price).sum()
}

#[tokio::main]
async fn main() {
    let articles = ["pen", "paper"];
    assert_eq!(total(articles).await, 208);
    SOURCE.store(200, Ordering::Relaxed);
    assert_eq!(total(articles).await, 208, "from the cache");

    // one request that wants it fresh, whichever threads it runs on
    let request = scope().refresh().run(total(articles));
    assert_eq!(tokio::spawn(request).await.expect("no panic"), 408);
    assert_eq!(total(articles).await, 408, "and all have it from then on");

    // a cache for each tenant
    SOURCE.store(300, Ordering::Relaxed);
    for tenant in ["north", "south"] {
        scope().namespace(tenant).run(total(articles)).await;
        let known = scope().namespace(tenant).with(|| price::peek("pen"));
        println!("{tenant}: {known:?}");
        assert_eq!(known, Some(303));
    }

    // as in a test: nothing is there before, and nothing after, and what was called is known
    let guard = scope().isolated().record().enter();
    let recording = guard.recording();
    let scope = Scope::current();
    let sum = std::thread::spawn(move || scope.with(|| price("ink") + price("ink")));
    assert_eq!(sum.join().expect("no panic"), 606);
    drop(guard);
    for call in recording.calls() {
        println!("{} {:?} in {:?}", call.function, call.answer, call.time);
    }
    assert_eq!((recording.computes("*::price"), recording.hits("*::price")), (1, 1));
    assert_eq!(price::peek("ink"), None);
}
