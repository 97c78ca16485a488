async fn later() {}

async fn across_an_await() {
    let _guard = memo::scope().bypass().enter();
    later().await;
}

fn sent<F: Future + Send>(future: F) {
    drop(future);
}

fn main() {
    let guard = memo::scope().bypass().enter();
    std::thread::spawn(move || drop(guard));
    sent(across_an_await());
    sent(memo::scope().bypass().run(later()));
}
