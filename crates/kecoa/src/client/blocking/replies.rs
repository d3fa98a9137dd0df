//! What a caller needs that waits for the socket by itself and takes replies as they come.

use kecoa_proto::{Reply, RequestId};

use super::client::Client;
use crate::error::Error;
use crate::interrupt::{Interrupt, Readiness};
use crate::session::NextReply;

impl Client {
    /// Sends what the socket takes at once of what was submitted. Nothing when that was everything;
    /// otherwise the socket has to be [writable](Readiness::Writable) before the next call. Reads
    /// nothing.
    ///
    /// # Errors
    /// [`ErrorKind::ConnectionLost`](crate::ErrorKind::ConnectionLost) or a FATAL server error.
    pub fn try_send(&mut self) -> Result<Option<Readiness>, Error> {
        self.session().try_send()
    }

    /// The next reply to a submitted request, waited for: for results that are not to be held in memory as a
    /// whole. Requests before it must be finished: their replies are dropped otherwise.
    /// [`Reply::Ready`] is the last. When the hook breaks, the server is asked to cancel the request,
    /// whose replies go on up to that one: its error, SQLSTATE 57014, is among them.
    ///
    /// # Errors
    /// As [`try_reply`](Client::try_reply); [`Interrupted`](crate::ErrorKind::Interrupted) when the request
    /// could not be cancelled, or did not end in time, so that the connection was closed.
    pub fn next_reply(
        &mut self,
        request: RequestId,
        hook: &mut dyn Interrupt,
    ) -> Result<Reply, Error> {
        let reply = self.session().streamed_reply(request, hook)?;
        if matches!(reply, Reply::Ready(_)) {
            // Its error said so, where it was.
            self.session().take_cancelled();
        }
        Ok(reply)
    }

    /// The next reply to a submitted request, without waiting. Requests before it must be finished:
    /// their replies are dropped otherwise. [`Reply::Ready`](kecoa_proto::Reply::Ready) is the last.
    ///
    /// For COPY (`CopyIn` is answered by [`copy_data`](Client::copy_data) and
    /// [`copy_done`](Client::copy_done), `CopyOut` is followed by `CopyData`), and for results that
    /// are not to be held in memory as a whole: nothing is read while nobody asks.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) when no request is in flight,
    /// [`ConnectionLost`](crate::ErrorKind::ConnectionLost) or a FATAL server error,
    /// [`Protocol`](crate::ErrorKind::Protocol).
    pub fn try_reply(&mut self, request: RequestId) -> Result<NextReply, Error> {
        self.session().try_reply(request)
    }

    /// Queues data of a COPY … FROM STDIN; [`try_send`](Client::try_send) sends it. What the server
    /// does not take piles up: queue more when everything was sent.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) when the server does not wait for data.
    pub fn copy_data(&mut self, data: &[u8]) -> Result<(), Error> {
        self.session().queue_copy_data(data)
    }

    /// Whether the server has already answered the COPY under way with an error, and drops its data.
    /// Never waits, and reads what has arrived.
    ///
    /// # Errors
    /// As [`try_send`](Client::try_send).
    pub fn is_copy_refused(&mut self) -> Result<bool, Error> {
        self.session().has_refused_copy()
    }

    /// Ends the data of a COPY … FROM STDIN.
    ///
    /// # Errors
    /// As [`copy_data`](Client::copy_data).
    pub fn copy_done(&mut self) -> Result<(), Error> {
        self.session().copy_done()
    }

    /// Gives a COPY … FROM STDIN up: the server answers with SQLSTATE 57014 that quotes `reason`.
    ///
    /// # Errors
    /// As [`copy_data`](Client::copy_data).
    pub fn copy_fail(&mut self, reason: &str) -> Result<(), Error> {
        self.session().copy_fail(reason)
    }
}
