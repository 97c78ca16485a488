//! Who asks: tasks that request prices from the services, over connections that stay open, and check what they get.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::Result;
use crate::service::{ITEMS, right_price};

/// Connections to each service, and how often one is asked.
const CONNECTIONS: u64 = 16;
const EVERY: Duration = Duration::from_millis(40);
/// After this a request has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// An HTTP connection.
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// The status and the body of the answer.
    pub(crate) async fn get(&mut self, path: &str) -> Result<(u16, String)> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: fleet\r\n\r\n");
        self.stream.write_all(request.as_bytes()).await?;
        let first = self.line().await?;
        let status = first.split(' ').nth(1).ok_or("an answer without a status")?.parse()?;
        let mut length = 0;
        loop {
            let line = self.line().await?;
            match line.split_once(": ") {
                None => break,
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.parse()?
                }
                Some(_) => {}
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        Ok((status, String::from_utf8(body)?))
    }

    async fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        match self.stream.read_line(&mut line).await? {
            0 => Err("the connection was closed".into()),
            _ => Ok(line.trim_end().to_owned()),
        }
    }
}

/// What those who ask have seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) latencies: Vec<Duration>,
    pub(crate) errors: u64,
    pub(crate) wrong: u64,
}

/// Asks until it is dropped.
pub(crate) struct Load {
    seen: Arc<Mutex<Seen>>,
    _tasks: JoinSet<()>,
}

impl Load {
    pub(crate) fn on(services: impl Iterator<Item = SocketAddr>) -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let mut tasks = JoinSet::new();
        for (place, address) in services.enumerate() {
            for connection in 0..CONNECTIONS {
                let seed = place as u64 * CONNECTIONS + connection;
                tasks.spawn(ask(address, Items(seed), Arc::clone(&seen)));
            }
        }
        Self { seen, _tasks: tasks }
    }

    /// What was seen since this was last asked.
    pub(crate) fn take(&self) -> Seen {
        std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Items as customers want them: some much more than others.
struct Items(u64);

impl Iterator for Items {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        // SplitMix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let part = ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1u64 << 53) as f64;
        Some((part.powi(3) * ITEMS as f64) as u64)
    }
}

async fn ask(address: SocketAddr, items: Items, seen: Arc<Mutex<Seen>>) {
    let mut client = None;
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for item in items {
        ticks.tick().await;
        let begun = Instant::now();
        let answer = timeout(PATIENCE, get_price(&mut client, address, item)).await;
        let latency = begun.elapsed();
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.latencies.push(latency);
        match answer {
            Ok(Ok((200, price))) => seen.wrong += u64::from(price != right_price(item).to_string()),
            _ => {
                seen.errors += 1;
                client = None;
            }
        }
    }
}

async fn get_price(client: &mut Option<Client>, address: SocketAddr, item: u64) -> Result<(u16, String)> {
    let client = match client {
        Some(client) => client,
        none => none.insert(Client::connect(address).await?),
    };
    client.get(&format!("/price/{item}")).await
}
