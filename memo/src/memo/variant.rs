//! The record of an instantiation as the table of variants sees it: what only its types can do.

use super::Memo;
use crate::key::OwnedPart;
use crate::outcome::Value;
use crate::scope::{AnyVariant, Origin, Variants};
use crate::settings::Settings;
use crate::stats::Stats;

impl<K: OwnedPart, V: Value, F: Value> AnyVariant for Memo<K, V, F> {
    fn settings_now(&self) -> &Settings {
        &self.settings
    }

    #[cfg(any(feature = "config", feature = "engines"))]
    fn version(&self) -> usize {
        std::ptr::from_ref(&**self).addr()
    }

    fn make_like(&self, settings: Settings) -> &'static dyn AnyVariant {
        let memo = self.variant(settings);
        crate::sweep::register(&memo.near);
        memo
    }

    fn fits(&self, settings: &Settings) -> bool {
        self.settings == *settings && !self.is_refused()
    }

    fn use_space(&'static self, within: Option<Vec<u8>>) {
        if let Some(far) = &self.far {
            far.use_space(within);
        }
        self.follow(self);
    }

    fn empty(&self) {
        self.near.clear();
    }

    #[cfg(any(feature = "config", feature = "engines"))]
    fn supersede_all(&self) {
        self.flights.supersede_all();
    }

    fn abandon(&self) {
        if let Some(far) = &self.far {
            far.abandon();
        }
    }

    fn own_stats(&self) -> Stats {
        self.store_stats()
    }
}

impl<K: OwnedPart, V: Value, F: Value> Origin for Memo<K, V, F> {
    fn variants(&'static self) -> &'static Variants {
        &self.variants
    }
}
