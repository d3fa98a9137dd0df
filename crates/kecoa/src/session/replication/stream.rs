//! A replication stream, which takes the connection over until it ends.

use kecoa_proto::message::replication::Streamed;
use kecoa_proto::{Reply, RequestId};

use super::{Progress, StreamEvent};
use crate::error::{Error, ErrorKind};
use crate::interrupt::Interrupt;
use crate::session::core::Session;
use crate::session::mode::{Mode, OpenStream};
use crate::session::replies::NextReply;

impl Session {
    /// Allows streams: without it, a statement that begins one closes the connection.
    pub(crate) fn accept_streams(&mut self, accepted: bool) {
        self.accepts_streams = accepted;
    }

    /// Whether the connection carries a stream.
    pub(crate) fn is_streaming(&self) -> bool {
        matches!(self.mode, Mode::Stream(_))
    }

    /// Notes that a stream's beginning is among the buffered replies.
    pub(in crate::session) fn note_stream(&mut self) {
        if self.accepts_streams {
            self.mode = Mode::StreamBegun;
        }
    }

    /// Whether a stream's beginning is among the buffered replies.
    pub(in crate::session) fn has_stream_begun(&self) -> bool {
        matches!(self.mode, Mode::StreamBegun)
    }

    /// Whether a stream has begun, read or not.
    pub(in crate::session) fn carries_stream(&self) -> bool {
        self.is_streaming() || self.has_stream_begun()
    }

    /// Begins a stream. False when the connection was not made for it.
    pub(crate) fn open_stream(&mut self, request: RequestId) -> bool {
        if self.accepts_streams {
            self.mode = Mode::Stream(OpenStream::new(request).into());
        }
        self.accepts_streams
    }

    /// The error of sending a request while a stream is open.
    pub(in crate::session) fn check_no_stream(&self) -> Result<(), Error> {
        if !self.carries_stream() {
            return Ok(());
        }
        Err(Error::streaming(
            "no statement can run on this connection while it streams replication",
        ))
    }

    /// What has arrived of the stream, without waiting for it. Status updates that are due or asked
    /// for are sent.
    pub(crate) fn read_stream(
        &mut self,
        progress: &mut Progress,
        hook: &mut dyn Interrupt,
    ) -> Result<StreamEvent, Error> {
        self.stream()?;
        if progress.due_in().is_zero() {
            self.send_status(progress, false, hook)?;
        }
        loop {
            let request = self.stream()?.request;
            let reply = match self.try_reply(request)? {
                NextReply::Reply(reply) => reply,
                NextReply::Waiting(_) => return Ok(StreamEvent::Nothing),
            };
            match reply {
                Reply::CopyData(data) => {
                    match Streamed::decode(data).map_err(|e| self.protocol_error(e))? {
                        Streamed::Data(data) => {
                            progress.received(&data);
                            return Ok(StreamEvent::Data(data));
                        }
                        Streamed::Keepalive(keepalive) => {
                            progress.received_keepalive(&keepalive);
                            if keepalive.reply {
                                self.send_status(progress, false, hook)?;
                            }
                            if hook.check().is_break() {
                                return Err(Error::interrupted("interrupted"));
                            }
                        }
                    }
                }
                Reply::CopyDone => {
                    self.connection.copy_done()?;
                    self.transmit(hook)?;
                }
                Reply::Ready(_) => {
                    return match std::mem::take(&mut self.mode) {
                        Mode::Stream(stream) => match stream.failed {
                            Some(error) => Err(Error::from_server(error)),
                            None => Ok(StreamEvent::Ended(stream.results)),
                        },
                        Mode::Requests | Mode::StreamBegun => Ok(StreamEvent::Ended(Vec::new())),
                    };
                }
                reply => self.stream()?.note(reply),
            }
        }
    }

    fn stream(&mut self) -> Result<&mut OpenStream, Error> {
        if self.closed {
            self.mode = Mode::Requests;
            return Err(self.closed_error());
        }
        match &mut self.mode {
            Mode::Stream(stream) => Ok(stream),
            Mode::Requests | Mode::StreamBegun => Err(Error::usage(
                "expected a replication stream, found none: start replication first",
            )),
        }
    }

    /// Tells the server how far the receiver has come.
    pub(crate) fn send_status(
        &mut self,
        progress: &mut Progress,
        reply: bool,
        hook: &mut dyn Interrupt,
    ) -> Result<(), Error> {
        self.stream()?;
        match self.copy_data(&progress.update(reply).encode(), hook) {
            // The server has ended the stream, and what it says about it is yet to be read.
            Err(error) if error.kind() == ErrorKind::Usage => Ok(()),
            Err(error) => Err(error),
            Ok(()) => {
                progress.sent();
                Ok(())
            }
        }
    }

    /// Waits until something has arrived, at most 250 ms.
    pub(crate) fn wait_for_stream(&mut self, hook: &mut dyn Interrupt) -> Result<(), Error> {
        self.stream()?;
        self.receive(hook)
    }
}

impl OpenStream {
    /// Keeps what the server says when the data is over.
    fn note(&mut self, reply: Reply) {
        match reply {
            Reply::Error(error) => {
                self.failed.get_or_insert(error);
            }
            Reply::RowDescription(description) => {
                self.result.description = Some(description);
            }
            Reply::Rows(rows) => self.result.rows.push(rows),
            Reply::CommandComplete(tag) => {
                self.result.tag = Some(tag);
                self.results.push(std::mem::take(&mut self.result));
            }
            _ => {}
        }
    }
}
