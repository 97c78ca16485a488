fn main() {
    let _guard = memo::scope().ttl(10).enter();
    let _guard = memo::scope().engine(10).enter();
}
