//! The names of keys on the server.
//!
//! A read and a script need an entry and the generation of its space together, so in a Cluster both lie in
//! one slot. A space is divided into [`BUCKETS`] by the first byte of the digest, and each bucket has a
//! generation of its own.

use std::fmt::Write as _;

use super::hex::hex;
use crate::engine::{Key, Space};

/// How many slots of a Cluster a space is spread over. To clear the space changes as many generations.
const BUCKETS: u16 = 256;

/// How the keys of a space are spread over the slots of a Cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spread {
    /// There is no Cluster: one generation for each space.
    None,
    /// By the digest of the key.
    Digest,
    /// A space lies in one slot.
    Space,
}

#[derive(Clone, Debug)]
pub(super) struct Names {
    prefix: String,
    spread: Spread,
}

/// The names that belong to an entry.
pub(super) struct Place {
    /// The key of the generation that counts for it.
    pub(super) generation: String,
    pub(super) entry: String,
}

impl Place {
    /// The key of its lease.
    pub(super) fn lease(&self) -> String {
        format!("{}:lease", self.entry)
    }
}

impl Names {
    pub(super) fn new(prefix: &str, spread: Spread) -> Self {
        Self { prefix: prefix.to_owned(), spread }
    }

    pub(super) fn place(&self, key: &Key) -> Place {
        let generation = self.generation_of(key);
        let mut entry = String::new();
        name_entry(&mut entry, &generation, key);
        Place { generation, entry }
    }

    /// The key of the generation that counts for this entry.
    pub(super) fn generation_of(&self, key: &Key) -> String {
        self.generation(&key.space, u16::from(key.digest[0]))
    }

    /// The channel on which changes are announced.
    pub(super) fn channel(&self) -> String {
        format!("{}:changes", self.prefix)
    }

    /// The keys of all generations of a space.
    pub(super) fn generations(&self, space: &Space) -> impl Iterator<Item = String> {
        let buckets = if self.spread == Spread::Digest { BUCKETS } else { 1 };
        (0..buckets).map(|bucket| self.generation(space, bucket))
    }

    fn generation(&self, space: &Space, bucket: u16) -> String {
        let mut name = String::with_capacity(self.prefix.len() + 2 * space.0.len() + 8);
        name.push_str(&self.prefix);
        name.push(':');
        match self.spread {
            Spread::None => hex(&mut name, &space.0),
            Spread::Digest => {
                // writing to a `String` does not fail
                let _ = write!(name, "{{{bucket:02x}}}:");
                hex(&mut name, &space.0);
            }
            Spread::Space => {
                name.push('{');
                hex(&mut name, &space.0);
                name.push('}');
            }
        }
        name
    }
}

/// Replaces `name` by the name of an entry, given the name of its generation.
pub(super) fn name_entry(name: &mut String, generation: &str, key: &Key) {
    name.clear();
    name.reserve(generation.len() + 1 + 2 * key.digest.len() + ":lease".len());
    name.push_str(generation);
    name.push(':');
    hex(name, &key.digest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::redis::cluster_routing::Slot;

    const KEY: Key = Key { space: Space([0xab; 16]), digest: [0x5f; 32] };

    fn place(spread: Spread) -> (String, String) {
        let place = Names::new("memo", spread).place(&KEY);
        (place.generation, place.entry)
    }

    #[test]
    fn names_can_be_read() {
        let (space, digest) = ("ab".repeat(16), "5f".repeat(32));
        assert_eq!(place(Spread::None), (format!("memo:{space}"), format!("memo:{space}:{digest}")));
        let tagged = format!("memo:{{5f}}:{space}");
        assert_eq!(place(Spread::Digest), (tagged.clone(), format!("{tagged}:{digest}")));
        let tagged = format!("memo:{{{space}}}");
        assert_eq!(place(Spread::Space), (tagged.clone(), format!("{tagged}:{digest}")));
    }

    #[test]
    fn all_about_a_key_lies_in_one_slot() {
        for spread in [Spread::Digest, Spread::Space] {
            let names = Names::new("memo", spread);
            for first in 0..=255 {
                let mut key = KEY;
                key.digest[0] = first;
                let place = names.place(&key);
                let slot = Slot::for_key(&place.entry);
                assert_eq!([Slot::for_key(&place.generation), Slot::for_key(place.lease())], [slot; 2]);
            }
        }
    }

    #[test]
    fn a_generation_of_the_space_counts_for_each_entry() {
        for spread in [Spread::None, Spread::Digest, Spread::Space] {
            let names = Names::new("memo", spread);
            let generations: Vec<_> = names.generations(&KEY.space).collect();
            for first in 0..=255 {
                let mut key = KEY;
                key.digest[0] = first;
                assert!(generations.contains(&names.place(&key).generation));
            }
        }
    }

    #[test]
    fn buckets_lie_evenly_in_the_slots_of_a_cluster() {
        let names = Names::new("memo", Spread::Digest);
        let slots: Vec<u32> = names
            .generations(&KEY.space)
            .map(|name| (0..16384).find(|slot| Slot::new(*slot) == Some(Slot::for_key(&name))).unwrap())
            .map(u32::from)
            .collect();
        for nodes in 2..=16 {
            let mut shares = vec![0; nodes as usize];
            slots.iter().for_each(|slot| shares[(slot * nodes / 16384) as usize] += 1);
            let most = *shares.iter().max().unwrap();
            assert!(most * nodes <= 2 * 256, "{nodes} nodes: one has {most} of 256");
        }
    }
}
