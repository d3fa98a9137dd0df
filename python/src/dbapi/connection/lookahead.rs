//! What an `executemany` has under way: rows that it has buffered, and a request that is sent ahead,
//! whose answer is taken later, while the caller prepares the next.
//!
//! Whatever else is done with the connection meanwhile waits for that answer first and keeps it for
//! the one who sent the request, so that it cannot be taken for another's, or lost. An answer that
//! nobody can ask for any more is dropped when it comes.

use std::sync::Arc;

use kecoa_proto::RequestId;
use pyo3::prelude::*;

use super::Connection;
use super::batch::Batch;
use super::link::Link;
use super::results::{Answer, BufferHandle, FailedRows, InFlight, ResultHandle};
use super::signals::{DriveResult, Signals};
use crate::limit;
use crate::sync::lock;

/// What came of a request that was sent ahead, and whether the next one is on its way.
pub(crate) struct Step {
    /// Nothing where nothing had been sent.
    pub(crate) before: Option<Answer>,
    /// Not sent at all when the one before failed, or when somebody else has sent the rows already.
    pub(crate) sent: Result<Option<ResultHandle>, kecoa::Error>,
    /// The rows.
    pub(crate) batch: Batch,
}

impl Link {
    /// Waits for the answer to what was sent ahead, under the limit that it was sent with, and keeps
    /// it for its owner. What failed of it when this is the owner's thread.
    pub(super) fn settle_lookahead(&mut self, signals: &mut Signals) -> Option<FailedRows> {
        let (in_flight, client) = (self.lookahead.take()?, self.client.as_mut()?);
        signals.start(in_flight.limit);
        let outcome = client.finish_pipeline(in_flight.id, signals);
        let expired = in_flight.limit.filter(|_| signals.has_expired());
        let slot = in_flight.slot.upgrade()?;
        let answer = Answer { outcome, expired };
        if answer.has_failed() {
            // What was buffered behind it would not have been sent.
            self.forget_buffered(in_flight.owner);
        }
        let failed = answer.has_failed() && in_flight.owner == std::thread::current().id();
        *lock(&slot) = Some(answer);
        failed.then_some(FailedRows::InFlight(in_flight.slot))
    }

    /// Sends the rows that were buffered, then takes the answer to those before: the server need not
    /// wait for us in between. In a transaction nothing of them runs when those before failed.
    fn step_lookahead(
        &mut self,
        before: Option<&ResultHandle>,
        buffer: &BufferHandle,
        signals: &mut Signals,
    ) -> Option<Step> {
        if self.lookahead.as_ref().is_some_and(|in_flight| !in_flight.belongs_to(before)) {
            self.settle_lookahead(signals);
        }
        let Some((batch, once)) = self.take_buffered(buffer) else {
            let before = before.and_then(ResultHandle::take);
            return Some(Step { before, sent: Ok(None), batch: Batch::default() });
        };
        // Answered already: somebody used the connection in between, who may have repaired what an
        // error broke.
        if signals.has_raised() || before.is_some_and(ResultHandle::is_answered) {
            let early = before.and_then(ResultHandle::take);
            if signals.has_raised() || early.as_ref().is_some_and(Answer::has_failed) {
                return Some(Step { before: early, sent: Ok(None), batch });
            }
            let submitted = batch.submit_behind(self.client.as_mut()?, once.as_deref());
            let sent = submitted.and_then(|id| self.leave_in_flight(id));
            return Some(Step { before: early, sent, batch });
        }
        let submitted = batch.submit_behind(self.client.as_mut()?, once.as_deref());
        self.settle_lookahead(signals);
        let before = before.and_then(ResultHandle::take);
        let sent = match submitted {
            Err(error) => Err(error),
            Ok(id) if signals.has_raised() || before.as_ref().is_some_and(Answer::has_failed) => {
                // Its answers only repeat that the transaction has failed.
                self.client.as_mut()?.finish_pipeline(id, signals).map(|_| None).or(Ok(None))
            }
            Ok(id) => self.leave_in_flight(id),
        };
        Some(Step { before, sent, batch })
    }

    /// Writes what the socket takes of a request, and leaves its answer for later.
    fn leave_in_flight(&mut self, id: RequestId) -> Result<Option<ResultHandle>, kecoa::Error> {
        let Some(client) = self.client.as_mut() else { return Ok(None) };
        client.advance()?;
        let handle = ResultHandle(Arc::default());
        let slot = Arc::downgrade(&handle.0);
        let owner = std::thread::current().id();
        self.lookahead = Some(InFlight { id, limit: limit::current(), owner, slot });
        Ok(Some(handle))
    }
}

impl Connection {
    /// Sends buffered rows ahead, and takes what came of those before them.
    pub(crate) fn send_ahead(
        slf: &Bound<'_, Connection>,
        before: Option<&ResultHandle>,
        buffer: &BufferHandle,
    ) -> DriveResult<Step> {
        Connection::drive_link(slf, |link, signals| {
            link.step_lookahead(before, buffer, signals).map(Ok)
        })
    }

    /// Takes what came of a request that was sent ahead; nothing when the connection was closed
    /// before the answer came.
    pub(crate) fn take_result(
        slf: &Bound<'_, Connection>,
        handle: &ResultHandle,
    ) -> DriveResult<Answer> {
        Connection::drive_link(slf, |link, signals| {
            if !handle.is_answered() {
                link.settle_lookahead(signals);
            }
            handle.take().map(Ok)
        })
    }
}
