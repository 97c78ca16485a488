use memo::memoize;

fn price(special: bool) -> u32 {
    if special {
        #[memoize(engine = "disk")]
        fn of(sku: u32) -> u32 {
            sku / 2
        }
        of(1)
    } else {
        #[memoize(engine = "disk")]
        fn of(sku: u32) -> u32 {
            sku
        }
        of(1)
    }
}

fn main() {
    price(true);
}
