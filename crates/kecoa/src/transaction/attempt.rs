//! One attempt at a transaction: how far it came, what its failure means, and when it may commit.

use kecoa_proto::TransactionStatus;

use super::options::TransactionOptions;
use crate::error::Error;
use crate::retry::{Failure, classify};
use crate::row::ResultSet;
use crate::session::Session;

/// Any name with this prefix asks CockroachDB for its restart protocol; this is the usual one.
pub(crate) const SAVEPOINT: &str = "cockroach_restart";

/// How far an attempt came before it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Not beyond the statements of the body.
    Body,
    /// The body has sent a COMMIT of its own, whose outcome is unknown, and kept that to itself.
    Doubtful,
    /// The body has committed by itself.
    Committed,
    /// `RELEASE SAVEPOINT cockroach_restart`, which commits, was sent.
    Release,
    /// COMMIT was sent.
    Commit,
}

/// A failed attempt.
pub(crate) struct AttemptFailure {
    pub(crate) error: Error,
    pub(crate) stage: Stage,
}

impl AttemptFailure {
    /// What the error means where it happened.
    pub(crate) fn failure(&self) -> Failure {
        match (self.stage, classify(&self.error, self.stage != Stage::Body)) {
            // After RELEASE any error but 40001 leaves the outcome open.
            (Stage::Release, Failure::Final) if !self.error.nothing_was_sent() => {
                Failure::Ambiguous
            }
            // What is done must not be done a second time.
            (Stage::Doubtful, Failure::Retryable | Failure::LostBeforeCommit) => Failure::Ambiguous,
            (Stage::Committed, Failure::Retryable | Failure::LostBeforeCommit) => Failure::Final,
            (_, failure) => failure,
        }
    }

    /// Takes into account what the body did by itself. `commits` is how many the session had seen before.
    pub(crate) fn behind(
        mut self,
        session: &Session,
        commits: u64,
        noted: Option<Failure>,
    ) -> Self {
        if self.stage == Stage::Body {
            self.stage = match noted {
                _ if session.commits() > commits => Stage::Committed,
                Some(Failure::Ambiguous) => Stage::Doubtful,
                _ => Stage::Body,
            };
        }
        self
    }
}

/// What is to be remembered of the failures of a body that goes on: the first, but for one that leaves
/// a COMMIT in doubt.
pub(crate) fn note(noted: &mut Option<Failure>, error: &Error) {
    let failure = classify(error, false);
    if failure == Failure::Ambiguous {
        *noted = Some(failure);
    }
    noted.get_or_insert(failure);
}

/// Whether the transaction is in a state to be committed. Never waits.
pub(crate) fn before_commit(
    session: &mut Session,
    begun: bool,
    noted: Option<Failure>,
) -> Result<(), AttemptFailure> {
    let in_body = |error| AttemptFailure { error, stage: Stage::Body };
    if session.is_closed() {
        // The body went on after the connection was lost.
        return Err(in_body(Error::closed()));
    }
    match session.transaction_status() {
        TransactionStatus::InTransaction => {}
        TransactionStatus::Idle if begun => {
            return Err(in_body(Error::usage_after_the_fact(
                "expected the transaction open at the end of its body, found it ended by the body",
            )));
        }
        TransactionStatus::Idle | TransactionStatus::Failed => {
            return Err(in_body(ignored(noted)));
        }
    }
    // A server that ended the session before COMMIT is on its way has committed nothing. Seen now,
    // that is a retry; seen after COMMIT was sent, nobody could tell.
    session.poll().map_err(in_body)
}

/// What the server's answer to COMMIT says.
pub(crate) fn after_commit(
    sets: &[ResultSet],
    noted: Option<Failure>,
) -> Result<(), AttemptFailure> {
    let tag = sets.last().and_then(|set| set.tag.as_ref());
    match tag.map(kecoa_proto::CommandTag::as_bytes) {
        // A server answers ROLLBACK when the transaction had failed without the client noticing.
        Some(b"ROLLBACK") => Err(AttemptFailure { error: ignored(noted), stage: Stage::Body }),
        _ => Ok(()),
    }
}

/// The error of a transaction whose body returned `Ok` although a statement had failed.
fn ignored(noted: Option<Failure>) -> Error {
    let message = "expected the transaction to commit, found it failed: \
                   the body went on after an error, so the server rolled back";
    Error::rolled_back(message, noted == Some(Failure::Retryable))
}

pub(crate) fn restartable(session: &Session, options: &TransactionOptions) -> bool {
    options.cockroach_restart && session.connection().crdb_version().is_some()
}
