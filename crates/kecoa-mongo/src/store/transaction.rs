//! Transactions.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kecoa::pool::tokio::Pooled;
use kecoa::proto::TransactionStatus;
use kecoa::types::Uuid as SqlUuid;
use kecoa::{Answers, Pipeline, Row, Slot};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use uuid::Uuid;

use super::collection::{Collection, Namespace};
use super::database::{Effect, Params, Store, within_time};
use super::failure::{self, Failed};
use super::read::Fetched;
use super::record::{KEEP, Record, RecordId, now};
use super::snapshot;
use super::ticket::CommitOrder;
use crate::error::{Code, Error, Label};

/// An open transaction: it owns a connection. One that is dropped is rolled back.
#[derive(Debug)]
pub struct Transaction {
    store: Store,
    /// Never locked: it is there so that a transaction can be looked at from several threads.
    client: Mutex<Pooled>,
    /// Whether BEGIN was sent.
    begun: bool,
    /// A statement failed, or was given up: nothing but a rollback is left.
    failed: bool,
    /// What the catalogue says inside the transaction, where it is not what the store knows.
    catalogue: HashMap<Namespace, Known>,
    /// Documents that were read by their `_id`, each with its collection and what version the catalogue said: as long
    /// as nothing is written, the transaction sees them as they were.
    seen: VecDeque<((i64, i64), Fetched)>,
    /// The collections that it has made.
    made: HashSet<i64>,
    /// Its name in the log, and the number of its next change.
    log: (SqlUuid, i32),
    /// Whether nobody begins to watch before it ends.
    watchers_held: bool,
    /// What it sees, where the server has a name for that.
    snapshot: Option<String>,
    _permit: OwnedSemaphorePermit,
}

/// Where a transaction finds what the catalogue says of a name.
#[derive(Clone, Debug)]
pub(super) enum Known {
    /// Here; nothing, where there is no such collection.
    Here(Option<Collection>),
    /// In the tables, by the transaction's own eyes.
    Ask,
    /// With all others, as far as nothing speaks against it.
    Elsewhere,
}

/// What became of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Committed {
    /// It was committed, with this reply in its record.
    Yes(Vec<u8>),
    /// It was not, and will not be.
    No,
}

impl Store {
    /// Begin a transaction, on a connection of its own. Nothing is sent before its first statement. Where as many
    /// are open as may be, it waits for one to end.
    ///
    /// # Errors
    ///
    /// 462 where none has ended within [`Options::wait`](super::Options::wait).
    pub async fn begin(&self) -> Result<Transaction, Error> {
        let free = self.transactions().clone().acquire_owned();
        let Ok(Ok(permit)) = tokio::time::timeout(self.options().wait, free).await else {
            let most = self.options().transactions;
            return Err(failure::overloaded(&format!(
                "expected at most {most} open transactions, found as many already: end them sooner, or give the gateway more --connections"
            )));
        };
        let client =
            self.connection().await.map_err(|error| Error::from(failure::within(&error)))?;
        Ok(Transaction {
            store: self.clone(),
            client: Mutex::new(client),
            begun: false,
            failed: false,
            catalogue: HashMap::new(),
            seen: VecDeque::new(),
            made: HashSet::new(),
            log: (SqlUuid::from_bytes(Uuid::new_v4().into_bytes()), 0),
            watchers_held: false,
            snapshot: None,
            _permit: permit,
        })
    }

    /// What became of a transaction whose COMMIT was not answered: settles it, so that a commit that has not happened
    /// by then never does.
    ///
    /// # Errors
    ///
    /// 91 where the database cannot be asked.
    pub async fn settle_commit(
        &self,
        commit: &RecordId,
        deadline: Option<Instant>,
    ) -> Result<Committed, Error> {
        // An empty record in the place of the commit's own: whichever of the two comes first stands.
        let at = now();
        let kept = self
            .count(
                Effect::WriteOnce,
                KEEP_OR_LEAVE,
                &[&commit.session, &commit.transaction, &commit.statement, &ABORTED, &at],
                deadline,
            )
            .await;
        kept.map_err(unknown)?;
        let found = self
            .rows(
                Effect::Read,
                "SELECT reply FROM kecoa_mongo.session WHERE lsid = $1 AND txn = $2 AND stmt = $3",
                &[&commit.session, &commit.transaction, &commit.statement],
                deadline,
            )
            .await
            .map_err(unknown)?;
        let Some(row) = found.first() else {
            return Err(failure::unexpected("no record of a commit that was settled"));
        };
        let reply: Vec<u8> = failure::read(row, 0)?;
        Ok(if reply == ABORTED { Committed::No } else { Committed::Yes(reply) })
    }
}

/// How many documents a transaction remembers, and the bytes of each at most.
const SEEN: usize = 16;
const SEEN_BYTES: usize = 16 * 1024;

/// How long a rollback may take before the connection is given up.
const ABORT_TIME: Duration = Duration::from_secs(5);

/// The reply of a commit that never happened. No BSON document is so short.
const ABORTED: &[u8] = b"";

const KEEP_OR_LEAVE: &str = "INSERT INTO kecoa_mongo.session (lsid, txn, stmt, reply, at) \
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";

/// Nobody could say what became of a commit.
fn unknown(failed: Failed) -> Error {
    let error = Error::from(failed);
    Error::new(
        Code::SHUTDOWN_IN_PROGRESS,
        format!("whether the transaction was committed is not known: {}", error.message()),
    )
    .with_label(Label::RetryableWriteError)
}

impl Transaction {
    /// The store that it is a transaction of.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Ends what it can do: nothing of it is committed.
    pub(super) fn fail(&mut self) {
        self.failed = true;
    }

    /// Whether a statement failed: nothing but [`abort`](Self::abort) is left then.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.failed
    }

    /// Commit, with a record by which a second commit is answered. Where COMMIT itself is not answered, the record
    /// is looked up.
    ///
    /// # Errors
    ///
    /// 112 where it met another one; 91 with `RetryableWriteError` where its outcome could not be learnt: see
    /// [`Store::settle_commit`]. Any other: it was not committed.
    pub async fn commit(mut self, record: Record, deadline: Option<Instant>) -> Result<(), Error> {
        self.check()?;
        let answered = self.send_commit(&record, deadline).await;
        let error = match answered {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        // Only what the server itself says of the transaction settles it.
        let lost = error.as_ref().is_none_or(|error| {
            error.sqlstate().is_none() || error.is_ambiguous() || error.is_connection_lost()
        });
        let store = self.store.clone();
        drop(self);
        match error {
            Some(error) if !lost => match failure::within(&error) {
                Failed::Duplicate(_) => Err(settled_before()),
                failed => Err(failed.into()),
            },
            // The deadline that has passed is no reason to leave it open.
            _ => match store.settle_commit(&record.id, None).await? {
                Committed::Yes(_) => Ok(()),
                Committed::No => Err(settled_before()),
            },
        }
    }

    /// Sends the record and COMMIT. An error; nothing, where the deadline passed.
    async fn send_commit(
        &mut self,
        record: &Record,
        deadline: Option<Instant>,
    ) -> Result<(), Option<kecoa::Error>> {
        let id = &record.id;
        let at = now();
        let mut statements = Pipeline::atomic();
        if !self.begun {
            let _ = self.push_begin(&mut statements).map_err(Some)?;
        }
        statements
            .add(KEEP, &[&id.session, &id.transaction, &id.statement, &record.reply, &at])
            .map_err(Some)?;
        let ticket = self.take_ticket(record, &mut statements).map_err(Some)?;
        let end = statements.add("COMMIT", &[]).map_err(Some)?;
        self.failed = true;
        let sent = within_time(deadline, client(&mut self.client).run_pipeline(&statements)).await;
        let mut answers = match sent {
            Err(_) => return Err(None),
            Ok(Err(error)) => return Err(Some(error)),
            Ok(Ok(answers)) => answers,
        };
        let end = answers.take(end).map_err(Some)?;
        // A transaction that has failed answers COMMIT by ROLLBACK.
        match end.tag {
            Some(tag) if tag.as_bytes() == b"COMMIT" => {
                if let Some((ticket, slots)) = ticket {
                    // It is committed, whatever may be wrong with the number.
                    let _ = ticket.settle(&self.store, &mut answers, &slots);
                }
                Ok(())
            }
            _ => {
                Err(Some(kecoa::Error::usage("expected COMMIT, found the transaction rolled back")))
            }
        }
    }

    /// Adds what gives its changes their place in the log, if there are any.
    fn take_ticket(
        &self,
        record: &Record,
        statements: &mut Pipeline,
    ) -> Result<Option<(CommitOrder, Vec<Slot>)>, kecoa::Error> {
        if self.log.1 == 0 {
            return Ok(None);
        }
        if self.store.capabilities().lock_timeout {
            // Others commit one after the other: that is waited for.
            let wait = self.store.options().wait.as_millis();
            statements.add(&format!("SET LOCAL lock_timeout = '{wait}ms'"), &[])?;
        }
        let ticket = CommitOrder::of(&self.store, self.log.0, Some(&record.id));
        let mut slots = Vec::new();
        for (sql, params) in ticket.statements() {
            slots.push(statements.add(sql, &params)?);
        }
        Ok(Some((ticket, slots)))
    }

    /// Its name in the log, and the number of its next change.
    pub(super) fn log(&self) -> (SqlUuid, i32) {
        self.log
    }

    /// So many changes of it are in the log, or will be.
    pub(super) fn note_changes(&mut self, count: i32) {
        self.log.1 = self.log.1.saturating_add(count);
    }

    /// Keeps others from beginning to watch; fails where somebody has since its snapshot.
    pub(super) async fn hold_watchers(&mut self, deadline: Option<Instant>) -> Result<(), Failed> {
        if !self.watchers_held {
            let sql = "SELECT n FROM kecoa_mongo.counter WHERE name = 'watch' FOR SHARE";
            self.rows(Effect::Read, sql, &[], deadline).await?;
            self.watchers_held = true;
        }
        Ok(())
    }

    /// Roll back.
    pub async fn abort(mut self) {
        if self.begun {
            // Where this fails, so has the connection, and with it the transaction. One that does not answer is
            // given up.
            let deadline = Instant::now() + ABORT_TIME;
            let _ = within_time(Some(deadline), client(&mut self.client).batch("ROLLBACK")).await;
        }
    }

    pub(super) fn known(&self, namespace: &Namespace) -> Known {
        self.catalogue.get(namespace).cloned().unwrap_or(Known::Elsewhere)
    }

    pub(super) fn know(&mut self, namespace: &Namespace, known: Known) {
        self.catalogue.insert(namespace.clone(), known);
    }

    /// A document that was read before and is the same still.
    pub(super) fn seen(&mut self, collection: &Collection, id_key: &[u8]) -> Option<Fetched> {
        // One that is over answers nothing.
        self.check().ok()?;
        let place = (collection.id(), collection.version());
        let is_it = |(of, found): &&((i64, i64), Fetched)| *of == place && found.id_key() == id_key;
        self.seen.iter().find(is_it).map(|(_, found)| found.clone())
    }

    /// A document was read by its `_id`.
    pub(super) fn see(&mut self, collection: &Collection, found: &Fetched) {
        if found.size() > SEEN_BYTES {
            return;
        }
        if self.seen.len() >= SEEN {
            self.seen.pop_front();
        }
        self.seen.push_back(((collection.id(), collection.version()), found.clone()));
    }

    pub(super) fn has_made(&self, collection: i64) -> bool {
        self.made.contains(&collection)
    }

    pub(super) fn make(&mut self, collection: i64) {
        self.made.insert(collection);
    }

    /// What the transaction sees, by its name.
    pub(super) fn snapshot(&self) -> Option<&str> {
        self.snapshot.as_deref()
    }

    /// Adds what a transaction begins with, to statements that do not run without it. Gives the slot of its snapshot.
    fn push_begin(&self, statements: &mut Pipeline) -> Result<Option<Slot>, kecoa::Error> {
        let capabilities = self.store.capabilities();
        let begin = if capabilities.snapshot_isolation {
            "BEGIN ISOLATION LEVEL REPEATABLE READ"
        } else {
            "BEGIN ISOLATION LEVEL SERIALIZABLE"
        };
        statements.add(begin, &[])?;
        let wait = self.store.options().lock_wait.as_millis();
        if capabilities.lock_timeout && capabilities.snapshots_named {
            return statements.add(&snapshot::begin(wait), &[]).map(Some);
        }
        if capabilities.lock_timeout {
            statements.add(&format!("SET LOCAL lock_timeout = '{wait}ms'"), &[])?;
        }
        Ok(None)
    }

    /// The rows of a statement.
    pub(super) async fn rows(
        &mut self,
        effect: Effect,
        sql: &str,
        params: Params<'_>,
        deadline: Option<Instant>,
    ) -> Result<Vec<Row>, Failed> {
        if effect != Effect::Read {
            self.seen.clear();
        }
        if self.begun {
            self.check()?;
            self.failed = true;
            let rows = within_time(deadline, client(&mut self.client).query(sql, params)).await?;
            let rows = rows.map_err(|error| failure::within(&error))?;
            self.failed = false;
            return Ok(rows);
        }
        let (mut answers, slots) = self.together(&[(sql, params)], deadline).await?;
        let Some(slot) = slots.first() else {
            return Err(failure::unexpected("no answer").into());
        };
        answers.rows(*slot).map_err(|error| failure::within(&error))
    }

    /// The count of a statement, which writes: what was read may be otherwise by then.
    pub(super) async fn count(
        &mut self,
        sql: &str,
        params: Params<'_>,
        deadline: Option<Instant>,
    ) -> Result<u64, Failed> {
        self.seen.clear();
        if self.begun {
            self.check()?;
            self.failed = true;
            let count =
                within_time(deadline, client(&mut self.client).execute(sql, params)).await?;
            let count = count.map_err(|error| failure::within(&error))?;
            self.failed = false;
            return Ok(count);
        }
        let (mut answers, slots) = self.together(&[(sql, params)], deadline).await?;
        let Some(slot) = slots.first() else {
            return Err(failure::unexpected("no answer").into());
        };
        answers.count(*slot).map_err(|error| failure::within(&error))
    }

    /// Statements that are sent together, and that write: what was read may be otherwise by then.
    pub(super) async fn together(
        &mut self,
        statements: &[(&str, Params<'_>)],
        deadline: Option<Instant>,
    ) -> Result<(Answers, Vec<Slot>), Failed> {
        self.seen.clear();
        self.check()?;
        let mut pipeline = Pipeline::atomic();
        let mut slots = Vec::with_capacity(statements.len());
        let snapshot = match self.begun {
            true => None,
            false => self.push_begin(&mut pipeline).map_err(|error| failure::within(&error))?,
        };
        for (sql, params) in statements {
            slots.push(pipeline.add(sql, params).map_err(|error| failure::within(&error))?);
        }
        self.begun = true;
        self.failed = true;
        let answers =
            within_time(deadline, client(&mut self.client).run_pipeline(&pipeline)).await?;
        let mut answers = answers.map_err(|error| failure::within(&error))?;
        self.failed = false;
        if let Some(slot) = snapshot {
            let rows = answers.rows(slot).map_err(|error| failure::within(&error))?;
            self.snapshot = rows.first().map(|row| failure::read(row, 0)).transpose()?;
        }
        Ok((answers, slots))
    }

    /// Fails where there is no transaction on the server to go on in: whatever is sent then would commit by itself.
    fn check(&mut self) -> Result<(), Failed> {
        self.failed |= self.begun
            && client(&mut self.client).transaction_status() != TransactionStatus::InTransaction;
        if self.failed { Err(Failed::Other(settled_before())) } else { Ok(()) }
    }
}

fn client(client: &mut Mutex<Pooled>) -> &mut Pooled {
    client.get_mut().unwrap_or_else(PoisonError::into_inner)
}

/// Somebody else has settled that the transaction is not committed, or committed it before.
fn settled_before() -> Error {
    Error::new(Code::NO_SUCH_TRANSACTION, "Transaction has been aborted")
        .with_label(Label::TransientTransactionError)
}
