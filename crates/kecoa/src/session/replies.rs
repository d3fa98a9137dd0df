//! Replies one by one, without waiting: for COPY, and for results that are read as they come.

use kecoa_proto::{Event, Reply, RequestId};

use super::core::Session;
use super::mode::CopyPolicy;
use crate::error::Error;
use crate::interrupt::{Interrupt, Readiness};

/// The next reply, or what the socket has to be before there is one.
#[derive(Debug)]
pub enum NextReply {
    /// A reply to the request.
    Reply(Reply),
    /// Nothing yet.
    Waiting(Readiness),
}

impl Session {
    /// Sends what the socket takes at once; what it has to be for the rest, if there is any.
    pub(crate) fn try_send(&mut self) -> Result<Option<Readiness>, Error> {
        if self.closed {
            return Err(self.closed_error());
        }
        Ok((!self.try_transmit()?).then_some(Readiness::Writable))
    }

    /// The next reply to a request whose replies are taken as they come, without a limit on their
    /// size.
    pub(crate) fn streamed_reply(
        &mut self,
        request: RequestId,
        hook: &mut dyn Interrupt,
    ) -> Result<Reply, Error> {
        self.budget.exempt(request);
        self.reply(request, hook)
    }

    /// The next reply to `request`; what belongs to nobody is kept for the caller on the way.
    pub(crate) fn try_reply(&mut self, request: RequestId) -> Result<NextReply, Error> {
        self.budget.exempt(request);
        loop {
            match self.next_event() {
                Ok(Some(Event::Reply(id, reply))) if id == request => {
                    return Ok(NextReply::Reply(reply));
                }
                Ok(Some(other)) => {
                    self.keep(other);
                    continue;
                }
                Ok(None) => {}
                Err(error) => return Err(error),
            }
            if self.closed {
                return Err(self.closed_on(request));
            }
            if self.connection.pending() == 0 {
                return Err(Error::usage("expected a request in flight, found it over"));
            }
            let sent = self.try_transmit()?;
            if !self.take_in(CopyPolicy::Keep)? && self.buffered.is_empty() {
                let wanted = if sent { Readiness::Readable } else { Readiness::Writable };
                return Ok(NextReply::Waiting(wanted));
            }
        }
    }

    /// Queues copy data; it is sent by [`Session::try_send`].
    pub(crate) fn queue_copy_data(&mut self, data: &[u8]) -> Result<(), Error> {
        Ok(self.connection.copy_data(data)?)
    }
}
