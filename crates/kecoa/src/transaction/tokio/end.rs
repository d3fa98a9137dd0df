//! The ends of a transaction: COMMIT, ROLLBACK, and back to where it can be tried again.

use kecoa_proto::TransactionStatus;

use crate::client::tokio::link::Link;
use crate::error::{Error, ErrorKind};
use crate::retry::Failure;
use crate::transaction::attempt::{AttemptFailure, SAVEPOINT, Stage, after_commit, restartable};
use crate::transaction::options::TransactionOptions;
use crate::transaction::state::TransactionState;

/// A transaction that must be ended, also by a future that is dropped.
struct Ending<'a> {
    link: &'a mut Link,
    armed: bool,
}

impl Ending<'_> {
    fn disarm(mut self) {
        self.armed = false;
    }
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        if self.armed {
            self.link.leave_transaction();
        }
    }
}

pub(super) async fn commit(
    link: &mut Link,
    state: &TransactionState,
) -> Result<(), AttemptFailure> {
    state.before_commit(link.session())?;
    let mut ending = Ending { link, armed: true };
    if state.restarts() {
        let release = format!("RELEASE SAVEPOINT {SAVEPOINT}");
        if let Err(error) = ending.link.simple(release.as_bytes()).await {
            ending.disarm();
            return Err(AttemptFailure { error, stage: Stage::Release });
        }
        // Committed. Whatever becomes of COMMIT, which only ends the session's state, the work is
        // there; a connection that broke over it shows at the next use.
        let _ = ending.link.simple(b"COMMIT").await;
        ending.disarm();
        return Ok(());
    }
    let before = ending.link.session().commits();
    let committed = ending.link.simple(b"COMMIT").await;
    ending.armed = false;
    match committed {
        Ok(sets) => after_commit(&sets, state.noted),
        // The server said COMMIT when it had: a connection that ends on the last few bytes behind it
        // leaves nothing open.
        Err(_) if ending.link.session().commits() > before => Ok(()),
        Err(error) => Err(AttemptFailure { error, stage: Stage::Commit }),
    }
}

/// Makes the connection ready for the next attempt, if it can be: back to the savepoint where the
/// restart protocol allows it (`resumed`), else out of the transaction. Gives the error of a
/// rollback that failed; the connection is closed then.
pub(super) async fn clean_up(
    link: &mut Link,
    options: &TransactionOptions,
    failure: Failure,
    resumed: &mut bool,
) -> Option<Error> {
    let restart = restartable(link.session_ref(), options);
    if link.session().transaction_status() == TransactionStatus::Idle {
        return None;
    }
    if restart && failure == Failure::Retryable {
        let back = format!("ROLLBACK TO SAVEPOINT {SAVEPOINT}");
        let ending = Ending { link: &mut *link, armed: true };
        let back = ending.link.simple(back.as_bytes()).await;
        ending.disarm();
        match back {
            Ok(_) => {
                *resumed = true;
                return None;
            }
            Err(_) if link.session().is_closed() => return None,
            // No savepoint to go back to: a new transaction does as well.
            Err(_) => {}
        }
    }
    roll_back(link).await
}

/// Leaves the transaction. An error closes the connection: the server rolls back when it ends.
pub(super) async fn roll_back(link: &mut Link) -> Option<Error> {
    if link.session().transaction_status() == TransactionStatus::Idle {
        return None;
    }
    let ending = Ending { link: &mut *link, armed: true };
    let rolled_back = ending.link.simple(b"ROLLBACK").await;
    ending.disarm();
    let error = rolled_back.err()?;
    if error.kind() != ErrorKind::Usage
        || link.session().transaction_status() != TransactionStatus::Idle
    {
        link.session().close();
    }
    Some(error)
}
