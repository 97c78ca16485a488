//! An `Arc` or a `Box` of an engine is an engine.

use std::sync::Arc;
use std::time::Duration;

use super::{Capability, Engine, EngineFuture, Entry, GuardOptions, Key, Lease, Space, Watcher, Witness};

/// Implements the trait for a pointer to an engine. Every method is passed on, so that no default replaces
/// what the engine does itself.
macro_rules! pass_through {
    ($($target:ty: <$($parameter:ident)?>),*) => {$(
        impl<$($parameter: Engine + ?Sized)?> Engine for $target {
            fn name(&self) -> &str {
                (**self).name()
            }
            fn capability(&self) -> Capability {
                (**self).capability()
            }
            fn guard_options(&self) -> GuardOptions {
                (**self).guard_options()
            }
            fn get<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, Option<Entry>> {
                (**self).get(key)
            }
            fn put<'a>(&'a self, key: &'a Key, entry: &'a Entry) -> EngineFuture<'a, ()> {
                (**self).put(key, entry)
            }
            fn remove<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, bool> {
                (**self).remove(key)
            }
            fn clear<'a>(&'a self, space: &'a Space) -> EngineFuture<'a, ()> {
                (**self).clear(space)
            }
            fn look<'a>(&'a self, key: &'a Key) -> EngineFuture<'a, (Option<Entry>, Witness)> {
                (**self).look(key)
            }
            fn put_if<'a>(&'a self, key: &'a Key, entry: &'a Entry, witness: Witness) -> EngineFuture<'a, bool> {
                (**self).put_if(key, entry, witness)
            }
            fn get_many<'a>(&'a self, keys: &'a [Key]) -> EngineFuture<'a, Vec<Option<Entry>>> {
                (**self).get_many(keys)
            }
            fn put_many<'a>(&'a self, entries: &'a [(Key, Entry)]) -> EngineFuture<'a, ()> {
                (**self).put_many(entries)
            }
            fn remove_many<'a>(&'a self, keys: &'a [Key]) -> EngineFuture<'a, usize> {
                (**self).remove_many(keys)
            }
            fn keys<'a>(
                &'a self,
                space: &'a Space,
                after: Option<&'a Key>,
                limit: usize,
            ) -> EngineFuture<'a, Vec<Key>> {
                (**self).keys(space, after, limit)
            }
            fn lease<'a>(&'a self, key: &'a Key, ttl: Duration) -> EngineFuture<'a, Option<Lease>> {
                (**self).lease(key, ttl)
            }
            fn renew<'a>(&'a self, key: &'a Key, lease: &'a Lease, ttl: Duration) -> EngineFuture<'a, bool> {
                (**self).renew(key, lease, ttl)
            }
            fn release<'a>(&'a self, key: &'a Key, lease: &'a Lease) -> EngineFuture<'a, bool> {
                (**self).release(key, lease)
            }
            fn watch(&self, space: &Space, watcher: Watcher) {
                (**self).watch(space, watcher);
            }
            fn flush(&self) -> EngineFuture<'_, ()> {
                (**self).flush()
            }
            fn unwritten(&self) -> Option<usize> {
                (**self).unwritten()
            }
        }
    )*};
}

pass_through!(Arc<E>: <E>, Box<dyn Engine>: <>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_are_objects() {
        fn takes(_: &dyn Engine) {}
        let _: fn(&Arc<dyn Engine>) = |engine| takes(engine);
    }
}
