//! Types of one name: closures, and types in different blocks of one function.

use std::marker::PhantomData;

use memo::memoize;

use super::{in_processes, warnings};

#[memoize(engine = "disk", skip(f))]
fn apply<F: Fn(u32) -> u32>(f: F, n: u32) -> u32 {
    f(n)
}

/// How many results of all functions came from the disk, and how many are looked for there.
fn looked_for() -> (u64, u64) {
    let tiers = memo::functions().into_iter().flat_map(|function| function.stats().tiers);
    tiers.fold((0, 0), |(hits, all), tier| (hits + tier.hits, all + tier.hits + tier.misses))
}

#[test]
fn promise_25_closures() {
    let body = |role: &str| {
        let (one, other) = (|n| n + 1, |n| n + 2);
        match role {
            "one" => assert_eq!(apply(one, 1), 2),
            "other" => assert_eq!(apply(other, 1), 3),
            _ => assert_eq!((apply(one, 1), apply(other, 1)), (2, 3)),
        }
        assert_eq!(looked_for(), (0, 0));
    };
    let Some(said) = in_processes("types::promise_25_closures", &["one", "other", "both"], body) else {
        return;
    };
    for said in said {
        let [warning] = warnings(&said)[..] else { panic!("one warning: {said}") };
        assert!(warning.contains("its type parameter `F` is `identity::types::promise_25"), "{warning}");
    }
}

fn ten(n: u32) -> u32 {
    n * 10
}

fn twenty(n: u32) -> u32 {
    n * 20
}

#[test]
fn promise_25_functions_as_arguments_have_names() {
    let body = |role: &str| {
        match role {
            "one" => assert_eq!(apply(ten, 1), 10),
            "other" => assert_eq!(apply(twenty, 1), 20),
            _ => assert_eq!((apply(ten, 1), apply(twenty, 1)), (10, 20)),
        }
        let expected = if role == "both" { (2, 2) } else { (0, 1) };
        assert_eq!(looked_for(), expected, "as {role}");
    };
    let test = "types::promise_25_functions_as_arguments_have_names";
    let Some(said) = in_processes(test, &["one", "other", "both"], body) else { return };
    assert!(said.iter().all(|said| warnings(said).is_empty()), "{said:?}");
}

#[test]
fn promise_25_closures_in_the_type_of_a_method() {
    struct Applied<F>(F);
    impl<F: Fn(u32) -> u32> Applied<F> {
        #[memoize(engine = "disk", receiver = "skip", name = "applied")]
        fn to(&self, n: u32) -> u32 {
            self.0(n)
        }
    }
    let body = |role: &str| match role {
        "one" => assert_eq!(Applied(|n| n + 1).to(1), 2),
        _ => assert_eq!(Applied(|n| n + 2).to(1), 3),
    };
    let test = "types::promise_25_closures_in_the_type_of_a_method";
    let Some(said) = in_processes(test, &["one", "other"], body) else { return };
    assert!(
        said.iter().all(|said| warnings(said).len() == 1 && said.contains("it is a method of")),
        "{said:?}"
    );
}

#[memoize(engine = "disk", skip(f))]
fn applied(f: impl Fn(u32) -> u32, n: u32) -> u32 {
    f(n)
}

#[memoize(engine = "disk", skip(f), companion = false)]
fn applied_alone(f: impl Fn(u32) -> u32, n: u32) -> u32 {
    f(n)
}

#[memoize(engine = "disk", skip(f, n))]
fn applied_pair((f, n): (impl Fn(u32) -> u32, u32), m: u32) -> u32 {
    f(n) + m
}

#[test]
fn promise_25_closures_as_arguments_whose_types_are_not_named() {
    let body = |role: &str| {
        let (one, other) = (|n| n + 1, |n| n + 2);
        if role != "other" {
            assert_eq!((applied(one, 1), applied_alone(one, 1), applied_pair((one, 1), 0)), (2, 2, 2));
        }
        if role != "one" {
            assert_eq!((applied(other, 1), applied_alone(other, 1)), (3, 3));
        }
        if role == "other" {
            assert_eq!(applied_pair((other, 1), 0), 3);
        }
        assert_eq!(looked_for(), (0, 0));
        let plan = applied::plan();
        assert_eq!(plan.engines(), ["memory"], "of what was called: {plan}");
    };
    let test = "types::promise_25_closures_as_arguments_whose_types_are_not_named";
    let Some(said) = in_processes(test, &["one", "other", "both"], body) else { return };
    assert!(said.iter().all(|said| warnings(said).len() == 3), "{said:?}");
}

#[test]
fn promise_25_functions_as_arguments_whose_types_are_not_named() {
    let body = |role: &str| {
        if role != "other" {
            assert_eq!((applied(ten, 1), applied_alone(ten, 1)), (10, 10));
        }
        if role != "one" {
            assert_eq!((applied(twenty, 1), applied_alone(twenty, 1)), (20, 20));
        }
        let expected = if role == "both" { (4, 4) } else { (0, 2) };
        assert_eq!(looked_for(), expected, "as {role}");
        assert_eq!(applied::plan().engines(), ["disk"]);
    };
    let test = "types::promise_25_functions_as_arguments_whose_types_are_not_named";
    let Some(said) = in_processes(test, &["one", "other", "both"], body) else { return };
    assert!(said.iter().all(|said| warnings(said).is_empty()), "{said:?}");
}

trait Factor: 'static {
    const FACTOR: u32;
}

#[memoize(engine = "disk")]
fn scaled<T: Factor>(n: u32) -> u32 {
    n * T::FACTOR
}

#[test]
fn promise_25_types_of_one_path_refuse_both_as_the_second_comes() {
    let body = |_: &str| {
        let one = {
            struct Local;
            impl Factor for Local {
                const FACTOR: u32 = 10;
            }
            (scaled::<Local> as fn(u32) -> u32, scaled::plan::<Local> as fn() -> memo::Plan)
        };
        let other = {
            struct Local;
            impl Factor for Local {
                const FACTOR: u32 = 20;
            }
            (scaled::<Local> as fn(u32) -> u32, scaled::plan::<Local> as fn() -> memo::Plan)
        };
        struct Another;
        impl Factor for Another {
            const FACTOR: u32 = 30;
        }
        assert_eq!(one.0(1), 10);
        assert_eq!(one.1().engines(), ["disk"], "nothing is known against it");
        assert_eq!(other.0(1), 20);
        for plan in [one.1(), other.1()] {
            assert_eq!(plan.engines(), ["memory"], "{plan}");
        }
        assert_eq!([one.0(1), other.0(1), one.0(2), other.0(2)], [10, 20, 20, 40]);
        assert_eq!(scaled::<Another>(1), 30);
        assert_eq!(scaled::plan::<Another>().engines(), ["disk"], "others are not concerned");
    };
    let test = "types::promise_25_types_of_one_path_refuse_both_as_the_second_comes";
    let Some(said) = in_processes(test, &["first", "second"], body) else { return };
    for said in said {
        let [warning] = warnings(&said)[..] else { panic!("one warning: {said}") };
        assert!(warning.contains("::Local"), "{warning}");
    }
}

#[test]
fn promise_25_types_of_one_path_within_the_type_of_a_method() {
    struct Of<T>(PhantomData<T>);
    impl<T: Factor> Of<T> {
        #[memoize(engine = "disk", receiver = "skip")]
        fn scaled(&self, n: u32) -> u32 {
            n * T::FACTOR
        }
    }
    let body = |_: &str| {
        let one = {
            struct Local;
            impl Factor for Local {
                const FACTOR: u32 = 10;
            }
            || Of::<Local>(PhantomData).scaled(1)
        };
        let other = {
            struct Local;
            impl Factor for Local {
                const FACTOR: u32 = 20;
            }
            || Of::<Local>(PhantomData).scaled(1)
        };
        assert_eq!((one(), other(), one(), other()), (10, 20, 10, 20));
    };
    let test = "types::promise_25_types_of_one_path_within_the_type_of_a_method";
    let Some(said) = in_processes(test, &["first", "second"], body) else { return };
    assert!(said.iter().all(|said| warnings(said).len() == 1), "{said:?}");
}
