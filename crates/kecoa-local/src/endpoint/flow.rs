//! How a session ends.

use std::io;

/// Why a session is over.
#[derive(Debug)]
pub(super) enum End {
    /// The client left, or its socket failed.
    Client,
    /// PostgreSQL closed the session, or its socket failed.
    Backend,
    /// PostgreSQL closed the session and said why, which the client has received.
    Reported,
    /// The client does not follow the protocol.
    Protocol(String),
    /// The endpoint stops.
    Shutdown,
}

/// The result of whatever can end the session.
pub(super) type Flow<T> = Result<T, End>;

/// A message of the client's that cannot be read.
pub(super) fn protocol(error: io::Error) -> End {
    End::Protocol(error.to_string())
}
