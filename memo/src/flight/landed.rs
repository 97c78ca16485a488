//! What comes of a flight, as it is shared with those who wait.

/// What came of a flight.
#[derive(Clone)]
pub(crate) enum Landed<V, F> {
    /// A value, stored or not.
    Value(V),
    /// A failure that can be shared.
    Failed(F),
    /// A failure that cannot, where those who waited are to compute for themselves, all at once (`on_error = "all"`).
    /// Else its leader does not land, and one of them takes over.
    Unshared,
}
