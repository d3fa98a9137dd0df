//! Rows that an `executemany` has gathered, and not sent yet.
//!
//! They lie in the link, so that whoever uses the connection meanwhile (the generator that gives the
//! rows, an adapter, another thread) sends them first: in psycopg2 each is sent before the next is
//! asked for. What became of them is kept for the `executemany`. Where they failed, and it is the
//! same thread that uses the connection, what it is about to do is not done: in psycopg2 it would
//! not have come to it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, Weak};
use std::thread::ThreadId;

use pyo3::prelude::*;

use super::Connection;
use super::ahead::Answer;
use super::link::{Driven, Link, Signals};
use crate::convert::parameters::Values;
use crate::dbapi::cursor::{Batch, Once, Sent};
use crate::errors::error::{self, Circumstances};
use crate::limit::{self, Limit};
use crate::sync::lock;

/// What became of rows that somebody else has sent.
pub(crate) struct Flushed {
    batch: Batch,
    outcome: Result<Sent, kecoa::Error>,
    /// They were cancelled because they took longer than this.
    expired: Option<Limit>,
}

impl Flushed {
    fn error(&self) -> Option<(&kecoa::Error, usize)> {
        match &self.outcome {
            Ok(sent) => sent.failed.as_ref().map(|(error, row, _)| (error, *row)),
            Err(error) => Some((error, 0)),
        }
    }

    /// The exception for rows that failed.
    fn raise(&self, connection: &Bound<'_, Connection>) -> Option<PyErr> {
        let (error, row) = self.error()?;
        let (py, codec) = (connection.py(), connection.get().codec());
        if let (true, Some(limit)) = (error::is_interrupted(error), self.expired) {
            return Some(error::timed_out(py, error, limit, &codec));
        }
        let statement = Some(self.batch.text(row));
        let circumstances = Circumstances { statement, codec: &codec, cursor: None, commit: false };
        Some(error::exception(py, error, &circumstances))
    }

    /// The text of the first row.
    pub(crate) fn text(&self) -> &[u8] {
        self.batch.text(0)
    }

    /// The outcome, or what is raised where the time of the rows was up.
    pub(crate) fn within_time(
        self,
        connection: &Bound<'_, Connection>,
    ) -> PyResult<(Batch, Result<Sent, kecoa::Error>)> {
        match (&self.outcome, self.expired) {
            (Err(error), Some(limit)) if error::is_interrupted(error) => {
                let (py, codec) = (connection.py(), connection.get().codec());
                Err(error::timed_out(py, error, limit, &codec))
            }
            _ => Ok((self.batch, self.outcome)),
        }
    }
}

type Slot = Mutex<VecDeque<Flushed>>;

/// By what an `executemany` knows its rows.
#[derive(Default)]
pub(crate) struct Gathering(Arc<Slot>);

impl Gathering {
    /// What became of the first rows that somebody else has sent, if somebody has.
    pub(crate) fn take(&self) -> Option<Flushed> {
        lock(&self.0).pop_front()
    }
}

/// Rows in the link.
pub(super) struct Gathered {
    batch: Batch,
    once: Option<Arc<Once>>,
    limit: Option<Limit>,
    owner: ThreadId,
    slot: Weak<Slot>,
}

impl Gathered {
    fn belongs_to(&self, gathering: &Gathering) -> bool {
        std::ptr::eq(self.slot.as_ptr(), Arc::as_ptr(&gathering.0))
    }
}

/// Rows that were sent first, and failed: their own thread is to hear of it.
pub(super) enum Failed {
    Rows(Weak<Slot>),
    Ahead(Weak<Mutex<Option<Answer>>>),
}

impl Failed {
    /// The exception for whoever uses the connection; the `executemany` raises one of its own.
    pub(super) fn raise(&self, connection: &Bound<'_, Connection>) -> Option<PyErr> {
        // Not locked while the exception is made: that calls Python.
        match self {
            Failed::Rows(slot) => {
                let slot = slot.upgrade()?;
                let flushed = lock(&slot).pop_back()?;
                let raised = flushed.raise(connection);
                lock(&slot).push_back(flushed);
                raised
            }
            Failed::Ahead(slot) => {
                let slot = slot.upgrade()?;
                let answer = lock(&slot).take()?;
                let raised = answer.raise(connection);
                *lock(&slot) = Some(answer);
                raised
            }
        }
    }
}

impl Link {
    /// Settles all that an `executemany` has under way, before anybody else uses the connection; what
    /// failed of it when this is its own thread.
    pub(super) fn settle_all(&mut self, signals: &mut Signals) -> Option<Failed> {
        let failed = self.settle_ahead(signals);
        if failed.is_some() || signals.has_raised() {
            return failed;
        }
        self.flush(signals)
    }

    /// Sends what is gathered; what came of it when it failed and this is its own thread.
    pub(super) fn flush(&mut self, signals: &mut Signals) -> Option<Failed> {
        let gathered = self.gathered.take()?;
        let slot = gathered.slot.upgrade()?;
        let client = self.client.as_mut()?;
        let Gathered { batch, once, limit, owner, .. } = gathered;
        signals.start(limit);
        let outcome = batch.run(client, once.as_deref(), signals);
        let expired = limit.filter(|_| signals.has_expired());
        let flushed = Flushed { batch, outcome, expired };
        let failed = flushed.error().is_some() && owner == std::thread::current().id();
        lock(&slot).push_back(flushed);
        failed.then(|| Failed::Rows(Arc::downgrade(&slot)))
    }

    /// Drops the rows of a thread.
    pub(super) fn forget_gathered(&mut self, owner: ThreadId) {
        self.gathered.take_if(|gathered| gathered.owner == owner);
    }

    /// Takes the rows out, to send them.
    pub(super) fn take_gathered(
        &mut self,
        gathering: &Gathering,
    ) -> Option<(Batch, Option<Arc<Once>>)> {
        let gathered = self.gathered.take_if(|gathered| gathered.belongs_to(gathering))?;
        Some((gathered.batch, gathered.once))
    }

    /// Adds a row; not while another's are here.
    fn gather(&mut self, to: &Gathering, row: &mut Gatherable<'_>) -> bool {
        match &mut self.gathered {
            Some(gathered) if !gathered.belongs_to(to) => return false,
            Some(gathered) => gathered.batch.push(row.text, row.values.take()),
            None => {
                let mut batch = std::mem::take(row.spare);
                batch.push(row.text, row.values.take());
                self.gathered = Some(Gathered {
                    batch,
                    once: row.once.cloned(),
                    limit: limit::current(),
                    owner: std::thread::current().id(),
                    slot: Arc::downgrade(&to.0),
                });
            }
        }
        true
    }
}

/// A row that is to be gathered.
pub(crate) struct Gatherable<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) values: Option<Values>,
    pub(crate) once: Option<&'a Arc<Once>>,
    /// Memory for the first.
    pub(crate) spare: &'a mut Batch,
}

impl Connection {
    /// Keeps a row with those before it. Never waits, unless somebody else uses the connection.
    pub(crate) fn gather(
        slf: &Bound<'_, Connection>,
        to: &Gathering,
        mut row: Gatherable<'_>,
    ) -> PyResult<()> {
        if let Ok(mut link) = slf.get().link.try_lock()
            && link.gather(to, &mut row)
        {
            return Ok(());
        }
        // The limit of a thread is known on that thread alone, which this is.
        let driven = Connection::drive_link(slf, |link, signals| {
            link.settle_all(signals);
            link.gather(to, &mut row);
            Some(Ok(()))
        })?;
        driven.map_err(|error| slf.get().raise(slf.py(), &error))
    }

    /// Sends the rows that were gathered and waits for what comes of them; nothing when somebody
    /// else has sent them.
    pub(crate) fn run_gathered(
        slf: &Bound<'_, Connection>,
        gathering: &Gathering,
    ) -> Driven<Option<Flushed>> {
        Connection::drive_link(slf, |link, signals| {
            link.settle_ahead(signals);
            if signals.has_raised() {
                return None;
            }
            let Some((batch, once)) = link.take_gathered(gathering) else { return Some(Ok(None)) };
            let limit = limit::current();
            signals.start(limit);
            let outcome = batch.run(link.client.as_mut()?, once.as_deref(), signals);
            let expired = limit.filter(|_| signals.has_expired());
            Some(Ok(Some(Flushed { batch, outcome, expired })))
        })
    }
}
