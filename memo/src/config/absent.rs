//! Without the feature `config`: what the author has set holds.

use std::borrow::Cow;

use crate::function::Settings;

/// What `author` has set.
pub(crate) fn settings<'a>(_: &str, author: &'a Settings) -> Cow<'a, Settings> {
    Cow::Borrowed(author)
}

/// The engine `redis`: at the address that the environment says, if it says one.
#[cfg(feature = "redis")]
pub(crate) fn redis() -> (Option<memo_engines::RedisOptions>, memo_engines::GuardOptions) {
    let url = std::env::var("MEMO_ENGINES__REDIS__URL").ok();
    (url.map(memo_engines::RedisOptions::at), memo_engines::Redis::guard())
}

/// The engine `disk`: at the place that the environment says, or at the platform's.
#[cfg(feature = "disk")]
pub(crate) fn disk() -> (memo_engines::DiskOptions, memo_engines::GuardOptions) {
    let path = std::env::var_os("MEMO_ENGINES__DISK__PATH");
    let options = path.map_or_else(memo_engines::DiskOptions::default, memo_engines::DiskOptions::at);
    (options, memo_engines::GuardOptions::default())
}
