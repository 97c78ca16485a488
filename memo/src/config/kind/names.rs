//! Options that name engines.

use memo_text::nearest;

use super::wrong::{Wrong, wrong};
use crate::config::problem::unknown;
use crate::config::registered;
use crate::config::value::{Given, Setting};

pub(super) fn engines(given: Given, strict: bool) -> Result<Setting, Wrong> {
    let names = names(given, "auto", strict)?;
    let memory = |name: &&String| *name == "memory" || *name == "moka";
    match names.iter().skip(1).find(memory) {
        Some(name) => wrong(format!("memory is the nearest: write \"{name}\" first")),
        None => Ok(Setting::Engines(names)),
    }
}

pub(super) fn fallback(given: Given, strict: bool) -> Result<Setting, Wrong> {
    names(given, "none", strict).map(Setting::Fallback)
}

/// The engines that are named. The list is empty for `word`, which stands alone.
fn names(given: Given, word: &str, strict: bool) -> Result<Vec<String>, Wrong> {
    let text = |given| match given {
        Given::Text(name) => Ok(name),
        other => Err(Wrong::Unfit(other)),
    };
    let names: Vec<_> = match given {
        Given::Text(name) => vec![name],
        Given::List(names) => names.into_iter().map(text).collect::<Result<_, _>>()?,
        given => return Err(Wrong::Unfit(given)),
    };
    if names == [word] {
        return Ok(Vec::new());
    }
    if names.is_empty() {
        return wrong(format!("an empty array names no engine: write \"{word}\" instead"));
    }
    for (index, name) in names.iter().enumerate() {
        if name == word {
            return wrong(format!("\"{word}\" stands alone"));
        }
        if names[..index].contains(name) {
            return wrong(format!("the engine \"{name}\" is named twice"));
        }
        is_engine(name, strict).map_err(|wrong| format!("\"{name}\": {wrong}"))?;
    }
    Ok(names)
}

/// The engines that a program may name without registering them, and whether this build has them.
fn built_in() -> impl Iterator<Item = (&'static str, bool)> + Clone {
    const FAR: &[(&str, bool)] = memo_text::built_in_engines!();
    [("memory", true), ("moka", cfg!(feature = "moka"))].into_iter().chain(FAR.iter().copied())
}

/// Whether there is, or may yet be, an engine called `name`.
///
/// # Errors
///
/// What is wrong with it.
fn is_engine(name: &str, strict: bool) -> Result<(), String> {
    match built_in().find(|(known, _)| *known == name) {
        Some((_, true)) => return Ok(()),
        Some((_, false)) if registered::is_registered(name) => return Ok(()),
        Some((_, false)) => {
            return Err(format!("this engine needs the feature `{name}` of the crate `memo`"));
        }
        None => {}
    }
    if registered::is_registered(name) {
        return Ok(());
    }
    // the names of built-in engines are among these once the engines were used
    let own = registered::names().into_iter().filter(|name| built_in().all(|(known, _)| known != name));
    let own: Vec<_> = own.collect();
    let usable = built_in().filter(|(_, usable)| *usable).map(|(name, _)| name);
    let names = usable.chain(own.iter().map(String::as_str));
    if strict || nearest(name, names.clone()).is_some() {
        let slip = nearest(name, names.clone()).is_some();
        let own = if cfg!(feature = "engines") && !slip {
            "; register one of your own before `memo::init`"
        } else {
            ""
        };
        return Err(unknown("engine", name, names) + own);
    }
    Ok(())
}
