//! Mistakes, collected so that all of them are reported at once.

use std::fmt::Display;

use proc_macro2::{Span, TokenStream};
use syn::spanned::Spanned;

/// The result of what may find mistakes.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// One mistake, or several.
#[derive(Debug)]
pub(crate) struct Error(Vec<Mistake>);

#[derive(Debug)]
struct Mistake {
    /// The token that it is on. `None` if the one who reports it does not know, and a caller adds it.
    span: Option<Span>,
    message: String,
}

impl Error {
    /// A mistake without a place.
    pub(crate) fn new(message: impl Display) -> Self {
        Error(vec![Mistake { span: None, message: message.to_string() }])
    }

    /// Gives mistakes without a place this one.
    pub(crate) fn at(mut self, place: &impl Spanned) -> Self {
        for mistake in &mut self.0 {
            mistake.span.get_or_insert(place.span());
        }
        self
    }

    /// An invocation of `compile_error!` for each mistake.
    pub(crate) fn into_compile_errors(self) -> TokenStream {
        let errors = self.0.into_iter().map(|Mistake { span, message }| {
            syn::Error::new(span.unwrap_or_else(Span::call_site), message).into_compile_error()
        });
        errors.collect()
    }

    /// What each mistake says.
    #[cfg(test)]
    pub(crate) fn messages(&self) -> Vec<String> {
        self.0.iter().map(|mistake| mistake.message.clone()).collect()
    }
}

impl From<syn::Error> for Error {
    fn from(error: syn::Error) -> Self {
        let mistakes = error.into_iter();
        Error(
            mistakes.map(|error| Mistake { span: Some(error.span()), message: error.to_string() }).collect(),
        )
    }
}

/// The mistakes that have been found so far.
#[derive(Debug, Default)]
pub(crate) struct Errors(Vec<Mistake>);

impl Errors {
    /// Adds what is wrong.
    pub(crate) fn push(&mut self, error: Error) {
        self.0.extend(error.0);
    }

    /// Adds what is wrong with a result. Returns its value if nothing is.
    pub(crate) fn handle<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// Ends the collection.
    ///
    /// # Errors
    ///
    /// All mistakes that were found.
    pub(crate) fn finish(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error(self.0)) }
    }
}

impl From<Errors> for Error {
    fn from(errors: Errors) -> Self {
        Error(errors.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_mistakes_are_kept_in_order() {
        let mut errors = Errors::default();
        assert_eq!(errors.handle(Ok(1)), Some(1));
        assert_eq!(errors.handle::<u8>(Err(Error::new("one"))), None);
        let mut combined = syn::Error::new(Span::call_site(), "two");
        combined.combine(syn::Error::new(Span::call_site(), "three"));
        errors.push(combined.into());
        let error = errors.finish().expect_err("there are three");
        assert_eq!(error.messages(), ["one", "two", "three"]);
        let tokens = error.at(&Span::call_site()).into_compile_errors().to_string();
        assert_eq!(tokens.matches("compile_error").count(), 3, "{tokens}");
    }

    #[test]
    fn nothing_wrong_is_no_error() {
        assert!(Errors::default().finish().is_ok());
    }
}
