//! The state machine of an open connection.
//!
//! Requests are answered in the order they were submitted. Each ends with ReadyForQuery; what may
//! come before that follows from the request:
//!
//! ```text
//! simple query   Start -> T -> Rows -> D* -> C -> Start           any number of statements
//!                Start -> C | I -> Start
//!                Start -> G -> CopyIn -> (copy_done) -> C -> Start
//!                Start -> H -> CopyOut -> d* -> c -> CopyOutDone -> C -> Start
//!                Start -> W -> CopyBoth -> d*, c, and ours -> Start
//! extended       the same for each Execute; `s` may stand for `C`; 1, 2, 3, t, T, n for the other
//!                steps, in the order they were sent
//! either         anywhere -> E -> Failed -> Z
//! ```
//!
//! Notices, notifications and parameter statuses may come anywhere in between.

mod copy;
pub(crate) mod replies;

use std::collections::VecDeque;
use std::fmt;

use bytes::{Buf, BytesMut};

use crate::error::{ProtocolError, UsageError};
use crate::event::{Event, RequestId};
use crate::frame::{self, Limits};
use crate::message::TransactionStatus;
use crate::message::startup::{CancelKey, ProtocolVersion};
use crate::message::write;
use crate::request::{Request, Step, Target};

/// The longest message, in bytes, whose buffer is used again.
const KEEP: usize = 1 << 20;

/// An open connection, seen from the client.
pub struct Connection {
    limits: Limits,
    life: Life,
    read: BytesMut,
    write: BytesMut,
    /// How many bytes were ever put into `write`, and how many of them were taken out.
    queued: u64,
    sent: u64,
    next_id: u64,
    pending: VecDeque<Pending>,
    /// Steps that wait for their replies, those of the first pending request first.
    steps: VecDeque<Expect>,
    /// Where the first pending request is.
    phase: Phase,
    /// Whether it has had any reply.
    replied: bool,
    /// The number of columns of the rows that come, if known.
    columns: Option<u16>,
    /// A portal's number of columns from its description, until its Execute.
    described: Option<u16>,
    /// ReadyForQuery messages that may come on top, see `copy.rs`.
    spare_ready: usize,
    status: TransactionStatus,
    parameters: Vec<(String, String)>,
    cancel_key: Option<CancelKey>,
    version: ProtocolVersion,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Open,
    /// Terminate is in the output buffer.
    Terminating,
    /// The server said FATAL: it closes the connection.
    Fatal,
    /// The stream ended, or a protocol error ended the connection.
    Closed,
    Poisoned,
}

#[derive(Clone, Debug)]
struct Pending {
    id: RequestId,
    kind: Kind,
    /// How many of the connection's `steps` are this request's.
    steps: usize,
    /// Whether it was submitted without any step: then its ReadyForQuery comes alone.
    bare: bool,
    /// Where its bytes begin in the output stream.
    start: u64,
    /// A COPY of it failed while we were sending: what we still send is dropped.
    drop_copy: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Query,
    Extended,
    FunctionCall,
}

/// The reply that a step waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expect {
    Parse,
    Bind,
    Close,
    /// ParameterDescription, and behind it what `Columns` expects.
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
enum Phase {
    Start,
    Rows,
    CopyIn { finished: bool },
    CopyOut,
    CopyOutDone,
    CopyBoth { server_done: bool, client_done: bool },
    Failed,
}

/// What the end of the stream means.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Eof {
    /// Nothing was lost: no request waited for an answer and no message was cut off.
    pub clean: bool,
    /// We had said Terminate.
    pub terminated: bool,
    /// The server had said FATAL, so the end is no surprise.
    pub after_fatal: bool,
    /// The request that was being answered, or was next.
    pub in_flight: Option<RequestId>,
    /// Whether any byte of that request was taken by the transport. If not, it cannot have run.
    pub in_flight_sent: bool,
    /// How many requests waited for an answer.
    pub pending: usize,
    /// How many bytes of a message that was cut off are in the read buffer.
    pub unread: usize,
}

impl Connection {
    /// A connection whose handshake was done elsewhere: no request in flight, no transaction, no
    /// parameters known. [`crate::Handshake`] makes those with everything known.
    #[must_use]
    pub fn new(limits: Limits) -> Connection {
        Connection {
            limits,
            life: Life::Open,
            read: BytesMut::new(),
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
            spare_ready: 0,
            status: TransactionStatus::Idle,
            parameters: Vec::new(),
            cancel_key: None,
            version: ProtocolVersion::V3_0,
        }
    }

    #[allow(clippy::too_many_arguments, reason = "one caller, and all of it is needed")]
    pub(crate) fn established(
        limits: Limits,
        read: BytesMut,
        write: BytesMut,
        status: TransactionStatus,
        parameters: Vec<(String, String)>,
        cancel_key: Option<CancelKey>,
        version: ProtocolVersion,
    ) -> Connection {
        let mut connection = Connection::new(limits);
        connection.queued = u64::try_from(write.len()).unwrap_or(u64::MAX);
        connection.read = read;
        connection.write = write;
        connection.status = status;
        connection.parameters = parameters;
        connection.cancel_key = cancel_key;
        connection.version = version;
        connection
    }

    /// Encodes a request into the output buffer and queues it. Any number may be in flight.
    ///
    /// # Errors
    /// The request cannot be encoded, a COPY waits for data, or the connection is closed; nothing
    /// was queued then.
    pub fn submit(&mut self, request: &Request<'_>) -> Result<RequestId, UsageError> {
        if self.life != Life::Open {
            return Err(UsageError::Closed);
        }
        if self.wants_copy_data() {
            return Err(UsageError::CopyInProgress);
        }
        let before = self.write.len();
        let start = self.queued;
        request.encode(&mut self.write)?;
        self.count_queued(before);
        let steps = self.steps.len();
        let kind = match request {
            Request::Query(_) => Kind::Query,
            Request::FunctionCall { .. } => {
                self.steps.push_back(Expect::Call);
                Kind::FunctionCall
            }
            Request::Extended(steps) => {
                self.expect(steps);
                Kind::Extended
            }
        };
        let steps = self.steps.len() - steps;
        let id = RequestId(self.next_id);
        self.next_id += 1;
        self.pending.push_back(Pending {
            id,
            kind,
            steps,
            bare: steps == 0 && kind != Kind::Query,
            start,
            drop_copy: false,
        });
        Ok(id)
    }

    fn expect(&mut self, steps: &[Step<'_>]) {
        let mut described: Option<&[u8]> = None;
        for step in steps {
            match step {
                Step::Parse { .. } => self.steps.push_back(Expect::Parse),
                Step::Bind { .. } => {
                    described = None;
                    self.steps.push_back(Expect::Bind);
                }
                Step::Describe(Target::Statement(_)) => {
                    self.steps.push_back(Expect::Parameters);
                    self.steps.push_back(Expect::Columns);
                }
                Step::Describe(Target::Portal(name)) => {
                    described = Some(name);
                    self.steps.push_back(Expect::PortalColumns);
                }
                Step::Execute { portal, .. } => {
                    let described = described.take() == Some(*portal);
                    self.steps.push_back(Expect::Execute { described });
                }
                Step::Close(_) => {
                    described = None;
                    self.steps.push_back(Expect::Close);
                }
                Step::Flush => {}
            }
        }
    }

    fn count_queued(&mut self, before: usize) {
        let more = self.write.len().saturating_sub(before);
        self.queued = self.queued.saturating_add(u64::try_from(more).unwrap_or(u64::MAX));
    }

    /// Queues a Terminate. Replies to requests in flight still come; no further request goes out.
    pub fn terminate(&mut self) {
        if self.life == Life::Open {
            let before = self.write.len();
            write::empty(&mut self.write, b'X');
            self.count_queued(before);
            self.life = Life::Terminating;
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
            if n > KEEP {
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
    pub fn wanted(&self) -> usize {
        frame::wanted(&self.read)
    }

    /// The next event out of the read buffer. `None`: it needs more bytes.
    ///
    /// # Errors
    /// The server broke the protocol. The connection is closed by that: later calls return
    /// [`ProtocolError::Poisoned`].
    pub fn poll_event(&mut self) -> Result<Option<Event>, ProtocolError> {
        if self.life == Life::Poisoned {
            return Err(ProtocolError::Poisoned);
        }
        let event = self.next_event();
        if event.is_err() {
            self.life = Life::Poisoned;
        }
        event
    }

    /// Bytes were split off the read buffer. What is left of it would keep a long message's memory
    /// for as long as the session lasts, so it moves out.
    fn shed(&mut self, taken: usize) {
        if taken > KEEP && self.read.len() < KEEP {
            self.read = BytesMut::from(&self.read[..]);
        }
    }

    /// The stream has ended. Take the events that are left before: a server's last words are
    /// usually in the read buffer.
    pub fn handle_eof(&mut self) -> Eof {
        let front = self.pending.front();
        let eof = Eof {
            clean: self.pending.is_empty() && self.read.is_empty(),
            terminated: self.life == Life::Terminating,
            after_fatal: self.life == Life::Fatal,
            in_flight: front.map(|pending| pending.id),
            in_flight_sent: front.is_some_and(|pending| self.sent > pending.start),
            pending: self.pending.len(),
            unread: self.read.len(),
        };
        if self.life != Life::Poisoned {
            self.life = Life::Closed;
        }
        eof
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
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All settings that the server reported: name and value.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()))
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
        self.life != Life::Open
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
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("life", &self.life)
            .field("phase", &self.phase)
            .field("pending", &self.pending.len())
            .field("status", &self.status)
            .field("to_read", &self.read.len())
            .field("to_write", &self.write.len())
            .finish_non_exhaustive()
    }
}
