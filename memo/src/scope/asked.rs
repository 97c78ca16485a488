//! What the scopes in force say of one call.

use super::choice::Choice;
use super::options::OfCall;
use super::recording::Recording;
use super::stack;
use crate::directive::kind::Directive;

/// What is asked of one call.
#[derive(Default)]
pub(crate) struct Asked {
    pub(crate) directive: Option<Directive>,
    pub(crate) options: OfCall,
    pub(crate) choice: Choice,
    pub(crate) recordings: Vec<Recording>,
    /// Somebody listens to events.
    pub(crate) heard: bool,
}

impl Asked {
    /// What the scopes in force say of calls of the function `name`. `None` if they say nothing.
    pub(crate) fn of(name: &str) -> Option<Self> {
        if stack::is_empty() {
            return None;
        }
        stack::look(|layers| {
            let mut asked = Asked::default();
            let mut any = false;
            // the innermost layer comes first, and a field that it sets is not set again
            for layer in layers.filter(|layer| layer.only.as_ref().is_none_or(|only| only.matches(name))) {
                any = true;
                let Asked { directive, options, choice, recordings, .. } = &mut asked;
                *directive = directive.or(layer.directive);
                options.fill(&layer.of_call);
                choice.options.fill(&layer.of_record);
                set(&mut choice.realm, &layer.realm);
                set(&mut choice.namespace, &layer.namespace);
                recordings.extend(layer.recording.clone());
            }
            any.then_some(asked)
        })
    }
}

fn set<T: Clone>(field: &mut Option<T>, layer: &Option<T>) {
    if field.is_none() {
        field.clone_from(layer);
    }
}
