//! Steps for a caller that is told by an event loop when the socket is ready.

use std::io;
use std::os::fd::OwnedFd;

use kecoa_proto::{Event, Reply, RequestId};

use super::core::Session;
use super::mode::CopyPolicy;
use crate::error::Error;
use crate::net::wait::is_pause;

/// What one read without waiting brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Received {
    /// Nothing has arrived.
    Nothing,
    /// Something, and there may be more.
    Some,
    /// Everything that had arrived.
    All,
}

impl Session {
    /// A descriptor of its own for the socket, to be watched.
    pub(crate) fn watch(&self) -> io::Result<OwnedFd> {
        self.wire.watch()
    }

    /// How many requests are not over yet.
    pub(crate) fn pending(&self) -> usize {
        self.connection.pending()
    }

    /// A reply that has been read already; what belongs to nobody is kept for the caller on the way.
    pub(crate) fn buffered_reply(&mut self, request: RequestId) -> Result<Option<Reply>, Error> {
        self.budget.exempt(request);
        loop {
            match self.next_event()? {
                Some(Event::Reply(id, reply)) if id == request => return Ok(Some(reply)),
                Some(other) => self.keep(other),
                None if self.closed => return Err(self.closed_on(request)),
                None if self.connection.pending() == 0 => {
                    return Err(Error::usage("expected a request in flight, found it over"));
                }
                None => return Ok(None),
            }
        }
    }

    /// Reads once without waiting, and buffers replies.
    pub(crate) fn receive_now(&mut self, copies: CopyPolicy) -> Result<Received, Error> {
        // A FATAL error that is here already must be known before the end is found.
        self.buffer_replies(copies)?;
        self.check_end()?;
        let buffer = self.connection.read_buffer();
        let received = match self.wire.try_read_into(buffer) {
            Ok(0) => return Err(self.lost(None)),
            Ok(count) => {
                self.metrics.received(count);
                // A read that leaves room has emptied the socket. What TLS holds back nobody knows.
                if buffer.len() < buffer.capacity() && self.wire.tls_info().is_none() {
                    Received::All
                } else {
                    Received::Some
                }
            }
            Err(error) if is_pause(&error) => Received::Nothing,
            Err(error) => return Err(self.lost(Some(error))),
        };
        self.buffer_replies(copies)?;
        Ok(received)
    }

    /// Drops what has come for requests that nobody waits for any more; a COPY that waits for data
    /// is given up. Whether all of them are over.
    pub(crate) fn discard(&mut self) -> Result<bool, Error> {
        while let Some(event) = self.next_event()? {
            match event {
                Event::Reply(_, Reply::CopyIn(_)) => self.refuse_copy()?,
                Event::Reply(_, Reply::CopyBoth(_)) => {
                    self.give_up();
                    return Err(Error::connection_lost(
                        "a replication stream that nobody reads was ended with its connection",
                    ));
                }
                other => self.keep(other),
            }
        }
        if self.closed {
            return Err(self.closed_error());
        }
        Ok(self.connection.pending() == 0)
    }

    /// Closes the connection without Terminate: the server does not end what it was asked to.
    pub(crate) fn abandon(&mut self) {
        self.give_up();
    }

    /// Whether nothing more comes by itself: every request is answered, or a stream has begun.
    pub(crate) fn has_answered(&self) -> bool {
        self.is_answered()
    }

    /// Whether the server has answered the COPY under way with an error, as far as was read.
    pub(crate) fn knows_copy_refused(&self) -> bool {
        self.buffered.iter().any(|event| matches!(event, Event::Reply(_, Reply::Error(_))))
    }
}
