//! `memo`: the attribute, and nothing by hand.

use std::hash::Hash;
use std::marker::PhantomData;

use memo::memoize;

use crate::contender::{Contender, Recursive};
use crate::entrants::Entrants;
use crate::work::{self, fly};

#[memoize(capacity = 10_000)]
fn step(x: u64) -> u64 {
    work::step(x)
}

#[memoize(capacity = 10_000)]
fn score(name: &str, page: u32) -> u64 {
    work::score(name, page)
}

#[memoize(capacity = 10_000)]
fn render(name: &str) -> String {
    work::render(name)
}

#[memoize(capacity = 10_000, ttl = "5m")]
fn expiring(x: u64) -> u64 {
    work::step(x)
}

#[memoize(capacity = 10_000, ttl = "5m", stale = "1h")]
fn stale(x: u64) -> u64 {
    work::step(x)
}

#[memoize(capacity = 10_000)]
async fn awaited(x: u64) -> u64 {
    work::step(x)
}

#[memoize(capacity = 10_000)]
fn missing(x: u64) -> u64 {
    work::step(x)
}

#[memoize(capacity = 10_000, single_flight = false)]
fn missing_without_flight(x: u64) -> u64 {
    work::step(x)
}

#[memoize(capacity = 10_000)]
async fn missing_awaited(x: u64) -> u64 {
    work::step(x)
}

#[memoize(engine = "thread", capacity = 10_000)]
fn by_thread(x: u64) -> u64 {
    work::step(x)
}

#[memoize(capacity = 10_000)]
fn flight(x: u64) -> u64 {
    fly(x)
}

#[memoize(capacity = 10_000)]
fn fib(n: u64) -> u64 {
    if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
}

/// What the generic contenders are generic over.
trait Number: Copy + Hash + Eq + Send + Sync + 'static {
    fn step(self) -> u64;
}

impl Number for u64 {
    fn step(self) -> u64 {
        work::step(self)
    }
}

impl Number for u32 {
    fn step(self) -> u64 {
        work::step(self.into())
    }
}

#[memoize(capacity = 10_000)]
fn generic<N: Number>(x: N) -> u64 {
    x.step()
}

struct Steps<N>(PhantomData<N>);

impl<N: Number> Steps<N> {
    #[memoize(capacity = 10_000, receiver = "skip")]
    fn method(&self, x: N) -> u64 {
        x.step()
    }

    #[memoize(capacity = 10_000)]
    fn associated(x: N) -> u64 {
        x.step()
    }
}

pub(crate) fn enter(all: &mut Entrants) {
    all.number("memo", step);
    all.pairs.push(Contender::new("memo", |(s, n)| score(s, n)));
    all.texts.push(Contender::new("memo", render));
    all.ttl.push(Contender::new("memo", step));
    all.ttl.push(Contender::new("memo ttl", expiring).against("memo"));
    all.ttl.push(Contender::new("memo stale", stale).against("memo ttl"));
    all.awaited.push(Contender::new("memo sync", step));
    all.awaited.push(Contender::on_tokio("memo", awaited).against("memo sync"));

    // a second instantiation of each, so that none can pass for a plain function
    let others = generic(7u32) + Steps(PhantomData).method(7u32) + Steps::associated(7u32);
    assert_eq!(others, 3 * work::step(7));
    all.generic.push(Contender::new("memo free", step));
    all.generic.push(Contender::new("memo generic function", generic::<u64>).against("memo free"));
    let steps = Steps(PhantomData);
    all.generic.push(Contender::new("memo generic method", move |x| steps.method(x)).against("memo free"));
    all.generic
        .push(Contender::new("memo generic associated", Steps::<u64>::associated).against("memo free"));

    all.scoped.push(Contender::new("memo", step));
    // to this thread, a future that is not polled is what another thread's scope is
    let elsewhere = |pass: &mut dyn FnMut()| {
        let idle = memo::scope().run(std::future::ready(()));
        pass();
        drop(idle);
    };
    let mut scoped = |name, scope: fn() -> memo::Scope| {
        let scoped = Contender::new(name, step).against("memo");
        all.scoped.push(scoped.within(move |pass| scope().with(pass)));
    };
    scoped("memo in a scope", || memo::scope().ttl("1h"));
    scoped("memo in one for others", || memo::scope().only("others::*").ttl("1h"));
    scoped("memo in a namespace", || memo::scope().namespace("tenant-42"));
    scoped("memo recorded", || memo::scope().record());
    all.scoped.push(Contender::new("memo scope elsewhere", step).against("memo").within(elsewhere));

    all.misses.push(Contender::new("memo", missing));
    all.misses
        .push(Contender::new("memo single_flight = false", missing_without_flight).against("quick_cache"));
    all.awaited_misses.push(Contender::on_tokio("memo", missing_awaited));
    all.by_thread.push(Contender::new("memo thread", by_thread));
    all.flights.push(Contender::new("memo", flight));
    all.recursive.push(Recursive::new("memo", || fib::clear().expect("failed to clear"), fib));
}
