//! An open transaction.

use kecoa_proto::Request;
use kecoa_types::ToSql;

use super::end::{commit, roll_back, run_simple};
use crate::client::inner::InnerClient;
use crate::error::Error;
use crate::interrupt::Never;
use crate::observability::spans;
use crate::row::{ResultSet, Row, rows_of};
use crate::session::{Session, extended, statement};
use crate::transaction::attempt::{AttemptFailure, Stage};
use crate::transaction::error::TransactionError;
use crate::transaction::options::TransactionOptions;
use crate::transaction::retry_loop;
use crate::transaction::state::{self, TransactionState};

/// An open transaction: what the body of [`Client::transaction`](crate::blocking::Client::transaction) works with, and what [`Client::begin`](crate::blocking::Client::begin)
/// and [`Attempts::begin`](super::Attempts::begin) give.
///
/// BEGIN is sent with the first statement; a transaction that sends none costs no round trip. One that is
/// dropped is rolled back.
///
/// ```
/// # kecoa::example::blocking(|client| {
/// use kecoa::Error;
/// use kecoa::blocking::Transaction;
///
/// fn debit(tx: &mut Transaction<'_>, id: i64, amount: i64) -> Result<i64, Error> {
///     let update = "UPDATE accounts SET balance = balance - $1 WHERE id = $2 RETURNING balance";
///     tx.query_one(update, &[&amount, &id])?.get(0)
/// }
///
/// assert_eq!(client.transaction(|tx| debit(tx, 1, 100))?, 900);
/// # Ok(()) });
/// ```
#[must_use = "a transaction that is dropped is rolled back: end it with commit() or rollback()"]
pub struct Transaction<'a> {
    pub(super) session: &'a mut Session,
    pub(super) state: TransactionState,
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
        f.debug_struct("Transaction").field("begun", &self.state.begun).finish_non_exhaustive()
    }
}

impl<'a> Transaction<'a> {
    /// What has begun already goes on.
    pub(super) fn new(
        client: &'a mut InnerClient,
        options: &TransactionOptions,
        begun: bool,
    ) -> Transaction<'a> {
        let session = client.session();
        let state = TransactionState::new(session, options, begun);
        Transaction { session, state, handed_over: false }
    }

    /// A transaction that nobody runs again.
    pub(crate) fn begin(
        client: &'a mut InnerClient,
        options: &TransactionOptions,
    ) -> Result<Transaction<'a>, Error> {
        state::check_idle(client.session())?;
        Ok(Transaction::new(client, &options.without_restart(), false))
    }

    /// Commits. Where that fails the transaction is rolled back.
    ///
    /// # Errors
    /// As [`Client::transaction`](crate::blocking::Client::transaction): SQLSTATE 40001 asks for a new attempt;
    /// [`AmbiguousCommit`](crate::ErrorKind::AmbiguousCommit) when COMMIT was sent and its outcome is not
    /// known; [`RolledBack`](crate::ErrorKind::RolledBack) when a statement had failed before.
    pub fn commit(mut self) -> Result<(), Error> {
        let committed = self.conclude();
        // With the restart protocol the loop around it goes back to its savepoint.
        self.handed_over = committed.is_ok() || self.state.restart;
        committed.map_err(retry_loop::reported)
    }

    /// Rolls back, as dropping the transaction does.
    ///
    /// # Errors
    /// [`ErrorKind::ConnectionLost`](crate::ErrorKind::ConnectionLost), or the server's error. The connection is closed then: the
    /// transaction is rolled back in any case.
    pub fn rollback(mut self) -> Result<(), Error> {
        self.handed_over = true;
        roll_back(self.session).map_or(Ok(()), Err)
    }

    /// Commits what was done, if anything was.
    pub(super) fn conclude(&mut self) -> Result<(), AttemptFailure> {
        if self.state.is_empty() { Ok(()) } else { commit(self.session, &self.state) }
    }

    /// With the restart protocol a transaction that is dropped is gone on with behind its savepoint, or
    /// ended by the attempts that it is of.
    pub(super) fn within_attempts(mut self) -> Transaction<'a> {
        self.handed_over = self.state.restart;
        self
    }

    /// Leaves the end to somebody else.
    pub(super) fn hand_over(mut self) {
        self.handed_over = true;
    }

    /// Runs a statement with parameters and gives its rows, as [`Client::query`](crate::blocking::Client::query).
    ///
    /// # Errors
    /// As [`Client::query`](crate::blocking::Client::query). After a server error the transaction has failed: return the error.
    pub fn query(&mut self, sql: &str, params: &[&dyn ToSql]) -> Result<Vec<Row>, Error> {
        self.set(sql, params).map(rows_of)
    }

    /// The one row of a statement.
    ///
    /// # Errors
    /// As [`Client::query_one`](crate::blocking::Client::query_one).
    pub fn query_one(&mut self, sql: &str, params: &[&dyn ToSql]) -> Result<Row, Error> {
        extended::exactly_one(self.query(sql, params)?)
    }

    /// The one row of a statement, if there is one.
    ///
    /// # Errors
    /// As [`Client::query_opt`](crate::blocking::Client::query_opt).
    pub fn query_opt(&mut self, sql: &str, params: &[&dyn ToSql]) -> Result<Option<Row>, Error> {
        extended::at_most_one(self.query(sql, params)?)
    }

    /// Runs a statement with parameters and gives the number of rows that it touched.
    ///
    /// # Errors
    /// As [`Client::execute`](crate::blocking::Client::execute).
    pub fn execute(&mut self, sql: &str, params: &[&dyn ToSql]) -> Result<u64, Error> {
        self.set(sql, params).map(|set| extended::count(&set))
    }

    /// Runs any number of statements without parameters; results come in text form.
    ///
    /// # Errors
    /// As [`Client::batch`](crate::blocking::Client::batch).
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
        self.state.check(self.session)?;
        let result = if self.state.begun {
            send(self.session, None)
        } else if self.state.restart {
            run_simple(self.session, &self.state.begin()).and_then(|_| send(self.session, None))
        } else {
            send(self.session, Some(self.state.begin().as_bytes()))
        };
        self.state.note(self.session, result)
    }
}

/// Runs the body and commits. The outer error is the body's own: the transaction was rolled back
/// and is not tried again.
pub(super) fn run<T, E: TransactionError>(
    client: &mut InnerClient,
    options: &TransactionOptions,
    resumed: bool,
    body: &mut impl FnMut(&mut Transaction<'_>) -> Result<T, E>,
) -> Result<Result<T, AttemptFailure>, E> {
    let mut transaction = Transaction::new(client, options, resumed);
    let commits = transaction.session.commits();
    let value = match body(&mut transaction) {
        Ok(value) => value,
        Err(error) => match error.into_database_error() {
            Ok(error) => {
                let failed = AttemptFailure { error, stage: Stage::Body };
                let failed = failed.behind(transaction.session, commits, transaction.state.noted);
                transaction.hand_over();
                return Ok(Err(failed));
            }
            // It is rolled back on the way out.
            Err(own) => return Err(own),
        },
    };
    let committed = transaction.conclude();
    let committed = committed
        .map_err(|failed| failed.behind(transaction.session, commits, transaction.state.noted));
    transaction.hand_over();
    Ok(committed.map(|()| value))
}
