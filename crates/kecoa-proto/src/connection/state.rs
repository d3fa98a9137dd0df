//! What a connection keeps, and what it shows of it.

use std::collections::VecDeque;
use std::fmt;

use bytes::{Buf, BytesMut};

use super::descriptions::Descriptions;
use super::parameters::Parameters;
use crate::event::RequestId;
use crate::frame::{self, Limits};
use crate::message::startup::{CancelKey, ProtocolVersion};
use crate::message::transaction_status::TransactionStatus;

/// The longest message, in bytes, whose buffer is used again.
pub(super) const MAX_REUSED: usize = 1 << 20;

/// The largest read buffer, in bytes, that an idle connection keeps.
const MAX_IDLE: usize = 16 << 10;

/// An open connection, seen from the client.
pub struct Connection {
    pub(super) limits: Limits,
    pub(super) lifecycle: Lifecycle,
    pub(super) read: BytesMut,
    /// Rows or copy data that were handed out lie in the read buffer's memory.
    pub(super) shares_read_buffer: bool,
    pub(super) write: BytesMut,
    /// How many bytes were ever put into `write`, and how many of them were taken out.
    pub(super) queued: u64,
    pub(super) sent: u64,
    pub(super) next_id: u64,
    pub(super) pending: VecDeque<Pending>,
    /// Steps that wait for their replies, those of the first pending request first.
    pub(super) steps: VecDeque<ExpectedReply>,
    /// Where the first pending request is.
    pub(super) phase: Phase,
    /// Whether it has had any reply.
    pub(super) replied: bool,
    /// The number of columns of the rows that come, if known.
    pub(super) columns: Option<u16>,
    /// A portal's number of columns from its description, until its Execute.
    pub(super) described: Option<u16>,
    pub(super) descriptions: Descriptions,
    /// ReadyForQuery messages that may come on top, see `copy.rs`.
    pub(super) extra_ready: usize,
    pub(super) status: TransactionStatus,
    pub(super) parameters: Parameters,
    pub(super) cancel_key: Option<CancelKey>,
    pub(super) version: ProtocolVersion,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lifecycle {
    Open,
    /// Terminate is in the output buffer.
    Terminating,
    /// The server reported a FATAL error: it closes the connection.
    Fatal,
    /// The stream ended, or a protocol error ended the connection.
    Closed,
    Poisoned,
}

#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) id: RequestId,
    pub(super) kind: Kind,
    /// How many of the connection's `steps` are this request's.
    pub(super) steps: usize,
    /// Whether it was submitted without any step: then its ReadyForQuery comes alone.
    pub(super) sync_only: bool,
    /// Where its bytes begin in the output stream.
    pub(super) start: u64,
    /// A COPY of it failed while the client was sending: what it still sends is dropped.
    pub(super) drop_copy: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Query,
    Extended,
    FunctionCall,
}

/// The reply that a step waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExpectedReply {
    Parse,
    Bind,
    Close,
    /// ParameterDescription, and after it what `Columns` expects.
    Parameters,
    /// RowDescription or NoData for a statement.
    Columns,
    /// RowDescription or NoData for a portal.
    PortalColumns,
    /// Rows and the end of them. `described`: the portal was described right before.
    Execute {
        described: bool,
    },
    Call,
}

/// Where the first pending request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Start,
    Rows,
    CopyIn { finished: bool },
    CopyOut,
    CopyOutDone,
    CopyBoth { server_done: bool, client_done: bool },
    Failed,
}

/// What a handshake has found out, and the buffers that it leaves.
pub(crate) struct Established {
    pub(crate) read: BytesMut,
    pub(crate) write: BytesMut,
    pub(crate) status: TransactionStatus,
    pub(crate) parameters: Parameters,
    pub(crate) cancel_key: Option<CancelKey>,
    pub(crate) version: ProtocolVersion,
}

impl Connection {
    /// A connection whose handshake was done elsewhere: no request in flight, no transaction, no
    /// parameters known. [`crate::Handshake`] makes those with everything known.
    #[must_use]
    pub fn new(limits: Limits) -> Connection {
        Connection {
            limits,
            lifecycle: Lifecycle::Open,
            read: BytesMut::new(),
            shares_read_buffer: false,
            write: BytesMut::new(),
            queued: 0,
            sent: 0,
            next_id: 0,
            pending: VecDeque::new(),
            steps: VecDeque::new(),
            phase: Phase::Start,
            replied: false,
            columns: None,
            described: None,
            descriptions: Descriptions::default(),
            extra_ready: 0,
            status: TransactionStatus::Idle,
            parameters: Parameters::default(),
            cancel_key: None,
            version: ProtocolVersion::V3_0,
        }
    }

    /// The connection that a handshake has led to.
    pub(crate) fn established(limits: Limits, session: Established) -> Connection {
        let Established { read, write, status, parameters, cancel_key, version } = session;
        let queued = u64::try_from(write.len()).unwrap_or(u64::MAX);
        Connection {
            read,
            write,
            queued,
            status,
            parameters,
            cancel_key,
            version,
            ..Connection::new(limits)
        }
    }

    /// What is to be written to the server. Say how much of it was with
    /// [`transmitted`](Connection::transmitted).
    #[must_use]
    pub fn poll_transmit(&self) -> Option<&[u8]> {
        (!self.write.is_empty()).then_some(&self.write[..])
    }

    /// `n` bytes of what [`poll_transmit`](Connection::poll_transmit) showed were written.
    pub fn transmitted(&mut self, n: usize) {
        let n = n.min(self.write.len());
        self.sent = self.sent.saturating_add(u64::try_from(n).unwrap_or(u64::MAX));
        if n == self.write.len() {
            // One long statement should not cost its length for as long as the session lasts.
            if n > MAX_REUSED {
                self.write = BytesMut::new();
            }
            self.write.clear();
        } else {
            self.write.advance(n);
        }
    }

    /// Where the driver appends what it read. It must not change what is there.
    pub fn read_buffer(&mut self) -> &mut BytesMut {
        &mut self.read
    }

    /// A hint for the size of the next read: how many bytes the message at the head of the read
    /// buffer still needs, at most 64 KiB or as much again as has arrived. Reading more is fine.
    #[must_use]
    pub fn read_hint(&self) -> usize {
        frame::read_hint(&self.read)
    }

    /// Whether no byte of this request was taken by the transport: then it cannot have run. False
    /// for requests that are over.
    #[must_use]
    pub fn nothing_sent(&self, id: RequestId) -> bool {
        self.pending.iter().any(|pending| pending.id == id && self.sent <= pending.start)
    }

    /// The state of the transaction, as of the last ReadyForQuery.
    #[must_use]
    pub fn transaction_status(&self) -> TransactionStatus {
        self.status
    }

    /// The value of a setting that the server reports (`server_version`, `TimeZone`, …). What is not
    /// UTF-8 in it was replaced.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name)
    }

    /// How often the server has reported a setting: while this stays the same, so do all of them.
    #[must_use]
    pub fn parameter_reports(&self) -> u64 {
        self.parameters.reports()
    }

    /// All settings that the server reported: name and value.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters.iter()
    }

    /// What a CancelRequest for this session has to name. `None` from servers that send none.
    #[must_use]
    pub fn cancel_key(&self) -> Option<&CancelKey> {
        self.cancel_key.as_ref()
    }

    /// The version of the protocol that was agreed on.
    #[must_use]
    pub fn protocol_version(&self) -> ProtocolVersion {
        self.version
    }

    /// How many requests wait for the end of their reply.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Whether no further request can be submitted.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.lifecycle != Lifecycle::Open
    }

    /// Whether the server is a CockroachDB: it reports `crdb_version`.
    #[must_use]
    pub fn is_crdb(&self) -> bool {
        self.crdb_version().is_some()
    }

    /// CockroachDB's `crdb_version`, such as `CockroachDB CCL v26.2.0 (…)`.
    #[must_use]
    pub fn crdb_version(&self) -> Option<&str> {
        self.parameter("crdb_version")
    }

    pub(super) fn count_queued(&mut self, before: usize) {
        let more = self.write.len().saturating_sub(before);
        self.queued = self.queued.saturating_add(u64::try_from(more).unwrap_or(u64::MAX));
    }

    /// Nothing is awaited any more: the read buffer's memory is given back where it was grown for a
    /// result, or is shared with rows that were handed out, so that many idle connections do not hold
    /// much.
    pub(super) fn release_read_buffer(&mut self) {
        let is_shared = std::mem::take(&mut self.shares_read_buffer);
        if self.read.is_empty() && (is_shared || self.read.capacity() > MAX_IDLE) {
            self.read = BytesMut::new();
        }
    }

    /// Bytes were split off the read buffer. What is left of it would keep a long message's memory
    /// for as long as the session lasts, so it moves out.
    pub(super) fn shrink_read_buffer(&mut self, taken: usize) {
        if taken > MAX_REUSED && self.read.len() < MAX_REUSED {
            self.read = BytesMut::from(&self.read[..]);
        }
    }

    /// The step of an extended request or function call that waits for a reply.
    pub(super) fn step(&self) -> Option<ExpectedReply> {
        let front = self.pending.front()?;
        if front.steps == 0 { None } else { self.steps.front().copied() }
    }

    pub(super) fn finish_step(&mut self) {
        if let Some(front) = self.pending.front_mut()
            && front.steps > 0
        {
            front.steps -= 1;
            self.steps.pop_front();
        }
    }

    pub(super) fn kind(&self) -> Option<Kind> {
        self.pending.front().map(|front| front.kind)
    }

    /// Whether the request runs a statement now: a simple query, or an Execute.
    pub(super) fn executing(&self) -> bool {
        match self.kind() {
            Some(Kind::Query) => true,
            Some(Kind::Extended) => matches!(self.step(), Some(ExpectedReply::Execute { .. })),
            _ => false,
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("lifecycle", &self.lifecycle)
            .field("phase", &self.phase)
            .field("pending", &self.pending.len())
            .field("status", &self.status)
            .field("to_read", &self.read.len())
            .field("to_write", &self.write.len())
            .finish_non_exhaustive()
    }
}
