//! What the server sends: every transition of the state machine is here.

use bytes::{Buf, Bytes};

use super::state::{Connection, ExpectedReply, Kind, Lifecycle, Phase};
use crate::error::ProtocolError;
use crate::event::{Event, Reply};
use crate::frame::{self, HEADER, Header, Limits};
use crate::message::backend::{CommandTag, Message};
use crate::message::tags::backend as tags;
use crate::message::transaction_status::TransactionStatus;
use crate::rows::scan::scan;
use crate::rows::{COPY_BELOW, Rows};

impl Connection {
    /// The next event out of the read buffer. `None`: it needs more bytes.
    ///
    /// # Errors
    /// The server broke the protocol. The connection is closed by that: later calls return
    /// [`ProtocolError::Poisoned`].
    pub fn poll_event(&mut self) -> Result<Option<Event>, ProtocolError> {
        if self.lifecycle == Lifecycle::Poisoned {
            return Err(ProtocolError::Poisoned);
        }
        let event = self.next_event();
        if event.is_err() {
            self.lifecycle = Lifecycle::Poisoned;
        }
        event
    }

    fn next_event(&mut self) -> Result<Option<Event>, ProtocolError> {
        loop {
            let cap = |tag| max_length(tag, &self.limits);
            let header = match frame::header(&self.read, cap, tags::name) {
                Ok(Some(header)) if self.read.len() >= header.total => header,
                // What is no message of a server has no length either: do not wait for it.
                unfinished => {
                    return match self.read.first() {
                        Some(tag) if !tags::is_known(*tag) => {
                            Err(self.unexpected(tags::describe(*tag)))
                        }
                        _ => unfinished.map(|_| None),
                    };
                }
            };
            let event = match header.tag {
                tags::DATA_ROW => self.rows().map(Some),
                tags::COMMAND_COMPLETE => {
                    self.check_expected(header.tag)?;
                    let tag = CommandTag::decode(self.body(header))?;
                    self.read.advance(header.total);
                    self.end_of_statement();
                    self.reply(Reply::CommandComplete(tag)).map(Some)
                }
                tags::READY_FOR_QUERY => self.ready(header),
                tags::ROW_DESCRIPTION => self.row_description(header).map(Some),
                tag if !tags::is_known(tag) => Err(self.unexpected(tags::describe(tag))),
                _ => {
                    let message = self.decode(header)?;
                    self.handle(message).map(Some)
                }
            }?;
            if event.is_some() {
                return Ok(event);
            }
        }
    }

    /// The body of the frame at the head of the read buffer, which is complete.
    fn body(&self, header: Header) -> &[u8] {
        self.read.get(HEADER..header.total).unwrap_or_default()
    }

    /// Takes the frame at the head of the read buffer. Copy data stays where it arrived; everything
    /// else is small, and is copied so that a kept name does not pin the buffer.
    fn decode(&mut self, header: Header) -> Result<Message, ProtocolError> {
        let body = if header.tag == tags::COPY_DATA {
            self.shares_read_buffer = true;
            let mut frame = self.read.split_to(header.total).freeze();
            frame.advance(HEADER);
            frame
        } else {
            let body = Bytes::copy_from_slice(self.body(header));
            self.read.advance(header.total);
            body
        };
        self.shrink_read_buffer(header.total);
        Message::decode(header.tag, body)
    }

    fn reply(&mut self, reply: Reply) -> Result<Event, ProtocolError> {
        let Some(front) = self.pending.front() else {
            return Err(self.unexpected("a reply".to_owned()));
        };
        let id = front.id;
        if !self.replied && !front.sync_only {
            // What might have come on top would have come before this.
            self.extra_ready = 0;
        }
        self.replied = true;
        Ok(Event::Reply(id, reply))
    }

    /// The hot path: the whole run of rows at the head of the read buffer.
    fn rows(&mut self) -> Result<Event, ProtocolError> {
        self.check_expected(tags::DATA_ROW)?;
        if self.phase == Phase::Start {
            self.columns = match self.step() {
                Some(ExpectedReply::Execute { described: true }) => self.described,
                _ => None,
            };
            self.phase = Phase::Rows;
        }
        let run = scan(&self.read, self.columns, self.limits.message)?;
        self.columns = run.columns;
        self.shares_read_buffer |= run.end >= COPY_BELOW;
        let rows = Rows::take(&mut self.read, &run);
        self.shrink_read_buffer(run.end);
        self.reply(Reply::Rows(rows))
    }

    fn row_description(&mut self, header: Header) -> Result<Event, ProtocolError> {
        self.check_expected(header.tag)?;
        let body = self.read.get(HEADER..header.total).unwrap_or_default();
        let description = self.descriptions.read(body)?;
        self.read.advance(header.total);
        self.shrink_read_buffer(header.total);
        let columns = u16::try_from(description.fields.len()).ok();
        if self.kind() == Some(Kind::Query) {
            self.columns = columns;
            self.phase = Phase::Rows;
        } else {
            let of_portal = self.step() == Some(ExpectedReply::PortalColumns);
            self.described = columns.filter(|_| of_portal);
            self.finish_step();
        }
        self.reply(Reply::RowDescription(description))
    }

    /// A statement is over: the next may begin.
    fn end_of_statement(&mut self) {
        self.phase = Phase::Start;
        self.columns = None;
        self.described = None;
        if self.kind() == Some(Kind::Extended) {
            self.finish_step();
        }
    }

    fn ready(&mut self, header: Header) -> Result<Option<Event>, ProtocolError> {
        let status = match self.body(header) {
            [code] => TransactionStatus::from_code(*code),
            _ => None,
        };
        let Some(status) = status else {
            return Err(ProtocolError::malformed(
                tags::name(tags::READY_FOR_QUERY),
                "I, T or E",
                format!("{:?}", String::from_utf8_lossy(self.body(header))),
            ));
        };
        let alone = match self.pending.front() {
            None => true,
            Some(front) => !self.replied && !front.sync_only,
        };
        if alone && self.extra_ready > 0 {
            self.extra_ready -= 1;
            self.read.advance(header.total);
            self.status = status;
            return Ok(None);
        }
        self.check_expected(tags::READY_FOR_QUERY)?;
        self.read.advance(header.total);
        let event = self.reply(Reply::Ready(status))?;
        self.status = status;
        self.pending.pop_front();
        self.phase = Phase::Start;
        self.replied = false;
        self.columns = None;
        self.described = None;
        if self.pending.is_empty() {
            self.release_read_buffer();
        }
        Ok(Some(event))
    }

    fn handle(&mut self, message: Message) -> Result<Event, ProtocolError> {
        match message {
            Message::NoticeResponse(notice) => Ok(Event::Notice(Box::new(notice))),
            Message::NotificationResponse(notification) => Ok(Event::Notification(notification)),
            Message::ParameterStatus(status) => {
                let (name, value) = self.parameters.set(&status, &self.limits)?;
                Ok(Event::ParameterStatus { name, value })
            }
            Message::ErrorResponse(error) => {
                if error.is_fatal() {
                    self.lifecycle = Lifecycle::Fatal;
                }
                if self.pending.is_empty() {
                    return Ok(Event::Unsolicited(Box::new(error)));
                }
                self.fail();
                self.reply(Reply::Error(Box::new(error)))
            }
            message => {
                self.check_expected(message.tag())?;
                self.advance(message)
            }
        }
    }

    /// The first pending request has failed: the rest of it is skipped.
    fn fail(&mut self) {
        let copying = self.wants_copy_data();
        if copying {
            let before = self.write.len();
            self.sync_behind_copy();
            self.count_queued(before);
        }
        if let Some(front) = self.pending.front_mut() {
            front.drop_copy |= copying;
            self.steps.drain(..front.steps.min(self.steps.len()));
            front.steps = 0;
        }
        self.phase = Phase::Failed;
    }

    /// A message that is part of a reply, and may come now.
    fn advance(&mut self, message: Message) -> Result<Event, ProtocolError> {
        let reply = match message {
            Message::ParseComplete => {
                self.finish_step();
                Reply::ParseComplete
            }
            Message::BindComplete => {
                self.described = None;
                self.finish_step();
                Reply::BindComplete
            }
            Message::CloseComplete => {
                self.finish_step();
                Reply::CloseComplete
            }
            Message::ParameterDescription(types) => {
                self.finish_step();
                Reply::ParameterDescription(types)
            }
            Message::NoData => {
                self.described = None;
                self.finish_step();
                Reply::NoData
            }
            Message::FunctionCallResponse(value) => {
                self.finish_step();
                Reply::FunctionResult(value)
            }
            Message::EmptyQueryResponse => {
                self.end_of_statement();
                Reply::EmptyQuery
            }
            Message::PortalSuspended => {
                self.end_of_statement();
                Reply::PortalSuspended
            }
            Message::CopyInResponse(copy) => {
                let behind = self.pending.len().saturating_sub(1);
                if behind > 0 {
                    return Err(ProtocolError::CopyInPipeline { behind });
                }
                self.phase = Phase::CopyIn { finished: false };
                Reply::CopyIn(copy)
            }
            Message::CopyOutResponse(copy) => {
                self.phase = Phase::CopyOut;
                Reply::CopyOut(copy)
            }
            Message::CopyBothResponse(copy) => {
                self.phase = Phase::CopyBoth { server_done: false, client_done: false };
                Reply::CopyBoth(copy)
            }
            Message::CopyData(data) => Reply::CopyData(data),
            Message::CopyDone => {
                self.phase = match self.phase {
                    Phase::CopyBoth { client_done: true, .. } => Phase::Start,
                    Phase::CopyBoth { .. } => {
                        Phase::CopyBoth { server_done: true, client_done: false }
                    }
                    _ => Phase::CopyOutDone,
                };
                Reply::CopyDone
            }
            other => return Err(self.unexpected(tags::describe(other.tag()))),
        };
        self.reply(reply)
    }
}

/// The most bytes that a message with this tag may have, its length included.
fn max_length(tag: u8, limits: &Limits) -> usize {
    match tag {
        tags::DATA_ROW
        | tags::COPY_DATA
        | tags::ROW_DESCRIPTION
        | tags::PARAMETER_DESCRIPTION
        | tags::FUNCTION_CALL_RESPONSE => limits.message,
        tags::ERROR_RESPONSE | tags::NOTICE_RESPONSE => limits.error.min(limits.message),
        _ => limits.control.min(limits.message),
    }
}
