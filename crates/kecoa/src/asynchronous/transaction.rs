//! Transactions that are run again when the server asks for it, with tokio's waits.

use std::future::Future;
use std::time::Duration;

use kecoa_proto::TransactionStatus;
use kecoa_types::ToSql;
use tokio::time::Instant;

use super::client::{execute_many, run_pipeline};
use super::link::Link;
use super::rows::RowStream;
use super::{TransactionError, TransactionOptions};
use crate::error::{Error, ErrorKind};
use crate::extended::{self, Encoded, EncodedRows};
use crate::observe::spans;
use crate::pipeline::{Answers, Pipeline};
use crate::pulled::PulledRows;
use crate::result::ResultSet;
use crate::retry::{Failure, classify};
use crate::row::{FromRow, Row, read_all, rows_of};
use crate::transaction::attempt::{
    Broken, SAVEPOINT, Stage, after_commit, before_commit, restartable,
};
use crate::transaction::course::{Course, Next, Situation};
use crate::transaction::statements::savepoint;

/// An open transaction: what the body of [`Client::transaction`](super::Client::transaction) works
/// with.
///
/// BEGIN travels with the first statement; a body that sends none costs no round trip.
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
            let rows = PulledRows::submit(self.link.session(), sql, &encoded)?;
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
            self.noted.get_or_insert(classify(error, false));
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
    /// # Errors
    /// The body's; the server's about the savepoint.
    pub async fn savepoint<T, E: From<Error>>(
        &mut self,
        body: impl AsyncFnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let depth = self.depth + 1;
        let [make, undo, keep] = savepoint(depth);
        self.batch(&make).await?;
        self.depth = depth;
        let noted = self.noted;
        let result = body(self).await;
        self.depth = depth - 1;
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
            self.noted.get_or_insert(classify(error, false));
        }
        result
    }

    fn is_over(&mut self) -> bool {
        self.link.session().transaction_status() == TransactionStatus::Idle
    }
}

/// Runs a transaction until it is committed, fails for good, or the policy is exhausted.
pub(super) async fn run<T, E: TransactionError>(
    link: &mut Link,
    options: &TransactionOptions,
    mut body: impl AsyncFnMut(&mut Transaction<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let span = spans::transaction(link.client_ref().session_ref());
    spans::within(&span, run_in(&span, link, options, &mut body)).await
}

async fn run_in<T, E: TransactionError>(
    span: &spans::Span,
    link: &mut Link,
    options: &TransactionOptions,
    body: &mut impl AsyncFnMut(&mut Transaction<'_>) -> Result<T, E>,
) -> Result<T, E> {
    if link.client_ref().was_closed_by_caller() {
        return Err(Error::closed().into());
    }
    // What an abandoned future broke is of no concern to a transaction yet to begin.
    let _ = link.ready().await;
    if link.session().transaction_status() != TransactionStatus::Idle {
        return Err(Error::usage("expected no open transaction, found one").into());
    }
    let started = Instant::now();
    let mut course = Course::begin(options, span, Duration::ZERO)?;
    // Whether the next attempt goes on in the transaction of the last one, behind its savepoint.
    let mut resumed = false;
    loop {
        let connected = match link.session().is_closed() {
            true => link.reconnect().await,
            false => Ok(()),
        };
        let outcome = match connected {
            Ok(()) => attempt(link, options, resumed, body).await?,
            Err(error) => Err(Broken { error, stage: Stage::Body }),
        };
        let broken = match outcome {
            Ok(value) => return Ok(value),
            Err(broken) => broken,
        };
        resumed = false;
        let rollback_failed = clean_up(link, options, broken.failure(), &mut resumed).await;
        let next = course.failed(Situation {
            broken,
            rollback_failed,
            is_closed: link.session().is_closed(),
            now: started.elapsed(),
            random: fastrand::f64(),
        });
        match next {
            Next::Again { wait, fresh: false } => wait_behind(link, resumed, wait).await,
            Next::Again { wait, fresh: true } => {
                link.client().disconnect();
                tokio::time::sleep(wait).await;
            }
            Next::Over(error) => {
                roll_back(link).await;
                return Err(error.into());
            }
        }
    }
}

/// Waits; a transaction that is to be resumed is rolled back when the future is dropped meanwhile.
async fn wait_behind(link: &mut Link, resumed: bool, wait: Duration) {
    let guard = Ending { link, armed: resumed };
    tokio::time::sleep(wait).await;
    guard.disarm();
}

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

/// Runs the body and commits. The outer error is the body's own: the transaction was rolled back
/// and is not tried again.
async fn attempt<T, E: TransactionError>(
    link: &mut Link,
    options: &TransactionOptions,
    resumed: bool,
    body: &mut impl AsyncFnMut(&mut Transaction<'_>) -> Result<T, E>,
) -> Result<Result<T, Broken>, E> {
    let restart = restartable(link.client_ref(), options);
    let mut transaction = Transaction {
        link: &mut *link,
        begin: options.begin(),
        restart,
        begun: resumed,
        noted: None,
        depth: 0,
        handed_over: false,
    };
    let result = body(&mut transaction).await;
    // A statement whose future the body dropped is over before it is known how things stand.
    let ready = transaction.link.ready().await;
    transaction.begun |= !transaction.is_over();
    let (begun, noted) = (transaction.begun, transaction.noted);
    transaction.handed_over = true;
    drop(transaction);
    let value = match result {
        Ok(value) => value,
        Err(error) => match error.into_database_error() {
            Ok(error) => return Ok(Err(Broken { error, stage: Stage::Body })),
            Err(own) => {
                roll_back(link).await;
                return Err(own);
            }
        },
    };
    if let Err(error) = ready {
        return Ok(Err(Broken { error, stage: Stage::Body }));
    }
    if !begun && noted.is_none() {
        // Not a single statement: nothing to commit.
        return Ok(Ok(value));
    }
    Ok(commit(link, restart && begun, begun, noted).await.map(|()| value))
}

async fn commit(
    link: &mut Link,
    restart: bool,
    begun: bool,
    noted: Option<Failure>,
) -> Result<(), Broken> {
    before_commit(link.session(), begun, noted)?;
    let mut ending = Ending { link, armed: true };
    if restart {
        let release = format!("RELEASE SAVEPOINT {SAVEPOINT}");
        if let Err(error) = ending.link.simple(release.as_bytes()).await {
            ending.disarm();
            return Err(Broken { error, stage: Stage::Release });
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
        Ok(sets) => after_commit(&sets, noted),
        // The server said COMMIT when it had: a connection that ends on the last few bytes behind it
        // leaves nothing open.
        Err(_) if ending.link.session().commits() > before => Ok(()),
        Err(error) => Err(Broken { error, stage: Stage::Commit }),
    }
}

/// Makes the connection ready for the next attempt, if it can be: back to the savepoint where the
/// restart protocol allows it (`resumed`), else out of the transaction. Gives the error of a
/// rollback that failed; the connection is closed then.
async fn clean_up(
    link: &mut Link,
    options: &TransactionOptions,
    failure: Failure,
    resumed: &mut bool,
) -> Option<Error> {
    let restart = restartable(link.client_ref(), options);
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
async fn roll_back(link: &mut Link) -> Option<Error> {
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
