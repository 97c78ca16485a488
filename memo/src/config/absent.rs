//! Without the feature `config`: what the author has set holds.

use std::borrow::Cow;

use crate::settings::Settings;

/// What `author` has set.
pub(crate) fn settings<'a>(_: &str, author: &'a Settings) -> Cow<'a, Settings> {
    Cow::Borrowed(author)
}

/// The engine `redis`: at the address and with the prefix that the environment says, if it says an address.
#[cfg(feature = "redis")]
pub(crate) fn redis() -> (Option<memo_engines::RedisOptions>, memo_engines::GuardOptions) {
    let url = std::env::var("MEMO_ENGINES__REDIS__URL").ok();
    let mut options = url.map(memo_engines::RedisOptions::at);
    if let (Some(options), Ok(prefix)) = (&mut options, std::env::var("MEMO_ENGINES__REDIS__PREFIX")) {
        options.prefix = prefix;
    }
    (options, memo_engines::Redis::guard())
}

/// The engine `disk`: at the place that the environment says, or at the platform's.
#[cfg(feature = "disk")]
pub(crate) fn disk() -> (memo_engines::DiskOptions, memo_engines::GuardOptions) {
    let path = std::env::var_os("MEMO_ENGINES__DISK__PATH");
    let mut options = path.map_or_else(memo_engines::DiskOptions::default, memo_engines::DiskOptions::at);
    options.shared = std::env::var_os("MEMO_ENGINES__DISK__SHARED").is_some_and(|shared| shared == "true");
    (options, memo_engines::GuardOptions::default())
}
