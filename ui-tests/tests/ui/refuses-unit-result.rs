use memo::memoize;

#[memoize]
fn print(a: u64) -> () {
    println!("{a}");
}

fn main() {}
