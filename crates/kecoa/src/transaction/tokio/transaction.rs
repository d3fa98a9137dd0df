//! An open transaction.

use std::future::Future;

use kecoa_types::ToSql;

use super::end;
use crate::client::tokio::RowStream;
use crate::client::tokio::link::Link;
use crate::error::Error;
use crate::row::{FromRow, ResultSet, Row, read_all, rows_of};
use crate::session::extended::{self, Encoded, EncodedRows};
use crate::session::pipeline::{Answers, Pipeline};
use crate::session::streaming::StreamedRows;
use crate::transaction::attempt::{AttemptFailure, Stage, note};
use crate::transaction::options::TransactionOptions;
use crate::transaction::retry_loop;
use crate::transaction::state::{self, TransactionState};

/// An open transaction: what the body of [`Client::transaction`](crate::Client::transaction) works
/// with, and what [`Client::begin`](crate::Client::begin) and [`Attempts::begin`](super::attempts::Attempts::begin) give.
///
/// BEGIN travels with the first statement; a transaction that sends none costs no round trip. One that
/// is dropped is rolled back before the client is used for anything else.
///
/// ```
/// # kecoa::example::asynchronous(async |client| {
/// use kecoa::{Error, Transaction};
///
/// async fn debit(tx: &mut Transaction<'_>, id: i64, amount: i64) -> Result<i64, Error> {
///     let update = "UPDATE accounts SET balance = balance - $1 WHERE id = $2 RETURNING balance";
///     tx.query_one(update, &[&amount, &id]).await?.get(0)
/// }
///
/// assert_eq!(client.transaction(async |tx| debit(tx, 1, 100).await).await?, 900);
/// # Ok(()) });
/// ```
#[must_use = "a transaction that is dropped is rolled back: end it with commit() or rollback()"]
pub struct Transaction<'a> {
    pub(super) link: &'a mut Link,
    pub(super) state: TransactionState,
    /// Somebody else ends it.
    pub(super) handed_over: bool,
}

impl std::fmt::Debug for Transaction<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transaction").field("begun", &self.state.begun).finish_non_exhaustive()
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if !self.handed_over {
            self.link.leave_transaction();
        }
    }
}

impl<'t> Transaction<'t> {
    pub(super) fn new(
        link: &'t mut Link,
        options: &TransactionOptions,
        begun: bool,
    ) -> Transaction<'t> {
        let state = TransactionState::new(link.session_ref(), options, begun);
        Transaction { link, state, handed_over: false }
    }

    /// A transaction that nobody runs again.
    pub(crate) async fn begin(
        link: &'t mut Link,
        options: &TransactionOptions,
    ) -> Result<Transaction<'t>, Error> {
        link.ready().await?;
        state::check_idle(link.session_ref())?;
        Ok(Transaction::new(link, &options.without_restart(), false))
    }

    /// Commits. Where that fails the transaction is rolled back.
    ///
    /// # Errors
    /// As [`Client::transaction`](crate::Client::transaction): SQLSTATE 40001 asks for a new attempt;
    /// [`AmbiguousCommit`](crate::ErrorKind::AmbiguousCommit) when COMMIT was sent and its outcome is
    /// not known; [`RolledBack`](crate::ErrorKind::RolledBack) when a statement had failed before.
    pub async fn commit(mut self) -> Result<(), Error> {
        let committed = self.conclude().await;
        if let Err(failed) = committed {
            if !self.state.restart {
                end::roll_back(self.link).await;
                self.handed_over = true;
            }
            return Err(retry_loop::reported(failed));
        }
        self.handed_over = true;
        Ok(())
    }

    /// Rolls back. Dropping the transaction does so as well, when the client is used next.
    ///
    /// # Errors
    /// [`ErrorKind::ConnectionLost`](crate::ErrorKind::ConnectionLost), or the server's error. The
    /// connection is closed then: the transaction is rolled back in any case.
    pub async fn rollback(mut self) -> Result<(), Error> {
        self.link.ready().await?;
        let failed = end::roll_back(self.link).await;
        self.handed_over = true;
        failed.map_or(Ok(()), Err)
    }

    /// Commits what the body did, if it did anything. A statement whose future was dropped is over
    /// before it is known how things stand.
    pub(super) async fn conclude(&mut self) -> Result<(), AttemptFailure> {
        let ready = self.link.ready().await;
        self.state.note_begun(self.link.session_ref());
        ready.map_err(|error| AttemptFailure { error, stage: Stage::Body })?;
        if self.state.is_empty() { Ok(()) } else { end::commit(self.link, &self.state).await }
    }

    /// Runs a statement with parameters and gives its rows.
    ///
    /// # Errors
    /// As [`Client::query`](crate::Client::query). After a server error the transaction has failed:
    /// return the error.
    pub fn query<'b>(
        &'b mut self,
        sql: &'b str,
        params: &[&dyn ToSql],
    ) -> impl Future<Output = Result<Vec<Row>, Error>> + Send + use<'b, 't> {
        let encoded = Encoded::new(params);
        async move { self.set(sql, encoded).await.map(rows_of) }
    }

    /// The one row of a statement.
    ///
    /// # Errors
    /// As [`Client::query_one`](crate::Client::query_one).
    pub fn query_one<'b>(
        &'b mut self,
        sql: &'b str,
        params: &[&dyn ToSql],
    ) -> impl Future<Output = Result<Row, Error>> + Send + use<'b, 't> {
        let encoded = Encoded::new(params);
        async move { extended::exactly_one(rows_of(self.set(sql, encoded).await?)) }
    }

    /// The one row of a statement, if there is one.
    ///
    /// # Errors
    /// As [`Client::query_opt`](crate::Client::query_opt).
    pub fn query_opt<'b>(
        &'b mut self,
        sql: &'b str,
        params: &[&dyn ToSql],
    ) -> impl Future<Output = Result<Option<Row>, Error>> + Send + use<'b, 't> {
        let encoded = Encoded::new(params);
        async move { extended::at_most_one(rows_of(self.set(sql, encoded).await?)) }
    }

    /// Runs a statement and reads its rows as tuples or structs.
    ///
    /// # Errors
    /// As [`Client::query_as`](crate::Client::query_as).
    pub fn query_as<'b, T: FromRow>(
        &'b mut self,
        sql: &'b str,
        params: &[&dyn ToSql],
    ) -> impl Future<Output = Result<Vec<T>, Error>> + Send + use<'b, 't, T> {
        let encoded = Encoded::new(params);
        async move { read_all(&self.set(sql, encoded).await?) }
    }

    /// The one row of a statement, as a tuple or a struct.
    ///
    /// # Errors
    /// As [`Client::query_one_as`](crate::Client::query_one_as).
    pub fn query_one_as<'b, T: FromRow>(
        &'b mut self,
        sql: &'b str,
        params: &[&dyn ToSql],
    ) -> impl Future<Output = Result<T, Error>> + Send + use<'b, 't, T> {
        let encoded = Encoded::new(params);
        async move { extended::exactly_one(read_all(&self.set(sql, encoded).await?)?) }
    }

    /// The one row of a statement as a tuple or a struct, if there is one.
    ///
    /// # Errors
    /// As [`Client::query_opt_as`](crate::Client::query_opt_as).
    pub fn query_opt_as<'b, T: FromRow>(
        &'b mut self,
        sql: &'b str,
        params: &[&dyn ToSql],
    ) -> impl Future<Output = Result<Option<T>, Error>> + Send + use<'b, 't, T> {
        let encoded = Encoded::new(params);
        async move { extended::at_most_one(read_all(&self.set(sql, encoded).await?)?) }
    }

    /// Runs a statement with parameters and gives the number of rows that it touched.
    ///
    /// # Errors
    /// As [`Client::execute`](crate::Client::execute).
    pub fn execute<'b>(
        &'b mut self,
        sql: &'b str,
        params: &[&dyn ToSql],
    ) -> impl Future<Output = Result<u64, Error>> + Send + use<'b, 't> {
        let encoded = Encoded::new(params);
        async move { self.set(sql, encoded).await.map(|set| extended::count(&set)) }
    }

    /// Gives the rows of a statement one by one, in bounded memory.
    ///
    /// # Errors
    /// As [`Client::query_stream`](crate::Client::query_stream).
    pub fn query_stream<'b>(
        &'b mut self,
        sql: &'b str,
        params: &[&dyn ToSql],
    ) -> impl Future<Output = Result<RowStream<'b>, Error>> + Send + use<'b, 't> {
        let encoded = Encoded::new(params);
        async move {
            let encoded = encoded?;
            self.begin_now().await?;
            let rows = StreamedRows::submit(self.link.session(), sql, &encoded)?;
            Ok(RowStream::new(self.link, rows, Some(&mut self.state.noted)))
        }
    }

    /// Runs one statement once for each set of parameters, as
    /// [`Client::execute_many`](crate::Client::execute_many).
    ///
    /// # Errors
    /// As [`Client::execute_many`](crate::Client::execute_many).
    pub fn execute_many<'b>(
        &'b mut self,
        sql: &'b str,
        rows: &[&[&dyn ToSql]],
    ) -> impl Future<Output = Result<u64, Error>> + Send + use<'b, 't> {
        let rows = EncodedRows::new(rows);
        async move {
            let rows = rows?;
            self.begin_now().await?;
            let count = self.link.execute_many(sql, &rows).await;
            self.note(count)
        }
    }

    /// Sends several statements before the first is answered. After the error of one those behind
    /// it fail with SQLSTATE 25P02.
    ///
    /// # Errors
    /// As [`Client::run_pipeline`](crate::Client::run_pipeline).
    pub async fn run_pipeline(&mut self, pipeline: &Pipeline) -> Result<Answers, Error> {
        self.begin_now().await?;
        let answers = self.link.run_pipeline(pipeline).await;
        let answers = self.note(answers)?;
        if let Some(error) = answers.first_error() {
            note(&mut self.state.noted, error);
        }
        Ok(answers)
    }

    /// Runs any number of statements without parameters; results come in text form.
    ///
    /// # Errors
    /// As [`Client::batch`](crate::Client::batch).
    pub async fn batch(&mut self, sql: &str) -> Result<Vec<ResultSet>, Error> {
        self.begin_now().await?;
        let sets = self.link.batch(sql).await;
        self.note(sets)
    }

    /// Runs a statement, with BEGIN in front of the first one. Never outside of the transaction:
    /// when BEGIN was refused it goes in front of the next one again, and once the transaction is
    /// over nothing is sent any more.
    async fn set(
        &mut self,
        sql: &str,
        encoded: Result<Encoded, Error>,
    ) -> Result<ResultSet, Error> {
        let encoded = encoded?;
        self.check().await?;
        let result = if self.state.begun {
            self.link.call(None, sql, &encoded).await
        } else if self.state.restart {
            match self.begin_now().await {
                Ok(()) => self.link.call(None, sql, &encoded).await,
                Err(error) => Err(error),
            }
        } else {
            self.link.call(Some(self.state.begin().as_bytes()), sql, &encoded).await
        };
        self.note(result)
    }

    /// Begins the transaction without a statement, unless it has begun.
    async fn begin_now(&mut self) -> Result<(), Error> {
        self.check().await?;
        if self.state.begun {
            return Ok(());
        }
        let begun = self.link.simple(self.state.begin().as_bytes()).await.map(drop);
        self.note(begun)
    }

    /// Waits until what a dropped future left behind is over, and sees that the body has not ended
    /// the transaction.
    async fn check(&mut self) -> Result<(), Error> {
        self.link.ready().await?;
        self.state.check(self.link.session_ref())
    }

    fn note<T>(&mut self, result: Result<T, Error>) -> Result<T, Error> {
        self.state.note(self.link.session_ref(), result)
    }
}
