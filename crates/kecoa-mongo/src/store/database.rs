//! A database that documents lie in.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kecoa::pool::tokio::Pooled;
use kecoa::retry::{Attempts, Decision, Failure, Policy, classify};
use kecoa::types::ToSql;
use kecoa::{Answers, Pipeline, Pool, Row, Slot};
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;
use uuid::Uuid;

use super::collection::{Collection, CollectionKind, Namespace};
use super::failure::{self, Failed};
use super::options::{Capabilities, Options};
use super::{parts, schema};
use crate::error::{Code, Error};
use crate::session::ClusterClock;

/// Parameters of a statement.
pub(super) type Params<'p> = &'p [&'p dyn ToSql];

/// A database: a pool of connections, what the server can do, what the catalogue says. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pool: Pool,
    /// For a connection beside the pool.
    pub(super) config: kecoa::Config,
    options: Options,
    capabilities: Capabilities,
    /// Names this gateway among others.
    identity: Uuid,
    /// What the catalogue said last; every statement checks that it still does.
    catalogue: Mutex<HashMap<Namespace, Collection>>,
    /// A permit for each transaction that may be open.
    transactions: Arc<Semaphore>,
    /// The times that this gateway gives out.
    clock: Arc<ClusterClock>,
    /// Counts what there may be to read in the log.
    pub(super) changes: watch::Sender<u64>,
    /// Whether there is somebody who listens to other gateways.
    pub(super) listens: AtomicBool,
    /// Whether a connection for it is open.
    pub(super) connected: AtomicBool,
}

/// What a statement does, and so what may be done about a lost connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// It reads: it may run again.
    Read,
    /// It writes; a second run does what the first one did not.
    Write,
    /// It writes, with a key in it that a second run would meet: it may run again.
    WriteOnce,
}

impl Store {
    /// Connect, set the tables up where they are not there, and ask what the server can do.
    ///
    /// # Errors
    ///
    /// 6 where nobody answers; 1 for tables of an unknown format, and for a configuration that cannot be used.
    pub async fn open(config: &kecoa::Config, options: Options) -> Result<Self, Error> {
        let connections = options.connections.max(2);
        let mut config = config.clone();
        config
            .set("max_result_size", RESULT_BYTES.to_string())
            .map_err(|error| Error::new(Code::INTERNAL_ERROR, error.to_string()))?;
        let pool = Pool::builder()
            .name("mongo")
            .min_size(1)
            .max_size(connections)
            .timeout(Some(options.wait))
            .configure(|client| Box::pin(schema::configure(client)))
            .build(&config)
            .map_err(|error| Error::new(Code::INTERNAL_ERROR, error.to_string()))?;
        let mut attempt = 1;
        let capabilities = loop {
            match prepare(&pool).await {
                Ok(capabilities) => break capabilities,
                // The connection was lost, or another gateway got in the way: all is asked again.
                Err(error)
                    if matches!(
                        error.code(),
                        Code::SHUTDOWN_IN_PROGRESS | Code::WRITE_CONFLICT
                    ) && attempt < PREPARATIONS =>
                {
                    attempt += 1;
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                Err(error) => return Err(error),
            }
        };
        let transactions = options.transactions.clamp(1, connections - 1);
        Ok(Self {
            inner: Arc::new(Inner {
                pool,
                options,
                capabilities,
                identity: Uuid::new_v4(),
                catalogue: Mutex::default(),
                transactions: Arc::new(Semaphore::new(transactions)),
                config: config.clone(),
                clock: Arc::default(),
                changes: watch::Sender::new(0),
                listens: AtomicBool::new(false),
                connected: AtomicBool::new(false),
            }),
        })
    }

    /// What the server can do.
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        self.inner.capabilities
    }

    /// How the store works.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.inner.options
    }

    /// Close the connections: those in use when they are given back, or after 5 seconds.
    pub async fn close(&self) {
        self.inner.pool.close(Duration::from_secs(5)).await;
    }

    /// Names this gateway among others.
    #[must_use]
    pub fn identity(&self) -> Uuid {
        self.inner.identity
    }

    /// The times that this gateway gives out.
    #[must_use]
    pub fn clock(&self) -> &Arc<ClusterClock> {
        &self.inner.clock
    }

    pub(super) fn inner(&self) -> &Arc<Inner> {
        &self.inner
    }

    pub(super) fn transactions(&self) -> &Arc<Semaphore> {
        &self.inner.transactions
    }

    pub(super) async fn connection(&self) -> Result<Pooled, kecoa::Error> {
        self.inner.pool.get().await
    }

    /// What the catalogue said last.
    pub(super) fn known(&self, namespace: &Namespace) -> Option<Collection> {
        let catalogue = self.inner.catalogue.lock().unwrap_or_else(PoisonError::into_inner);
        catalogue.get(namespace).cloned()
    }

    /// Believes what the catalogue says, but of a view: nothing that reads one checks that it is still so.
    pub(super) fn learn(&self, collection: &Collection) {
        if collection.kind() == CollectionKind::View {
            return self.forget(collection.namespace());
        }
        let mut catalogue = self.inner.catalogue.lock().unwrap_or_else(PoisonError::into_inner);
        catalogue.insert(collection.namespace().clone(), collection.clone());
    }

    pub(super) fn forget(&self, namespace: &Namespace) {
        let mut catalogue = self.inner.catalogue.lock().unwrap_or_else(PoisonError::into_inner);
        catalogue.remove(namespace);
    }

    /// The rows of a statement that is a transaction by itself.
    pub(super) async fn rows(
        &self,
        effect: Effect,
        sql: &str,
        params: Params<'_>,
        deadline: Option<Instant>,
    ) -> Result<Vec<Row>, Failed> {
        let mut attempts = Tries::new();
        loop {
            let done =
                within_time(deadline, async { self.connection().await?.query(sql, params).await })
                    .await?;
            match done {
                Ok(rows) => return Ok(rows),
                Err(error) => attempts.next(&error, effect, deadline).await?,
            }
        }
    }

    /// The count of a statement that is a transaction by itself.
    pub(super) async fn count(
        &self,
        effect: Effect,
        sql: &str,
        params: Params<'_>,
        deadline: Option<Instant>,
    ) -> Result<u64, Failed> {
        let mut attempts = Tries::new();
        loop {
            let done = within_time(deadline, async {
                self.connection().await?.execute(sql, params).await
            })
            .await?;
            match done {
                Ok(count) => return Ok(count),
                Err(error) => attempts.next(&error, effect, deadline).await?,
            }
        }
    }

    /// Statements that are one transaction together, sent together; a slot for each.
    pub(super) async fn together(
        &self,
        effect: Effect,
        statements: &[(&str, Params<'_>)],
        deadline: Option<Instant>,
    ) -> Result<(Answers, Vec<Slot>), Failed> {
        self.framed("BEGIN", effect, statements, deadline).await
    }

    /// The rows of a write that is a transaction by itself, and sees what others commit while it waits for them. It may
    /// run again.
    pub(super) async fn read_committed(
        &self,
        sql: &str,
        params: Params<'_>,
        deadline: Option<Instant>,
    ) -> Result<Vec<Row>, Failed> {
        let begin = "BEGIN ISOLATION LEVEL READ COMMITTED";
        let (mut answers, slots) =
            self.framed(begin, Effect::WriteOnce, &[(sql, params)], deadline).await?;
        let slot = slots.first().ok_or_else(|| failure::unexpected("no answer"))?;
        Ok(answers.rows(*slot).map_err(|error| failure::unexpected(&error.to_string()))?)
    }

    async fn framed(
        &self,
        begin: &str,
        effect: Effect,
        statements: &[(&str, Params<'_>)],
        deadline: Option<Instant>,
    ) -> Result<(Answers, Vec<Slot>), Failed> {
        // One request: where BEGIN fails, nothing of what is behind it runs.
        let mut pipeline = Pipeline::atomic();
        let add = |pipeline: &mut Pipeline, sql: &str, params: Params<'_>| {
            pipeline.add(sql, params).map_err(|error| failure::alone(&error))
        };
        add(&mut pipeline, begin, &[])?;
        let mut slots = Vec::with_capacity(statements.len());
        for (sql, params) in statements {
            slots.push(add(&mut pipeline, sql, params)?);
        }
        add(&mut pipeline, "COMMIT", &[])?;
        let mut attempts = Tries::new();
        loop {
            let done = within_time(deadline, async {
                self.connection().await?.run_pipeline(&pipeline).await
            })
            .await?;
            match done {
                Ok(answers) => return Ok((answers, slots)),
                Err(error) => attempts.next(&error, effect, deadline).await?,
            }
        }
    }
}

/// The most bytes that a connection takes of one result: a document of the largest size, with what is around it, and as
/// much again.
const RESULT_BYTES: usize = 40 * 1024 * 1024;

/// How often a database is prepared before its lost connections count as a failure.
const PREPARATIONS: u32 = 5;

/// Asks what the server can do, and sets the tables up.
async fn prepare(pool: &Pool) -> Result<Capabilities, Error> {
    let mut client = pool.get().await.map_err(|error| Error::from(failure::alone(&error)))?;
    let mut capabilities = schema::probe(&mut client).await?;
    schema::set_up(&mut client, capabilities).await?;
    capabilities.parts = capabilities.hash_partitions && parts::are_known(&mut client).await?;
    Ok(capabilities)
}

/// Waits for something until the deadline.
pub(super) async fn within_time<T>(
    deadline: Option<Instant>,
    work: impl Future<Output = T>,
) -> Result<T, Error> {
    match deadline {
        None => Ok(work.await),
        // A timer is coarse: what has passed has passed.
        Some(deadline) if deadline <= Instant::now() => Err(failure::expired()),
        Some(deadline) => {
            tokio::time::timeout_at(deadline, work).await.map_err(|_| failure::expired())
        }
    }
}

/// How often a statement was tried.
struct Tries {
    attempts: Option<Attempts>,
    begun: Instant,
}

impl Tries {
    fn new() -> Self {
        Self { attempts: None, begun: Instant::now() }
    }

    /// Waits until the next attempt; the error, where there is none.
    async fn next(
        &mut self,
        error: &kecoa::Error,
        effect: Effect,
        deadline: Option<Instant>,
    ) -> Result<(), Failed> {
        let meaning = match classify(error, effect != Effect::Read) {
            Failure::Ambiguous if effect != Effect::Write => Failure::LostBeforeCommit,
            // A deadlock: the statement was undone.
            _ if error.sqlstate() == Some("40P01") => Failure::Retryable,
            meaning => meaning,
        };
        if self.attempts.is_none() {
            let attempts = Attempts::new(Policy::default(), Duration::ZERO);
            self.attempts = Some(attempts.map_err(|error| failure::alone(&error))?);
        }
        let now = self.begun.elapsed();
        let decision = self.attempts.as_mut().map_or(Decision::GiveUp, |attempts| {
            attempts.on_failure(meaning, now, fastrand::f64())
        });
        let Some(wait) = decision.wait() else { return Err(failure::alone(error)) };
        within_time(deadline, tokio::time::sleep(wait)).await?;
        Ok(())
    }
}
