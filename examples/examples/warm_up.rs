//! Results can be made before they are asked for, put in by hand, made anew and dropped.

use std::{
    thread,
    time::{Duration, Instant},
};

use memo::memoize;

#[memoize]
fn square_root(n: u32) -> u32 {
    thread::sleep(Duration::from_millis(10));
    n.isqrt()
}

fn main() {
    let start = Instant::now();
    square_root::warm(0..20);
    println!("warming took {:?}", start.elapsed());

    let start = Instant::now();
    let sum: u32 = (0..20).map(square_root).sum();
    println!("the sum is {sum}, after {:?}", start.elapsed());
    assert_eq!(square_root::stats().computes, 20);

    square_root::insert(1_000_000, 1000).unwrap();
    assert_eq!(square_root(1_000_000), 1000);
    assert_eq!(square_root::stats().computes, 20, "nothing was computed for that");

    square_root::invalidate(4).unwrap();
    assert_eq!((square_root::peek(4), square_root::peek(9)), (None, Some(3)));
    assert_eq!(square_root::refresh(9), 3);

    square_root::clear().unwrap();
    assert_eq!(square_root::peek(9), None);
}
