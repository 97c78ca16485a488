//! Generated code trips no lint that the author has denied.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, unused, nonstandard_style, future_incompatible, rust_2018_idioms)]
#![deny(rust_2024_compatibility, let_underscore, unreachable_pub, unused_qualifications)]
#![deny(missing_debug_implementations, single_use_lifetimes)]
#![deny(unused_lifetimes, explicit_outlives_requirements, elided_lifetimes_in_paths, unused_results)]
#![deny(trivial_casts, trivial_numeric_casts, variant_size_differences, unused_import_braces)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery)]

/// A module.
pub mod module {
    use std::time::Duration;

    /// Free.
    #[memo::memoize]
    #[must_use]
    pub fn free(a: u64, b: &str) -> u64 {
        a + b.len() as u64
    }

    /// With every option.
    ///
    /// # Errors
    ///
    /// Never.
    #[memo::memoize(
        engine = "memory",
        ttl = Duration::from_millis(1_500),
        tti = "1m",
        ttl_of = |_| None,
        cache_if = Result::is_ok,
        weigh = |_, _| 1,
        max_weight = "1MiB",
        cache_err = "1s",
        single_flight = false,
        skip(c),
        name = "strict",
        version = 1
    )]
    pub fn options<T>(mut a: u64, b: &[T], c: &str) -> Result<usize, String>
    where
        T: Clone + std::hash::Hash + Eq + Send + Sync + 'static,
    {
        a += 1;
        usize::try_from(a).map(|a| a + b.len() + c.len()).map_err(|error| error.to_string())
    }

    /// Waits.
    #[memo::memoize]
    pub async fn waiting(a: &str, b: Option<&str>) -> Option<String> {
        std::future::ready(()).await;
        Some(format!("{a}{}", b?))
    }

    /// Has a body of one expression.
    #[memo::memoize]
    pub async fn short(a: u64) -> u64 {
        std::future::ready(a).await
    }

    #[memo::memoize]
    pub(crate) fn private(a: u64) -> u64 {
        a
    }

    /// A type.
    #[derive(Debug, memo::Instance)]
    pub struct Type {
        #[instance]
        id: u64,
    }

    impl Type {
        /// Makes one.
        #[must_use]
        pub const fn new(id: u64) -> Self {
            Self { id }
        }

        /// A method.
        #[memo::memoize(capacity = 10)]
        #[must_use]
        pub fn method(&self, a: &str) -> u64 {
            self.id + a.len() as u64
        }

        /// One that waits.
        #[memo::memoize]
        pub async fn waiting(&self, a: &str) -> u64 {
            std::future::ready(()).await;
            self.id + a.len() as u64
        }

        /// An associated function.
        #[memo::memoize]
        #[must_use]
        pub fn associated(a: u64) -> u64 {
            a
        }
    }

    impl Clone for Type {
        #[memo::memoize]
        fn clone(&self) -> Self
        where
            Self: Sized,
        {
            Self { id: self.id }
        }
    }
}

fn main() {
    use module::{Type, free, options, private, short, waiting};

    assert_eq!(free(1, "a") + private(1), 3);
    assert_eq!(options(1, &[1], ""), Ok(3));
    let one = Type::new(1);
    assert_eq!(one.method("a") + Type::associated(1), 3);
    drop((short(1), waiting("a", None), one.waiting("a")));
}
