//! The end of a connection: closed, broken, or lost with requests in flight.

use std::io;

use kecoa_proto::{Eof, ProtocolError, RequestId};

use super::core::Session;
use crate::error::Error;

impl Session {
    /// The error of asking for an answer on a connection that has ended: with the request in flight,
    /// or before.
    pub(super) fn closed_on(&mut self, request: RequestId) -> Error {
        if !self.in_flight.contains(request) {
            return self.closed_error();
        }
        let error = Error::connection_lost("the connection was lost while a request was in flight");
        if self.connection.nothing_sent(request) {
            return error.unsent();
        }
        self.in_flight.lost(&self.connection, error)
    }

    pub(super) fn closed_error(&mut self) -> Error {
        match self.fatal.take() {
            // Said once, with its reason; then the connection is merely closed.
            Some(error) => Error::from_server(error).and_lost().unsent(),
            None => Error::closed(),
        }
    }

    pub(super) fn give_up(&mut self) {
        self.closed = true;
        self.metrics.end(true);
        self.cancelled = None;
        self.wire.shutdown();
    }

    pub(super) fn protocol_error(&mut self, error: ProtocolError) -> Error {
        self.give_up();
        self.in_flight.lost(&self.connection, Error::protocol(error).and_lost())
    }

    /// The stream ended or failed: closes it, and tells what the server said last, or what was in
    /// flight.
    pub(super) fn lost(&mut self, error: Option<io::Error>) -> Error {
        if error.is_some() {
            self.read_fatal();
        }
        let eof = self.connection.handle_eof();
        self.give_up();
        let lost = match (self.fatal.take(), error) {
            (Some(fatal), _) => Error::from_server(fatal).and_lost(),
            (None, Some(error)) => Error::connection_lost(describe_end(&eof)).with_source(error),
            (None, None) => Error::connection_lost(describe_end(&eof)),
        };
        if eof.in_flight_sent { self.in_flight.lost(&self.connection, lost) } else { lost.unsent() }
    }

    /// When writing failed, why may still wait to be read: a server that shuts down says 57P01
    /// before it closes.
    pub(super) fn read_fatal(&mut self) {
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
