//! What one builder of a scope has set.

use std::sync::Arc;
use std::time::Duration;

use super::realm::Realm;
use super::recording::Recording;
use crate::directive::kind::Directive;
use crate::pattern::Pattern;

/// The names of engines, nearest first.
pub(super) type Names = Arc<[String]>;

/// The fields of one scope. What is not set stays as it is around it.
#[derive(Debug, Clone, Default)]
pub(super) struct Layer {
    /// The functions that the other fields are for; `None` for all.
    pub(super) only: Option<Pattern>,
    pub(super) directive: Option<Directive>,
    pub(super) ttl: Option<Duration>,
    pub(super) engines: Option<Names>,
    pub(super) fallback: Option<Names>,
    pub(super) namespace: Option<Arc<str>>,
    pub(super) realm: Option<Arc<Realm>>,
    pub(super) recording: Option<Recording>,
}
