//! Several statements in one round trip.

use kecoa_types::ToSql;

use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::row::ResultSet;
use crate::row::{FromRow, Row, read_all, rows_of};
use crate::session::atomic::{self, Bound};
use crate::session::call::{self, PendingCall, Settled};
use crate::session::core::Session;
use crate::session::extended::{self, Encoded};

/// Statements that are sent together: by [`Client::run_pipeline`](crate::Client::run_pipeline) and
/// [`blocking::Client::run_pipeline`](crate::blocking::Client::run_pipeline).
///
/// Each statement is a request of its own: outside of a transaction each commits by itself, and the
/// error of one does not touch the others. Those of an [`atomic`](Pipeline::atomic) pipeline are one request.
#[derive(Clone, Debug, Default)]
#[must_use = "nothing is sent until run_pipeline() is called with it"]
pub struct Pipeline {
    statements: Vec<(String, Encoded)>,
    atomic: bool,
}

/// Names a statement of a [`Pipeline`], and its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot(usize);

impl Pipeline {
    /// No statements yet.
    pub fn new() -> Pipeline {
        Pipeline::default()
    }

    /// No statements yet; those to come are one request. The server skips whatever is behind an error, and what ran
    /// before it is undone: all of them succeed, or the first error is that of the whole. Outside of a transaction they
    /// are one by themselves. BEGIN and COMMIT may be among them, where it has to be of a certain kind; an error leaves
    /// that transaction to be rolled back.
    ///
    /// ```
    /// # kecoa::example::blocking(|client| {
    /// let mut pipeline = kecoa::Pipeline::atomic();
    /// pipeline.add("UPDATE accounts SET balance = 0 WHERE id = 1", &[])?;
    /// pipeline.add("SELECT 1 / $1", &[&0_i64])?;
    /// assert_eq!(client.run_pipeline(&pipeline).unwrap_err().sqlstate(), Some("22012"));
    /// let row = client.query_one("SELECT balance FROM accounts WHERE id = 1", &[])?;
    /// assert_ne!(row.get::<i64>(0)?, 0);
    /// # Ok(()) });
    /// ```
    pub fn atomic() -> Pipeline {
        Pipeline { statements: Vec::new(), atomic: true }
    }

    /// Adds a statement.
    ///
    /// # Errors
    /// [`ErrorKind::Conversion`](crate::ErrorKind::Conversion) for a parameter that cannot be sent.
    pub fn add(&mut self, sql: &str, params: &[&dyn ToSql]) -> Result<Slot, Error> {
        self.statements.push((sql.to_owned(), Encoded::new(params)?));
        Ok(Slot(self.statements.len() - 1))
    }

    /// How many statements there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.statements.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }

    /// The statements of one that is atomic; nothing for any other.
    pub(crate) fn together(&self) -> Option<Vec<Bound<'_>>> {
        let statements = self.statements.iter().map(|(sql, encoded)| (sql.as_str(), encoded));
        self.atomic.then(|| statements.collect())
    }

    /// Queues all statements. A statement that cannot be sent is an error once those before it are
    /// answered.
    pub(crate) fn submit(&self, session: &mut Session) -> Vec<Result<PendingCall, Error>> {
        self.statements
            .iter()
            .map(|(sql, encoded)| {
                let parameters = encoded.parameters();
                let request = encoded.request(None, sql, &parameters);
                let plan = call::plan_pipelined(session, request.sql, request.types);
                call::submit(session, plan, &request)
            })
            .collect()
    }

    /// A statement and its parameters.
    pub(crate) fn statement(&self, number: usize) -> Result<(&str, &Encoded), Error> {
        let found = self.statements.get(number);
        found
            .map(|(sql, encoded)| (sql.as_str(), encoded))
            .ok_or_else(|| Error::usage("expected a statement of this pipeline, found none"))
    }

    /// The result of a statement; waits for it where it has not come yet. One that was sent anew is
    /// to be waited for behind all others, whose answers come first.
    fn settle(
        &self,
        session: &mut Session,
        number: usize,
        pending: PendingCall,
        hook: &mut dyn Interrupt,
    ) -> Result<Settled, Error> {
        let (sql, encoded) = self.statement(number)?;
        let parameters = encoded.parameters();
        call::settle(session, pending, &encoded.request(None, sql, &parameters), hook)
    }

    /// Takes the answers of what was submitted, and what was sent anew: its answers come behind all
    /// others.
    pub(crate) fn collect(
        &self,
        session: &mut Session,
        submitted: Vec<Result<PendingCall, Error>>,
        hook: &mut dyn Interrupt,
    ) -> Result<(Answers, Vec<(usize, PendingCall)>), Error> {
        let mut answers = Answers { sets: Vec::with_capacity(submitted.len()) };
        let mut again = Vec::new();
        for (number, pending) in submitted.into_iter().enumerate() {
            let settled = pending.and_then(|pending| self.settle(session, number, pending, hook));
            again.extend(answers.admit(session, settled)?.map(|pending| (number, pending)));
        }
        Ok((answers, again))
    }

    pub(crate) fn run(
        &self,
        session: &mut Session,
        hook: &mut dyn Interrupt,
    ) -> Result<Answers, Error> {
        if let Some(statements) = self.together() {
            let pending = atomic::submit(session, &statements)?;
            return atomic::finish(session, &statements, pending, hook).map(Answers::of);
        }
        let submitted = self.submit(session);
        let (mut answers, again) = self.collect(session, submitted, hook)?;
        for (number, pending) in again {
            let (sql, encoded) = self.statement(number)?;
            let parameters = encoded.parameters();
            let request = encoded.request(None, sql, &parameters);
            let set = call::finish(session, pending, &request, hook);
            answers.put(session, number, set)?;
        }
        Ok(answers)
    }
}

/// What the statements of a [`Pipeline`] answered. Each answer is taken once.
#[derive(Debug)]
pub struct Answers {
    sets: Vec<Option<Result<ResultSet, Error>>>,
}

impl Answers {
    /// Answers without an error.
    pub(crate) fn of(sets: Vec<ResultSet>) -> Answers {
        Answers { sets: sets.into_iter().map(|set| Some(Ok(set))).collect() }
    }

    /// Takes the next answer. An error that ended the connection is one of all statements; one that
    /// was sent anew is given back.
    fn admit(
        &mut self,
        session: &Session,
        settled: Result<Settled, Error>,
    ) -> Result<Option<PendingCall>, Error> {
        let (answer, again) = match settled {
            Err(error) if session.is_closed() => return Err(error),
            Err(error) => (Some(Err(error)), None),
            Ok(Settled::Done(set)) => (Some(Ok(set)), None),
            Ok(Settled::Again(pending)) => (None, Some(pending)),
        };
        self.sets.push(answer);
        Ok(again)
    }

    /// Takes the answer to a statement that was sent anew.
    pub(crate) fn put(
        &mut self,
        session: &Session,
        number: usize,
        answer: Result<ResultSet, Error>,
    ) -> Result<(), Error> {
        match answer {
            Err(error) if session.is_closed() => return Err(error),
            answer => {
                if let Some(place) = self.sets.get_mut(number) {
                    *place = Some(answer);
                }
            }
        }
        Ok(())
    }

    /// The first error among those that were not taken.
    #[must_use]
    pub fn first_error(&self) -> Option<&Error> {
        self.sets.iter().flatten().find_map(|answer| answer.as_ref().err())
    }

    /// The result of a statement.
    ///
    /// # Errors
    /// The statement's; [`ErrorKind::Usage`](crate::ErrorKind::Usage) when it was taken before, or
    /// is of another pipeline.
    pub fn take(&mut self, slot: Slot) -> Result<ResultSet, Error> {
        let answer = self.sets.get_mut(slot.0).and_then(Option::take);
        answer.unwrap_or_else(|| {
            Err(Error::usage("expected the answer of a statement of this pipeline, not yet taken"))
        })
    }

    /// The rows of a statement.
    ///
    /// # Errors
    /// As [`take`](Answers::take).
    pub fn rows(&mut self, slot: Slot) -> Result<Vec<Row>, Error> {
        self.take(slot).map(rows_of)
    }

    /// The rows of a statement, as tuples or structs.
    ///
    /// # Errors
    /// As [`take`](Answers::take), and as [`FromRow`].
    pub fn rows_as<T: FromRow>(&mut self, slot: Slot) -> Result<Vec<T>, Error> {
        read_all(&self.take(slot)?)
    }

    /// How many rows a statement touched or returned.
    ///
    /// # Errors
    /// As [`take`](Answers::take).
    pub fn count(&mut self, slot: Slot) -> Result<u64, Error> {
        self.take(slot).map(|set| extended::count(&set))
    }
}
