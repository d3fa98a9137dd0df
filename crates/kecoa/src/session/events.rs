//! What was read, event by event: to whoever asked for it, or kept until somebody does.

use std::sync::Arc;

use kecoa_proto::{Event, Reply, RequestId};

use super::core::{COPY_REFUSAL, Session};
use super::mode::CopyPolicy;
use crate::error::Error;
use crate::net::wait::is_pause;

impl Session {
    pub(super) fn next_event(&mut self) -> Result<Option<Event>, Error> {
        match self.buffered.pop_front() {
            Some(event) => Ok(Some(event)),
            None => self.poll_event(),
        }
    }

    /// The next event out of what was read that is to be kept.
    pub(super) fn poll_event(&mut self) -> Result<Option<Event>, Error> {
        loop {
            let event = match self.connection.poll_event() {
                Ok(event) => event,
                Err(error) => return Err(self.protocol_error(error)),
            };
            let Some(Event::Reply(id, reply)) = &event else {
                if let Some(Event::ParameterStatus { name, .. }) = &event
                    && name == "client_encoding"
                {
                    // Names of columns came in the encoding that was.
                    self.statements.forget();
                    self.change_encoding();
                }
                return Ok(event);
            };
            self.in_flight.apply(*id, reply);
            self.transaction_end.apply(reply);
            match reply {
                Reply::Error(error) if error.is_fatal() => self.fatal = Some(error.clone()),
                Reply::CommandComplete(tag) => {
                    if tag.as_bytes() == b"COMMIT" {
                        self.commits += 1;
                        self.metrics.commit();
                    }
                    self.statements.apply(tag.as_bytes());
                    if tag.as_bytes() != b"SET" || !self.in_flight.next_set_is_local(*id) {
                        self.changes.apply(tag.as_bytes());
                    }
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

    /// Takes note of a new client encoding.
    fn change_encoding(&mut self) {
        let over = self.buffered.iter().filter_map(|event| match event {
            Event::Reply(id, Reply::Ready(_)) => Some(*id),
            _ => None,
        });
        let over: Vec<RequestId> = over.collect();
        self.encodings.change(self.connection.parameter("client_encoding"), &over);
    }

    /// The encoding of a request's texts, which is over.
    pub(super) fn encoding_of(&mut self, request: RequestId) -> Option<Arc<str>> {
        self.encodings.take(request)
    }

    /// Takes the events that were read, and keeps replies for those who will ask for them.
    pub(super) fn buffer_replies(&mut self, copies: CopyPolicy) -> Result<(), Error> {
        let refused = copies == CopyPolicy::Refuse;
        while let Some(event) = self.poll_event()? {
            match event {
                // Nobody has a place for it: it need not be kept until the request is over.
                Event::Reply(_, Reply::CopyData(_)) if refused && !self.has_stream_begun() => {}
                Event::Reply(_, Reply::CopyBoth(_)) => {
                    self.note_stream();
                    self.buffered.push_back(event);
                }
                Event::Reply(_, Reply::CopyIn(_)) if refused => {
                    self.buffered.push_back(event);
                    self.copy_fail(COPY_REFUSAL)?;
                }
                Event::Reply(..) => self.buffered.push_back(event),
                other => self.keep(other),
            }
        }
        Ok(())
    }

    /// Reads once, without waiting, and buffers replies. Whether anything had arrived.
    pub(super) fn take_in(&mut self, copies: CopyPolicy) -> Result<bool, Error> {
        // A FATAL error that is here already must be known before the end is found.
        self.buffer_replies(copies)?;
        self.check_end()?;
        let read = match self.wire.try_read_into(self.connection.read_buffer()) {
            Ok(0) => return Err(self.lost(None)),
            Ok(count) => {
                self.metrics.received(count);
                true
            }
            Err(error) if is_pause(&error) => false,
            Err(error) => return Err(self.lost(Some(error))),
        };
        self.buffer_replies(copies)?;
        Ok(read)
    }

    /// A server that has said FATAL or PANIC says no more: the end of the stream need not be waited
    /// for, which may be long in coming.
    pub(super) fn check_end(&mut self) -> Result<(), Error> {
        if self.fatal.is_some() && self.connection.is_closed() && !self.closed {
            return Err(self.lost(None));
        }
        Ok(())
    }

    /// Whether the server has already answered the COPY in progress with an error, and drops its
    /// data; never waits.
    pub(crate) fn has_refused_copy(&mut self) -> Result<bool, Error> {
        self.take_in(CopyPolicy::Keep)?;
        Ok(self.buffered.iter().any(|event| matches!(event, Event::Reply(_, Reply::Error(_)))))
    }
}
