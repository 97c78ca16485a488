use memo::memoize;

struct Shop;

impl Shop {
    #[memoize(receiver = "skip", skip(convert))]
    fn price(&self, item: u32, convert: impl Fn(u32) -> u32) -> u32 {
        convert(item)
    }
}

fn main() {
    Shop.price(1, |price| price * 2);
}
