//! What an error of the client library means for the call and for the connection.

use ::redis::{ErrorKind as Theirs, RedisError, ServerErrorKind};

use crate::error::{Error, ErrorKind};

/// The engine's name.
pub(super) const NAME: &str = "redis";

/// The failure of a command.
pub(super) struct Failure {
    pub(super) error: Error,
    /// Whether another connection is needed, because this one is lost or leads to a server that cannot
    /// help.
    pub(super) lost: bool,
    /// Whether the server does not know the script.
    pub(super) is_unknown_script: bool,
}

impl Failure {
    /// The failure of what was attempted. `attempted` reads well after "failed to".
    pub(super) fn of(error: &RedisError, attempted: &str) -> Self {
        use ServerErrorKind as Server;
        let (kind, lost) = match error.kind() {
            Theirs::Server(Server::ReadOnly | Server::MasterDown) => (ErrorKind::Unavailable, true),
            // The keys of this call are moving to another node of the Cluster.
            Theirs::Server(Server::TryAgain) => {
                let error =
                    Error::new(ErrorKind::Unavailable, attempted).of_this_call().caused_by(said(error));
                return Self::kept(error);
            }
            Theirs::Server(Server::BusyLoading | Server::ClusterDown | Server::NoPerm) => {
                (ErrorKind::Unavailable, false)
            }
            Theirs::Server(Server::Moved | Server::Ask | Server::CrossSlot) => {
                (ErrorKind::Unavailable, false)
            }
            Theirs::Extension => match error.code() {
                // Entries can still be read, so the engine as a whole works.
                Some("OOM") => {
                    let error = Error::new(ErrorKind::Full, attempted).of_this_call().caused_by(said(error));
                    return Self::kept(error);
                }
                Some("NOAUTH" | "WRONGPASS") => (ErrorKind::Unavailable, true),
                Some("NOREPLICAS") => (ErrorKind::Unavailable, false),
                _ => (ErrorKind::Other, false),
            },
            Theirs::Server(_) => (ErrorKind::Other, false),
            Theirs::Io if error.is_timeout() => (ErrorKind::Timeout, true),
            Theirs::Io => (ErrorKind::Unavailable, true),
            Theirs::Parse | Theirs::UnexpectedReturnType => (ErrorKind::Corrupt, true),
            Theirs::InvalidClientConfig | Theirs::Client => (ErrorKind::Other, false),
            _ => (ErrorKind::Unavailable, true),
        };
        // The connection may have been closed while idle, or the master may have become a replica. A new
        // connection may be all that is needed.
        let retry = lost && kind == ErrorKind::Unavailable && error.kind() != Theirs::AuthenticationFailed;
        let is_unknown_script = error.kind() == Theirs::Server(Server::NoScript);
        let error = Error::new(kind, attempted).retry(retry).caused_by(said(error));
        Self { error, lost, is_unknown_script }
    }

    /// The error, with the name of the engine.
    pub(super) fn named(self) -> Error {
        self.error.of(NAME)
    }

    /// The failure of a reply that the command cannot have.
    pub(super) fn nonsense(attempted: &str) -> Self {
        let error = Error::new(ErrorKind::Corrupt, attempted).caused_by("the server's reply makes no sense");
        Self { lost: true, ..Self::kept(error) }
    }

    /// A failure that says nothing about the connection.
    pub(super) fn kept(error: Error) -> Self {
        Self { error, lost: false, is_unknown_script: false }
    }
}

/// The text of an error, without anything that a reply contained: that may be somebody's data.
fn said(error: &RedisError) -> String {
    match (error.code(), error.detail()) {
        (Some(code), Some(detail)) => format!("{code} {detail}"),
        (Some(code), None) => code.to_owned(),
        (None, _) if error.kind() == Theirs::Parse => "the server's reply cannot be read".to_owned(),
        (None, _) => error.to_string(),
    }
}
