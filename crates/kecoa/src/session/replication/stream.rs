//! A replication stream, which takes the connection over until it ends.

use std::sync::Arc;

use kecoa_proto::message::replication::Streamed;
use kecoa_proto::{Reply, RequestId, ServerError};

use super::{Progress, StreamEvent};
use crate::error::{Error, ErrorKind};
use crate::interrupt::Interrupt;
use crate::row::ResultSet;
use crate::session::{Pulled, Session};

/// Where a session is with streams.
#[derive(Default)]
pub(in crate::session) struct Streaming {
    /// The connection was made for replication.
    accepted: bool,
    /// A stream's beginning was read, and is among the replies put aside.
    met: bool,
    open: Option<Open>,
}

/// A stream that has not ended.
struct Open {
    request: RequestId,
    /// The error by which the server ended it; ReadyForQuery is to come.
    failed: Option<Box<ServerError>>,
    /// What the server says behind it.
    results: Vec<ResultSet>,
    /// The result that is on its way.
    result: ResultSet,
}

impl Session {
    /// Allows streams: without it, a statement that begins one closes the connection.
    pub(crate) fn accept_streams(&mut self, accepted: bool) {
        self.streaming.accepted = accepted;
    }

    /// Whether the connection carries a stream.
    pub(crate) fn is_streaming(&self) -> bool {
        self.streaming.open.is_some()
    }

    /// Notes that a stream's beginning was put aside.
    pub(in crate::session) fn meet_stream(&mut self) {
        self.streaming.met = self.streaming.accepted;
    }

    /// Whether a stream's beginning is among what was put aside.
    pub(in crate::session) fn has_met_stream(&self) -> bool {
        self.streaming.met
    }

    /// Whether a stream has begun, read or not.
    pub(in crate::session) fn carries_stream(&self) -> bool {
        self.is_streaming() || self.has_met_stream()
    }

    /// Begins a stream. False when the connection was not made for it.
    pub(crate) fn open_stream(&mut self, request: RequestId) -> bool {
        self.streaming.met = false;
        if self.streaming.accepted {
            self.streaming.open = Some(Open {
                request,
                failed: None,
                results: Vec::new(),
                result: ResultSet::default(),
            });
        }
        self.streaming.accepted
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
                Pulled::Reply(reply) => reply,
                Pulled::Waiting(_) => return Ok(StreamEvent::Nothing),
            };
            match reply {
                Reply::CopyData(data) => {
                    match Streamed::decode(data).map_err(|e| self.broken(e))? {
                        Streamed::Data(data) => {
                            progress.received(&data);
                            return Ok(StreamEvent::Data(data));
                        }
                        Streamed::Keepalive(keepalive) => {
                            progress.heard(&keepalive);
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
                    let ended = self.streaming.open.take();
                    return match ended.map(|open| (open.failed, open.results)) {
                        Some((Some(error), _)) => Err(Error::from_server(error)),
                        Some((None, results)) => Ok(StreamEvent::Ended(results)),
                        None => Ok(StreamEvent::Ended(Vec::new())),
                    };
                }
                reply => self.stream()?.note(reply),
            }
        }
    }

    fn stream(&mut self) -> Result<&mut Open, Error> {
        if self.closed {
            self.streaming.open = None;
            return Err(self.closed_error());
        }
        self.streaming.open.as_mut().ok_or_else(|| {
            Error::usage("expected a replication stream, found none: start replication first")
        })
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

impl Open {
    /// Keeps what the server says when the data is over.
    fn note(&mut self, reply: Reply) {
        match reply {
            Reply::Error(error) => {
                self.failed.get_or_insert(error);
            }
            Reply::RowDescription(description) => {
                self.result.description = Some(Arc::new(description));
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
