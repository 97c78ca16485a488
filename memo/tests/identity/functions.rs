//! Functions of one name: by their text they are the same, by what they call they are not.

use memo::{Plan, memoize};

use super::{in_processes, warnings};

fn one() -> (u32, memo::Plan) {
    fn factor() -> u32 {
        10
    }
    #[memoize(engine = "disk")]
    fn scaled(n: u32) -> u32 {
        n * factor()
    }
    (scaled(1), scaled::plan())
}

fn other() -> (u32, memo::Plan) {
    fn factor() -> u32 {
        20
    }
    #[memoize(engine = "disk")]
    fn scaled(n: u32) -> u32 {
        n * factor()
    }
    (scaled(1), scaled::plan())
}

#[test]
fn promise_25_functions_in_different_functions() {
    let both = |role: &str| {
        let calls = match role {
            "one" => vec![(one(), 10)],
            "other" => vec![(other(), 20)],
            _ => vec![(one(), 10), (other(), 20)],
        };
        for ((result, plan), expected) in calls {
            assert_eq!(result, expected, "as {role}");
            assert_eq!(plan.engines(), ["disk"]);
        }
    };
    let test = "functions::promise_25_functions_in_different_functions";
    let Some(said) = in_processes(test, &["one", "other", "both"], both) else { return };
    assert!(said.iter().all(|said| warnings(said).is_empty()), "{said:?}");
}

/// Gives its tokens twice, and so two functions that the source has once.
macro_rules! twice {
    ($first:expr, $second:expr, $name:ident, $factor:ident, $($items:tt)*) => {[
        { const $factor: u32 = $first; $($items)* ($name as fn(u32) -> u32, $name::plan as fn() -> Plan) },
        { const $factor: u32 = $second; $($items)* ($name as fn(u32) -> u32, $name::plan as fn() -> Plan) },
    ]};
}

#[test]
fn promise_25_functions_of_one_path_refuse_both_as_the_second_is_called() {
    let body = |_: &str| {
        let [(one, plan_of_one), (other, plan_of_other)] = twice! { 10, 20, scaled, FACTOR,
            #[memoize(engine = "disk")]
            fn scaled(n: u32) -> u32 {
                n * FACTOR
            }
        };
        assert_eq!(one(1), 10);
        assert_eq!(plan_of_one().engines(), ["disk"], "nothing is known against it");
        assert_eq!(other(1), 20);
        for plan in [plan_of_one(), plan_of_other()] {
            assert_eq!(plan.engines(), ["memory"], "{plan}");
            assert!(plan.to_string().contains("has the same name"), "{plan}");
        }
        assert_eq!([one(1), other(1), one(2), other(2)], [10, 20, 20, 40]);
    };
    let test = "functions::promise_25_functions_of_one_path_refuse_both_as_the_second_is_called";
    let Some(said) = in_processes(test, &["first", "second"], body) else { return };
    for said in said {
        let [warning] = warnings(&said)[..] else { panic!("one warning: {said}") };
        assert_eq!(warning.matches("functions.rs:").count(), 2, "{warning}");
        assert!(warning.contains("`name = \"..\"`"), "{warning}");
    }
}

/// A function of one path for each place where it is called.
macro_rules! scaled {
    ($factor:expr) => {{
        const FACTOR: u32 = $factor;
        #[memoize(engine = "disk")]
        fn scaled(n: u32) -> u32 {
            n * FACTOR
        }
        (scaled(1), scaled::plan())
    }};
}

#[test]
fn promise_25_functions_that_a_macro_has_put_into_functions() {
    let body = |role: &str| {
        let (result, plan) = match role {
            "one" => scaled!(10),
            _ => scaled!(20),
        };
        assert_eq!(result, if role == "one" { 10 } else { 20 });
        assert_eq!(plan.engines(), ["memory"], "{plan}");
    };
    let test = "functions::promise_25_functions_that_a_macro_has_put_into_functions";
    let Some(said) = in_processes(test, &["one", "other"], body) else { return };
    assert!(
        said.iter().all(|said| warnings(said).len() == 1 && said.contains("`name = \"..\"`")),
        "{said:?}"
    );
}

#[test]
fn promise_25_functions_in_blocks_whose_engine_the_strategy_chooses() {
    let body = |role: &str| {
        memo::set_strategy(
            memo::TypeStrategy::new().otherwise(|_: &memo::FunctionProfile<'_>| Plan::on("disk")),
        );
        let (result, plan) = if role == "one" {
            const FACTOR: u32 = 10;
            #[memoize]
            fn scaled(n: u32) -> u32 {
                n * FACTOR
            }
            (scaled(1), scaled::plan())
        } else {
            const FACTOR: u32 = 20;
            #[memoize]
            fn scaled(n: u32) -> u32 {
                n * FACTOR
            }
            (scaled(1), scaled::plan())
        };
        assert_eq!(result, if role == "one" { 10 } else { 20 });
        assert_eq!(plan.engines(), ["memory"], "{plan}");

        // this one can be told from all others
        #[memoize]
        fn alone(n: u32) -> u32 {
            n
        }
        alone(1);
        assert_eq!(alone::plan().engines(), ["disk"]);
    };
    let test = "functions::promise_25_functions_in_blocks_whose_engine_the_strategy_chooses";
    let Some(said) = in_processes(test, &["one", "other"], body) else { return };
    assert!(
        said.iter().all(|said| warnings(said).len() == 1 && said.contains("`name = \"..\"`")),
        "{said:?}"
    );
}

#[test]
fn promise_25_methods_of_traits_and_types_have_the_names_of_these() {
    struct Ten;
    struct Twenty;
    trait Scales {
        const FACTOR: u32;
        fn scaled(n: u32) -> u32;
    }
    macro_rules! scales {
        ($($of:ty: $factor:literal)*) => {$(
            impl Scales for $of {
                const FACTOR: u32 = $factor;
                #[memoize(engine = "disk")]
                fn scaled(n: u32) -> u32 {
                    n * Self::FACTOR
                }
            }
        )*};
    }
    scales! { Ten: 10 Twenty: 20 }
    let body = |role: &str| match role {
        "one" => assert_eq!(Ten::scaled(1), 10),
        "other" => assert_eq!(Twenty::scaled(1), 20),
        _ => {
            assert_eq!((Ten::scaled(1), Twenty::scaled(1)), (10, 20));
            let stats: Vec<_> =
                memo::functions().into_iter().map(|function| function.stats().tiers).collect();
            assert!(stats.iter().all(|tiers| tiers[0].hits == 1), "what the others have stored: {stats:?}");
        }
    };
    let test = "functions::promise_25_methods_of_traits_and_types_have_the_names_of_these";
    let Some(said) = in_processes(test, &["one", "other", "both"], body) else { return };
    assert!(said.iter().all(|said| warnings(said).is_empty()), "{said:?}");
}
