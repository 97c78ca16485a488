//! Who else hears that a flight is not waited for any longer: whoever keeps other processes waiting for it.

use std::sync::OnceLock;

static HEARS: OnceLock<fn(usize)> = OnceLock::new();

/// Has `hears` called with the number of each flight that is given up from now on. There is one who wants that: the leases.
pub(crate) fn on_give_up(hears: fn(usize)) {
    let _ = HEARS.set(hears);
}

/// The flight of this number was given up.
pub(super) fn tell(flight: usize) {
    if let Some(hears) = HEARS.get() {
        hears(flight);
    }
}
