//! An `async fn` is memoized as any other. Tasks that want the same result at once share one computation.

use std::time::{Duration, Instant};

use memo::memoize;

/// Stands for a question to somebody far away.
#[memoize(ttl = "5m")]
async fn population(city: &str) -> u64 {
    tokio::time::sleep(Duration::from_millis(100)).await;
    city.len() as u64 * 100_000
}

#[tokio::main]
async fn main() {
    let start = Instant::now();
    let tasks: Vec<_> = (0..1000).map(|_| tokio::spawn(population("Lisbon"))).collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), 600_000);
    }
    println!("1000 tasks had their answer in {:?}", start.elapsed());

    let start = Instant::now();
    population("Lisbon").await;
    println!("one more after {:?}", start.elapsed());

    assert_eq!(population::stats().computes, 1, "one computation for all");
}
