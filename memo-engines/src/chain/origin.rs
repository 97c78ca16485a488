//! Witnesses that know which engine of a chain they are from.

use crate::engine::Witness;

/// A witness counts the changes of one engine. Its highest bits say of which.
const ENGINE_BITS: u32 = 4;

pub(super) fn with_engine(at: usize, witness: Witness) -> Witness {
    let shift = u64::BITS - ENGINE_BITS;
    Witness((at as u64 + 1) << shift | witness.0 & ((1 << shift) - 1))
}

pub(super) fn without_engine(witness: Witness) -> (usize, Witness) {
    let shift = u64::BITS - ENGINE_BITS;
    ((witness.0 >> shift) as usize, Witness(witness.0 & ((1 << shift) - 1)))
}
