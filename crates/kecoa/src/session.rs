//! Drives a protocol [`Connection`] over a stream, request by request.
//!
//! The session does no I/O of its own: it alternates writing what the connection has to say and
//! reading what the peer answers, through the stream that it is given, and looks at the caller's
//! [`Interrupt`](crate::Interrupt) hook while it waits.

use std::collections::VecDeque;
use std::io;
use std::os::fd::RawFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kecoa_proto::{
    CancelKey, Connection, Eof, Event, Notification, ProtocolError, Reply, Request, RequestId,
    ServerError, TransactionStatus,
};

use crate::config::Target;
use crate::error::Error;
use crate::interrupt::{Interrupt, Readiness};
use crate::net::wait::is_pause;
use crate::net::wire::{Cancel, Link, Wire};
use crate::observe::Presence;
use crate::session::cache::StatementCache;
use crate::session::statement::COPY_REFUSAL;

mod bounded_queue;
mod budget;
pub(crate) mod cache;
pub mod call;
pub(crate) mod copy;
pub(crate) mod extended;
mod in_flight;
pub(crate) mod pipeline;
pub(crate) mod prepared;
#[cfg(feature = "tokio")]
mod readiness;
pub mod replication;
mod replies;
pub(crate) mod statement;
pub(crate) mod streaming;
mod transaction_end;
mod waiting;
use bounded_queue::Kept;
use budget::Budget;
use in_flight::Flights;
pub(crate) use in_flight::Stakes;
#[cfg(feature = "tokio")]
pub(crate) use readiness::Received;
pub use replies::Pulled;
use waiting::Cancelled;

/// How long a cancelled request may take to end before the connection is given up.
const CANCEL_TIMEOUT: Duration =
    if cfg!(test) { Duration::from_millis(50) } else { Duration::from_secs(10) };
/// How many notices are kept for the caller, and how many bytes of them; older ones give way.
const KEPT_NOTICES: (usize, usize) = (1_000, 16 << 20);
/// How many notifications are kept for the caller, and how many bytes; older ones give way.
const KEPT_NOTIFICATIONS: (usize, usize) = (100_000, 64 << 20);
/// How many reads one step makes at most, so that a caller with other things to do gets to them.
const STEP_READS: usize = 64;

/// A connection, its stream, and what the server said without being asked.
pub(crate) struct Session {
    connection: Connection,
    wire: Box<dyn Wire>,
    cancel: Arc<dyn Cancel>,
    notices: Kept<ServerError>,
    notifications: Kept<Notification>,
    /// The FATAL error by which the server announced the end.
    last_words: Option<Box<ServerError>>,
    closed: bool,
    /// How many COMMITs the server has confirmed.
    commits: u64,
    ending: transaction_end::TransactionEnd,
    /// Set while a cancelled request is drained.
    cancelled: Option<Cancelled>,
    budget: Budget,
    /// A request's results have become too large, and nothing was done about it yet.
    excess: Option<RequestId>,
    /// When the hook was last looked at; nothing until the second read of a request.
    looked: Option<Instant>,
    /// Replies that were taken before anybody asked for them.
    early: VecDeque<Event>,
    /// Requests are driven by `advance`: nobody takes replies before all have come.
    stepping: bool,
    /// The COPY in progress was refused by `advance`.
    refused_copy: bool,
    streaming: replication::Streaming,
    statements: StatementCache,
    flights: Flights,
    /// The last request, and the last that may change something.
    last: Option<RequestId>,
    wrote: Option<RequestId>,
    presence: Presence,
}

impl Session {
    pub(crate) fn new(link: Link) -> Session {
        let flights = Flights::new(&link.connection);
        Session {
            connection: link.connection,
            wire: link.wire,
            cancel: link.cancel,
            notices: Kept::new(KEPT_NOTICES.0, KEPT_NOTICES.1),
            notifications: Kept::new(KEPT_NOTIFICATIONS.0, KEPT_NOTIFICATIONS.1),
            last_words: None,
            closed: false,
            commits: 0,
            ending: transaction_end::TransactionEnd::default(),
            cancelled: None,
            budget: Budget::default(),
            excess: None,
            looked: None,
            early: VecDeque::new(),
            stepping: false,
            refused_copy: false,
            streaming: replication::Streaming::default(),
            statements: StatementCache::new(cache::CAPACITY),
            flights,
            last: None,
            wrote: None,
            presence: Presence::new(),
        }
    }

    /// How many bytes of a request's results are held; nothing for no limit.
    pub(crate) fn limit_results(&mut self, limit: Option<usize>) {
        self.budget = Budget::new(limit);
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

    pub(crate) fn presence(&self) -> &Presence {
        &self.presence
    }

    pub(crate) fn commits(&self) -> u64 {
        self.commits
    }

    pub(crate) fn was_ended_by_server(&self) -> bool {
        self.ending.was_by_server()
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

    /// Says good-bye if the connection is idle enough to, and closes the stream.
    pub(crate) fn close(&mut self) {
        if self.closed {
            return;
        }
        self.closed = true;
        if self.connection.pending() == 0 || self.carries_stream() {
            self.connection.terminate();
            // One attempt: a peer that does not take five bytes will notice the end by itself.
            if let Some(output) = self.connection.poll_transmit() {
                let _ = self.wire.write(output).and_then(|_| self.wire.flush());
            }
        }
        self.wire.shutdown();
        self.presence.end(false);
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
        if self.closed {
            return Err(self.closed_error());
        }
        self.check_no_stream()?;
        if self.connection.pending() == 0 {
            // Whatever was cancelled is over.
            self.cancelled = None;
            self.excess = None;
            self.looked = None;
            self.budget.clear();
        }
        let judged = self.flights.judge(&self.connection, request, named);
        let id = self.connection.submit(request)?;
        self.flights.push(id, judged, request);
        self.presence.statement();
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
    pub(crate) fn stakes(&self, request: RequestId) -> Stakes {
        self.flights.stakes(request)
    }

    /// Whether the request is a COMMIT that the server has answered, although not to the end.
    pub(crate) fn has_ended(&self, request: RequestId) -> bool {
        self.flights.has_ended(request)
    }

    /// The error of asking for an answer on a connection that has ended: with the request in flight,
    /// or before.
    fn closed_on(&mut self, request: RequestId) -> Error {
        if !self.flights.contains(request) {
            return self.closed_error();
        }
        let error = Error::connection_lost("the connection was lost while a request was in flight");
        if self.connection.nothing_sent(request) {
            return error.unsent();
        }
        self.flights.lost(&self.connection, error)
    }

    fn closed_error(&mut self) -> Error {
        match self.last_words.take() {
            // Said once, with its reason; then the connection is merely closed.
            Some(words) => Error::from_server(words).and_lost().unsent(),
            None => Error::closed(),
        }
    }

    /// The next reply to `request`; what belongs to nobody is kept for the caller on the way.
    pub(crate) fn reply(
        &mut self,
        request: RequestId,
        hook: &mut dyn Interrupt,
    ) -> Result<Reply, Error> {
        if self.closed {
            return Err(self.closed_on(request));
        }
        loop {
            let Some(event) = self.next_event()? else {
                if self.connection.pending() == 0 {
                    return Err(Error::usage("expected a request in flight, found it over"));
                }
                self.check_end()?;
                self.transmit(hook)?;
                self.stop_excess()?;
                if self.early.is_empty() {
                    self.receive(hook)?;
                }
                continue;
            };
            match event {
                Event::Reply(id, reply) if id == request => return Ok(reply),
                other => self.keep(other),
            }
        }
    }

    fn next_event(&mut self) -> Result<Option<Event>, Error> {
        match self.early.pop_front() {
            Some(event) => Ok(Some(event)),
            None => self.poll_event(),
        }
    }

    /// The next event out of what was read that is to be kept.
    fn poll_event(&mut self) -> Result<Option<Event>, Error> {
        loop {
            let event = match self.connection.poll_event() {
                Ok(event) => event,
                Err(error) => return Err(self.broken(error)),
            };
            let Some(Event::Reply(id, reply)) = &event else { return Ok(event) };
            self.flights.heed(*id, reply);
            self.ending.apply(reply);
            match reply {
                Reply::Error(error) if error.is_fatal() => self.last_words = Some(error.clone()),
                Reply::CommandComplete(tag) => {
                    if tag.as_bytes() == b"COMMIT" {
                        self.commits += 1;
                        self.presence.commit();
                    }
                    self.statements.heed(tag.as_bytes());
                }
                _ => {}
            }
            if self.excess == Some(*id) && matches!(reply, Reply::Ready(_)) {
                self.excess = None;
            }
            let known = self.budget.has_exceeded(*id);
            if self.budget.admits(*id, reply) {
                return Ok(event);
            }
            // Told once: a server that goes on for a while is not asked to cancel again and again.
            if !known {
                self.excess = Some(*id);
            }
        }
    }

    /// Goes on with what was submitted as far as it goes without waiting: what the socket has to be
    /// for the next step, or nothing when every request has been answered.
    pub(crate) fn advance(&mut self) -> Result<Option<Readiness>, Error> {
        if self.closed {
            return Err(self.closed_error());
        }
        self.stepping = true;
        let advanced = self.step();
        self.stepping = false;
        advanced
    }

    fn step(&mut self) -> Result<Option<Readiness>, Error> {
        for _ in 0..STEP_READS {
            let sent = self.try_transmit()?;
            if self.is_answered() {
                return Ok(None);
            }
            if !self.take_in()? && self.connection.poll_transmit().is_none() {
                if self.is_answered() {
                    return Ok(None);
                }
                return Ok(Some(if sent { Readiness::Readable } else { Readiness::Writable }));
            }
            if !sent {
                return Ok(Some(Readiness::Writable));
            }
        }
        let over = self.is_answered();
        Ok((!over).then_some(Readiness::Readable))
    }

    /// Whether nothing more comes by itself: every request is answered, or a stream has begun.
    fn is_answered(&self) -> bool {
        self.connection.pending() == 0 || self.has_met_stream()
    }

    /// Sends what the socket takes at once; whether that was everything.
    fn try_transmit(&mut self) -> Result<bool, Error> {
        loop {
            let sent = match self.connection.poll_transmit() {
                Some(output) => self.wire.try_write(output).map(Some),
                None => self.wire.try_flush().map(|()| None),
            };
            match sent {
                Ok(None) => return Ok(true),
                Ok(Some(0)) => return Err(self.lost(Some(io::ErrorKind::WriteZero.into()))),
                Ok(Some(n)) => self.transmitted(n),
                Err(error) if is_pause(&error) => return Ok(false),
                Err(error) => return Err(self.lost(Some(error))),
            }
        }
    }

    /// Whether the COPY that a request met was already refused; asked once.
    pub(crate) fn take_refused_copy(&mut self) -> bool {
        std::mem::take(&mut self.refused_copy)
    }

    /// Takes what has already arrived without being asked for; never waits. An error when the
    /// server has ended the session.
    pub(crate) fn poll(&mut self) -> Result<(), Error> {
        if self.closed {
            return Err(self.closed_error());
        }
        self.take_in()?;
        if self.connection.is_closed() {
            // FATAL was said; the end of the stream need not be waited for.
            return Err(self.lost(None));
        }
        Ok(())
    }

    /// Reads once, without waiting, and puts replies aside. Whether anything had arrived.
    fn take_in(&mut self) -> Result<bool, Error> {
        // Last words that are here already must be known before the end is found.
        self.put_aside()?;
        self.check_end()?;
        let read = match self.wire.try_read_into(self.connection.read_buffer()) {
            Ok(0) => return Err(self.lost(None)),
            Ok(count) => {
                self.presence.received(count);
                true
            }
            Err(error) if is_pause(&error) => false,
            Err(error) => return Err(self.lost(Some(error))),
        };
        self.put_aside()?;
        Ok(read)
    }

    /// A server that has said FATAL or PANIC says no more: the end of the stream need not be waited
    /// for, which may be long in coming.
    fn check_end(&mut self) -> Result<(), Error> {
        if self.last_words.is_some() && self.connection.is_closed() && !self.closed {
            return Err(self.lost(None));
        }
        Ok(())
    }

    fn put_aside(&mut self) -> Result<(), Error> {
        while let Some(event) = self.poll_event()? {
            match event {
                // Nobody has a place for it: it need not be kept until the request is over.
                Event::Reply(_, Reply::CopyData(_)) if self.stepping && !self.has_met_stream() => {}
                Event::Reply(_, Reply::CopyBoth(_)) => {
                    self.meet_stream();
                    self.early.push_back(event);
                }
                Event::Reply(_, Reply::CopyIn(_)) if self.stepping => {
                    self.early.push_back(event);
                    self.copy_fail(COPY_REFUSAL)?;
                    self.refused_copy = true;
                }
                Event::Reply(..) => self.early.push_back(event),
                other => self.keep(other),
            }
        }
        Ok(())
    }

    /// Whether the server has already answered the COPY in progress with an error, and drops its
    /// data; never waits.
    pub(crate) fn has_refused_copy(&mut self) -> Result<bool, Error> {
        self.take_in()?;
        Ok(self.early.iter().any(|event| matches!(event, Event::Reply(_, Reply::Error(_)))))
    }

    fn keep(&mut self, event: Event) {
        match event {
            Event::Notice(notice) => self.notices.push(*notice),
            Event::Notification(notification) => self.notifications.push(notification),
            Event::Unsolicited(error) => self.last_words = Some(error),
            // The connection remembers parameters by itself; replies to requests that nobody waits
            // for any more are what a caller left behind on its way out.
            _ => {}
        }
    }

    /// Sends copy data, writing it out before more piles up.
    pub(crate) fn copy_data(&mut self, data: &[u8], hook: &mut dyn Interrupt) -> Result<(), Error> {
        self.connection.copy_data(data)?;
        self.transmit(hook)?;
        self.look_around(hook)
    }

    pub(crate) fn copy_done(&mut self) -> Result<(), Error> {
        Ok(self.connection.copy_done()?)
    }

    pub(crate) fn copy_fail(&mut self, reason: &str) -> Result<(), Error> {
        Ok(self.connection.copy_fail(reason.as_bytes())?)
    }

    /// Writes until nothing is left to say.
    fn transmit(&mut self, hook: &mut dyn Interrupt) -> Result<(), Error> {
        while let Some(output) = self.connection.poll_transmit() {
            match self.wire.write(output) {
                Ok(0) => return Err(self.lost(Some(io::ErrorKind::WriteZero.into()))),
                Ok(n) => self.transmitted(n),
                Err(error) if is_pause(&error) => self.make_way(hook)?,
                Err(error) => return Err(self.lost(Some(error))),
            }
        }
        loop {
            match self.wire.flush() {
                Ok(()) => return Ok(()),
                Err(error) if is_pause(&error) => self.make_way(hook)?,
                Err(error) => return Err(self.lost(Some(error))),
            }
        }
    }

    fn transmitted(&mut self, count: usize) {
        self.connection.transmitted(count);
        self.presence.sent(count);
    }

    fn give_up(&mut self) {
        self.closed = true;
        self.presence.end(true);
        self.cancelled = None;
        self.wire.shutdown();
    }

    fn broken(&mut self, error: ProtocolError) -> Error {
        self.give_up();
        self.flights.lost(&self.connection, Error::protocol(error).and_lost())
    }

    /// The stream ended or failed: closes it, and tells what the server said last, or what was in
    /// flight.
    fn lost(&mut self, error: Option<io::Error>) -> Error {
        if error.is_some() {
            self.read_last_words();
        }
        let eof = self.connection.handle_eof();
        self.give_up();
        let lost = match (self.last_words.take(), error) {
            (Some(words), _) => Error::from_server(words).and_lost(),
            (None, Some(error)) => Error::connection_lost(describe_end(&eof)).with_source(error),
            (None, None) => Error::connection_lost(describe_end(&eof)),
        };
        if eof.in_flight_sent { self.flights.lost(&self.connection, lost) } else { lost.unsent() }
    }

    /// When writing failed, why may still wait to be read: a server that shuts down says 57P01
    /// before it closes.
    fn read_last_words(&mut self) {
        // A bound, for a peer that never stops talking. What it said has arrived before the reset did:
        // nothing is waited for, which an event loop could not afford.
        for _ in 0..64 {
            match self.wire.try_read_into(self.connection.read_buffer()) {
                Ok(n) if n > 0 => {}
                _ => break,
            }
        }
        // Events that nobody can be given any more are noted in passing; a message that cannot be
        // read is no news on a connection that is lost.
        while let Ok(Some(event)) = self.poll_event() {
            self.keep(event);
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.close();
    }
}

/// Says what was in flight when the stream ended.
fn describe_end(eof: &Eof) -> String {
    let mut message = String::from(match (eof.pending, eof.in_flight_sent) {
        (0, _) => "the server closed the connection while it was idle",
        (_, false) => "the connection was lost before the request was sent",
        (1, true) => "the connection was lost while a request was in flight",
        (_, true) => "the connection was lost while several requests were in flight",
    });
    if eof.unread > 0 {
        message.push_str(&format!(", {} bytes into a message", eof.unread));
    }
    message
}
