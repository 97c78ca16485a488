//! Values that an engine hands out and a caller hands back.

/// How far an engine had counted changes when a key was looked up. Handed to
/// [`put_if`](crate::Engine::put_if), it prevents a result from being stored if the key was invalidated
/// since, here or by another process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Witness(pub u64);

/// The right to compute a key while others wait: see [`Engine::lease`](crate::Engine::lease).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    /// Distinguishes this holder from every other, past and future.
    pub token: [u8; 16],
}
