async fn later() {}

async fn held() {
    let _guard = memo::scope().bypass().enter();
    later().await;
}

fn sent<F: Future + Send>(future: F) {
    drop(future);
}

fn main() {
    sent(memo::scope().bypass().run(later()));
    sent(held());
}
