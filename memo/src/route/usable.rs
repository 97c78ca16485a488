//! Which engines a function can use, of those that are asked for by name.

use memo_text::built_in;

use super::{Known, Lacks};
use crate::names::subject;
use crate::near::Kind;

/// What a name of an engine stands for.
enum Named {
    Near(Kind),
    /// For functions only whose attribute says so.
    Thread,
    Far,
    Missing,
    Featureless(&'static str),
}

fn named(engine: &str, known: Known) -> Named {
    match engine {
        "memory" => Named::Near(Kind::Memory),
        #[cfg(feature = "moka")]
        "moka" => Named::Near(Kind::Moka),
        "thread" => Named::Thread,
        far if (known.is_registered)(far) => Named::Far,
        #[cfg(not(feature = "moka"))]
        "moka" => Named::Featureless("moka"),
        // a built-in engine is registered if its feature is on
        far => built_in(far).map_or(Named::Missing, |engine| Named::Featureless(engine.name)),
    }
}

/// Whether there is an engine of this name, or would be with another cargo feature.
pub(crate) fn is_known(engine: &str, known: Known) -> bool {
    !matches!(named(engine, known), Named::Missing)
}

/// The engines that can be used, of those that are asked for.
#[derive(Default)]
pub(super) struct Usable {
    pub(super) near: Option<Kind>,
    pub(super) far: Vec<String>,
    /// Names under which nobody has registered one.
    pub(super) missing: Vec<String>,
    /// Some are left out since nothing can leave the process.
    pub(super) lacks: bool,
    /// Why others are left out.
    pub(super) reasons: Vec<String>,
}

impl Usable {
    /// The engines of these names that can be used. `lacks` says why results cannot leave the process, if they cannot.
    pub(super) fn of(names: &[String], lacks: Option<&Lacks>, known: Known) -> Self {
        let mut usable = Usable::default();
        for name in names {
            let left_out = match named(name, known) {
                Named::Near(kind) if usable.near.is_none() => {
                    usable.near = Some(kind);
                    continue;
                }
                Named::Near(_) => format!("one engine in memory is enough, so {} is left out", subject(name)),
                Named::Far if usable.far.contains(name) => continue,
                Named::Far => match lacks {
                    None => {
                        usable.far.push(name.clone());
                        continue;
                    }
                    Some(lacks) => {
                        usable.lacks = true;
                        format!("{}, so {} is left out", lacks.why, subject(name))
                    }
                },
                Named::Thread => {
                    "thread is for functions whose attribute says `engine = \"thread\"`, so it is left out"
                        .to_owned()
                }
                Named::Featureless(feature) => {
                    format!("{} needs the cargo feature `{feature}`, so it is left out", subject(name))
                }
                Named::Missing => {
                    usable.missing.push(name.clone());
                    format!("{} is not registered, so it is left out", subject(name))
                }
            };
            usable.reasons.push(left_out);
        }
        usable
    }
}
