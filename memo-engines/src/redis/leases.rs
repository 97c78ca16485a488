//! Leases on the server: taking one, also when the answer is lost, and what is no lease but stands in its
//! place.

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

/// The pause between tries to give a lease back.
const AGAIN: Duration = Duration::from_millis(250);

/// Takes a lease. Returns its token, or `None` if another has it.
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

/// A request for a lease. If its answer is lost, the server may have given the lease, and nobody knows.
/// Then the lease is given back as soon as the server can be reached. Otherwise it would keep everybody
/// waiting until it ends.
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

/// Gives back a lease that may be held. Tries until the lease has ended.
async fn give_back(link: Link, name: String, token: [u8; 16], until: Instant) {
    let mut command = ::redis::cmd("EVAL");
    command.arg(&scripts::RELEASE.source).arg(1).arg(&name).arg(&token[..]);
    let mut absent = false;
    while Instant::now() < until {
        match link.send(&command, &name, "release a lease").await {
            Ok(Value::Int(0)) if !absent => {
                // the request, sent on a connection that is lost, may arrive after this
                absent = true;
            }
            Ok(_) => return,
            Err(_) => {}
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Checks that what stands in the place of a lease ends soon, as a lease of `ttl` does. Nobody gives back
/// what another client has put there, and a key that does not expire would keep all callers waiting.
async fn must_end(link: &Link, name: &str, ttl: Duration) -> Result<(), Failure> {
    let mut command = ::redis::cmd("PTTL");
    command.arg(name);
    let attempted = "lease a key";
    match link.send(&command, name, attempted).await? {
        // -2: it has ended
        Value::Int(left) if left == -1 || left > 2 * millis(ttl).cast_signed() => {
            let why = format!("`{name}` is no lease, for its time does not end soon; delete it");
            Err(Failure::kept(Error::new(ErrorKind::Other, attempted).of_this_call().caused_by(why)))
        }
        Value::Int(_) => Ok(()),
        _ => Err(Failure::nonsense(attempted)),
    }
}
