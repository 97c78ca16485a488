fn main() {
    let guard = memo::scope().bypass().enter();
    std::thread::spawn(move || drop(guard));
}
