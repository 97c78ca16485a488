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

/// What an engine can do, as plain data: it decides what is asked of it and what the conformance suite tests.
///
/// More will come: end yours with `..Capability::default()`, which promises nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Capability {
    /// Who else sees what is stored.
    pub reach: Reach,
    /// What is stored is still there when every process has ended.
    pub persistent: bool,
    /// Its calls do their work before they return, and so may block the thread: their futures are ready at
    /// the first poll. Otherwise they wait without blocking, on a runtime that is the engine's own.
    pub blocking: bool,
    /// A call may hang for longer than anyone would wait, and cannot be interrupted: a network file system. A
    /// [guard](crate::Guarded) then makes it on a thread that can be left behind.
    pub hangs: bool,
    /// [`Engine::put`](crate::Engine::put) may return before other processes see the entry; [`Engine::flush`](crate::Engine::flush) waits for that. The
    /// process that put it sees it at once in either case.
    pub deferred: bool,
    /// Entries whose time is over leave by themselves, without anyone touching them. (None is given out
    /// again in either case.)
    pub expires: bool,
    /// [`Engine::keys`](crate::Engine::keys) works.
    pub iterates: bool,
    /// [`Engine::clear`](crate::Engine::clear) costs the same however much is stored.
    pub clears_cheaply: bool,
    /// [`Engine::put_if`](crate::Engine::put_if) keeps its promise; otherwise it is [`Engine::put`](crate::Engine::put).
    pub witnesses: bool,
    /// [`Engine::lease`](crate::Engine::lease), [`renew`](crate::Engine::renew) and [`release`](crate::Engine::release) work, for all within
    /// [`reach`](Self::reach).
    pub leases: bool,
    /// [`Engine::watch`](crate::Engine::watch) keeps its promise; otherwise nobody is told anything.
    pub watches: bool,
    /// The largest entry it takes, in bytes; larger ones are [`ErrorKind::TooLarge`](crate::ErrorKind).
    pub largest: Option<u64>,
}
