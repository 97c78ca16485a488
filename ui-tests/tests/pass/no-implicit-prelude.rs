//! Nothing is taken from the prelude.
#![no_implicit_prelude]

#[derive(::memo::Instance)]
struct Type {
    #[instance]
    id: u64,
}

#[::memo::memoize(ttl = "1m", capacity = 10)]
fn free(a: u64, b: ::std::option::Option<&str>) -> ::std::result::Result<u64, ()> {
    let _ = b;
    ::std::result::Result::Ok(a)
}

#[::memo::memoize]
async fn waiting(a: u64, b: &[f64]) -> u64 {
    let _ = b;
    a
}

impl Type {
    #[::memo::memoize]
    fn method(&self, a: u64) -> u64 {
        self.id + a
    }

    #[::memo::memoize]
    async fn waiting(&self, a: u64) -> u64 {
        self.id + a
    }
}

fn main() {
    let _ = free(1, ::std::option::Option::None);
    let _ = free::peek(1, ::std::option::Option::None);
    let _ = Type { id: 1 }.method(1);
    let _ = Type::method_memo().stats();
    let _ = (waiting(1, &[1.0]), Type { id: 1 }.waiting(2));
}
