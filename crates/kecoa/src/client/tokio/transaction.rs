//! Transactions that are run again when the server asks for it, with tokio's waits.

mod attempts;
mod body;
mod ending;

use std::future::Future;

use kecoa_proto::TransactionStatus;
use kecoa_types::ToSql;

pub use self::attempts::Attempts;
pub(super) use self::attempts::{run, run_local};
pub use self::body::{BoxFuture, SavepointBody, TransactionBody};
use super::client::{execute_many, run_pipeline};
use super::link::Link;
use super::rows::RowStream;
use crate::error::Error;
use crate::retry::Failure;
use crate::row::ResultSet;
use crate::row::{FromRow, Row, read_all, rows_of};
use crate::session::extended::{self, Encoded, EncodedRows};
use crate::session::pipeline::{Answers, Pipeline};
use crate::session::streaming::StreamedRows;
use crate::transaction::TransactionOptions;
use crate::transaction::attempt::{Broken, SAVEPOINT, Stage, note, restartable};
use crate::transaction::retry_loop;
use crate::transaction::statements::savepoint;

/// An open transaction: what the body of [`Client::transaction`](super::Client::transaction) works
/// with, and what [`Client::begin`](super::Client::begin) and [`Attempts::begin`] give.
///
/// BEGIN travels with the first statement; a transaction that sends none costs no round trip. One that
/// is dropped is rolled back before the client is used for anything else.
pub struct Transaction<'a> {
    link: &'a mut Link,
    begin: String,
    restart: bool,
    begun: bool,
    /// What the first failed statement means, for bodies that go on as if nothing had happened.
    noted: Option<Failure>,
    /// How many savepoints are open.
    depth: u32,
    /// Somebody else ends it.
    handed_over: bool,
}

impl std::fmt::Debug for Transaction<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transaction").field("begun", &self.begun).finish_non_exhaustive()
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
    fn new(link: &'t mut Link, options: &TransactionOptions) -> Transaction<'t> {
        let restart = restartable(link.client_ref(), options);
        Transaction {
            link,
            begin: options.begin(),
            restart,
            begun: false,
            noted: None,
            depth: 0,
            handed_over: false,
        }
    }

    /// A transaction that nobody runs again.
    pub(super) async fn begin(
        link: &'t mut Link,
        options: &TransactionOptions,
    ) -> Result<Transaction<'t>, Error> {
        link.ready().await?;
        if link.client_ref().is_closed() {
            return Err(Error::closed());
        }
        if link.client_ref().transaction_status() != TransactionStatus::Idle {
            return Err(Error::usage("expected no open transaction, found one"));
        }
        // The restart protocol is of use to those only who run it again.
        let options = TransactionOptions { cockroach_restart: false, ..options.clone() };
        Ok(Transaction::new(link, &options))
    }

    /// Commits. Where that fails the transaction is rolled back.
    ///
    /// # Errors
    /// As [`Client::transaction`](super::Client::transaction): SQLSTATE 40001 asks for a new attempt;
    /// [`AmbiguousCommit`](crate::ErrorKind::AmbiguousCommit) when COMMIT was sent and its outcome is
    /// not known; [`RolledBack`](crate::ErrorKind::RolledBack) when a statement had failed before.
    pub async fn commit(mut self) -> Result<(), Error> {
        let committed = self.conclude().await;
        if let Err(broken) = committed {
            if !self.restart {
                ending::roll_back(self.link).await;
                self.handed_over = true;
            }
            return Err(retry_loop::told(broken));
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
        let failed = ending::roll_back(self.link).await;
        self.handed_over = true;
        failed.map_or(Ok(()), Err)
    }

    /// Commits what the body did, if it did anything. A statement whose future was dropped is over
    /// before it is known how things stand.
    async fn conclude(&mut self) -> Result<(), Broken> {
        let ready = self.link.ready().await;
        self.begun |= !self.is_over();
        ready.map_err(|error| Broken { error, stage: Stage::Body })?;
        if !self.begun && self.noted.is_none() {
            // Not a single statement: nothing to commit.
            return Ok(());
        }
        ending::commit(self.link, self.restart && self.begun, self.begun, self.noted).await
    }

    /// Runs a statement with parameters and gives its rows.
    ///
    /// # Errors
    /// As [`Client::query`](super::Client::query). After a server error the transaction has failed:
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
    /// As [`Client::query_one`](super::Client::query_one).
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
    /// As [`Client::query_opt`](super::Client::query_opt).
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
    /// As [`Client::query_as`](super::Client::query_as).
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
    /// As [`Client::query_one_as`](super::Client::query_one_as).
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
    /// As [`Client::query_opt_as`](super::Client::query_opt_as).
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
    /// As [`Client::execute`](super::Client::execute).
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
    /// As [`Client::query_stream`](super::Client::query_stream).
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
            Ok(RowStream::new(self.link, rows, Some(&mut self.noted)))
        }
    }

    /// Runs one statement once for each set of parameters, as
    /// [`Client::execute_many`](super::Client::execute_many).
    ///
    /// # Errors
    /// As [`Client::execute_many`](super::Client::execute_many).
    pub fn execute_many<'b>(
        &'b mut self,
        sql: &'b str,
        rows: &[&[&dyn ToSql]],
    ) -> impl Future<Output = Result<u64, Error>> + Send + use<'b, 't> {
        let rows = EncodedRows::new(rows);
        async move {
            let rows = rows?;
            self.begin_now().await?;
            let count = execute_many(self.link, sql, &rows).await;
            self.note(count)
        }
    }

    /// Sends several statements before the first is answered. After the error of one those behind
    /// it fail with SQLSTATE 25P02.
    ///
    /// # Errors
    /// As [`Client::run_pipeline`](super::Client::run_pipeline).
    pub async fn run_pipeline(&mut self, pipeline: &Pipeline) -> Result<Answers, Error> {
        self.begin_now().await?;
        let answers = run_pipeline(self.link, pipeline).await;
        let answers = self.note(answers)?;
        if let Some(error) = answers.first_error() {
            note(&mut self.noted, error);
        }
        Ok(answers)
    }

    /// Runs any number of statements without parameters; results come in text form.
    ///
    /// # Errors
    /// As [`Client::batch`](super::Client::batch).
    pub async fn batch(&mut self, sql: &str) -> Result<Vec<ResultSet>, Error> {
        self.begin_now().await?;
        let sets = self.link.batch(sql).await;
        self.note(sets)
    }

    /// Runs the body behind a savepoint: what it did is undone when it returns an error, and the
    /// transaction goes on. An error that asks for a retry of the whole transaction (SQLSTATE
    /// 40001) has undone all of it: return it.
    ///
    /// ```
    /// # kecoa::example::asynchronous(async |client| {
    /// client.transaction(async |tx| {
    ///     tx.execute("UPDATE accounts SET balance = balance - 1 WHERE id = 1", &[]).await?;
    ///     let twice = tx.savepoint(async |tx| {
    ///         tx.execute("INSERT INTO accounts VALUES (1, 0)", &[]).await
    ///     }).await;
    ///     assert_eq!(twice.unwrap_err().sqlstate(), Some("23505"));
    ///     tx.execute("UPDATE accounts SET balance = balance + 1 WHERE id = 2", &[]).await
    /// }).await?;
    /// # Ok(()) });
    /// ```
    ///
    /// The future is `Send`, so the body's has to be; [`savepoint_local`](Self::savepoint_local) takes
    /// any other.
    ///
    /// # Errors
    /// The body's; the server's about the savepoint.
    pub fn savepoint<'b, T: Send + 'b, E: From<Error> + Send + 'b>(
        &'b mut self,
        body: impl AsyncFnOnce(&mut Transaction<'t>) -> Result<T, E>
        + for<'x> SavepointBody<'x, 't, T, E>
        + 'b,
    ) -> BoxFuture<'b, Result<T, E>> {
        Box::pin(async move {
            let noted = self.set_savepoint().await?;
            let result = body.run(self).await;
            self.end_savepoint(noted, result).await
        })
    }

    /// [`savepoint`](Self::savepoint) with a body whose future need not be `Send`.
    ///
    /// # Errors
    /// As [`savepoint`](Self::savepoint).
    pub async fn savepoint_local<T, E: From<Error>>(
        &mut self,
        body: impl AsyncFnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let noted = self.set_savepoint().await?;
        let result = body(self).await;
        self.end_savepoint(noted, result).await
    }

    /// Gives what was noted before.
    async fn set_savepoint(&mut self) -> Result<Option<Failure>, Error> {
        let [make, ..] = savepoint(self.depth + 1);
        self.batch(&make).await?;
        self.depth += 1;
        Ok(self.noted)
    }

    async fn end_savepoint<T, E: From<Error>>(
        &mut self,
        noted: Option<Failure>,
        result: Result<T, E>,
    ) -> Result<T, E> {
        let [_, undo, keep] = savepoint(self.depth);
        self.depth -= 1;
        match result {
            Ok(value) => {
                self.batch(&keep).await?;
                Ok(value)
            }
            Err(error) => {
                // Where going back fails the transaction has failed, and says so at its end.
                if !self.link.session().is_closed() && !self.is_over() {
                    let back = format!("{undo};{keep}");
                    let undone = self.link.simple(back.as_bytes()).await.is_ok();
                    let status = self.link.session().transaction_status();
                    if undone && status != TransactionStatus::Failed {
                        self.noted = noted;
                    }
                }
                Err(error)
            }
        }
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
        let result = if self.begun {
            self.link.call(None, sql, &encoded).await
        } else if self.restart {
            match self.begin_now().await {
                Ok(()) => self.link.call(None, sql, &encoded).await,
                Err(error) => Err(error),
            }
        } else {
            self.link.call(Some(self.begin.as_bytes()), sql, &encoded).await
        };
        self.note(result)
    }

    /// Begins the transaction without a statement, unless it has begun.
    async fn begin_now(&mut self) -> Result<(), Error> {
        self.check().await?;
        if self.begun {
            return Ok(());
        }
        let begin = match self.restart {
            // The savepoint must come before any other work, so that it goes with BEGIN.
            true => format!("{};SAVEPOINT {SAVEPOINT}", self.begin),
            false => self.begin.clone(),
        };
        let begun = self.link.simple(begin.as_bytes()).await.map(drop);
        self.note(begun)
    }

    /// Waits until what a dropped future left behind is over, and sees that the body has not ended
    /// the transaction.
    async fn check(&mut self) -> Result<(), Error> {
        self.link.ready().await?;
        let is_over = self.is_over();
        if self.begun && !self.link.session().is_closed() && is_over {
            return Err(Error::usage("expected an open transaction, found it ended by its body"));
        }
        self.begun |= !is_over;
        Ok(())
    }

    fn note<T>(&mut self, result: Result<T, Error>) -> Result<T, Error> {
        self.begun |= !self.is_over();
        if let Err(error) = &result {
            note(&mut self.noted, error);
        }
        result
    }

    fn is_over(&mut self) -> bool {
        self.link.session().transaction_status() == TransactionStatus::Idle
    }
}
