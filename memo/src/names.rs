//! Names of engines: how they are given, and how sentences speak of them.

use memo_text::built_in;

/// One name of an engine, or several, nearest first: `"disk"`, `["memory", "disk"]`.
pub trait EngineNames {
    /// The names, in order.
    fn into_names(self) -> Vec<String>;
}

impl EngineNames for &str {
    fn into_names(self) -> Vec<String> {
        vec![self.to_owned()]
    }
}
impl EngineNames for String {
    fn into_names(self) -> Vec<String> {
        vec![self]
    }
}
impl<S: Into<String>, const N: usize> EngineNames for [S; N] {
    fn into_names(self) -> Vec<String> {
        self.into_iter().map(Into::into).collect()
    }
}
impl<S: Into<String>> EngineNames for Vec<S> {
    fn into_names(self) -> Vec<String> {
        self.into_iter().map(Into::into).collect()
    }
}
impl<S: Clone + Into<String>> EngineNames for &[S] {
    fn into_names(self) -> Vec<String> {
        self.iter().cloned().map(Into::into).collect()
    }
}

/// Where an engine of this name keeps things.
pub(crate) fn whereabouts(engine: &str) -> String {
    match engine {
        "memory" => "in memory".to_owned(),
        "moka" => "in memory (moka)".to_owned(),
        "thread" => "in a table of each thread's own".to_owned(),
        far => match built_in(far) {
            Some(engine) => engine.place.to_owned(),
            None => format!("in \"{far}\""),
        },
    }
}

/// The engine as what a sentence is about.
pub(crate) fn subject(engine: &str) -> String {
    match engine {
        "memory" | "moka" | "thread" => engine.to_owned(),
        far => match built_in(far) {
            Some(engine) => engine.subject.to_owned(),
            None => format!("\"{far}\""),
        },
    }
}
