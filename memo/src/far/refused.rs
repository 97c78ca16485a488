//! Results that are not handed to engines, because their bytes would be read as something else.

use std::any::{TypeId, type_name};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::proof::Refusal;
use crate::lasting::Codec;
use crate::warn::warn;

/// What one instantiation of a function has refused to store.
#[derive(Default)]
pub(super) struct Refused {
    count: AtomicU64,
    /// Why the first one was refused.
    first: OnceLock<String>,
}

impl Refused {
    /// Counts another one, of type `V`, of the function called `function`. `carries` says whether another codec would do.
    pub(super) fn another<V: 'static>(
        &self,
        function: &str,
        codec: Codec,
        refusal: &Refusal,
        carries: impl Fn(Codec) -> bool,
    ) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.first.get_or_init(|| {
            let first = format!("written as {codec}, {refusal}");
            if is_first(function, TypeId::of::<V>()) {
                let others = Codec::ALL.iter().copied().find(|other| *other != codec && carries(*other));
                warn(&format!(
                    "`{function}`: a result of type `{}` is not stored outside of memory: {first}; {}; it is computed anew \
                     by each process, and so are others like it",
                    type_name::<V>(),
                    advice(others),
                ));
            }
            first
        });
    }

    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// For a plan: that results have been refused, and why the first was.
    pub(super) fn reason(&self) -> Option<String> {
        let first = self.first.get()?;
        Some(format!("results have been refused, since {first}"))
    }
}

/// Whether nobody has been warned of results of this type and this function yet: the records of namespaces, and of each
/// reload, are of one function.
fn is_first(function: &str, of: TypeId) -> bool {
    static WARNED: Mutex<BTreeSet<(String, TypeId)>> = Mutex::new(BTreeSet::new());
    WARNED.lock().unwrap_or_else(PoisonError::into_inner).insert((function.to_owned(), of))
}

fn advice(other: Option<Codec>) -> String {
    let features = match (cfg!(feature = "messagepack"), cfg!(feature = "json")) {
        (false, false) => ", or turn on the cargo feature `messagepack` or `json` and name that codec",
        (false, true) => ", or turn on the cargo feature `messagepack` and name that codec",
        _ => "",
    };
    match other {
        Some(codec) => format!("write `codec = \"{codec}\"`, which carries it"),
        None => format!(
            "let the type's `Serialize` write what its `Deserialize` reads: look at serde's attributes `skip`, \
             `skip_serializing_if`, `untagged` and `flatten`{features}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_refusal_is_kept_and_all_are_counted() {
        let refused = Refused::default();
        assert_eq!((refused.count(), refused.reason()), (0, None));
        let asked = AtomicU64::new(0);
        for refusal in [Refusal::Differs, Refusal::Panicked] {
            refused.another::<u8>("refused::tests::f", Codec::Postcard, &refusal, |_| {
                asked.fetch_add(1, Ordering::Relaxed);
                false
            });
        }
        assert_eq!(refused.count(), 2);
        let reason = refused.reason().unwrap();
        assert_eq!(
            reason,
            "results have been refused, since written as postcard, it would be read as another value"
        );
        assert_eq!(asked.into_inner(), Codec::ALL.len() as u64 - 1, "once, for the warning");
        assert!(!is_first("refused::tests::f", TypeId::of::<u8>()));
        assert!(is_first("refused::tests::f", TypeId::of::<u16>()));
    }
}
