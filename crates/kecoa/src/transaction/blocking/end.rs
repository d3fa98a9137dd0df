//! The ends of a transaction: COMMIT, ROLLBACK, and back to where it can be tried again.

use kecoa_proto::{Request, TransactionStatus};

use crate::client::inner::InnerClient;
use crate::error::{Error, ErrorKind};
use crate::interrupt::Never;
use crate::retry::Failure;
use crate::row::ResultSet;
use crate::session::{Session, statement};
use crate::transaction::attempt::{AttemptFailure, SAVEPOINT, Stage, after_commit, restartable};
use crate::transaction::options::TransactionOptions;
use crate::transaction::state::TransactionState;

pub(super) fn commit(
    session: &mut Session,
    state: &TransactionState,
) -> Result<(), AttemptFailure> {
    state.before_commit(session)?;
    if state.restarts() {
        let release = format!("RELEASE SAVEPOINT {SAVEPOINT}");
        run_simple(session, &release)
            .map_err(|error| AttemptFailure { error, stage: Stage::Release })?;
        // Committed. Whatever becomes of COMMIT, which only ends the session's state, the work is
        // there; a connection that broke over it shows at the next use.
        let _ = run_simple(session, "COMMIT");
        return Ok(());
    }
    let sets = run_simple(session, "COMMIT")
        .map_err(|error| AttemptFailure { error, stage: Stage::Commit })?;
    after_commit(&sets, state.noted)
}

pub(super) fn run_simple(session: &mut Session, sql: &str) -> Result<Vec<ResultSet>, Error> {
    statement::run(session, &Request::Query(sql.as_bytes()), &mut Never)
}

/// Makes the connection ready for the next attempt, if it can be: back to the savepoint where the
/// restart protocol allows it (`resumed`), else out of the transaction. Gives the error of a
/// rollback that failed; the connection is closed then.
pub(super) fn clean_up(
    client: &mut InnerClient,
    options: &TransactionOptions,
    failure: Failure,
    resumed: &mut bool,
) -> Option<Error> {
    let session = client.session();
    let restart = restartable(session, options);
    if session.is_closed() || session.transaction_status() == TransactionStatus::Idle {
        return None;
    }
    if restart && failure == Failure::Retryable {
        let back = format!("ROLLBACK TO SAVEPOINT {SAVEPOINT}");
        match run_simple(session, &back) {
            Ok(_) => {
                *resumed = true;
                return None;
            }
            Err(_) if session.is_closed() => return None,
            // No savepoint to go back to: a new transaction does as well.
            Err(_) => {}
        }
    }
    roll_back(session)
}

pub(super) fn roll_back(session: &mut Session) -> Option<Error> {
    if session.is_closed() || session.transaction_status() == TransactionStatus::Idle {
        return None;
    }
    let error = run_simple(session, "ROLLBACK").err()?;
    // A session that cannot roll back is in no state to be used: the server rolls back when the
    // connection ends.
    if error.kind() != ErrorKind::Usage || session.transaction_status() != TransactionStatus::Idle {
        session.close();
    }
    Some(error)
}

/// Leaves the transaction for good; errors have no one to go to, and close the connection.
pub(super) fn leave(client: &mut InnerClient) {
    let _ = roll_back(client.session());
}
