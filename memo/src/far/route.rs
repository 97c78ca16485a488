//! What becomes of a function's results: what it asks for, and what its types and its name allow.

use super::types::FarTypes;
use super::{built_in, claims, codec, lessor, named, naming};
use crate::plan::Plan;
use crate::route::{Known, Lacks, Route};
use crate::settings::Settings;
use crate::strategy::{self, FunctionProfile, Profiles};

/// What a function called `name` does with its results.
pub(crate) fn route<K, V>(settings: &Settings, name: &str, types: Option<&FarTypes<K, V>>) -> Route {
    route_by(settings, name, types.map(|types| &types.profiles))
}

/// What a function called `name`, of whose types this is known, does with its results. Where nothing is known of them, the
/// strategy is not asked.
pub(crate) fn route_by(settings: &Settings, name: &str, types: Option<&Profiles>) -> Route {
    let auto = || match types {
        Some(types) => {
            strategy::ask(&FunctionProfile { name, settings, types, engines: built_in::profiles() })
        }
        None => Plan::nearest(),
    };
    let other = |why| Lacks { why, instead: None };
    let refused = || claims::is_refused(settings).then(|| other(claims::REFUSED.to_owned()));
    let of_types = types.and_then(Profiles::lacks).map(other);
    let lacks = of_types.or_else(|| naming::unnamed(settings)).or_else(refused);
    let mut route = Route::of(settings, auto, lacks, KNOWN);
    if !route.far.is_empty()
        && let Some(shape) = types.and_then(|types| types.shape)
        && let Some(reason) = codec::reason(settings.lasting.codec, shape())
    {
        route.plan = route.plan.because(reason);
    }
    route
}

/// What is known of the engines here.
pub(crate) const KNOWN: Known =
    Known { is_registered: named::is_registered, flight_reason: lessor::flight_reason };
