//! What one builder of a scope has set.

use std::sync::Arc;

use super::options::{OfCall, OfRecord};
use super::realm::Realm;
use super::recording::Recording;
use crate::directive::kind::Directive;
use crate::pattern::Pattern;

/// The fields of one scope. What is not set stays as it is around it.
#[derive(Debug, Clone, Default)]
pub(super) struct Layer {
    /// The functions that the other fields are for; `None` for all.
    pub(super) only: Option<Pattern>,
    pub(super) directive: Option<Directive>,
    pub(super) of_call: OfCall,
    pub(super) of_record: OfRecord,
    pub(super) namespace: Option<Arc<str>>,
    pub(super) realm: Option<Arc<Realm>>,
    pub(super) recording: Option<Recording>,
}
