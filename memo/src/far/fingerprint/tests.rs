//! Which types have the same shape.

use super::shape;
use serde::Deserialize;

fn fingerprint<T: Deserialize<'static> + 'static>() -> u64 {
    shape::<T>().fingerprint
}

#[test]
fn promise_24_a_type_that_asks_what_is_there_is_known() {
    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Inner {
        n: u8,
    }
    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Flat {
        #[serde(flatten)]
        inner: Inner,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    #[allow(dead_code)]
    enum Untagged {
        A(u8),
        B(String),
    }
    #[derive(Deserialize)]
    #[serde(tag = "kind")]
    #[allow(dead_code)]
    enum Tagged {
        A { n: u8 },
    }
    #[derive(Deserialize)]
    #[allow(dead_code)]
    enum Deep {
        A(u8),
        B { all: Vec<Option<(u8, Untagged)>> },
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    enum Plain {
        A { n: u8, m: Option<Inner> },
        B(u8, f64),
        C,
    }
    #[derive(Deserialize)]
    #[serde(tag = "kind", content = "is")]
    #[allow(dead_code)]
    enum Adjacent {
        A { n: u8 },
    }
    assert!(shape::<Flat>().asks && shape::<Untagged>().asks && shape::<Tagged>().asks);
    assert!(shape::<Deep>().asks && shape::<Adjacent>().asks);
    assert!(!shape::<Plain>().asks && !shape::<Vec<Option<Inner>>>().asks);
}

macro_rules! shape {
    ($($item:item)*) => {{
        #[derive(Deserialize)]
        #[allow(dead_code)]
        $($item)*
        fingerprint::<Shape>()
    }};
}

#[test]
fn equal_shapes_have_equal_fingerprints() {
    assert_eq!(
        shape!(
            struct Shape {
                a: u8,
                b: Vec<String>,
            }
        ),
        shape!(
            struct Shape {
                a: u8,
                b: Vec<String>,
            }
        )
    );
}

#[test]
fn promise_17_whatever_a_codec_could_misread_changes_it() {
    let all = [
        shape!(
            struct Shape {
                a: u8,
                b: u16,
            }
        ),
        shape!(
            struct Shape {
                b: u16,
                a: u8,
            }
        ),
        shape!(
            struct Shape {
                a: u16,
                b: u8,
            }
        ),
        shape!(
            struct Shape {
                a: u8,
                c: u16,
            }
        ),
        shape!(
            struct Shape {
                a: u8,
                b: u16,
                c: (),
            }
        ),
        shape!(
            struct Shape {
                a: u8,
                b: Option<u16>,
            }
        ),
        shape!(
            struct Shape {
                a: u8,
                b: Vec<u16>,
            }
        ),
        shape!(
            struct Shape {
                a: u8,
                b: (u16, u16),
            }
        ),
        shape!(
            struct Shape {
                a: u8,
                b: (u16, u16, u16),
            }
        ),
        shape!(
            struct Shape(u8, u16);
        ),
        shape!(
            enum Shape {
                A(u8),
                B(u16),
            }
        ),
        shape!(
            enum Shape {
                B(u16),
                A(u8),
            }
        ),
        shape!(
            enum Shape {
                A(u8),
                B(u32),
            }
        ),
        shape!(
            enum Shape {
                A(u8),
                B { b: u16 },
            }
        ),
        shape!(
            enum Shape {
                A(u8),
                B { c: u16 },
            }
        ),
        shape!(
            enum Shape {
                A(u8),
                B(u16),
                C,
            }
        ),
    ];
    for (n, one) in all.iter().enumerate() {
        assert!(!all[n + 1..].contains(one), "{n}");
    }
}

#[test]
fn a_change_deep_within_is_seen() {
    mod one {
        #[derive(serde::Deserialize)]
        #[allow(dead_code)]
        pub(super) enum Leaf {
            A(u8),
            B(Vec<Option<u16>>),
        }
    }
    mod two {
        #[derive(serde::Deserialize)]
        #[allow(dead_code)]
        pub(super) enum Leaf {
            A(u8),
            B(Vec<Option<u32>>),
        }
    }
    assert_ne!(fingerprint::<Vec<(u8, one::Leaf)>>(), fingerprint::<Vec<(u8, two::Leaf)>>());
    assert_eq!(fingerprint::<Vec<(u8, one::Leaf)>>(), fingerprint::<Vec<(u8, one::Leaf)>>());
}

#[test]
fn recursive_types_end() {
    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Tree {
        left: Option<Box<Tree>>,
        right: Option<Box<Tree>>,
        more: Vec<Tree>,
    }
    #[derive(Deserialize)]
    #[allow(dead_code)]
    enum List {
        Cons(u8, Box<List>),
        Nil,
    }
    assert_ne!(fingerprint::<Tree>(), fingerprint::<List>());
}

#[test]
fn types_that_refuse_made_up_values_have_one_too() {
    assert_ne!(fingerprint::<std::net::IpAddr>(), fingerprint::<std::num::NonZeroU8>());
    assert_ne!(fingerprint::<std::time::Duration>(), fingerprint::<std::time::SystemTime>());
}
