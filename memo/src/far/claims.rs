//! Whether a function can be told from all others in engines that outlive the process.
//!
//! Within a process, functions are told apart by types: by that of an item in the function, and instantiations by that of
//! a closure. Engines know names only. Where two functions, or two instantiations, have one name, neither may use such an
//! engine: it would be given the other's results.

use std::any::TypeId;
use std::collections::HashMap;
use std::panic::Location;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::naming::parameters;
use crate::fork::{self, Locked, Part};
use crate::lasting::Origin;
use crate::memoized::Memoized;
use crate::registry;
use crate::settings::Settings;

/// Why an instantiation does without engines: the words of its plan.
pub(super) const REFUSED: &str = "something else in this program has the same name";

/// A name that only one may have.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Name {
    /// The path of a function. Two versions of a package do not clash: engines take their functions for the same, as they do
    /// from one release to the next.
    Function { package: &'static str, version: &'static str, path: &'static str },
    /// The type parameters of one function, by name.
    Types(TypeId, String),
}

/// Who has a name.
struct Claim {
    by: TypeId,
    location: &'static Location<'static>,
    /// Somebody else has it too.
    refused: bool,
}

type Claims = Option<HashMap<Name, Claim>>;

static CLAIMS: Mutex<Claims> = Mutex::new(None);

fn claims() -> MutexGuard<'static, Claims> {
    fork::attend(Part::Claims, &Locked(lock));
    lock()
}

fn lock() -> MutexGuard<'static, Claims> {
    CLAIMS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The names of an instantiation, and who has them: of the function, where its author has not given one, and of the
/// types.
fn names(settings: &Settings, origin: Origin, marker: TypeId) -> impl Iterator<Item = (Name, TypeId)> {
    let Origin { package, version, path, item, .. } = origin;
    let function = settings.name.is_none().then_some((Name::Function { package, version, path }, item));
    let types = (Name::Types(item, parameters(settings)), marker);
    function.into_iter().chain([types])
}

/// Whether something else has been found to have a name of this instantiation.
pub(crate) fn is_refused(settings: &Settings) -> bool {
    let Some(origin) = settings.lasting.origin else { return false };
    let claims = claims();
    let Some(claims) = &*claims else { return false };
    // the marker does not matter here: any will do
    names(settings, origin, origin.item).any(|(name, _)| claims.get(&name).is_some_and(|claim| claim.refused))
}

/// Claims the names of an instantiation of the function `name`. If somebody else has one of them, takes both off the
/// engines that outlive the process. Gives whether the instantiation is refused.
pub(crate) fn claim(settings: &Settings, name: &str, marker: TypeId) -> bool {
    let Some(origin) = settings.lasting.origin else { return false };
    let mut refused = Vec::new();
    let mut claims = claims();
    let claims_by_name = claims.get_or_insert_default();
    for (claimed, by) in names(settings, origin, marker) {
        let what = match &claimed {
            Name::Function { .. } => None,
            Name::Types(_, types) => Some(types.trim_end_matches("[]").to_owned()),
        };
        let location = origin.location;
        let claim = claims_by_name.entry(claimed).or_insert(Claim { by, location, refused: false });
        if claim.by != by && !std::mem::replace(&mut claim.refused, true) {
            refused.push((claim.location, what));
        }
    }
    drop(claims);
    for (other, types) in &refused {
        say(name, origin, other, types.as_deref());
    }
    if !refused.is_empty() {
        registry::all().into_iter().for_each(Memoized::tell_apart);
    }
    is_refused(settings)
}

fn say(name: &str, origin: Origin, other: &Location<'_>, types: Option<&str>) {
    let here = origin.location;
    crate::warn::warn(&match types {
        None => format!(
            "the functions `{name}` at {other} and at {here} have one name in engines that outlive the process, and do \
             without: tell them apart by `name = \"..\"`"
        ),
        Some(types) => format!(
            "`{name}` at {here} is used with different types of one name ({types}), and does without engines that \
             outlive the process for these: give them names of their own, or have them stand in modules"
        ),
    });
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn promise_25_two_versions_of_a_package_in_one_program_are_no_two_things() {
        let of = |version, item| {
            let origin = Origin { item, ..Origin::of::<()>("app", Some("promise-25"), Some(version)) };
            Settings::new().origin(origin)
        };
        let (one, other) = (TypeId::of::<u8>(), TypeId::of::<u16>());
        assert!(!claim(&of("1.0.0", one), "app::f", one));
        assert!(!claim(&of("2.0.0", other), "app::f", other));
        assert!(claim(&of("2.0.0", one), "app::f", one), "but two of one version are");
        assert!(is_refused(&of("2.0.0", other)));
        assert!(!is_refused(&of("1.0.0", one)));
    }
}
