//! A look for a result of any age: fresh, stale, or good only in place of an error.

use crate::call::claim::{Aged, Claim};
use crate::call::lookup::MemoBy;
use crate::call::missed::{Missed, MissedBy};
use crate::key::SharedPart;
use crate::key::query::Query;
use crate::memo::freshness::Serves;
use crate::near::Age;
use crate::outcome::SharedOutcome;
use crate::scope::Call;

/// Looks for a result of any age. One that answers the call goes into `found`; else it gives the call that has missed, which may
/// have found a result that is to be renewed.
#[inline(never)]
pub(super) fn look_at_age<P: SharedPart, R, O: SharedOutcome<R>>(
    memo: &'static MemoBy<P, R, O>,
    key: P,
    mut call: Option<Call>,
    found: &mut Option<O::Stored>,
) -> Option<MissedBy<P, R, O>> {
    let hash = memo.hash(&key);
    let writes = call.as_ref().is_none_or(Call::writes);
    let freshness = memo.freshness(call.as_ref().map(|call| &call.options));
    let is_due = |age: &Age| writes && freshness.serves(age) != Serves::Nothing && freshness.is_due(age);
    let looked = memo.near.get_aged(hash, Query(key), &is_due, found);
    let (Some((age, claimed)), true) = (looked, found.is_some()) else {
        return Some(Missed::aged(memo, hash, key, call, None));
    };
    if found.as_ref().is_some_and(|value| !memo.is_valid(value)) {
        *found = None;
        memo.near.remove(hash, &Query(key));
        return Some(Missed::aged(memo, hash, key, call, None));
    }
    let serves = freshness.serves(&age);
    if serves == Serves::Nothing {
        *found = None;
        return Some(Missed::aged(memo, hash, key, call, None));
    }
    // what serves only in place of an error does so at once as long as no renewal is tried, since one has failed
    let at_once = serves != Serves::IfError || age.failures > 0;
    if !claimed && at_once {
        Aged::given(memo, serves, call.as_mut());
        return None;
    }
    let value = found.take()?;
    let claim = claimed.then(|| Claim::new(memo, hash, age).of_key(|| memo.shown(&key)));
    Some(Missed::aged(memo, hash, key, call, Some(Aged { value, age: Some(age), serves, claim })))
}
