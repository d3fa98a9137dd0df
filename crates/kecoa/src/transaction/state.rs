//! What is known of an open transaction, whoever waits for its statements.

use kecoa_proto::TransactionStatus;

use super::attempt::{AttemptFailure, SAVEPOINT, before_commit, note, restartable};
use super::options::TransactionOptions;
use crate::error::Error;
use crate::retry::Failure;
use crate::session::Session;

pub(crate) struct TransactionState {
    begin: String,
    /// CockroachDB's restart protocol is used.
    pub(crate) restart: bool,
    pub(crate) begun: bool,
    /// What the first failed statement means, for bodies that go on as if nothing had happened.
    pub(crate) noted: Option<Failure>,
    /// How many savepoints are open.
    pub(crate) depth: u32,
}

impl TransactionState {
    pub(crate) fn new(
        session: &Session,
        options: &TransactionOptions,
        begun: bool,
    ) -> TransactionState {
        let restart = restartable(session, options);
        TransactionState { begin: options.begin(), restart, begun, noted: None, depth: 0 }
    }

    /// What begins the transaction. The savepoint of the restart protocol must come before any other
    /// work, so that it goes with BEGIN.
    pub(crate) fn begin(&self) -> String {
        match self.restart {
            true => format!("{};SAVEPOINT {SAVEPOINT}", self.begin),
            false => self.begin.clone(),
        }
    }

    /// Whether there was not a single statement: nothing to commit.
    pub(crate) fn is_empty(&self) -> bool {
        !self.begun && self.noted.is_none()
    }

    /// Whether it commits by releasing the savepoint of the restart protocol.
    pub(crate) fn restarts(&self) -> bool {
        self.restart && self.begun
    }

    /// Sees that the body has not ended the transaction.
    pub(crate) fn check(&mut self, session: &Session) -> Result<(), Error> {
        let is_over = is_over(session);
        if self.begun && !session.is_closed() && is_over {
            return Err(Error::usage("expected an open transaction, found it ended by its body"));
        }
        self.begun |= !is_over;
        Ok(())
    }

    /// Takes into account that a statement may have begun the transaction.
    pub(crate) fn note_begun(&mut self, session: &Session) {
        self.begun |= !is_over(session);
    }

    /// Takes into account what became of a statement.
    pub(crate) fn note<T>(
        &mut self,
        session: &Session,
        result: Result<T, Error>,
    ) -> Result<T, Error> {
        self.note_begun(session);
        if let Err(error) = &result {
            note(&mut self.noted, error);
        }
        result
    }

    /// Whether the transaction is in a state to be committed. Never waits.
    pub(crate) fn before_commit(&self, session: &mut Session) -> Result<(), AttemptFailure> {
        before_commit(session, self.begun, self.noted)
    }

    /// Whether something can still be sent in the transaction.
    pub(crate) fn is_usable(&self, session: &Session) -> bool {
        !session.is_closed() && !is_over(session)
    }

    /// What the body of a savepoint did was undone, or not: then the transaction has failed, and says so
    /// at its end.
    pub(crate) fn undone(&mut self, session: &Session, undone: bool, savepoint: &Savepoint) {
        if undone && session.transaction_status() != TransactionStatus::Failed {
            self.noted = savepoint.noted;
        }
    }
}

/// Whether no transaction is open, as far as the replies tell.
pub(crate) fn is_over(session: &Session) -> bool {
    session.transaction_status() == TransactionStatus::Idle
}

/// The error of beginning a transaction within another.
pub(crate) fn check_not_open(session: &Session) -> Result<(), Error> {
    if is_over(session) {
        return Ok(());
    }
    Err(Error::usage("expected no open transaction, found one"))
}

/// The error of beginning a transaction on a connection that is closed, or within another.
pub(crate) fn check_idle(session: &Session) -> Result<(), Error> {
    if session.is_closed() { Err(Error::closed()) } else { check_not_open(session) }
}

/// A savepoint, by the statements that make, give up and keep it.
pub(crate) struct Savepoint {
    name: String,
    /// What was noted of the transaction before it.
    noted: Option<Failure>,
}

impl Savepoint {
    /// The one within those that are open.
    pub(crate) fn new(state: &TransactionState) -> Savepoint {
        Savepoint { name: format!("kecoa_{}", state.depth + 1), noted: state.noted }
    }

    pub(crate) fn make(&self) -> String {
        format!("SAVEPOINT {}", self.name)
    }

    pub(crate) fn undo(&self) -> String {
        format!("ROLLBACK TO SAVEPOINT {0};RELEASE SAVEPOINT {0}", self.name)
    }

    pub(crate) fn release(&self) -> String {
        format!("RELEASE SAVEPOINT {}", self.name)
    }
}
