//! A proxy between a client and a server that misbehaves on order.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

/// What the proxy does with what comes through it.
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
    open: Mutex<Vec<TcpStream>>,
}

impl Shared {
    fn mood(&self) -> Mood {
        *self.mood.lock().unwrap()
    }

    fn open(&self) -> MutexGuard<'_, Vec<TcpStream>> {
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
        for stream in self.shared.open().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
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

fn pass(shared: &Arc<Shared>, client: TcpStream) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", shared.to.load(Ordering::Relaxed))) else { return };
    for stream in [&client, &server] {
        let _ = stream.set_nodelay(true);
        shared.open().push(stream.try_clone().unwrap());
    }
    let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let there = Arc::clone(shared);
    thread::spawn(move || pump(&there, from, to, false));
    let back = Arc::clone(shared);
    thread::spawn(move || pump(&back, server, client, true));
}

fn pump(shared: &Shared, mut from: TcpStream, mut to: TcpStream, replies: bool) {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(read) if read > 0 => read,
            _ => break,
        };
        let passed = match shared.mood() {
            Mood::Hanging => {
                while shared.mood() == Mood::Hanging && !shared.over.load(Ordering::Relaxed) {
                    thread::sleep(Duration::from_millis(2));
                }
                to.write_all(&buffer[..read])
            }
            Mood::Slow(time) if replies => {
                thread::sleep(time);
                to.write_all(&buffer[..read])
            }
            Mood::HalfOpen if replies => Ok(()),
            Mood::ResettingMidReply if replies => {
                let _ = to.write_all(&buffer[..read / 2]);
                break;
            }
            Mood::Garbage if replies => to.write_all(b"\0\xff?what?\r\n$-7\r\n*9999999999\r\n"),
            _ => to.write_all(&buffer[..read]),
        };
        if passed.is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
