use memo::memoize;

#[memoize]
async fn double(a: u64) -> u64 {
    let local = std::rc::Rc::new(a);
    std::future::ready(()).await;
    *local * 2
}

fn spawn(_: impl Send) {}

fn main() {
    spawn(double(1));
}
