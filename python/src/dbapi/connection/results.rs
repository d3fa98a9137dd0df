//! What an `executemany` has under way on a connection, and what came of it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, Weak};
use std::thread::ThreadId;

use kecoa::PipelineOutcome;
use kecoa_proto::RequestId;
use pyo3::prelude::*;

use super::batch::{Batch, ParsedStatement, Sent};
use crate::convert::codec::Codec;
use crate::errors::error::{self, ErrorContext};
use crate::limit::Limit;
use crate::sync::lock;

/// What came of a request that was sent ahead.
pub(crate) struct Answer {
    pub(super) outcome: Result<PipelineOutcome, kecoa::Error>,
    /// It was cancelled because it took longer than this.
    pub(super) expired: Option<Limit>,
}

impl Answer {
    /// The exception for a request that failed.
    pub(super) fn raise(&self, py: Python<'_>, codec: &Arc<Codec>) -> Option<PyErr> {
        let error = match &self.outcome {
            Ok(piped) => piped.error.as_ref()?,
            Err(error) => error,
        };
        if let (true, Some(limit)) = (error::is_interrupted(error), self.expired) {
            return Some(error::timed_out(py, error, limit, codec));
        }
        Some(error::plain_exception(py, error, codec))
    }

    pub(super) fn has_failed(&self) -> bool {
        self.outcome.as_ref().map_or(true, |piped| piped.error.is_some())
    }

    /// The outcome, or what is raised where the time of the request was up.
    pub(crate) fn within_time(
        self,
        py: Python<'_>,
        codec: &Arc<Codec>,
    ) -> PyResult<Result<PipelineOutcome, kecoa::Error>> {
        match (&self.outcome, self.expired) {
            (Err(error), Some(limit)) if error::is_interrupted(error) => {
                Err(error::timed_out(py, error, limit, codec))
            }
            _ => Ok(self.outcome),
        }
    }
}

type AnswerSlot = Mutex<Option<Answer>>;

/// By what the sender of a request asks for its answer. Without it nobody does.
pub(crate) struct ResultHandle(pub(super) Arc<AnswerSlot>);

impl ResultHandle {
    pub(super) fn take(&self) -> Option<Answer> {
        lock(&self.0).take()
    }

    pub(super) fn is_answered(&self) -> bool {
        lock(&self.0).is_some()
    }
}

/// A request whose answer has not been waited for.
pub(super) struct InFlight {
    pub(super) id: RequestId,
    pub(super) limit: Option<Limit>,
    pub(super) owner: ThreadId,
    pub(super) slot: Weak<AnswerSlot>,
}

impl InFlight {
    pub(super) fn belongs_to(&self, handle: Option<&ResultHandle>) -> bool {
        handle.is_some_and(|handle| std::ptr::eq(self.slot.as_ptr(), Arc::as_ptr(&handle.0)))
    }
}

/// What became of rows that somebody else has sent.
pub(crate) struct Flushed {
    pub(super) batch: Batch,
    pub(super) outcome: Result<Sent, kecoa::Error>,
    /// They were cancelled because they took longer than this.
    pub(super) expired: Option<Limit>,
}

impl Flushed {
    pub(super) fn error(&self) -> Option<(&kecoa::Error, usize)> {
        match &self.outcome {
            Ok(sent) => sent.failed.as_ref().map(|(error, row, _)| (error, *row)),
            Err(error) => Some((error, 0)),
        }
    }

    /// The exception for rows that failed.
    fn raise(&self, py: Python<'_>, codec: &Arc<Codec>) -> Option<PyErr> {
        let (error, row) = self.error()?;
        if let (true, Some(limit)) = (error::is_interrupted(error), self.expired) {
            return Some(error::timed_out(py, error, limit, codec));
        }
        let statement = Some(self.batch.text(row));
        let context = ErrorContext { statement, codec, cursor: None, commit: false };
        Some(error::exception(py, error, &context))
    }

    /// The text of the first row.
    pub(crate) fn text(&self) -> &[u8] {
        self.batch.text(0)
    }

    /// The outcome, or what is raised where the time of the rows was up.
    pub(crate) fn within_time(
        self,
        py: Python<'_>,
        codec: &Arc<Codec>,
    ) -> PyResult<(Batch, Result<Sent, kecoa::Error>)> {
        match (&self.outcome, self.expired) {
            (Err(error), Some(limit)) if error::is_interrupted(error) => {
                Err(error::timed_out(py, error, limit, codec))
            }
            _ => Ok((self.batch, self.outcome)),
        }
    }
}

type FlushedSlot = Mutex<VecDeque<Flushed>>;

/// By what an `executemany` knows its rows.
#[derive(Default)]
pub(crate) struct BufferHandle(pub(super) Arc<FlushedSlot>);

impl BufferHandle {
    /// What became of the first rows that somebody else has sent, if somebody has.
    pub(crate) fn take(&self) -> Option<Flushed> {
        lock(&self.0).pop_front()
    }
}

/// Rows in the link.
pub(super) struct BufferedRows {
    pub(super) batch: Batch,
    pub(super) once: Option<Arc<ParsedStatement>>,
    pub(super) limit: Option<Limit>,
    pub(super) owner: ThreadId,
    pub(super) slot: Weak<FlushedSlot>,
}

impl BufferedRows {
    pub(super) fn belongs_to(&self, buffer: &BufferHandle) -> bool {
        std::ptr::eq(self.slot.as_ptr(), Arc::as_ptr(&buffer.0))
    }
}

/// Rows that were sent first, and failed: the exception is raised on their own thread.
pub(super) enum FailedRows {
    Buffered(Weak<FlushedSlot>),
    InFlight(Weak<AnswerSlot>),
}

impl FailedRows {
    /// The exception for whoever uses the connection; the `executemany` raises one of its own.
    pub(super) fn raise(&self, py: Python<'_>, codec: &Arc<Codec>) -> Option<PyErr> {
        // Not locked while the exception is made: that calls Python.
        match self {
            FailedRows::Buffered(slot) => {
                let slot = slot.upgrade()?;
                let flushed = lock(&slot).pop_back()?;
                let raised = flushed.raise(py, codec);
                lock(&slot).push_back(flushed);
                raised
            }
            FailedRows::InFlight(slot) => {
                let slot = slot.upgrade()?;
                let answer = lock(&slot).take()?;
                let raised = answer.raise(py, codec);
                *lock(&slot) = Some(answer);
                raised
            }
        }
    }
}
