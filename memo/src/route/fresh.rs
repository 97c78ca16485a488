//! For how long results are fresh and stale, when they are renewed and where that runs, in words.

use crate::plan::Plan;
use crate::renewals;
use crate::settings::Settings;
use crate::settings::freshness::{Freshness, Jitter, RefreshAhead};
use crate::units;

/// Where the renewals of a function run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Renews {
    /// On another thread, or in another task.
    Behind,
    /// In the call: it cannot hand its arguments over.
    NotOwned,
    /// In the call: the attribute asks for no renewals, so generated code cannot hand the body over.
    NotAsked,
    /// In the call: nobody runs the futures.
    NotSpawned,
}

impl Renews {
    /// `author` is what the attribute says.
    fn of(settings: &Settings, author: &Freshness) -> Self {
        match settings.freshness.behind {
            false if author.stale.is_none() && author.refresh_ahead.is_none() => Renews::NotAsked,
            false => Renews::NotOwned,
            true if settings.is_async && !renewals::can_spawn() => Renews::NotSpawned,
            true => Renews::Behind,
        }
    }
}

impl Plan {
    /// With what holds for results that are no longer fresh, or soon will not be. `settings` are those in force, `author` is what
    /// the attribute says.
    pub(crate) fn with_freshness(mut self, settings: &Settings, author: &Freshness) -> Plan {
        if !self.engines.is_empty() {
            let lives = settings.ttl.is_some() || settings.ttl_of;
            self.reasons.extend(reasons(&settings.freshness, lives, Renews::of(settings, author)));
        }
        self
    }
}

/// The sentences. `lives`: results have a lifetime.
fn reasons(freshness: &Freshness, lives: bool, renews: Renews) -> Vec<String> {
    let Freshness { stale, stale_if_error, refresh_ahead, jitter, .. } = *freshness;
    if !lives {
        let is_asked = freshness.is_asked() || jitter.is_some();
        return is_asked.then(|| "none has a lifetime, so none gets stale".to_owned()).into_iter().collect();
    }
    let stale = stale.filter(|stale| !stale.is_zero());
    let stale_if_error = stale_if_error.filter(|stale| !stale.is_zero());
    let ahead = refresh_ahead.and_then(|ahead| match ahead {
        RefreshAhead::From(1000) => None,
        RefreshAhead::From(part) => {
            Some(format!("a hit renews it from {} of its lifetime on", percent(part)))
        }
        RefreshAhead::Auto => Some(
            "hits renew it before its end by chance, the likelier the longer it took to compute".to_owned(),
        ),
    });
    let found = if stale.is_some() { "stale" } else { "near its end" };
    let here = format!("a renewal runs in the call that finds the result {found}");
    let place = match renews {
        Renews::Behind => "renewals run behind the call".to_owned(),
        Renews::NotOwned => format!("{here}, since its arguments cannot be owned"),
        Renews::NotAsked => {
            format!("{here}, since its attribute says neither `stale` nor `refresh_ahead`")
        }
        Renews::NotSpawned => format!(
            "{here}, since nothing runs its future: turn on the feature `tokio`, or call `memo::set_spawner`"
        ),
    };
    let place = (stale.is_some() || ahead.is_some()).then_some(place);
    let sentences = [
        jitter
            .filter(|jitter| *jitter != Jitter(0))
            .map(|Jitter(most)| format!("lifetimes are shorter by chance, by up to {}", percent(most))),
        ahead,
        stale.map(|stale| {
            format!(
                "after its lifetime it is stale, and answers calls for {} more while one renews it",
                units::duration(stale)
            )
        }),
        stale_if_error.map(|stale| {
            format!(
                "for {} after its lifetime it answers calls whose computation fails",
                units::duration(stale)
            )
        }),
        place,
    ];
    sentences.into_iter().flatten().collect()
}

/// Thousandths as a percentage.
fn percent(thousandths: u16) -> String {
    match (thousandths / 10, thousandths % 10) {
        (whole, 0) => format!("{whole} %"),
        (whole, tenths) => format!("{whole}.{tenths} %"),
    }
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use std::time::Duration;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn said(freshness: Freshness, renews: Renews) -> Vec<String> {
        reasons(&freshness, true, renews)
    }

    #[test]
    fn each_option_has_a_sentence() {
        let nothing = Freshness::default();
        assert_eq!(said(nothing, Renews::Behind), [""; 0]);
        let all = Freshness {
            stale: Some(HOUR),
            stale_if_error: Some(24 * HOUR),
            refresh_ahead: Some(RefreshAhead::From(800)),
            jitter: Some(Jitter(125)),
            behind: true,
        };
        assert_eq!(
            said(all, Renews::Behind),
            [
                "lifetimes are shorter by chance, by up to 12.5 %",
                "a hit renews it from 80 % of its lifetime on",
                "after its lifetime it is stale, and answers calls for 1h more while one renews it",
                "for 1d after its lifetime it answers calls whose computation fails",
                "renewals run behind the call",
            ]
        );
        let chance = Freshness { refresh_ahead: Some(RefreshAhead::Auto), ..nothing };
        let by_chance = "hits renew it before its end by chance, the likelier the longer it took to compute";
        assert_eq!(said(chance, Renews::Behind), [by_chance, "renewals run behind the call"]);
        let on_error = Freshness { stale_if_error: Some(HOUR), ..nothing };
        let answers = "for 1h after its lifetime it answers calls whose computation fails";
        assert_eq!(
            said(on_error, Renews::NotOwned),
            [answers],
            "no renewal runs behind the call in any case"
        );
    }

    #[test]
    fn it_is_said_where_renewals_run_and_why() {
        let stale = Freshness { stale: Some(HOUR), ..Freshness::default() };
        let ahead = Freshness { refresh_ahead: Some(RefreshAhead::Auto), ..Freshness::default() };
        for (renews, why) in [
            (Renews::NotOwned, "since its arguments cannot be owned"),
            (Renews::NotAsked, "since its attribute says neither `stale` nor `refresh_ahead`"),
            (
                Renews::NotSpawned,
                "since nothing runs its future: turn on the feature `tokio`, or call `memo::set_spawner`",
            ),
        ] {
            let last = |freshness| said(freshness, renews).pop();
            let here =
                |found| Some(format!("a renewal runs in the call that finds the result {found}, {why}"));
            assert_eq!(last(stale), here("stale"));
            assert_eq!(last(ahead), here("near its end"));
        }
    }

    #[test]
    fn where_renewals_run_follows_from_attribute_arguments_and_executor() {
        let asks = Freshness { stale: Some(HOUR), ..Freshness::default() };
        let settings = |behind| Settings::new().stale(HOUR).renewed_behind(behind);
        assert_eq!(Renews::of(&settings(true), &asks), Renews::Behind);
        assert_eq!(Renews::of(&settings(false), &asks), Renews::NotOwned);
        assert_eq!(Renews::of(&settings(false), &Freshness::default()), Renews::NotAsked);
        let mut future = settings(true);
        future.is_async = true;
        let spawned = if renewals::can_spawn() { Renews::Behind } else { Renews::NotSpawned };
        assert_eq!(Renews::of(&future, &asks), spawned);
    }

    #[test]
    fn without_a_lifetime_nothing_is_stale() {
        let stale = Freshness { stale: Some(HOUR), ..Freshness::default() };
        assert_eq!(reasons(&stale, false, Renews::Behind), ["none has a lifetime, so none gets stale"]);
        assert_eq!(reasons(&Freshness::default(), false, Renews::Behind), [""; 0]);
    }
}
