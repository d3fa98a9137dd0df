//! One protocol session: a connection, its stream, and what the server said without being asked.

use std::collections::VecDeque;
use std::os::fd::RawFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kecoa_proto::{
    BusyPoll, CancelKey, Connection, Event, Notification, Request, RequestId, ServerError,
    TransactionStatus,
};

use super::bounded_queue::BoundedQueue;
use super::budget::Budget;
use super::cache::{self, StatementCache};
use super::cancelled::Cancelled;
use super::changes::Changes;
use super::encodings::Encodings;
use super::in_flight::{CommitRisk, InFlight};
use super::mode::Mode;
use super::outcome::Outcome;
use super::transaction_end::TransactionEnd;
use crate::config::Target;
use crate::error::Error;
use crate::net::wire::{Cancel, Link, Wire};
use crate::observability::SessionMetrics;

/// What the server is told when a statement begins a COPY that nobody has data for.
pub(super) const COPY_REFUSAL: &str = "COPY FROM STDIN needs copy_in";
/// How many notices are kept for the caller, and how many bytes of them; older ones give way.
const KEPT_NOTICES: (usize, usize) = (1_000, 16 << 20);
/// How many notifications are kept for the caller, and how many bytes; older ones give way.
const KEPT_NOTIFICATIONS: (usize, usize) = (100_000, 64 << 20);

/// A connection, its stream, and what the server said without being asked.
pub(crate) struct Session {
    pub(super) connection: Connection,
    pub(super) wire: Box<dyn Wire>,
    pub(super) cancel: Arc<dyn Cancel>,
    pub(super) notices: BoundedQueue<ServerError>,
    pub(super) notifications: BoundedQueue<Notification>,
    /// The FATAL error by which the server announced the end.
    pub(super) fatal: Option<Box<ServerError>>,
    pub(super) closed: bool,
    /// How many COMMITs the server has confirmed.
    pub(super) commits: u64,
    pub(super) transaction_end: TransactionEnd,
    /// Set while a cancelled request is drained.
    pub(super) cancelled: Option<Cancelled>,
    pub(super) budget: Budget,
    /// A request's results have become too large, and nothing was done about it yet.
    pub(super) excess: Option<RequestId>,
    /// When the hook was last asked; nothing until the second read of a request.
    pub(super) hook_checked: Option<Instant>,
    /// Something was read since the first of the requests under way was submitted.
    pub(super) has_read: bool,
    pub(super) busy_poll: BusyPoll,
    /// Something was sent since the last read.
    pub(super) asked: bool,
    /// Replies that were taken before anybody asked for them.
    pub(super) buffered: VecDeque<Event>,
    /// What a request has answered that is not over, where that was looked at before its end.
    pub(super) gathered: Option<(RequestId, Outcome)>,
    pub(super) encodings: Encodings,
    pub(super) mode: Mode,
    /// The connection was made for replication.
    pub(super) accepts_streams: bool,
    pub(super) statements: StatementCache,
    pub(super) changes: Changes,
    pub(super) in_flight: InFlight,
    /// The last request, and the last that may change something.
    pub(super) last: Option<RequestId>,
    pub(super) wrote: Option<RequestId>,
    pub(super) metrics: SessionMetrics,
}

impl Session {
    pub(crate) fn new(link: Link) -> Session {
        let in_flight = InFlight::new(&link.connection);
        let encodings = Encodings::new(link.connection.parameter("client_encoding"));
        Session {
            connection: link.connection,
            wire: link.wire,
            cancel: link.cancel,
            notices: BoundedQueue::new(KEPT_NOTICES.0, KEPT_NOTICES.1),
            notifications: BoundedQueue::new(KEPT_NOTIFICATIONS.0, KEPT_NOTIFICATIONS.1),
            fatal: None,
            closed: false,
            commits: 0,
            transaction_end: TransactionEnd::default(),
            cancelled: None,
            budget: Budget::default(),
            excess: None,
            hook_checked: None,
            has_read: false,
            busy_poll: BusyPoll::default(),
            asked: false,
            buffered: VecDeque::new(),
            gathered: None,
            encodings,
            mode: Mode::default(),
            accepts_streams: false,
            statements: StatementCache::new(cache::CAPACITY),
            changes: Changes::default(),
            in_flight,
            last: None,
            wrote: None,
            metrics: SessionMetrics::new(),
        }
    }

    /// How many bytes of a request's results are held; nothing for no limit.
    pub(crate) fn limit_results(&mut self, limit: Option<usize>) {
        self.budget = Budget::new(limit);
    }

    /// How long a waiting thread may look for an answer before it sleeps.
    pub(crate) fn poll_for(&mut self, limit: Duration) {
        self.busy_poll = BusyPoll::new(limit);
    }

    pub(crate) fn statements(&mut self) -> &mut StatementCache {
        &mut self.statements
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// What it takes to cancel from elsewhere; nothing when the server gave no key.
    pub(crate) fn canceller(&self) -> Option<(Arc<dyn Cancel>, CancelKey)> {
        Some((self.cancel.clone(), self.connection.cancel_key()?.clone()))
    }

    pub(crate) fn target(&self) -> Option<&Target> {
        self.wire.target()
    }

    pub(crate) fn tls_info(&self) -> Option<(&'static str, &'static str)> {
        self.wire.tls_info()
    }

    pub(crate) fn raw_fd(&self) -> Option<RawFd> {
        if self.closed { None } else { self.wire.raw_fd() }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// The transaction's state; a closed connection has no transaction.
    pub(crate) fn transaction_status(&self) -> TransactionStatus {
        if self.closed { TransactionStatus::Idle } else { self.connection.transaction_status() }
    }

    pub(crate) fn metrics(&self) -> &SessionMetrics {
        &self.metrics
    }

    pub(crate) fn commits(&self) -> u64 {
        self.commits
    }

    /// How many statements have changed the session, as far as the server tells.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.made()
    }

    /// Whether statements have changed the session since it was as it is to be.
    pub(crate) fn is_changed(&self) -> bool {
        self.changes.is_pending()
    }

    /// The session is as it is to be.
    pub(crate) fn accept_changes(&mut self) {
        self.changes.accept();
    }

    pub(crate) fn was_ended_by_server(&self) -> bool {
        self.transaction_end.was_by_server()
    }

    pub(crate) fn take_notices(&mut self) -> Vec<ServerError> {
        self.notices.take()
    }

    pub(crate) fn notice_count(&self) -> usize {
        self.notices.len()
    }

    /// Forgets the notices that came after there were `count`.
    pub(crate) fn truncate_notices(&mut self, count: usize) {
        self.notices.truncate(count);
    }

    pub(crate) fn take_notifications(&mut self) -> Vec<Notification> {
        self.notifications.take()
    }

    pub(super) fn keep(&mut self, event: Event) {
        match event {
            Event::Notice(notice) => self.notices.push(*notice),
            Event::Notification(notification) => self.notifications.push(notification),
            Event::Unsolicited(error) => self.fatal = Some(error),
            // The connection remembers parameters by itself; replies to requests that nobody waits
            // for any more are what a caller left behind on its way out.
            _ => {}
        }
    }

    /// Sends Terminate if the connection is idle enough to, and closes the stream.
    pub(crate) fn close(&mut self) {
        if self.closed {
            return;
        }
        self.closed = true;
        self.gathered = None;
        if self.connection.pending() == 0 || self.carries_stream() {
            self.connection.terminate();
            // One attempt: a peer that does not take five bytes will notice the end by itself.
            if let Some(output) = self.connection.poll_transmit() {
                let _ = self.wire.write(output).and_then(|_| self.wire.flush());
            }
        }
        self.wire.shutdown();
        self.metrics.end(false);
    }

    /// Queues a request; it is sent when its first reply is asked for.
    pub(crate) fn submit(&mut self, request: &Request<'_>) -> Result<RequestId, Error> {
        self.submit_named(request, None)
    }

    /// The same of a request that runs a statement by its name; `named` is its text.
    pub(crate) fn submit_named(
        &mut self,
        request: &Request<'_>,
        named: Option<&[u8]>,
    ) -> Result<RequestId, Error> {
        self.queue(request, request, named)
    }

    /// The same of a request that runs statements by their names; `told` is what it would be with their texts.
    pub(crate) fn submit_as(
        &mut self,
        request: &Request<'_>,
        told: &Request<'_>,
    ) -> Result<RequestId, Error> {
        self.queue(request, told, None)
    }

    fn queue(
        &mut self,
        request: &Request<'_>,
        told: &Request<'_>,
        named: Option<&[u8]>,
    ) -> Result<RequestId, Error> {
        if self.closed {
            return Err(self.closed_error());
        }
        if self.connection.is_closed() {
            // FATAL was said; the end of the stream need not be waited for.
            return Err(self.lost(None));
        }
        self.check_no_stream()?;
        if self.connection.pending() == 0 {
            // Whatever was cancelled is over.
            self.cancelled = None;
            self.excess = None;
            self.hook_checked = None;
            self.has_read = false;
            self.budget.clear();
        }
        let reading = self.in_flight.classify(&self.connection, told, named);
        let id = self.connection.submit(request)?;
        self.in_flight.push(id, reading);
        self.metrics.statement();
        self.last = Some(id);
        self.wrote = Some(id);
        Ok(id)
    }

    /// The same of a request that is sure to change nothing.
    pub(crate) fn submit_read(
        &mut self,
        request: &Request<'_>,
        named: Option<&[u8]>,
    ) -> Result<RequestId, Error> {
        let wrote = self.wrote;
        let id = self.submit_named(request, named)?;
        self.wrote = wrote;
        Ok(id)
    }

    /// Whether nothing was submitted behind the request.
    pub(crate) fn is_last(&self, request: RequestId) -> bool {
        self.last == Some(request)
    }

    /// Whether nothing that may change anything was submitted behind the request.
    pub(crate) fn only_read_behind(&self, request: RequestId) -> bool {
        self.wrote.is_none_or(|wrote| wrote <= request)
    }

    /// What is open while the request is in flight.
    pub(crate) fn risk(&self, request: RequestId) -> CommitRisk {
        self.in_flight.risk(request)
    }

    /// Whether the request is a COMMIT that the server has answered, although not to the end.
    pub(crate) fn has_ended(&self, request: RequestId) -> bool {
        self.in_flight.has_ended(request)
    }

    pub(crate) fn copy_done(&mut self) -> Result<(), Error> {
        Ok(self.connection.copy_done()?)
    }

    pub(crate) fn copy_fail(&mut self, reason: &str) -> Result<(), Error> {
        Ok(self.connection.copy_fail(reason.as_bytes())?)
    }

    /// Refuses the COPY that waits for data, unless it was refused already.
    pub(crate) fn refuse_copy(&mut self) -> Result<(), Error> {
        if self.connection.wants_copy_data() { self.copy_fail(COPY_REFUSAL) } else { Ok(()) }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(feature = "tracing")]
impl crate::observability::Server for Session {
    fn is_cockroach(&self) -> bool {
        self.connection.is_crdb()
    }

    fn target(&self) -> Option<&Target> {
        self.wire.target()
    }
}
