//! Leases whose answer was lost, and what stands in the place of a lease and is none.

use std::time::{Duration, Instant};

use ::redis::Value;

use super::background;
use super::failure::Failure;
use super::link::Link;
use super::names::Place;
use super::scripts;
use crate::clock::millis;
use crate::error::{Error, ErrorKind};
use crate::random::token;

/// How long after a try to give a lease back comes the next.
const AGAIN: Duration = Duration::from_millis(250);

/// Takes a lease; gives its token unless another holds it.
pub(super) async fn take(link: &Link, place: &Place, ttl: Duration) -> Result<Option<[u8; 16]>, Failure> {
    let attempted = "lease a key";
    let (name, token) = (place.lease(), token());
    let mut command = ::redis::cmd("SET");
    command.arg(&name).arg(&token[..]).arg("NX").arg("PX").arg(millis(ttl).max(1));
    let attempt = Attempt::new(link, &name, token, ttl);
    let reply = link.send(&command, &place.generation, attempted).await?;
    attempt.end();
    match reply {
        Value::Okay => Ok(Some(token)),
        Value::Nil => must_end(link, &name, ttl).await.map(|()| None),
        _ => Err(Failure::nonsense(attempted)),
    }
}

/// A lease that is asked for. Without an answer the server may have given it, and nobody knows: then it is given back as
/// soon as the server can be reached, for otherwise it would keep everybody until its time is over.
struct Attempt<'a> {
    link: &'a Link,
    name: &'a str,
    token: [u8; 16],
    ttl: Duration,
    is_open: bool,
}

impl<'a> Attempt<'a> {
    fn new(link: &'a Link, name: &'a str, token: [u8; 16], ttl: Duration) -> Self {
        Self { link, name, token, ttl, is_open: true }
    }

    fn end(mut self) {
        self.is_open = false;
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if self.is_open
            && let Ok(background) = background::handle()
        {
            let until = Instant::now() + self.ttl;
            background.spawn(give_back(self.link.clone(), self.name.to_owned(), self.token, until));
        }
    }
}

/// Gives a lease back that may be held, by then at the latest.
async fn give_back(link: Link, name: String, token: [u8; 16], until: Instant) {
    let mut command = ::redis::cmd("EVAL");
    command.arg(&scripts::RELEASE.source).arg(1).arg(&name).arg(&token[..]);
    let mut absent = false;
    while Instant::now() < until {
        match link.send(&command, &name, "release a lease").await {
            Ok(Value::Int(0)) if !absent => {
                // what was sent by a connection that is lost may arrive behind this
                absent = true;
            }
            Ok(_) => return,
            Err(_) => {}
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Makes sure that what stands under the name of a lease is over some time, as a lease of `ttl` is. Nobody gives back what
/// another client has put there, and a key without an end would keep all who wait for it.
async fn must_end(link: &Link, name: &str, ttl: Duration) -> Result<(), Failure> {
    let mut command = ::redis::cmd("PTTL");
    command.arg(name);
    let attempted = "lease a key";
    match link.send(&command, name, attempted).await? {
        // -2: it is over
        Value::Int(left) if left == -1 || left > 2 * millis(ttl).cast_signed() => {
            let why = format!("`{name}` is no lease, for its time does not end soon; delete it");
            Err(Failure::kept(Error::new(ErrorKind::Other, attempted).of_this_call().caused_by(why)))
        }
        Value::Int(_) => Ok(()),
        _ => Err(Failure::nonsense(attempted)),
    }
}
