//! What an engine can do.

/// Who else sees what is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[non_exhaustive]
pub enum Reach {
    /// This process only.
    #[default]
    Process,
    /// The processes of this machine.
    Machine,
    /// Other machines too.
    Fleet,
}

/// What an engine can do, as plain data. It decides what is asked of the engine, and what the conformance
/// suite tests.
///
/// More fields may come. End yours with `..Capability::default()`, which promises nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Capability {
    /// Who else sees what is stored.
    pub reach: Reach,
    /// Entries outlive all processes that use the engine.
    pub persistent: bool,
    /// A call does its work before it returns, and so may block the thread; its future is ready at the
    /// first poll. Otherwise a call waits without blocking, on a runtime of the engine's own.
    pub blocking: bool,
    /// A call may hang for longer than anyone would wait, and cannot be interrupted, as on a network file
    /// system. A [guard](crate::Guarded) then makes it on a helper thread, which the caller can leave.
    pub hangs: bool,
    /// [`put`](crate::Engine::put) may return before other processes see the entry;
    /// [`flush`](crate::Engine::flush) waits until they do. The process itself sees the entry at once in
    /// either case.
    pub deferred: bool,
    /// Expired entries are deleted without being touched. (An engine never returns an expired entry in
    /// either case.)
    pub expires: bool,
    /// [`keys`](crate::Engine::keys) works.
    pub iterates: bool,
    /// [`clear`](crate::Engine::clear) costs the same however many entries there are.
    pub clears_cheaply: bool,
    /// [`put_if`](crate::Engine::put_if) refuses what is outdated. Otherwise it stores everything, as
    /// [`put`](crate::Engine::put) does.
    pub witnesses: bool,
    /// [`lease`](crate::Engine::lease), [`renew`](crate::Engine::renew) and
    /// [`release`](crate::Engine::release) work, among all within [`reach`](Self::reach).
    pub leases: bool,
    /// [`watch`](crate::Engine::watch) reports changes. Otherwise it reports nothing.
    pub watches: bool,
    /// The largest entry that the engine takes, in bytes. A larger one is
    /// [`ErrorKind::TooLarge`](crate::ErrorKind).
    pub largest: Option<u64>,
}
