//! What a connection has counted and received, and its socket.

use std::os::fd::RawFd;

use kecoa_proto::Notification;

use super::client::Client;
use crate::error::Error;
use crate::observability::Counters;

impl Client {
    /// How many times the server has confirmed a COMMIT on this connection, whoever sent it: the way
    /// for an entry point to see that the body of its transaction committed by itself.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.inner.session_ref().commits()
    }

    /// How many statements have changed the session's settings or what it listens to, as far as their
    /// tags tell: the way for a pool to see that there is something to undo.
    #[must_use]
    pub fn session_changes(&self) -> u64 {
        self.inner.session_ref().changes()
    }

    /// Whether statements have changed the session since it was accepted.
    pub(crate) fn is_changed(&self) -> bool {
        self.inner.session_ref().is_changed()
    }

    /// The session is as it is to be.
    pub(crate) fn accept_session(&mut self) {
        self.inner.session().accept_changes();
    }

    /// Whether the last transaction was ended by the server, and not by a statement that says so:
    /// CockroachDB commits it in front of a change of the schema.
    #[must_use]
    pub fn was_ended_by_server(&self) -> bool {
        self.inner.session_ref().was_ended_by_server()
    }

    /// What this connection has done so far; a [`reconnect`](Client::reconnect) begins anew. Of
    /// transactions and their retries only the process's counters know.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.inner.session_ref().metrics().counters()
    }

    /// Takes the notifications that came so far, oldest first. At most 100,000
    /// and 64 MiB are kept.
    pub fn take_notifications(&mut self) -> Vec<Notification> {
        self.inner.take_notifications()
    }

    /// Reads what the server has already sent without being asked: notices, notifications, its end.
    /// Never waits, and costs one system call: to wait for news, wait for the socket
    /// ([`raw_fd`](Client::raw_fd)) to be readable.
    ///
    /// Called right before a COMMIT, its error means that the connection was lost *before* COMMIT:
    /// nothing was committed, and the transaction may be run again. The same loss noticed after
    /// COMMIT was sent would leave its outcome open. [`transaction`](Client::transaction) does so.
    ///
    /// # Errors
    /// [`ErrorKind::ConnectionLost`](crate::ErrorKind::ConnectionLost) or the FATAL error by which
    /// the server ended the connection; [`Protocol`](crate::ErrorKind::Protocol).
    pub fn poll(&mut self) -> Result<(), Error> {
        self.inner.session().poll()
    }

    /// The protocol version in use: 3 and its minor number.
    #[must_use]
    pub fn protocol_version(&self) -> kecoa_proto::ProtocolVersion {
        self.inner.session_ref().connection().protocol_version()
    }

    /// The socket's file descriptor, for waiting on it; nothing when the connection is closed. Do
    /// not read from it or write to it.
    #[must_use]
    pub fn raw_fd(&self) -> Option<RawFd> {
        self.inner.session_ref().raw_fd()
    }
}
