//! One attempt at a transaction, from BEGIN to COMMIT.

use kecoa_proto::{Request, TransactionStatus};
use kecoa_types::ToSql;

use super::{TransactionError, TransactionOptions, retry_loop};
use crate::client::blocking::Client;
use crate::error::{Error, ErrorKind};
use crate::interrupt::Never;
use crate::observability::spans;
use crate::retry::{Failure, classify};
use crate::row::ResultSet;
use crate::row::{Row, rows_of};
use crate::session::Session;
use crate::session::{extended, statement};

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
pub(crate) struct Broken {
    pub(crate) error: Error,
    pub(crate) stage: Stage,
}

impl Broken {
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

    /// Heeds what the body did by itself. `commits` is how many the session had seen before.
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

/// An open transaction: what the body of [`Client::transaction`] works with, and what [`Client::begin`]
/// and [`Attempts::begin`](super::Attempts::begin) give.
///
/// BEGIN is sent with the first statement; a transaction that sends none costs no round trip. One that is
/// dropped is rolled back.
pub struct Transaction<'a> {
    pub(super) session: &'a mut Session,
    begin: String,
    restart: bool,
    pub(super) begun: bool,
    /// What the first failed statement means, for bodies that go on as if nothing had happened.
    pub(super) noted: Option<Failure>,
    /// How many savepoints are open.
    pub(super) depth: u32,
    /// Somebody else ends it.
    handed_over: bool,
}

impl Drop for Transaction<'_> {
    /// Also where a body panics: whoever catches that finds no transaction open.
    fn drop(&mut self) {
        if !self.handed_over {
            let _ = roll_back(self.session);
        }
    }
}

impl std::fmt::Debug for Transaction<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transaction").field("begun", &self.begun).finish_non_exhaustive()
    }
}

impl<'a> Transaction<'a> {
    /// What has begun already goes on.
    pub(super) fn new(
        client: &'a mut Client,
        options: &TransactionOptions,
        begun: bool,
    ) -> Transaction<'a> {
        let restart = restartable(client, options);
        Transaction {
            session: client.session(),
            begin: options.begin(),
            restart,
            begun,
            noted: None,
            depth: 0,
            handed_over: false,
        }
    }

    /// A transaction that nobody runs again.
    pub(crate) fn begin(
        client: &'a mut Client,
        options: &TransactionOptions,
    ) -> Result<Transaction<'a>, Error> {
        if client.is_closed() {
            return Err(Error::closed());
        }
        if client.transaction_status() != TransactionStatus::Idle {
            return Err(Error::usage("expected no open transaction, found one"));
        }
        // The restart protocol is of use to those only who run it again.
        let options = TransactionOptions { cockroach_restart: false, ..options.clone() };
        Ok(Transaction::new(client, &options, false))
    }

    /// Commits. Where that fails the transaction is rolled back.
    ///
    /// # Errors
    /// As [`Client::transaction`]: SQLSTATE 40001 asks for a new attempt;
    /// [`AmbiguousCommit`](ErrorKind::AmbiguousCommit) when COMMIT was sent and its outcome is not
    /// known; [`RolledBack`](ErrorKind::RolledBack) when a statement had failed before.
    pub fn commit(mut self) -> Result<(), Error> {
        let committed = self.conclude();
        // With the restart protocol the loop around it goes back to its savepoint.
        self.handed_over = committed.is_ok() || self.restart;
        committed.map_err(retry_loop::told)
    }

    /// Rolls back, as dropping the transaction does.
    ///
    /// # Errors
    /// [`ErrorKind::ConnectionLost`], or the server's error. The connection is closed then: the
    /// transaction is rolled back in any case.
    pub fn rollback(mut self) -> Result<(), Error> {
        self.handed_over = true;
        roll_back(self.session).map_or(Ok(()), Err)
    }

    /// Commits what was done, if anything was.
    fn conclude(&mut self) -> Result<(), Broken> {
        if !self.begun && self.noted.is_none() {
            // Not a single statement: nothing to commit.
            return Ok(());
        }
        commit(self.session, self.restart && self.begun, self.begun, self.noted)
    }

    /// With the restart protocol a transaction that is dropped is gone on with behind its savepoint, or
    /// ended by the attempts that it is of.
    pub(super) fn within_attempts(mut self) -> Transaction<'a> {
        self.handed_over = self.restart;
        self
    }

    /// Leaves the end to somebody else.
    pub(super) fn hand_over(mut self) {
        self.handed_over = true;
    }

    /// Runs a statement with parameters and gives its rows, as [`Client::query`].
    ///
    /// # Errors
    /// As [`Client::query`]. After a server error the transaction has failed: return the error.
    pub fn query(&mut self, sql: &str, params: &[&dyn ToSql]) -> Result<Vec<Row>, Error> {
        self.set(sql, params).map(rows_of)
    }

    /// The one row of a statement.
    ///
    /// # Errors
    /// As [`Client::query_one`].
    pub fn query_one(&mut self, sql: &str, params: &[&dyn ToSql]) -> Result<Row, Error> {
        extended::exactly_one(self.query(sql, params)?)
    }

    /// The one row of a statement, if there is one.
    ///
    /// # Errors
    /// As [`Client::query_opt`].
    pub fn query_opt(&mut self, sql: &str, params: &[&dyn ToSql]) -> Result<Option<Row>, Error> {
        extended::at_most_one(self.query(sql, params)?)
    }

    /// Runs a statement with parameters and gives the number of rows that it touched.
    ///
    /// # Errors
    /// As [`Client::execute`].
    pub fn execute(&mut self, sql: &str, params: &[&dyn ToSql]) -> Result<u64, Error> {
        self.set(sql, params).map(|set| extended::count(&set))
    }

    /// Runs any number of statements without parameters; results come in text form.
    ///
    /// # Errors
    /// As [`Client::batch`].
    pub fn batch(&mut self, sql: &str) -> Result<Vec<ResultSet>, Error> {
        let sql = sql.as_bytes();
        self.statement(|session, begin| {
            spans::query(session, sql, |session| match begin {
                Some(begin) => statement::run_in_transaction(session, begin, sql, &mut Never),
                None => statement::run(session, &Request::Query(sql), &mut Never),
            })
        })
    }

    pub(super) fn set(&mut self, sql: &str, params: &[&dyn ToSql]) -> Result<ResultSet, Error> {
        self.statement(|session, begin| extended::run(session, begin, sql, params, &mut Never))
    }

    /// Sends a statement, with BEGIN in front of the first one. Never outside of the transaction:
    /// when BEGIN was refused it goes in front of the next one again, and once the transaction is
    /// over nothing is sent any more.
    pub(super) fn statement<T>(
        &mut self,
        send: impl FnOnce(&mut Session, Option<&[u8]>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if self.begun && !self.session.is_closed() && self.is_over() {
            return Err(Error::usage("expected an open transaction, found it ended by its body"));
        }
        let result = if self.begun {
            send(self.session, None)
        } else if self.restart {
            self.begin_restartable().and_then(|()| send(self.session, None))
        } else {
            send(self.session, Some(self.begin.as_bytes()))
        };
        if !self.is_over() {
            self.begun = true;
        }
        if let Err(error) = &result {
            note(&mut self.noted, error);
        }
        result
    }

    /// The savepoint must come before any other work, so that it goes with BEGIN.
    fn begin_restartable(&mut self) -> Result<(), Error> {
        let sql = format!("{};SAVEPOINT {SAVEPOINT}", self.begin);
        statement::run(self.session, &Request::Query(sql.as_bytes()), &mut Never).map(drop)
    }

    pub(super) fn is_over(&self) -> bool {
        self.session.transaction_status() == TransactionStatus::Idle
    }
}

/// Runs the body and commits. The outer error is the body's own: the transaction was rolled back
/// and is not tried again.
pub(super) fn run<T, E: TransactionError>(
    client: &mut Client,
    options: &TransactionOptions,
    resumed: bool,
    body: &mut impl FnMut(&mut Transaction<'_>) -> Result<T, E>,
) -> Result<Result<T, Broken>, E> {
    let mut transaction = Transaction::new(client, options, resumed);
    let commits = transaction.session.commits();
    let value = match body(&mut transaction) {
        Ok(value) => value,
        Err(error) => match error.into_database_error() {
            Ok(error) => {
                let broken = Broken { error, stage: Stage::Body };
                let broken = broken.behind(transaction.session, commits, transaction.noted);
                transaction.hand_over();
                return Ok(Err(broken));
            }
            // It is rolled back on the way out.
            Err(own) => return Err(own),
        },
    };
    let committed = transaction.conclude();
    let committed =
        committed.map_err(|broken| broken.behind(transaction.session, commits, transaction.noted));
    transaction.hand_over();
    Ok(committed.map(|()| value))
}

fn commit(
    session: &mut Session,
    restart: bool,
    begun: bool,
    noted: Option<Failure>,
) -> Result<(), Broken> {
    before_commit(session, begun, noted)?;
    if restart {
        let release = format!("RELEASE SAVEPOINT {SAVEPOINT}");
        run_simple(session, &release).map_err(|error| Broken { error, stage: Stage::Release })?;
        // Committed. Whatever becomes of COMMIT, which only ends the session's state, the work is
        // there; a connection that broke over it shows at the next use.
        let _ = run_simple(session, "COMMIT");
        return Ok(());
    }
    let sets =
        run_simple(session, "COMMIT").map_err(|error| Broken { error, stage: Stage::Commit })?;
    after_commit(&sets, noted)
}

/// Whether the transaction is in a state to be committed. Never waits.
pub(crate) fn before_commit(
    session: &mut Session,
    begun: bool,
    noted: Option<Failure>,
) -> Result<(), Broken> {
    let in_body = |error| Broken { error, stage: Stage::Body };
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
pub(crate) fn after_commit(sets: &[ResultSet], noted: Option<Failure>) -> Result<(), Broken> {
    let tag = sets.last().and_then(|set| set.tag.as_ref());
    match tag.map(kecoa_proto::CommandTag::as_bytes) {
        // A server answers ROLLBACK when the transaction had failed without the client noticing.
        Some(b"ROLLBACK") => Err(Broken { error: ignored(noted), stage: Stage::Body }),
        _ => Ok(()),
    }
}

/// The error of a transaction whose body returned `Ok` although a statement had failed.
fn ignored(noted: Option<Failure>) -> Error {
    let message = "expected the transaction to commit, found it failed: \
                   the body went on after an error, so the server rolled back";
    Error::rolled_back(message, noted == Some(Failure::Retryable))
}

fn run_simple(session: &mut Session, sql: &str) -> Result<Vec<ResultSet>, Error> {
    statement::run(session, &Request::Query(sql.as_bytes()), &mut Never)
}

pub(crate) fn restartable(client: &Client, options: &TransactionOptions) -> bool {
    options.cockroach_restart && client.crdb_version().is_some()
}

/// Makes the connection ready for the next attempt, if it can be: back to the savepoint where the
/// restart protocol allows it (`resumed`), else out of the transaction. Gives the error of a
/// rollback that failed; the connection is closed then.
pub(super) fn clean_up(
    client: &mut Client,
    options: &TransactionOptions,
    failure: Failure,
    resumed: &mut bool,
) -> Option<Error> {
    let restart = restartable(client, options);
    let session = client.session();
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

fn roll_back(session: &mut Session) -> Option<Error> {
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
pub(super) fn leave(client: &mut Client) {
    let _ = roll_back(client.session());
}
