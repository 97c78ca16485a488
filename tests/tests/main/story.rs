//! Real use, all of it together: a small shop with prices that are looked up, converted and summed, from threads and
//! tasks, while the stock changes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use memo::{Instance, memoize};
use memo_tests::watched;

type Cents = u64;

#[derive(Debug, Clone, PartialEq, Eq)]
enum ShopError {
    Unknown(String),
    Offline,
}

/// How often the outside was asked.
#[derive(Default)]
struct Outside {
    rates: AtomicUsize,
    pages: AtomicUsize,
}

static OUTSIDE: Outside = Outside { rates: AtomicUsize::new(0), pages: AtomicUsize::new(0) };

/// A rate is asked for once in a while; a failure is not remembered.
#[memoize(capacity = 100, ttl = "5m")]
async fn rate(from: &str, to: &str) -> Result<f64, ShopError> {
    let asked = OUTSIDE.rates.fetch_add(1, Ordering::Relaxed);
    tokio::task::yield_now().await;
    match (from, to) {
        _ if asked == 0 => Err(ShopError::Offline),
        (from, to) if from == to => Ok(1.0),
        ("EUR", "USD") => Ok(1.25),
        _ => Err(ShopError::Unknown(format!("{from}/{to}"))),
    }
}

#[derive(Instance)]
struct Shop {
    #[instance]
    name: &'static str,
    prices: RwLock<BTreeMap<String, Cents>>,
}

impl Shop {
    /// Whoever changes a price says so.
    fn set_price(&self, sku: &str, price: Cents) -> Result<(), memo::Error> {
        self.prices.write().unwrap().insert(sku.to_owned(), price);
        Shop::price_memo().invalidate((self, sku))
    }

    #[memoize]
    pub fn price(&self, sku: &str) -> Result<Cents, ShopError> {
        self.prices.read().unwrap().get(sku).copied().ok_or_else(|| ShopError::Unknown(sku.to_owned()))
    }

    /// Baskets with the same content cost the same, whoever carries them.
    #[memoize(skip(customer), ttl_of = |_| Some(Duration::from_secs(1)))]
    async fn total(&self, items: &[(&str, u32)], currency: &str, customer: &str) -> Result<Cents, ShopError> {
        let _ = customer;
        let mut total = 0;
        for (sku, count) in items {
            total += self.price(sku)? * Cents::from(*count);
        }
        Ok((total as f64 * rate("EUR", currency).await?).round() as Cents)
    }
}

/// A page is made of pages; all of them are worth keeping.
#[memoize(skip(shop), weigh = |_, page| page.len() as u32, max_weight = "1MiB")]
fn page(shop: &Shop, prefix: String) -> Arc<str> {
    OUTSIDE.pages.fetch_add(1, Ordering::Relaxed);
    let prices = shop.prices.read().unwrap();
    let lines = prices.iter().filter(|(sku, _)| sku.starts_with(&prefix));
    lines.map(|(sku, price)| format!("{sku} {price}\n")).collect::<String>().into()
}

#[test]
fn a_day_in_a_shop() {
    let shop = Arc::new(Shop { name: "corner", prices: RwLock::default() });
    watched(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        runtime.block_on(async {
            for (sku, price) in [("apple", 50), ("apricot", 70), ("pear", 60)] {
                shop.set_price(sku, price).unwrap();
            }
            // the bank is offline at first, and that is not remembered
            assert_eq!(rate("EUR", "USD").await, Err(ShopError::Offline));
            assert_eq!(rate("EUR", "USD").await, Ok(1.25));

            // a hundred customers with one basket
            let basket = [("apple", 2), ("pear", 1)];
            let customers = (0..100).map(|customer| {
                let shop = shop.clone();
                tokio::spawn(async move { shop.total(&basket, "USD", &customer.to_string()).await })
            });
            for total in customers.collect::<Vec<_>>() {
                assert_eq!(total.await.unwrap(), Ok(200));
            }
            assert_eq!(OUTSIDE.rates.load(Ordering::Relaxed), 2);
            assert_eq!(
                shop.total(&[("plum", 1)], "USD", "ann").await,
                Err(ShopError::Unknown("plum".to_owned()))
            );

            // a price changes: what was told is told anew, baskets are left to their second
            shop.set_price("apple", 55).unwrap();
            assert_eq!(shop.price("apple"), Ok(55));
            assert_eq!(Shop::price_memo().peek((&shop, "pear")), Some(Ok(60)));

            // another shop has other prices
            let other = Shop { name: "market", prices: RwLock::default() };
            other.set_price("apple", 30).unwrap();
            assert_eq!((shop.price("apple"), other.price("apple")), (Ok(55), Ok(30)));

            // pages are made once, on threads of their own
            let pages = (0..8).map(|_| {
                let shop = shop.clone();
                tokio::task::spawn_blocking(move || page(&shop, "ap".to_owned()))
            });
            for page in pages.collect::<Vec<_>>() {
                assert_eq!(&*page.await.unwrap(), "apple 55\napricot 70\n");
            }
            assert_eq!(OUTSIDE.pages.load(Ordering::Relaxed), 1);
            assert_eq!(&*page::refresh(&shop, "p".to_owned()), "pear 60\n");
        });
    });
    let report = memo::report().to_string();
    for name in ["story::rate", "story::Shop::price", "story::page"] {
        assert!(report.contains(name), "{report}");
    }
}
