//! A service that ends on Ctrl-C: what goes on behind its calls is finished first.

use std::time::Duration;

use memo::memoize;

/// Stands for a page that takes a while to make. It is served for an hour after its five minutes, and renewed behind the call.
#[memoize(ttl = "5m", stale = "1h")]
async fn page(id: u64) -> String {
    tokio::time::sleep(Duration::from_millis(50)).await;
    format!("page {id}")
}

/// What the service does. A real one goes on until it is told to end.
async fn serve() {
    for id in 0..3 {
        println!("{}", page(id).await);
        page::expire(id).await.expect("memory has it");
        println!("{} is served at once", page(id).await);
    }
}

#[tokio::main]
async fn main() {
    tokio::select! {
        () = serve() => {}
        result = tokio::signal::ctrl_c() => result.expect("the signal can be waited for"),
    }
    // it blocks its thread, so it has one where that is allowed
    let done = tokio::task::spawn_blocking(|| memo::shutdown(Duration::from_secs(5)));
    let done = done.await.expect("it does not panic");
    println!("{done}");
    assert!(done.is_complete());
}
