//! Rows that an `executemany` has buffered, and not sent yet.
//!
//! They lie in the link, so that whoever uses the connection meanwhile (the generator that gives the
//! rows, an adapter, another thread) sends them first: in psycopg2 each is sent before the next is
//! asked for. What became of them is kept for the `executemany`. Where they failed, and it is the
//! same thread that uses the connection, what it is about to do is not done: in psycopg2 it would
//! not have come to it.

use std::sync::Arc;
use std::thread::ThreadId;

use kecoa_proto::TransactionStatus;
use pyo3::prelude::*;

use super::Connection;
use super::batch::{Batch, ParsedStatement};
use super::link::Link;
use super::results::{BufferHandle, BufferedRows, FailedRows, Flushed};
use super::signals::{DriveResult, Signals};
use crate::convert::parameters::Values;
use crate::dbapi::wait_callback;
use crate::limit;
use crate::sync::lock;

impl Link {
    /// Settles all that an `executemany` has under way, before anybody else uses the connection; what
    /// failed of it when this is its own thread.
    pub(super) fn settle_all(&mut self, signals: &mut Signals) -> Option<FailedRows> {
        let failed = self.settle_lookahead(signals);
        if failed.is_some() || signals.has_raised() {
            return failed;
        }
        self.flush(signals)
    }

    /// Sends what is buffered; what came of it when it failed and this is its own thread.
    pub(super) fn flush(&mut self, signals: &mut Signals) -> Option<FailedRows> {
        let buffered = self.buffered.take()?;
        let slot = buffered.slot.upgrade()?;
        let client = self.client.as_mut()?;
        let BufferedRows { batch, once, limit, owner, .. } = buffered;
        signals.start(limit);
        let outcome = batch.run(client, once.as_deref(), signals);
        let expired = limit.filter(|_| signals.has_expired());
        let flushed = Flushed { batch, outcome, expired };
        let failed = flushed.error().is_some() && owner == std::thread::current().id();
        lock(&slot).push_back(flushed);
        failed.then(|| FailedRows::Buffered(Arc::downgrade(&slot)))
    }

    /// Drops the rows of a thread.
    pub(super) fn forget_buffered(&mut self, owner: ThreadId) {
        self.buffered.take_if(|buffered| buffered.owner == owner);
    }

    /// Takes the rows out, to send them.
    pub(super) fn take_buffered(
        &mut self,
        buffer: &BufferHandle,
    ) -> Option<(Batch, Option<Arc<ParsedStatement>>)> {
        let buffered = self.buffered.take_if(|buffered| buffered.belongs_to(buffer))?;
        Some((buffered.batch, buffered.once))
    }

    /// Adds a row; not while another's are here.
    fn buffer(&mut self, to: &BufferHandle, row: &mut Row<'_>) -> bool {
        match &mut self.buffered {
            Some(buffered) if !buffered.belongs_to(to) => return false,
            Some(buffered) => buffered.batch.push(row.text, row.values.take()),
            None => {
                let mut batch = std::mem::take(row.spare);
                batch.push(row.text, row.values.take());
                self.buffered = Some(BufferedRows {
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

/// A row that is to be buffered.
pub(crate) struct Row<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) values: Option<Values>,
    pub(crate) once: Option<&'a Arc<ParsedStatement>>,
    /// Memory for the first.
    pub(crate) spare: &'a mut Batch,
}

/// The first version that has COMMIT AND CHAIN.
const CHAINS_FROM: i32 = 120_000;

impl Connection {
    /// Whether statements that touch rows may travel together, as things are now: in a transaction, or
    /// where the server can be made to commit behind each.
    pub(crate) fn may_batch(&self) -> bool {
        if wait_callback::is_set() {
            return false;
        }
        let state = lock(&self.state);
        match state.transaction {
            TransactionStatus::InTransaction => true,
            TransactionStatus::Idle => {
                state.autocommit && !state.cockroach && state.server_version >= CHAINS_FROM
            }
            TransactionStatus::Failed => false,
        }
    }

    /// Keeps a row with those before it. Never waits, unless somebody else uses the connection.
    pub(crate) fn buffer_row(
        slf: &Bound<'_, Connection>,
        to: &BufferHandle,
        mut row: Row<'_>,
    ) -> PyResult<()> {
        if let Ok(mut link) = slf.get().link.try_lock()
            && link.buffer(to, &mut row)
        {
            return Ok(());
        }
        // The limit of a thread is known on that thread alone, which this is.
        let driven = Connection::drive_link(slf, |link, signals| {
            link.settle_all(signals);
            link.buffer(to, &mut row);
            Some(Ok(()))
        })?;
        driven.map_err(|error| slf.get().raise(slf.py(), &error))
    }

    /// Sends the rows that were buffered and waits for what comes of them; nothing when somebody
    /// else has sent them.
    pub(crate) fn run_buffered(
        slf: &Bound<'_, Connection>,
        buffer: &BufferHandle,
    ) -> DriveResult<Option<Flushed>> {
        Connection::drive_link(slf, |link, signals| {
            link.settle_lookahead(signals);
            if signals.has_raised() {
                return None;
            }
            let Some((batch, once)) = link.take_buffered(buffer) else { return Some(Ok(None)) };
            let limit = limit::current();
            signals.start(limit);
            let outcome = batch.run(link.client.as_mut()?, once.as_deref(), signals);
            let expired = limit.filter(|_| signals.has_expired());
            Some(Ok(Some(Flushed { batch, outcome, expired })))
        })
    }
}
