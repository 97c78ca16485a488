//! The service: it answers `GET /price/{item}`, and `GET /counts` with what it has counted.

use std::net::SocketAddr;
use std::ops::{Add, Sub};
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use memo::memoize;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use crate::Result;
use crate::load::Client;
use crate::processes::Service;

/// How many items there are. Memory holds a part of them, Redis all.
pub(crate) const ITEMS: u64 = 4000;

/// What the database would say.
pub(crate) fn right_price(item: u64) -> u64 {
    100 + item * item % 9973
}

/// Asks the database, which takes a while. Of all services, one asks for an item; the others wait for what it finds.
#[memoize(engine = ["memory", "redis"], single_flight = "fleet", ttl = "10m", capacity = 500)]
async fn price(item: u64) -> Result<u64, StatusCode> {
    if item >= ITEMS {
        return Err(StatusCode::NOT_FOUND);
    }
    tokio::time::sleep(Duration::from_millis(5)).await;
    Ok(right_price(item))
}

async fn show_price(Path(item): Path<u64>) -> Result<String, StatusCode> {
    price(item).await.map(|price| price.to_string())
}

/// What services have counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) computes: u64,
    pub(crate) memory_hits: u64,
    pub(crate) redis_hits: u64,
}

async fn show_counts() -> String {
    let stats = price::stats();
    let redis_hits: u64 = stats.tiers.iter().map(|tier| tier.hits).sum();
    format!("{} {} {redis_hits}", stats.computes, stats.hits - redis_hits)
}

impl Counts {
    fn read(shown: &str) -> Result<Self> {
        let numbers = shown.split(' ').map(str::parse).collect::<Result<Vec<u64>, _>>()?;
        match numbers[..] {
            [computes, memory_hits, redis_hits] => Ok(Self { computes, memory_hits, redis_hits }),
            _ => Err(format!("these are no counts: {shown:?}").into()),
        }
    }

    fn each(self, other: Self, of: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            computes: of(self.computes, other.computes),
            memory_hits: of(self.memory_hits, other.memory_hits),
            redis_hits: of(self.redis_hits, other.redis_hits),
        }
    }
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        self.each(other, u64::add)
    }
}

impl Sub for Counts {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self.each(other, u64::sub)
    }
}

/// What all of them have counted until now.
pub(crate) async fn counts(services: &[Service]) -> Result<Counts> {
    let mut all = Counts::default();
    for service in services {
        let (status, shown) = Client::connect(service.address).await?.get("/counts").await?;
        if status != 200 {
            return Err(format!("a service answers {status}").into());
        }
        all = all + Counts::read(&shown)?;
    }
    Ok(all)
}

/// Serves at a free port, which it prints, until its standard input ends.
pub(crate) async fn serve() -> Result<()> {
    let service = Router::new().route("/price/{item}", get(show_price)).route("/counts", get(show_counts));
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    println!("{}", listener.local_addr()?);
    let over = async {
        let _ = tokio::io::stdin().read_to_end(&mut Vec::new()).await;
    };
    tokio::select! {
        served = axum::serve(listener, service).into_future() => Ok(served?),
        () = over => Ok(()),
    }
}
