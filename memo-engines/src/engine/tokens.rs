//! What an engine gives to a caller, to be handed back to it.

/// What had happened to a key when it was looked up, in the engine's own counting. Handed back with
/// [`Engine::put_if`](crate::Engine::put_if) it keeps a result from being stored that was computed from what has since been
/// invalidated, here or by another process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Witness(pub u64);

/// The right to compute one key while others wait: see [`Engine::lease`](crate::Engine::lease).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    /// Tells this holder from every other, past and to come.
    pub token: [u8; 16],
}
