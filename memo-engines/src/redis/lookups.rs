//! Look-ups: of one key, or of many in one command for each generation.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use super::Redis;
use super::failure::{Failure, NAME};
use super::look::{Look, fetch, found, generation_in, unexpired};
use super::names::Place;
use crate::engine::{Entry, Key};
use crate::error::Error;

impl Redis {
    pub(super) async fn find(&self, key: &Key) -> Result<Look, Error> {
        if let Some(batcher) = &self.client().batcher {
            return batcher.find(key).await.map_err(|error| error.of(NAME));
        }
        // boxed, so that other calls do not carry its size
        Box::pin(self.find_alone(key)).await
    }

    async fn find_alone(&self, key: &Key) -> Result<Look, Error> {
        let minute = self.clock.minute();
        let Place { generation, entry } = self.names.place(key);
        let mut command = ::redis::cmd("MGET");
        command.arg(&generation).arg(&entry);
        let mut values = fetch(&self.client().link, &command, &generation, 2, "get an entry")
            .await
            .map_err(Failure::named)?;
        let (value, generation) = (values.swap_remove(1), generation_in(&values[0]));
        Ok(Look { found: found(value, generation), generation, minute })
    }

    /// Looks up many keys, in one command for each generation.
    pub(super) async fn find_many(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>, Error> {
        let mut groups: BTreeMap<String, (Vec<usize>, Vec<String>)> = BTreeMap::new();
        for (at, key) in keys.iter().enumerate() {
            let Place { generation, entry } = self.names.place(key);
            let (places, entries) = groups.entry(generation).or_default();
            places.push(at);
            entries.push(entry);
        }
        let ask = groups.into_iter().map(|(generation, (places, entries))| async move {
            let mut command = ::redis::cmd("MGET");
            command.arg(&generation).arg(&entries);
            let values =
                fetch(&self.client().link, &command, &generation, 1 + entries.len(), "get entries").await;
            values.map(|values| (places, values)).map_err(Failure::named)
        });
        let mut all = vec![None; keys.len()];
        for answer in join_all(ask).await {
            let (places, values) = answer?;
            let mut values = values.into_iter();
            let generation = values.next().as_ref().and_then(generation_in);
            for (at, value) in places.into_iter().zip(values) {
                all[at] = unexpired(found(value, generation));
            }
        }
        Ok(all)
    }
}
