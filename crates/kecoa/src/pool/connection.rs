//! What a pool needs of the connections that it keeps.

use super::core::Reason;
use crate::error::Error;
use crate::proto::TransactionStatus;

/// What a pool keeps.
pub trait Connection {
    /// Looks at the socket: an error when the session has ended. Never waits.
    fn poll_session(&mut self) -> Result<(), Error>;

    fn is_closed(&self) -> bool;

    fn process_id(&self) -> Option<i32>;

    fn transaction_status(&self) -> TransactionStatus;

    /// Whether statements have changed the session since it was accepted.
    fn is_changed(&self) -> bool;

    /// The session is as a user is to get it.
    fn accept_session(&mut self);

    /// Whether the connection has ended, as far as a look at the socket tells.
    fn has_ended(&mut self) -> bool {
        self.poll_session().is_err() || self.is_closed()
    }
}

/// By what a waiter learns that there is news for it.
pub trait Signal: Clone + Default {
    fn notify(&self);
}

/// Why a connection that comes back is not even made ready for its next user. `session` is the one that
/// was checked out.
pub(super) fn unusable(client: &impl Connection, session: Option<i32>) -> Option<Reason> {
    if client.is_closed() {
        return Some(Reason::Broken);
    }
    // A body that panicked may have left the client anywhere; another session was never configured.
    (std::thread::panicking() || client.process_id() != session).then_some(Reason::Reset)
}

/// Why a connection is not kept after it was made ready for its next user, with that outcome.
pub(super) fn unready(client: &mut impl Connection, outcome: Result<(), Error>) -> Option<Reason> {
    let outcome = outcome.and_then(|()| client.poll_session());
    if client.is_closed() {
        return Some(Reason::Broken);
    }
    (outcome.is_err() || client.transaction_status() != TransactionStatus::Idle)
        .then_some(Reason::Reset)
}

/// Takes a connection as a user is to get it, once `configure` has prepared it; refuses one on which
/// that has left a transaction open.
pub(super) fn configured(client: &mut impl Connection) -> Result<(), Error> {
    client.accept_session();
    if client.transaction_status() == TransactionStatus::Idle {
        return Ok(());
    }
    Err(Error::usage("expected configure() to leave no transaction open"))
}
