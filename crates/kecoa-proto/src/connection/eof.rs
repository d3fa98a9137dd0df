//! The end of the stream.

use super::state::{Connection, Lifecycle};
use crate::event::RequestId;

/// What the end of the stream means.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Eof {
    /// Nothing was lost: no request waited for an answer and no message was cut off.
    pub clean: bool,
    /// A Terminate had been queued.
    pub terminated: bool,
    /// The server had reported a FATAL error, so the end was to be expected.
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
    /// The stream has ended. Take the events that are left before: its last messages are
    /// usually in the read buffer.
    pub fn handle_eof(&mut self) -> Eof {
        let front = self.pending.front();
        let eof = Eof {
            clean: self.pending.is_empty() && self.read.is_empty(),
            terminated: self.lifecycle == Lifecycle::Terminating,
            after_fatal: self.lifecycle == Lifecycle::Fatal,
            in_flight: front.map(|pending| pending.id),
            in_flight_sent: front.is_some_and(|pending| self.sent > pending.start),
            pending: self.pending.len(),
            unread: self.read.len(),
        };
        if self.lifecycle != Lifecycle::Poisoned {
            self.lifecycle = Lifecycle::Closed;
        }
        eof
    }
}
