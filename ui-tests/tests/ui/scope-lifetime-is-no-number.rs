fn main() {
    let _guard = memo::scope().ttl(10).enter();
}
