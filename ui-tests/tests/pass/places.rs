//! Functions in functions, blocks, arms, macros and impls of every kind.
use memo::memoize;

macro_rules! function {
    ($name:ident, $ty:ty, $body:block) => {
        #[memoize]
        fn $name(a: $ty) -> $ty $body
    };
}

macro_rules! methods {
    ($type:ty { $($name:ident)* }) => {
        impl $type {
            $(
                #[memoize(receiver = "skip")]
                pub fn $name(&self, a: u64) -> u64 {
                    a
                }
            )*
        }
    };
}

function!(made, u64, { 1 });

struct Type;
methods!(Type { one two });

trait Computes {
    fn required(&self, a: u64) -> u64;

    #[memoize(receiver = "skip")]
    fn provided(&self, a: u64) -> u64 {
        self.required(a) + 1
    }

    #[memoize]
    fn associated(a: u64) -> u64 {
        a
    }
}

trait Speaks {
    #[memoize(receiver = "skip")]
    fn length(&self, a: &str) -> u64 {
        a.len() as u64
    }
}

impl Speaks for Type {}

impl Computes for Type {
    #[memoize(receiver = "skip")]
    fn required(&self, a: u64) -> u64 {
        a
    }
}

impl<T> Computes for Vec<T>
where
    T: Clone + Eq + std::hash::Hash + Send + Sync + 'static,
{
    #[memoize(receiver = "value")]
    fn required(&self, a: u64) -> u64 {
        self.len() as u64 + a
    }

    #[memoize]
    fn associated(a: u64) -> u64 {
        size_of::<T>() as u64 + a
    }
}

fn in_a_match(a: u64) -> u64 {
    match a {
        0 => {
            #[memoize]
            fn zero(a: u64) -> u64 {
                a
            }
            zero::warm([a]);
            zero(a)
        }
        _ => {
            const B: u64 = {
                #[memoize]
                #[allow(dead_code)]
                fn in_a_const(a: u64) -> u64 {
                    a
                }
                1
            };
            B
        }
    }
}

#[memoize]
fn outer(a: u64) -> u64 {
    #[memoize]
    fn inner(a: u64) -> u64 {
        a + 1
    }
    struct Local;
    impl Local {
        #[memoize(receiver = "skip")]
        fn method(&self, a: u64) -> u64 {
            a + 1
        }
    }
    inner(a) + Local.method(a) + inner::peek(a).unwrap() + Local::method_memo().peek(a).unwrap()
}

fn main() {
    assert_eq!(made(1), 1);
    assert_eq!(Type.one(1) + Type.two(2), 3);
    assert_eq!(Type.provided(1), 2);
    assert_eq!(vec![1, 2].provided(1), 4);
    assert_eq!(vec![1].provided(1), 4, "`provided` skips the receiver");
    assert_eq!(vec![1].required(1), 2);
    assert_eq!((&Type as &dyn Speaks).length("a") + (&Type as &dyn Speaks).length("a"), 2);
    assert_eq!(Vec::<u16>::associated(1) + Vec::<u32>::associated(1) + Type::associated(1), 9);
    assert_eq!(in_a_match(0) + in_a_match(1), 1);
    assert_eq!(outer(1), 8);
}
