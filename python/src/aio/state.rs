//! What is under way on a link, and who waits for it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use kecoa::Readiness;
use kecoa::call::PendingCall;
use kecoa_proto::{RequestId, RowDescription, ServerError};
use pyo3::prelude::*;
use pyo3::types::PyWeakrefReference;

use super::calls::{Call, ManyRequest};
use crate::dbapi::cursor::Cursor;
use crate::dbapi::cursor::binding::BoundCall;
use crate::dbapi::cursor::overlap::Work;

/// Locked for moments only, never across a call into Python.
#[derive(Default)]
pub(super) struct State {
    /// What was submitted and not answered, oldest first.
    pub(super) requests: VecDeque<Pending>,
    /// Tasks that wait for their turn, oldest first.
    pub(super) waiters: VecDeque<Py<PyAny>>,
    /// A task has the connection for itself.
    pub(super) held: bool,
    /// Cancel requests that are on their way.
    pub(super) cancelling: u32,
    /// BEGIN, where statements open transactions.
    pub(super) begin: Option<Arc<[u8]>>,
    /// Statements are submitted before those before them are answered.
    pub(super) pipelining: bool,
    /// A request whose replies are taken one by one.
    pub(super) streaming: Option<Streaming>,
    pub(super) reading: bool,
    pub(super) writing: bool,
    /// Weak: whom notices and notifications are for.
    pub(super) owner: Option<Py<PyWeakrefReference>>,
    numbers: u64,
    /// How many bytes of statements were submitted and wait to be sent.
    pub(super) unsent: usize,
    /// Why the connection is closed, for those who still wait for it.
    pub(super) end: Option<String>,
    /// A transaction was open when the connection ended.
    pub(super) cut_transaction: bool,
    /// How many COMMITs were answered when last no request was under way.
    pub(super) commits: u64,
    /// Somebody who waited for an answer got the error of the lost connection.
    pub(super) loss_reported: bool,
    /// What the statement under way raises beside its answer.
    pub(super) deferred_error: Option<PyErr>,
}

impl State {
    pub(super) fn next_number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    pub(super) fn is_free(&self) -> bool {
        !self.held && self.is_quiet() && self.waiters.is_empty()
    }

    /// Nothing is under way on the server, as far as we know.
    pub(super) fn is_quiet(&self) -> bool {
        self.requests.is_empty() && self.cancelling == 0 && self.streaming.is_none()
    }
}

/// A request that was submitted.
pub(super) struct Pending {
    /// Counts requests, so that a timer knows whether it is still about its own.
    pub(super) number: u64,
    /// Done when the request is settled.
    pub(super) future: Py<PyAny>,
    pub(super) sent: Sent,
    pub(super) sql: Arc<[u8]>,
    pub(super) target: Target,
    /// How many COMMITs had been confirmed before.
    pub(super) commits: u64,
    /// What is made of its rows while more are awaited.
    pub(super) work: Work,
}

impl Pending {
    /// Whether something may be committed although nobody saw the answer.
    pub(super) fn may_commit(&self) -> bool {
        matches!(self.target, Target::Command { commit: true })
            || kecoa::retry::is_commit(&self.sql)
    }
}

/// What was sent: one statement of the extended protocol, or whatever the simple one takes.
pub(super) enum Sent {
    Call(PendingCall, Call),
    Query(RequestId),
    /// A statement whose columns are asked for, before it runs.
    Described(RequestId, BoundCall),
}

/// Who takes the answer.
pub(super) enum Target {
    Cursor(Py<Cursor>),
    /// A cursor whose rows become Arrow's batches.
    Arrow(Py<Cursor>),
    Command {
        commit: bool,
    },
    /// One of many statements of a cursor, that only counts.
    Count {
        cursor: Py<Cursor>,
        first_error: Arc<Mutex<Option<PyErr>>>,
        /// What is to be sent when this was a success; None where more is under way.
        rest: Option<VecDeque<ManyRequest>>,
    },
}

/// The request under way.
pub(super) struct Streaming {
    pub(super) number: u64,
    pub(super) id: RequestId,
    pub(super) cursor: Py<Cursor>,
    pub(super) sql: Arc<[u8]>,
    pub(super) description: Option<Arc<RowDescription>>,
    pub(super) error: Option<Box<ServerError>>,
    pub(super) waiter: Option<Py<PyAny>>,
    pub(super) wanted: Readiness,
    /// Nobody wants to know any more.
    pub(super) abandoned: bool,
}
