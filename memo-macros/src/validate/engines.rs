//! Options that fit some engines only.

use proc_macro2::Span;

use super::rules::Rules;
use crate::enclosing::Namesakes;
use crate::options::{Engine, Fallback, Given, GivenOptions, SingleFlight};

impl<'a> Rules<'a> {
    /// Options have to fit the engines that the author named, or those that the strategy may choose.
    pub(super) fn engines(&mut self) {
        self.fallback();
        self.hints();
        self.reach();
        self.namesakes();
        self.stored();
        self.thread();
    }

    /// The engines that the author named, unless there was a mistake in it.
    fn named(&self) -> Option<&'a Engine> {
        self.given.engine.as_ref().and_then(|engine| engine.value.as_ref())
    }

    /// Whether the author named an engine that ends with the process.
    fn in_memory(&self) -> bool {
        matches!(self.named(), Some(Engine::Memory | Engine::Moka | Engine::Thread))
    }

    /// A fallback needs an engine that may be unavailable and that is not the fallback itself.
    fn fallback(&mut self) {
        let (Some(span), Some(fallback)) = (at(&self.given.fallback), &self.model.options.fallback) else {
            return;
        };
        if self.in_memory() {
            self.refuse(span, "an engine in memory is always available: remove `fallback`");
        } else if !self.model.outlives {
            self.refuse(span, needs_engines("fallback"));
        } else if let Some(Engine::Far { near, names }) = self.named() {
            let Fallback { far: others, near: other } = fallback;
            if let Some(itself) = others.iter().find(|name| names.contains(name)) {
                let message = format!("the engine \"{itself}\" cannot stand in for itself: name another");
                self.refuse(span, message);
            }
            if let (Some(near), Some(other)) = (near, other)
                && near != other
            {
                let (near, other) = (near.name(), other.name());
                let message = format!(
                    "\"{near}\" keeps working while the other engines are unavailable: remove \"{other}\""
                );
                self.refuse(span, message);
            }
        }
    }

    /// Hints are for the strategy, which chooses only where the author does not.
    fn hints(&mut self) {
        let GivenOptions { persist, shared, large, .. } = self.given;
        let hints = [("persist", at(persist)), ("shared", at(shared)), ("large", at(large))];
        for ((name, span), given) in hints.into_iter().zip(self.model.hints()) {
            let (Some(span), true) = (span, given) else { continue };
            if !self.model.outlives {
                self.refuse(span, needs_engines(name));
            } else if self.named().is_some_and(|engine| *engine != Engine::Auto) {
                let message = format!(
                    "`{name}` is a hint for choosing an engine, and `engine` names one already: remove one of the two"
                );
                self.refuse(span, message);
            }
        }
    }

    /// Processes share computations only through an engine that both can reach.
    fn reach(&mut self) {
        if let (Some(span), Some(SingleFlight::Machine | SingleFlight::Fleet)) =
            (at(&self.given.single_flight), self.model.options.single_flight)
            && self.in_memory()
        {
            let message = "this needs an engine that processes share, such as \"disk\" or \"redis\", and `engine` \
                           names one in memory: name another, or use `single_flight = \"process\"`";
            self.refuse(span, message);
        }
    }

    /// Results that outlive the process are found by the path of the function, so it must be the only one with it.
    fn namesakes(&mut self) {
        if self.model.namesakes == Namesakes::Some && matches!(self.named(), Some(Engine::Far { .. })) {
            let name = &self.model.sig.ident;
            let message = format!(
                "another `{name}` in another block has the same path, so that both would use the same stored \
                 results: give one of them a name by `name = \"..\"`"
            );
            self.refuse(name.span(), message);
        }
    }

    /// `code` and `codec` are about results that outlive the process.
    fn stored(&mut self) {
        // An engine whose name was wrong may have been meant to be one that outlives the process.
        let wrong = self.given.engine.is_some() && self.named().is_none();
        if wrong || matches!(self.named(), Some(Engine::Far { .. })) {
            return;
        }
        for (name, span) in [("code", at(&self.given.code)), ("codec", at(&self.given.codec))] {
            let Some(span) = span else { continue };
            if self.in_memory() {
                let message = format!(
                    "`{name}` is for engines that outlive the process, such as \"disk\": name one, or \
                             remove `{name}`"
                );
                self.refuse(span, message);
            } else if !self.model.outlives {
                self.refuse(span, needs_engines(name));
            }
        }
    }

    /// Results that stay on their thread need a function that does, and calls that do not wait for other threads.
    fn thread(&mut self) {
        if !self.model.on_thread() {
            return;
        }
        if let Some(asyncness) = self.model.sig.asyncness {
            let message = "the future of an `async fn` may move between threads, and `engine = \"thread\"` keeps \
                           results on one thread: use \"memory\", or memoize a plain function that this one calls";
            self.refuse(asyncness.span, message);
        }
        if let Some(span) = at(&self.given.single_flight) {
            let message = "`engine = \"thread\"` shares nothing between threads, so no call waits for another: \
                           remove `single_flight`";
            self.refuse(span, message);
        }
    }
}

/// Where an option stands whose value was right.
fn at<T>(given: &Option<Given<T>>) -> Option<Span> {
    given.as_ref().filter(|given| given.value.is_some()).map(|given| given.key)
}

fn needs_engines(name: &str) -> String {
    format!(
        "`{name}` is for engines that outlive the process: turn on the cargo feature `engines`, `disk` or `redis` \
         of memo"
    )
}

#[cfg(test)]
mod tests {
    use super::needs_engines;
    use crate::validate::tests::{FUNCTION, accepts, errors, refuses};

    #[test]
    #[cfg(feature = "engines")]
    fn processes_share_no_computation_by_memory() {
        let message = "this needs an engine that processes share, such as \"disk\" or \"redis\", and `engine` names \
                       one in memory: name another, or use `single_flight = \"process\"`";
        refuses("engine = \"memory\", single_flight = \"machine\"", FUNCTION, message);
        refuses("single_flight = \"fleet\", engine = [\"memory\"]", FUNCTION, message);
        accepts("engine = \"memory\", single_flight = \"process\"", FUNCTION);
        accepts("engine = [\"memory\", \"archive\"], single_flight = \"machine\"", FUNCTION);
    }

    #[test]
    fn what_is_for_engines_that_outlive_the_process() {
        let options = [
            ("fallback", "fallback = \"none\""),
            ("fallback", "engine = \"auto\", fallback = [\"memory\"]"),
            ("persist", "persist = true"),
            ("shared", "shared = true"),
            ("large", "large = true"),
            ("code", "code = \"track\""),
            ("codec", "engine = \"auto\", codec = \"postcard\""),
        ];
        for (name, option) in options {
            if cfg!(feature = "engines") {
                accepts(option, FUNCTION);
            } else {
                refuses(option, FUNCTION, &needs_engines(name));
            }
        }
        for (name, option) in [("code", "code = \"track\""), ("codec", "codec = \"postcard\"")] {
            refuses(
                &format!("engine = \"memory\", {option}"),
                FUNCTION,
                &format!(
                    "`{name}` is for engines that outlive the process, such as \"disk\": name one, or remove \
                          `{name}`"
                ),
            );
        }
        refuses(
            "engine = \"memory\", fallback = \"memory\"",
            FUNCTION,
            "an engine in memory is always available: remove `fallback`",
        );
        assert_eq!(errors("persist = 1", FUNCTION), ["`persist` takes `true` or `false`"]);
        accepts("engine = \"memory\", persist = false", FUNCTION);
    }

    #[cfg(feature = "engines")]
    #[test]
    fn what_contradicts_an_engine_that_is_named() {
        for hint in ["persist", "shared", "large"] {
            for engine in ["\"memory\"", "\"archive\"", "[\"memory\", \"archive\"]"] {
                refuses(
                    &format!("engine = {engine}, {hint} = true"),
                    FUNCTION,
                    &format!(
                        "`{hint}` is a hint for choosing an engine, and `engine` names one already: remove one of \
                         the two"
                    ),
                );
            }
            accepts(&format!("engine = \"auto\", {hint} = true"), FUNCTION);
        }
        refuses(
            "engine = [\"memory\", \"archive\"], fallback = [\"attic\", \"archive\"]",
            FUNCTION,
            "the engine \"archive\" cannot stand in for itself: name another",
        );
        accepts("engine = [\"memory\", \"archive\"], fallback = [\"attic\", \"memory\"]", FUNCTION);
        accepts("engine = \"archive\", fallback = \"memory\"", FUNCTION);
        #[cfg(feature = "moka")]
        refuses(
            "engine = [\"memory\", \"archive\"], fallback = \"moka\"",
            FUNCTION,
            "\"memory\" keeps working while the other engines are unavailable: remove \"moka\"",
        );
    }
}
