//! Any visibility: the companion has the function's.
#![deny(unreachable_pub, private_interfaces, private_bounds)]

mod outer {
    #[derive(Clone, Debug, PartialEq)]
    pub(super) struct Own(u64);

    pub(super) mod inner {
        use super::Own;

        #[memo::memoize]
        pub(in super::super) fn in_path(a: u64) -> Own {
            Own(a)
        }

        #[memo::memoize]
        pub(super) fn in_super(a: u64) -> Own {
            Own(a)
        }

        #[memo::memoize]
        pub(crate) fn in_crate(a: u64) -> Own {
            Own(a)
        }

        #[memo::memoize]
        pub(self) fn in_self(a: u64) -> Own {
            Own(a)
        }

        #[derive(memo::Instance)]
        pub(crate) struct Type {
            #[instance]
            pub(crate) id: u64,
        }

        impl Type {
            #[memo::memoize]
            pub(in super::super) fn in_path(&self) -> Own {
                in_self(self.id)
            }

            #[memo::memoize]
            pub(crate) fn in_crate(&self) -> Own {
                Own(self.id)
            }

            #[memo::memoize]
            fn private(&self) -> Own {
                Own(self.id)
            }

            pub(crate) fn test(&self) -> bool {
                let _ = in_self::peek(1);
                self.private() == Self::private_memo().peek(self).unwrap()
            }
        }
    }

    pub(super) fn test() -> bool {
        inner::in_super(1) == inner::in_super::peek(1).unwrap()
    }
}

use outer::inner::{Type, in_crate, in_path};

fn main() {
    assert_eq!(in_path(1), in_crate(1));
    assert_eq!(in_path::peek(1), in_crate::peek(1));
    assert_eq!(Type { id: 1 }.in_path(), Type { id: 1 }.in_crate());
    assert_eq!(Type::in_path_memo().peek(&Type { id: 1 }), Some(in_path(1)));
    assert!(outer::test() && Type { id: 1 }.test());
}
