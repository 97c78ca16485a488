//! The built-in engine `redis`, at the address that is configured. Without an address it is as if the server were away.

use std::sync::Arc;

use memo_engines::{Error, ErrorKind, Redis, RedisOptions};

use super::row::{BuiltIn, Prepared};
use crate::config::EngineSettings;

pub(super) const REDIS: BuiltIn = BuiltIn { name: "redis", prepare };

fn prepare(settings: &mut EngineSettings) -> Prepared {
    let mut options = RedisOptions::default();
    let mut url = None;
    settings.set_in_any_build("url", &mut url);
    settings.set_in_any_build("prefix", &mut options.prefix);
    let is_addressed = url.is_some();
    options.url = url.unwrap_or(options.url);
    Prepared {
        capability: Redis::capability_with(&options),
        guard: Redis::guard(),
        open: Box::new(move || match is_addressed {
            true => Ok(Arc::new(Redis::open(options.clone())?)),
            false => Err(unaddressed()),
        }),
    }
}

fn unaddressed() -> Error {
    let context =
        "find the address of the server: set MEMO_ENGINES__REDIS__URL, or register an engine of this name";
    Error::new(ErrorKind::Unavailable, context)
}
