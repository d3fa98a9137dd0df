//! What an `executemany` has under way: rows that it has gathered, and a request that is sent ahead,
//! whose answer is taken later, while the caller prepares the next.
//!
//! Whatever else is done with the connection meanwhile waits for that answer first and keeps it for
//! the one who sent the request, so that it cannot be taken for another's, or lost. An answer that
//! nobody can ask for any more is dropped when it comes.

use std::sync::{Arc, Mutex, Weak};
use std::thread::ThreadId;

use kecoa::PipelineOutcome;
use kecoa_proto::RequestId;
use pyo3::prelude::*;

use super::Connection;
use super::gathered::{Failed, Gathering};
use super::link::{Driven, Link, Signals};
use crate::dbapi::cursor::Batch;
use crate::errors::error;
use crate::limit::{self, Limit};
use crate::sync::lock;

/// What came of a request that was sent ahead.
pub(crate) struct Answer {
    outcome: Result<PipelineOutcome, kecoa::Error>,
    /// It was cancelled because it took longer than this.
    expired: Option<Limit>,
}

impl Answer {
    /// The exception for a request that failed.
    pub(super) fn raise(&self, connection: &Bound<'_, Connection>) -> Option<PyErr> {
        let error = match &self.outcome {
            Ok(piped) => piped.error.as_ref()?,
            Err(error) => error,
        };
        let (py, codec) = (connection.py(), connection.get().codec());
        if let (true, Some(limit)) = (error::is_interrupted(error), self.expired) {
            return Some(error::timed_out(py, error, limit, &codec));
        }
        Some(connection.get().raise(py, error))
    }

    fn has_failed(&self) -> bool {
        self.outcome.as_ref().map_or(true, |piped| piped.error.is_some())
    }

    /// The outcome, or what is raised where the time of the request was up.
    pub(crate) fn within_time(self, connection: &Bound<'_, Connection>) -> Driven<PipelineOutcome> {
        match (&self.outcome, self.expired) {
            (Err(error), Some(limit)) if error::is_interrupted(error) => {
                let (py, codec) = (connection.py(), connection.get().codec());
                Err(error::timed_out(py, error, limit, &codec))
            }
            _ => Ok(self.outcome),
        }
    }
}

type Slot = Mutex<Option<Answer>>;

/// By what the sender of a request asks for its answer. Without it nobody does.
pub(crate) struct Ticket(Arc<Slot>);

impl Ticket {
    fn take(&self) -> Option<Answer> {
        lock(&self.0).take()
    }

    fn is_answered(&self) -> bool {
        lock(&self.0).is_some()
    }
}

/// A request whose answer has not been waited for.
pub(super) struct Ahead {
    id: RequestId,
    limit: Option<Limit>,
    owner: ThreadId,
    slot: Weak<Slot>,
}

/// What came of a request that was sent ahead, and whether the next one is on its way.
pub(crate) struct Step {
    /// Nothing where nothing had been sent.
    pub(crate) before: Option<Answer>,
    /// Not sent at all when the one before failed, or when somebody else has sent the rows already.
    pub(crate) sent: Result<Option<Ticket>, kecoa::Error>,
    /// The rows.
    pub(crate) batch: Batch,
}

impl Link {
    /// Waits for the answer to what was sent ahead, under the limit that it was sent with, and keeps
    /// it for its owner. What failed of it when this is the owner's thread.
    pub(super) fn settle_ahead(&mut self, signals: &mut Signals) -> Option<Failed> {
        let (ahead, client) = (self.ahead.take()?, self.client.as_mut()?);
        signals.start(ahead.limit);
        let outcome = client.finish_pipeline(ahead.id, signals);
        let expired = ahead.limit.filter(|_| signals.has_expired());
        let slot = ahead.slot.upgrade()?;
        let answer = Answer { outcome, expired };
        if answer.has_failed() {
            // What was gathered behind it would not have been sent.
            self.forget_gathered(ahead.owner);
        }
        let failed = answer.has_failed() && ahead.owner == std::thread::current().id();
        *lock(&slot) = Some(answer);
        failed.then_some(Failed::Ahead(ahead.slot))
    }

    /// Sends the rows that were gathered, then takes the answer to those before: the server need not
    /// wait for us in between. In a transaction nothing of them runs when those before failed.
    fn step_ahead(
        &mut self,
        before: Option<&Ticket>,
        gathering: &Gathering,
        signals: &mut Signals,
    ) -> Option<Step> {
        if self.ahead.as_ref().is_some_and(|ahead| !ahead.belongs_to(before)) {
            self.settle_ahead(signals);
        }
        let Some((batch, once)) = self.take_gathered(gathering) else {
            let before = before.and_then(Ticket::take);
            return Some(Step { before, sent: Ok(None), batch: Batch::default() });
        };
        // Answered already: somebody used the connection in between, who may have repaired what an
        // error broke.
        if signals.has_raised() || before.is_some_and(Ticket::is_answered) {
            let early = before.and_then(Ticket::take);
            if signals.has_raised() || early.as_ref().is_some_and(Answer::has_failed) {
                return Some(Step { before: early, sent: Ok(None), batch });
            }
            let submitted = batch.submit_behind(self.client.as_mut()?, once.as_deref());
            let sent = submitted.and_then(|id| self.leave_ahead(id));
            return Some(Step { before: early, sent, batch });
        }
        let submitted = batch.submit_behind(self.client.as_mut()?, once.as_deref());
        self.settle_ahead(signals);
        let before = before.and_then(Ticket::take);
        let sent = match submitted {
            Err(error) => Err(error),
            Ok(id) if signals.has_raised() || before.as_ref().is_some_and(Answer::has_failed) => {
                // Its answers only repeat that the transaction has failed.
                self.client.as_mut()?.finish_pipeline(id, signals).map(|_| None).or(Ok(None))
            }
            Ok(id) => self.leave_ahead(id),
        };
        Some(Step { before, sent, batch })
    }

    /// Writes what the socket takes of a request, and leaves its answer for later.
    fn leave_ahead(&mut self, id: RequestId) -> Result<Option<Ticket>, kecoa::Error> {
        let Some(client) = self.client.as_mut() else { return Ok(None) };
        client.advance()?;
        let ticket = Ticket(Arc::default());
        let slot = Arc::downgrade(&ticket.0);
        let owner = std::thread::current().id();
        self.ahead = Some(Ahead { id, limit: limit::current(), owner, slot });
        Ok(Some(ticket))
    }
}

impl Ahead {
    fn belongs_to(&self, ticket: Option<&Ticket>) -> bool {
        ticket.is_some_and(|ticket| std::ptr::eq(self.slot.as_ptr(), Arc::as_ptr(&ticket.0)))
    }
}

impl Connection {
    /// Sends gathered rows ahead, and takes what came of those before them.
    pub(crate) fn send_ahead(
        slf: &Bound<'_, Connection>,
        before: Option<&Ticket>,
        gathering: &Gathering,
    ) -> Driven<Step> {
        Connection::drive_link(slf, |link, signals| {
            link.step_ahead(before, gathering, signals).map(Ok)
        })
    }

    /// Takes what came of a request that was sent ahead; nothing when the connection was closed
    /// before the answer came.
    pub(crate) fn take_ahead(slf: &Bound<'_, Connection>, ticket: &Ticket) -> Driven<Answer> {
        Connection::drive_link(slf, |link, signals| {
            if !ticket.is_answered() {
                link.settle_ahead(signals);
            }
            ticket.take().map(Ok)
        })
    }
}
