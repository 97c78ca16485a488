//! The prefix of keys, and which prefixes a Cluster can work with.

/// Checks a prefix for a Cluster, where the first braces of a key choose its slot.
///
/// # Errors
///
/// Why the engine could not work with it, or only on one node although `one_slot` is not set; what to write
/// instead.
pub(super) fn check_prefix(prefix: &str, one_slot: bool) -> Result<(), String> {
    let Some((_, behind)) = prefix.split_once('{') else { return Ok(()) };
    match behind.split_once('}') {
        // the tag ends at the engine's own closing brace, so there are as many slots as without it
        None => Ok(()),
        Some(("", _)) => Err(format!(
            "use the prefix `{prefix}`: in a Cluster, `{{}}` in it spreads over different slots what belongs together, \
             and every command fails: leave out the braces"
        )),
        Some((tag, _)) if !one_slot => Err(format!(
            "use the prefix `{prefix}`: in a Cluster, `{{{tag}}}` in it keeps everything in one slot, on one node: leave \
             out the braces, or set `one_slot_per_function` if that is meant"
        )),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use ::redis::cluster_routing::Slot;

    use super::super::names::{Names, Spread};
    use super::*;
    use crate::engine::{Key, Space};

    const KEY: Key = Key { space: Space([0xab; 16]), digest: [0x5f; 32] };

    /// How a Cluster reads these prefixes, which is why some are refused.
    #[test]
    fn a_prefix_is_taken_unless_its_braces_choose_the_slots() {
        let key = |first| Key { digest: [first; 32], ..KEY };
        let slots = |prefix: &str, first| {
            let place = Names::new(prefix, Spread::Digest).place(&key(first));
            (Slot::for_key(&place.generation), Slot::for_key(&place.entry))
        };
        for prefix in ["memo", "", "a{b", "a}b", "}{", "{", "}"] {
            assert_eq!(check_prefix(prefix, false), Ok(()), "{prefix}");
            let (first, second) = (slots(prefix, 1), slots(prefix, 2));
            assert!(first.0 == first.1 && second.0 == second.1 && first != second, "{prefix}");
        }
        for prefix in ["{shop}", "a{shop}b", "{a}{}", "{{}}"] {
            assert!(check_prefix(prefix, false).unwrap_err().contains("one_slot_per_function"), "{prefix}");
            assert_eq!(check_prefix(prefix, true), Ok(()), "{prefix}");
            assert_eq!(slots(prefix, 1), slots(prefix, 2), "{prefix}");
        }
        for prefix in ["{}", "a{}", "{}{shop}", "}{}"] {
            for one_slot in [false, true] {
                assert!(
                    check_prefix(prefix, one_slot).unwrap_err().contains("leave out the braces"),
                    "{prefix}"
                );
            }
            assert_ne!(slots(prefix, 1).0, slots(prefix, 1).1, "{prefix}");
        }
    }
}
