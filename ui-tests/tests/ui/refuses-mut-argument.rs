use memo::memoize;

#[memoize]
fn fill(a: u64, out: &mut Vec<u64>) -> u64 {
    out.push(a);
    a
}

fn main() {
    fill(1, &mut Vec::new());
}
