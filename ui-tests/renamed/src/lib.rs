//! Knows `memo` as `cache` only, and hands it on as [`reexports`].

/// What a library may hand on to those who use its macros.
pub mod reexports {
    pub use cache as memory;
}

/// Free.
#[cache::memoize(crate = cache, ttl = "1m", capacity = 10)]
pub fn double(a: u64) -> u64 {
    a * 2
}

/// Free, with all that needs a path into `memo`.
///
/// # Errors
///
/// On zero.
#[cache::memoize(crate = ::cache, cache_err = "1s", cache_none = false)]
pub fn checked(a: Option<&str>, b: &[f64]) -> Result<Option<usize>, String> {
    if b.is_empty() { Err("empty".into()) } else { Ok(a.map(str::len)) }
}

/// Waits.
#[cache::memoize(crate = "cache")]
pub async fn waiting(a: &str) -> String {
    a.to_owned()
}

/// Through a re-export.
#[reexports::memory::memoize(crate = crate::reexports::memory)]
pub fn half(a: u64) -> u64 {
    a / 2
}

/// A type.
#[derive(cache::Instance)]
#[memo(crate = cache)]
pub struct Type {
    #[instance]
    id: u64,
}

/// Another.
#[derive(Default, reexports::memory::Instance)]
#[memo(crate = crate::reexports::memory)]
pub struct Session {
    instance: cache::InstanceId,
}

impl Type {
    /// Makes one.
    pub fn new(id: u64) -> Self {
        Type { id }
    }

    /// A method.
    #[cache::memoize(crate = cache)]
    pub fn plus(&self, a: u64) -> u64 {
        self.id + a
    }

    /// One that waits.
    #[cache::memoize(crate = cache)]
    pub async fn waiting(&self, a: &str) -> u64 {
        self.id + a.len() as u64
    }
}

impl Session {
    /// A method.
    #[cache::memoize(crate = cache)]
    pub fn double(&self, a: u64) -> u64 {
        a * 2
    }
}
