//! Streaming replication on a connection whose configuration says `replication=database` or
//! `replication=true`.

use kecoa_proto::Request;
use kecoa_proto::message::replication::StreamedData;

use super::client::Client;
use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::session::replication::{Progress, StreamEvent};

impl Client {
    /// Sends `START_REPLICATION …`. [`run`](Client::run) and [`finish`](Client::finish) begin a
    /// stream, too, and say so by [`ResultSet::copy_both`](crate::ResultSet::copy_both).
    ///
    /// Until the stream ends, every statement on this connection is an error of kind
    /// [`Streaming`](crate::ErrorKind::Streaming).
    ///
    /// # Errors
    /// As [`run`](Client::run); [`ErrorKind::Usage`](crate::ErrorKind::Usage) when the statement
    /// begins no stream.
    pub fn start_stream(
        &mut self,
        sql: &str,
        progress: &mut Progress,
        hook: &mut dyn Interrupt,
    ) -> Result<(), Error> {
        self.run(&Request::Query(sql.as_bytes()), hook)?;
        if !self.is_streaming() {
            return Err(Error::usage_after_the_fact(
                "expected START_REPLICATION, found another statement",
            ));
        }
        progress.begun();
        Ok(())
    }

    /// Whether a replication stream is open.
    #[must_use]
    pub fn is_streaming(&self) -> bool {
        self.session_ref().is_streaming()
    }

    /// What has arrived of the stream; never waits for it. Status updates that are due, or that the
    /// server asks for, are sent on the way.
    ///
    /// # Errors
    /// What the server ended the stream with, as [`run`](Client::run);
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) when there is no stream;
    /// [`ConnectionLost`](crate::ErrorKind::ConnectionLost) and
    /// [`Protocol`](crate::ErrorKind::Protocol), which close the connection.
    pub fn read_stream(
        &mut self,
        progress: &mut Progress,
        hook: &mut dyn Interrupt,
    ) -> Result<StreamEvent, Error> {
        self.session().read_stream(progress, hook)
    }

    /// Sends a status update now. With `reply`, the server answers at once with a keepalive.
    ///
    /// # Errors
    /// As [`read_stream`](Client::read_stream).
    pub fn send_status(
        &mut self,
        progress: &mut Progress,
        reply: bool,
        hook: &mut dyn Interrupt,
    ) -> Result<(), Error> {
        self.session().send_status(progress, reply, hook)
    }

    /// Waits for the next piece of the log; `None` when the server has ended the stream. Status
    /// updates are sent meanwhile, at most 250 ms later than they are due.
    ///
    /// # Errors
    /// As [`read_stream`](Client::read_stream); [`Interrupted`](crate::ErrorKind::Interrupted) when
    /// the hook breaks, which cancels the stream.
    pub fn next_streamed(
        &mut self,
        progress: &mut Progress,
        hook: &mut dyn Interrupt,
    ) -> Result<Option<StreamedData>, Error> {
        loop {
            match self.read_stream(progress, hook)? {
                StreamEvent::Data(data) => return Ok(Some(data)),
                StreamEvent::Ended(_) => return Ok(None),
                StreamEvent::Nothing => self.session().wait_for_stream(hook)?,
            }
        }
    }
}
