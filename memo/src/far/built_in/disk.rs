//! The built-in engine `disk`: at the place that is configured, or at the platform's.

use std::sync::Arc;

use memo_engines::{Disk, DiskOptions, GuardOptions};

use super::row::{BuiltIn, Prepared};
use crate::config::EngineSettings;

pub(super) const DISK: BuiltIn = BuiltIn { name: "disk", prepare };

fn prepare(settings: &mut EngineSettings) -> Prepared {
    let options = options(settings);
    Prepared {
        capability: Disk::capability_with(&options),
        guard: GuardOptions::default(),
        open: Box::new(move || Ok(Arc::new(Disk::open(options.clone())?))),
    }
}

/// The options are taken apart field by field, so that one which is added does not compile before it is either configurable
/// or said not to be.
fn options(settings: &mut EngineSettings) -> DiskOptions {
    let mut options = DiskOptions::default();
    let DiskOptions {
        path,
        shared,
        max_size,
        large_over,
        durable,
        queue,
        put_wait,
        wait,
        busy_timeout,
        touch_after,
        sweep_every,
        // where its lines go
        warn,
    } = &mut options;
    settings.set_in_any_build("path", path);
    settings.set_in_any_build("shared", shared);
    settings.set("max_size", max_size);
    settings.set("large_over", large_over);
    settings.set("durable", durable);
    settings.set("queue", queue);
    settings.set("put_wait", put_wait);
    settings.set("wait", wait);
    settings.set("busy_timeout", busy_timeout);
    settings.set("touch_after", touch_after);
    settings.set("sweep_every", sweep_every);
    *warn = Some(Arc::new(crate::warn::warn));
    options
}
