use memo::memoize;

#[derive(Clone, PartialEq, Eq, Hash)]
struct Session {
    instance: memo::InstanceId,
}

impl Session {
    #[memoize(receiver = "value")]
    fn name(&self) -> String {
        String::new()
    }
}

fn main() {}
