//! How long calls wait for a future that nobody polls, and what is said when one has waited so long.

use std::time::Duration;

use super::Memo;
use crate::flight::patience::Patience;
use crate::key::OwnedPart;
use crate::outcome::Value;

impl<K: OwnedPart, V: Value, F: Value> Memo<K, V, F> {
    /// How long a call waits for a future that nobody polls.
    pub(crate) fn patience(&'static self) -> Option<Patience> {
        Patience::new(self.settings.patient_for(), &self.counters)
    }

    /// Counts a wait that was given up, and warns at the first one of the function.
    pub(crate) fn is_impatient(&self) {
        self.counters.impatient();
        if self.function.is_first_warning() {
            warn_of_impatience(&self.name, self.settings.patient_for());
        }
    }
}

/// Warns that a call of the function `name` was not polled for so long. It is not generic, so that it is compiled once.
#[cold]
#[inline(never)]
fn warn_of_impatience(name: &str, patience: Duration) {
    let bound = crate::units::duration(patience);
    crate::warn::warn(&format!(
        "`{name}`: a call that was computing has not been polled for longer than {bound}, and another computes in its \
         place: poll its future to the end or drop it (a `select!` over `&mut future` keeps the loser); if it only \
         waits so long for something else, give the function more `patience`",
    ));
}
