//! Driving requests by a thread that waits.

use std::io;

use kecoa_proto::{Event, Reply, RequestId};

use super::core::Session;
use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::net::wait::is_pause;

impl Session {
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
                if self.buffered.is_empty() {
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

    /// Sends copy data, writing it out before more piles up.
    pub(crate) fn copy_data(&mut self, data: &[u8], hook: &mut dyn Interrupt) -> Result<(), Error> {
        self.connection.copy_data(data)?;
        self.transmit(hook)?;
        self.check_hook_if_due(hook)
    }

    /// Writes until nothing is left to say.
    pub(super) fn transmit(&mut self, hook: &mut dyn Interrupt) -> Result<(), Error> {
        while let Some(output) = self.connection.poll_transmit() {
            match self.wire.write(output) {
                Ok(0) => return Err(self.lost(Some(io::ErrorKind::WriteZero.into()))),
                Ok(n) => self.transmitted(n),
                Err(error) if is_pause(&error) => self.receive_or_wait(hook)?,
                Err(error) => return Err(self.lost(Some(error))),
            }
        }
        loop {
            match self.wire.flush() {
                Ok(()) => return Ok(()),
                Err(error) if is_pause(&error) => self.receive_or_wait(hook)?,
                Err(error) => return Err(self.lost(Some(error))),
            }
        }
    }

    pub(super) fn transmitted(&mut self, count: usize) {
        self.asked = true;
        self.connection.transmitted(count);
        self.metrics.sent(count);
    }
}
