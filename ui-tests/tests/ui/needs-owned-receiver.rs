use memo::memoize;

#[derive(Clone, PartialEq, Eq, Hash)]
struct Name<'a>(&'a str);

impl Name<'_> {
    #[memoize(receiver = "value")]
    fn length(&self) -> usize {
        self.0.len()
    }
}

fn main() {}
