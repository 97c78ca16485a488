//! A proxy between a client and a server, which misbehaves on demand.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::thread;
use std::time::Duration;

use socket2::SockRef;

/// How the proxy behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It passes it on.
    Well,
    /// It closes each connection as it comes.
    Refusing,
    /// It takes connections and passes nothing on, in either direction.
    Hanging,
    /// It passes replies on after this long.
    Slow(Duration),
    /// It swallows replies.
    HalfOpen,
    /// It passes replies on, one byte after the other.
    Trickling,
    /// It passes on half of what comes back, and closes.
    ClosingMidReply,
    /// It passes on half of what comes back, and resets.
    ResettingMidReply,
    /// It puts nonsense in place of replies.
    Garbage,
}

#[derive(Debug)]
pub(crate) struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    mood: Mutex<Mood>,
    to: AtomicU16,
    over: AtomicBool,
    connections: AtomicU64,
    open: Mutex<Vec<Weak<Pair>>>,
}

impl Shared {
    fn mood(&self) -> Mood {
        *self.mood.lock().unwrap()
    }

    fn open(&self) -> MutexGuard<'_, Vec<Weak<Pair>>> {
        self.open.lock().unwrap()
    }
}

impl Proxy {
    /// A proxy to a port of this machine.
    pub(crate) fn to(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let shared = Arc::new(Shared {
            mood: Mutex::new(Mood::Well),
            to: AtomicU16::new(port),
            over: AtomicBool::new(false),
            connections: AtomicU64::new(0),
            open: Mutex::default(),
        });
        let port = listener.local_addr().unwrap().port();
        let listening = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if listening.over.load(Ordering::Relaxed) {
                    return;
                }
                listening.connections.fetch_add(1, Ordering::Relaxed);
                if listening.mood() != Mood::Refusing {
                    pass(&listening, stream);
                }
            }
        });
        Self { port, shared }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// From now on it behaves like this, to open connections too.
    pub(crate) fn set(&self, mood: Mood) {
        *self.shared.mood.lock().unwrap() = mood;
        if mood == Mood::Refusing {
            self.cut();
        }
    }

    /// Closes all connections.
    pub(crate) fn cut(&self) {
        self.shared.open().drain(..).filter_map(|pair| pair.upgrade()).for_each(|pair| pair.end());
    }

    /// How many connections were made.
    pub(crate) fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        self.cut();
        // so that the listener looks
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// A client's connection, and that to the server.
#[derive(Debug)]
struct Pair {
    client: TcpStream,
    server: TcpStream,
    resets: AtomicBool,
}

impl Pair {
    fn end(&self) {
        let goodbye = if self.resets.load(Ordering::Relaxed) { Shutdown::Read } else { Shutdown::Both };
        let _ = self.client.shutdown(goodbye);
        let _ = self.server.shutdown(Shutdown::Both);
    }

    /// Ends the connection without telling the client: it is reset when both directions are over.
    fn reset(&self) {
        let _ = SockRef::from(&self.client).set_linger(Some(Duration::ZERO));
        self.resets.store(true, Ordering::Relaxed);
        self.end();
    }
}

fn pass(shared: &Arc<Shared>, client: TcpStream) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", shared.to.load(Ordering::Relaxed))) else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let pair = Arc::new(Pair { client, server, resets: AtomicBool::new(false) });
    shared.open().push(Arc::downgrade(&pair));
    for replies in [false, true] {
        let (shared, pair) = (Arc::clone(shared), Arc::clone(&pair));
        thread::spawn(move || {
            pump(&shared, &pair, replies);
            pair.end();
        });
    }
}

fn pump(shared: &Shared, pair: &Pair, replies: bool) {
    let (mut from, mut to) =
        if replies { (&pair.server, &pair.client) } else { (&pair.client, &pair.server) };
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(read) if read > 0 => &buffer[..read],
            _ => return,
        };
        let passed = match shared.mood() {
            Mood::Hanging => {
                while shared.mood() == Mood::Hanging && !shared.over.load(Ordering::Relaxed) {
                    thread::sleep(Duration::from_millis(2));
                }
                to.write_all(read)
            }
            Mood::Slow(time) if replies => {
                thread::sleep(time);
                to.write_all(read)
            }
            Mood::Trickling if replies => read.iter().try_for_each(|byte| {
                if shared.mood() == Mood::Trickling && !shared.over.load(Ordering::Relaxed) {
                    thread::sleep(Duration::from_millis(2));
                }
                to.write_all(&[*byte])
            }),
            Mood::HalfOpen if replies => Ok(()),
            mood @ (Mood::ClosingMidReply | Mood::ResettingMidReply) if replies => {
                let _ = to.write_all(&read[..read.len() / 2]);
                if mood == Mood::ResettingMidReply {
                    pair.reset();
                }
                return;
            }
            Mood::Garbage if replies => to.write_all(b"\0\xff?what?\r\n$-7\r\n*9999999999\r\n"),
            _ => to.write_all(read),
        };
        if passed.is_err() {
            return;
        }
    }
}
