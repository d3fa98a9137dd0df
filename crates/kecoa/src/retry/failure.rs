//! What an error means for the transaction that it happened in.

use crate::error::{
    COMPLETION_UNKNOWN, Error, ErrorKind, RESOLUTION_UNKNOWN, SERIALIZATION_FAILURE,
};

/// What an error means for the transaction it happened in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The server rolled back and asks for another try on the same connection.
    Retryable,
    /// The connection is gone (or was never made) and COMMIT was not sent: nothing was committed.
    LostBeforeCommit,
    /// COMMIT may have succeeded.
    Ambiguous,
    /// Anything else: the same work would fail in the same way.
    Final,
}

impl Failure {
    /// Reads the meaning from the facts: the server's SQLSTATE if it reported an error, whether the
    /// connection was lost, and whether COMMIT had been sent (with or without an answer so far).
    #[must_use]
    pub fn from_sqlstate(sqlstate: Option<&str>, lost: bool, commit_sent: bool) -> Failure {
        match sqlstate {
            // A certain abort, even at COMMIT; all that is left to know is where to try again.
            Some(SERIALIZATION_FAILURE) if lost => Failure::LostBeforeCommit,
            Some(SERIALIZATION_FAILURE) => Failure::Retryable,
            Some(COMPLETION_UNKNOWN | RESOLUTION_UNKNOWN) => Failure::Ambiguous,
            // 57P01 in answer to COMMIT proves nothing: PostgreSQL reports it too when it ends
            // a session that waits for its committed work to reach a synchronous standby.
            _ if lost || sqlstate.is_some_and(ends_session) => {
                if commit_sent {
                    Failure::Ambiguous
                } else {
                    Failure::LostBeforeCommit
                }
            }
            // Whoever stands between has lost the server, or the server another one.
            Some(state) if commit_sent && state.starts_with("08") => Failure::Ambiguous,
            _ => Failure::Final,
        }
    }
}

/// Whether the server ends its sessions with this SQLSTATE, whatever they do: it shuts down or has
/// crashed, or their database is gone.
fn ends_session(sqlstate: &str) -> bool {
    matches!(sqlstate, "57P01" | "57P02" | "57P04" | "57P05")
}

/// Whether a server's error in answer to a COMMIT leaves open what became of it.
pub(crate) fn leaves_open(sqlstate: &str) -> bool {
    Failure::from_sqlstate(Some(sqlstate), false, true) == Failure::Ambiguous
}

/// Reads the meaning of an error; `commit_in_flight` says whether it happened at COMMIT.
#[must_use]
pub fn classify(error: &Error, commit_in_flight: bool) -> Failure {
    match error.kind() {
        ErrorKind::AmbiguousCommit => Failure::Ambiguous,
        ErrorKind::Server | ErrorKind::ConnectionLost => Failure::from_sqlstate(
            error.sqlstate(),
            error.is_connection_lost(),
            commit_in_flight && !error.nothing_was_sent(),
        ),
        ErrorKind::RolledBack if error.is_retryable() => Failure::Retryable,
        // The peer's babble in answer to COMMIT says nothing about the commit.
        ErrorKind::Protocol if commit_in_flight => Failure::Ambiguous,
        // A server that restarts or drains refuses connections for a while. What it says about
        // the caller (no such database, no such role) stays true.
        ErrorKind::Connect => match error.sqlstate() {
            None => Failure::LostBeforeCommit,
            Some(state) if state.starts_with("57P") || state.starts_with("08") => {
                Failure::LostBeforeCommit
            }
            Some("53300") => Failure::LostBeforeCommit,
            Some(_) => Failure::Final,
        },
        // A pool's, of a body that asks for one more connection: this transaction's own is sound.
        ErrorKind::Timeout if error.nothing_was_sent() => Failure::Final,
        ErrorKind::Timeout if commit_in_flight => Failure::Ambiguous,
        ErrorKind::Timeout => Failure::LostBeforeCommit,
        // Interrupted at COMMIT: the cancel came too late or the connection was given up.
        ErrorKind::Interrupted | ErrorKind::ResultTooLarge
            if commit_in_flight && error.is_connection_lost() =>
        {
            Failure::Ambiguous
        }
        _ => Failure::Final,
    }
}
