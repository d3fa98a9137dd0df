//! Driving requests without waiting, for callers that wait for the socket by themselves.

use std::io;

use super::core::Session;
use super::mode::CopyPolicy;
use crate::error::Error;
use crate::interrupt::Readiness;
use crate::net::wait::is_pause;

/// How many reads one step makes at most, so that a caller with other things to do gets to them.
const STEP_READS: usize = 64;

impl Session {
    /// Goes on with what was submitted as far as it goes without waiting: what the socket has to be
    /// for the next step, or nothing when every request has been answered.
    pub(crate) fn advance(&mut self) -> Result<Option<Readiness>, Error> {
        if self.closed {
            return Err(self.closed_error());
        }
        self.step()
    }

    pub(super) fn step(&mut self) -> Result<Option<Readiness>, Error> {
        for _ in 0..STEP_READS {
            let sent = self.try_transmit()?;
            if self.is_answered() {
                return Ok(None);
            }
            if !self.take_in(CopyPolicy::Refuse)? && self.connection.poll_transmit().is_none() {
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
    pub(super) fn is_answered(&self) -> bool {
        self.connection.pending() == 0 || self.has_stream_begun()
    }

    /// Sends what the socket takes at once; whether that was everything.
    pub(super) fn try_transmit(&mut self) -> Result<bool, Error> {
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

    /// Takes what has already arrived without being asked for; never waits. An error when the
    /// server has ended the session.
    pub(crate) fn poll(&mut self) -> Result<(), Error> {
        if self.closed {
            return Err(self.closed_error());
        }
        self.take_in(CopyPolicy::Keep)?;
        if self.connection.is_closed() {
            // FATAL was said; the end of the stream need not be waited for.
            return Err(self.lost(None));
        }
        Ok(())
    }
}
