//! Methods: `#[derive(memo::Instance)]` says what makes one value of a type another one than the next.

use memo::memoize;

/// The tax office of a country. Two offices of one country give the same answers, so its code is what
/// counts.
#[derive(memo::Instance)]
struct Office {
    #[instance]
    country: &'static str,
    percent: u64,
}

impl Office {
    #[memoize]
    fn tax(&self, cents: u64) -> u64 {
        println!("  {} computes the tax on {cents}", self.country);
        cents * self.percent / 100
    }
}

/// A purse is only ever itself: each gets an identity when it is made.
#[derive(memo::Instance)]
struct Purse {
    instance: memo::InstanceId,
    coins: Vec<u64>,
}

impl Purse {
    #[memoize]
    fn total(&self) -> u64 {
        self.coins.iter().sum()
    }
}

fn main() {
    let lisbon = Office { country: "PT", percent: 23 };
    let porto = Office { country: "PT", percent: 23 };
    let berlin = Office { country: "DE", percent: 19 };
    assert_eq!((lisbon.tax(1000), porto.tax(1000), berlin.tax(1000)), (230, 230, 190));
    assert_eq!(Office::tax_memo().stats().computes, 2, "one for each country");

    // The control item of a method takes the receiver first.
    Office::tax_memo().invalidate((&lisbon, 1000)).unwrap();
    assert_eq!(Office::tax_memo().peek((&porto, 1000)), None);

    let [yours, mine] =
        [vec![1, 2], vec![50]].map(|coins| Purse { instance: memo::InstanceId::new(), coins });
    assert_eq!((yours.total(), mine.total()), (3, 50));
    println!("two purses, {} totals", Purse::total_memo().stats().computes);
}
