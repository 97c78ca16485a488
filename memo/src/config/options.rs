//! The options of functions: one row for each. All else that a configuration knows of an option follows from its row.

use std::borrow::Cow;
use std::time::Duration;

use memo_text::Rate;

use super::kind::Kind;
use super::value::Setting;
use crate::settings::freshness::{Freshness, Jitter, RefreshAhead};
use crate::settings::sparing::Sparing;
use crate::settings::{Hints, OnError, Settings, SingleFlight, WITHOUT_END};
use crate::trace::are_shown;

/// An option of a function.
pub(super) struct Row<'s> {
    pub(super) name: &'static str,
    /// Whether the settings say something about the option. What an author says takes precedence over defaults.
    pub(super) said: bool,
    /// Where the settings hold the value.
    pub(super) slot: Slot<'s>,
}

/// Where settings hold an option, by what it takes.
pub(super) enum Slot<'s> {
    Switch(&'s mut bool),
    /// A switch whose default the whole process has.
    Shown(&'s mut Option<bool>),
    Bound(&'s mut Option<u64>),
    Rate(&'s mut Option<Rate>),
    AtOnce(&'s mut Option<u64>),
    /// Set only if the function weighs its entries. Without a weigher each weighs 1, and the capacity is the bound.
    Weight(&'s mut Option<u64>),
    Size(&'s mut u64),
    Lifetime(&'s mut Option<Duration>),
    Ahead(&'s mut Option<RefreshAhead>),
    Jitter(&'s mut Option<Jitter>),
    /// Set only where the author has: without that there is no error to give.
    Timeout(&'s mut Option<Duration>),
    Engines(&'s mut Option<Names>),
    Fallback(&'s mut Option<Names>),
    Share(&'s mut Option<SingleFlight>),
    OnError(&'s mut Option<OnError>),
    Patience(&'s mut Option<Duration>),
}

/// Names of engines in settings.
type Names = Vec<Cow<'static, str>>;

/// All options of functions, as `settings` hold them, in the order in which they are shown.
///
/// Each field of the settings is named here. A field that is added does not compile until it has a row, or stands among
/// those that are no options.
#[deny(unused_variables)]
pub(super) fn rows(settings: &mut Settings) -> Vec<Row<'_>> {
    let Settings {
        enabled,
        engine,
        fallback,
        hints: Hints { persist, shared, large },
        capacity,
        max_weight,
        large_over,
        ttl,
        tti,
        error_ttl,
        freshness: Freshness { stale, wait, stale_if_error, refresh_ahead, jitter, behind: _ },
        sparing: Sparing { timeout, limit, at_once, turns_away: _ },
        single_flight,
        on_error,
        patience,
        log_keys,
        // about the code, which no configuration knows
        owner: _,
        name: _,
        version: _,
        is_async: _,
        on_thread: _,
        lasting: _,
        // what the author has said
        bounded,
        ttl_of,
        none_ttl: _,
    } = settings;
    let row = |name, said, slot| Row { name, said, slot };
    vec![
        row("enabled", false, Slot::Switch(enabled)),
        row("engine", engine.is_some(), Slot::Engines(engine)),
        row("fallback", fallback.is_some(), Slot::Fallback(fallback)),
        row("persist", *persist, Slot::Switch(persist)),
        row("shared", *shared, Slot::Switch(shared)),
        row("large", *large, Slot::Switch(large)),
        row("capacity", *bounded, Slot::Bound(capacity)),
        row("max_weight", *bounded, Slot::Weight(max_weight)),
        row("large_over", false, Slot::Size(large_over)),
        // with `ttl_of` the author has said how long results live
        row("ttl", ttl.is_some() || *ttl_of, Slot::Lifetime(ttl)),
        row("tti", tti.is_some(), Slot::Lifetime(tti)),
        row("cache_err", error_ttl.is_some(), Slot::Lifetime(error_ttl)),
        row("stale", stale.is_some(), Slot::Lifetime(stale)),
        row("wait", wait.is_some(), Slot::Lifetime(wait)),
        row("stale_if_error", stale_if_error.is_some(), Slot::Lifetime(stale_if_error)),
        row("refresh_ahead", refresh_ahead.is_some(), Slot::Ahead(refresh_ahead)),
        row("jitter", jitter.is_some(), Slot::Jitter(jitter)),
        row("timeout", timeout.is_some(), Slot::Timeout(timeout)),
        row("limit", limit.is_some(), Slot::Rate(limit)),
        row("at_once", at_once.is_some(), Slot::AtOnce(at_once)),
        row("single_flight", single_flight.is_some(), Slot::Share(single_flight)),
        row("on_error", on_error.is_some(), Slot::OnError(on_error)),
        row("patience", patience.is_some(), Slot::Patience(patience)),
        row("log_keys", false, Slot::Shown(log_keys)),
    ]
}

impl Slot<'_> {
    /// What the option takes.
    pub(super) fn kind(&self) -> Kind {
        match self {
            Slot::Switch(_) | Slot::Shown(_) => Kind::Switch,
            Slot::Bound(_) => Kind::Bound,
            Slot::AtOnce(_) => Kind::AtOnce,
            Slot::Rate(_) => Kind::Rate,
            Slot::Weight(_) | Slot::Size(_) => Kind::Size,
            Slot::Lifetime(_) => Kind::Lifetime,
            Slot::Timeout(_) => Kind::Timeout,
            Slot::Ahead(_) => Kind::Ahead,
            Slot::Jitter(_) => Kind::Jitter,
            Slot::Engines(_) => Kind::Engines,
            Slot::Fallback(_) => Kind::Fallback,
            Slot::Share(_) => Kind::Share,
            Slot::OnError(_) => Kind::OnError,
            Slot::Patience(_) => Kind::Patience,
        }
    }

    /// Sets the option. What [`Kind::check`] makes of a value fits.
    pub(super) fn set(self, setting: &Setting) {
        match (self, setting) {
            (Slot::Switch(slot), Setting::Switch(flag)) => *slot = *flag,
            (Slot::Shown(slot), Setting::Switch(flag)) => *slot = Some(*flag),
            (Slot::Bound(slot) | Slot::AtOnce(slot), Setting::Bound(bound)) => *slot = *bound,
            (Slot::Weight(Some(slot)), Setting::Size(most)) => *slot = *most,
            (Slot::Size(slot), Setting::Size(size)) => *slot = *size,
            (Slot::Lifetime(slot), Setting::Lifetime(length)) => *slot = *length,
            (Slot::Timeout(Some(slot)), Setting::Lifetime(length)) => *slot = length.unwrap_or(WITHOUT_END),
            (Slot::Rate(slot), Setting::Rate(rate)) => *slot = *rate,
            (Slot::Ahead(slot), Setting::Ahead(ahead)) => *slot = *ahead,
            (Slot::Jitter(slot), Setting::Jitter(jitter)) => *slot = *jitter,
            (Slot::Engines(slot), Setting::Engines(names)) => {
                *slot = (!names.is_empty()).then(|| owned(names));
            }
            (Slot::Fallback(slot), Setting::Fallback(names)) => *slot = Some(owned(names)),
            (Slot::Share(slot), Setting::Share(share)) => *slot = Some(*share),
            (Slot::OnError(slot), Setting::OnError(on_error)) => *slot = Some(*on_error),
            (Slot::Patience(slot), Setting::Patience(patience)) => *slot = Some(*patience),
            _ => {}
        }
    }

    /// The value in force: what is said, or else the default.
    fn value(self) -> Setting {
        match self {
            Slot::Switch(slot) => Setting::Switch(*slot),
            Slot::Shown(slot) => Setting::Switch(slot.unwrap_or_else(are_shown)),
            Slot::Bound(slot) | Slot::AtOnce(slot) => Setting::Bound(*slot),
            Slot::Weight(slot) => slot.map_or(Setting::Nothing, Setting::Size),
            Slot::Size(slot) => Setting::Size(*slot),
            Slot::Lifetime(slot) => Setting::Lifetime(*slot),
            Slot::Timeout(slot) => slot.map_or(Setting::Nothing, |length| {
                Setting::Lifetime(Some(length).filter(|length| *length != WITHOUT_END))
            }),
            Slot::Rate(slot) => Setting::Rate(*slot),
            Slot::Ahead(slot) => Setting::Ahead(*slot),
            Slot::Jitter(slot) => Setting::Jitter(*slot),
            Slot::Engines(slot) => Setting::Engines(slot.as_deref().map(texts).unwrap_or_default()),
            Slot::Fallback(slot) => {
                Setting::Fallback(slot.as_deref().map_or_else(|| vec!["memory".to_owned()], texts))
            }
            Slot::Share(slot) => Setting::Share(slot.unwrap_or_default()),
            Slot::OnError(slot) => Setting::OnError(slot.unwrap_or_default()),
            Slot::Patience(slot) => Setting::Patience(slot.unwrap_or(crate::settings::PATIENCE)),
        }
    }
}

fn owned(names: &[String]) -> Names {
    names.iter().cloned().map(Cow::Owned).collect()
}

fn texts(names: &[Cow<'static, str>]) -> Vec<String> {
    names.iter().map(|name| name.to_string()).collect()
}

/// The value of an option.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OptionValue {
    pub(super) name: &'static str,
    /// See [`Row`].
    pub(super) said: bool,
    pub(super) value: Setting,
}

/// The values that `settings` have for all options, in order.
pub(super) fn values(settings: &Settings) -> Vec<OptionValue> {
    let mut settings = settings.clone();
    let value = |Row { name, said, slot }| OptionValue { name, said, value: slot.value() };
    rows(&mut settings).into_iter().map(value).collect()
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use super::*;

    /// Another value than the default of each kind.
    fn another(kind: Kind) -> Setting {
        match kind {
            Kind::Switch => Setting::Switch(true),
            Kind::Rate => Setting::Rate(Some(Rate { count: 7, per: Duration::from_secs(7), burst: 7 })),
            Kind::Bound | Kind::AtOnce => Setting::Bound(Some(7)),
            Kind::Size => Setting::Size(7),
            Kind::Lifetime | Kind::Timeout => Setting::Lifetime(Some(Duration::from_secs(7))),
            Kind::Ahead => Setting::Ahead(Some(RefreshAhead::From(700))),
            Kind::Jitter => Setting::Jitter(Some(Jitter(7))),
            Kind::Engines => Setting::Engines(vec!["moka".to_owned()]),
            Kind::Fallback => Setting::Fallback(Vec::new()),
            Kind::Share => Setting::Share(SingleFlight::Off),
            Kind::OnError => Setting::OnError(OnError::All),
            Kind::Patience => Setting::Patience(Duration::from_secs(7)),
            kind => panic!("no option of functions is of the kind {kind:?}"),
        }
    }

    #[test]
    fn what_is_set_is_held_and_nothing_else() {
        let mut author = Settings::new().max_weight(100_u64).timeout(Duration::from_secs(1));
        author.enabled = false;
        let before = values(&author);
        for index in 0..before.len() {
            let mut settings = author.clone();
            let row = rows(&mut settings).swap_remove(index);
            let (name, setting) = (row.name, another(row.slot.kind()));
            row.slot.set(&setting);
            for (after, before) in values(&settings).iter().zip(&before) {
                let is_it = after.name == name;
                assert_eq!(after.value, if is_it { setting.clone() } else { before.value.clone() }, "{name}");
                assert_eq!(after.value != before.value, is_it, "{name}");
            }
        }
    }

    #[test]
    fn entries_that_nobody_weighs_have_no_weight_set() {
        let mut settings = Settings::new();
        rows(&mut settings).into_iter().for_each(|row| row.slot.set(&Setting::Size(7)));
        assert_eq!((settings.max_weight, settings.large_over), (None, 7));
    }
}
