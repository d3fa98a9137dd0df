//! What the server sends: every transition of the state machine is here.

use bytes::{Buf, Bytes};

use super::{Connection, Expect, Kind, Life, Phase};
use crate::error::ProtocolError;
use crate::event::{Event, Reply};
use crate::frame::{self, HEADER, Header, Limits};
use crate::message::TransactionStatus;
use crate::message::backend::{self, Message, ParameterStatus};
use crate::rows::{self, Rows};

impl Connection {
    pub(super) fn next_event(&mut self) -> Result<Option<Event>, ProtocolError> {
        loop {
            let cap = |tag| self.limits.backend(tag);
            let header = match frame::header(&self.read, cap, backend::name) {
                Ok(Some(header)) if self.read.len() >= header.total => header,
                // What is no message of a server has no length either: do not wait for it.
                unfinished => {
                    return match self.read.first() {
                        Some(tag) if backend::name(*tag) == "unknown" => {
                            Err(self.unexpected(backend::describe(*tag)))
                        }
                        _ => unfinished.map(|_| None),
                    };
                }
            };
            let event = match header.tag {
                b'D' => self.rows().map(Some),
                b'C' => {
                    self.allow(header.tag)?;
                    let tag = backend::command_tag(self.body(header))?;
                    self.read.advance(header.total);
                    self.end_of_statement();
                    self.reply(Reply::CommandComplete(tag)).map(Some)
                }
                b'Z' => self.ready(header),
                tag if backend::name(tag) == "unknown" => {
                    Err(self.unexpected(backend::describe(tag)))
                }
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
        let body = if header.tag == b'd' {
            let mut frame = self.read.split_to(header.total).freeze();
            frame.advance(HEADER);
            frame
        } else {
            let body = Bytes::copy_from_slice(self.body(header));
            self.read.advance(header.total);
            body
        };
        self.shed(header.total);
        Message::decode(header.tag, body)
    }

    fn reply(&mut self, reply: Reply) -> Result<Event, ProtocolError> {
        let Some(front) = self.pending.front() else {
            return Err(self.unexpected("a reply".to_owned()));
        };
        let id = front.id;
        if !self.replied && !front.bare {
            // What might have come on top would have come before this.
            self.spare_ready = 0;
        }
        self.replied = true;
        Ok(Event::Reply(id, reply))
    }

    /// The step of an extended request or function call that waits for a reply.
    fn step(&self) -> Option<Expect> {
        let front = self.pending.front()?;
        if front.steps == 0 { None } else { self.steps.front().copied() }
    }

    fn finish_step(&mut self) {
        if let Some(front) = self.pending.front_mut()
            && front.steps > 0
        {
            front.steps -= 1;
            self.steps.pop_front();
        }
    }

    fn kind(&self) -> Option<Kind> {
        self.pending.front().map(|front| front.kind)
    }

    /// Whether the request runs a statement now: a simple query, or an Execute.
    fn executing(&self) -> bool {
        match self.kind() {
            Some(Kind::Query) => true,
            Some(Kind::Extended) => matches!(self.step(), Some(Expect::Execute { .. })),
            _ => false,
        }
    }

    /// Whether the message with this tag may come now.
    fn allow(&self, tag: u8) -> Result<(), ProtocolError> {
        let simple = self.kind() == Some(Kind::Query);
        let executing = self.executing();
        let step = self.step();
        let start = self.phase == Phase::Start;
        let allowed = match tag {
            b'D' => match self.phase {
                Phase::Rows => executing,
                Phase::Start => executing && !simple,
                _ => false,
            },
            b'C' => {
                executing
                    && matches!(
                        self.phase,
                        Phase::Start
                            | Phase::Rows
                            | Phase::CopyIn { finished: true }
                            | Phase::CopyOutDone
                    )
            }
            b'I' | b'G' | b'H' | b'W' => start && executing,
            b's' => matches!(self.phase, Phase::Start | Phase::Rows) && executing && !simple,
            b'T' => {
                start && (simple || matches!(step, Some(Expect::Columns | Expect::PortalColumns)))
            }
            b'n' => start && matches!(step, Some(Expect::Columns | Expect::PortalColumns)),
            b't' => start && step == Some(Expect::Parameters),
            b'1' => start && step == Some(Expect::Parse),
            b'2' => start && step == Some(Expect::Bind),
            b'3' => start && step == Some(Expect::Close),
            b'V' => start && step == Some(Expect::Call),
            b'd' => {
                matches!(self.phase, Phase::CopyOut | Phase::CopyBoth { server_done: false, .. })
            }
            b'c' => {
                matches!(self.phase, Phase::CopyOut | Phase::CopyBoth { server_done: false, .. })
            }
            b'Z' => match (self.phase, self.kind()) {
                (_, None) => false,
                (Phase::Failed, _) => true,
                (Phase::Start, Some(Kind::Query)) => self.replied,
                (Phase::Start, Some(_)) => step.is_none(),
                _ => false,
            },
            _ => false,
        };
        if allowed { Ok(()) } else { Err(self.unexpected(backend::describe(tag))) }
    }

    fn unexpected(&self, found: String) -> ProtocolError {
        let (expected, state) = self.expectation();
        ProtocolError::Unexpected { expected, found, state }
    }

    fn expectation(&self) -> (&'static str, &'static str) {
        let Some(kind) = self.kind() else {
            return ("nothing but notices and notifications", "while no request was waiting");
        };
        match self.phase {
            Phase::Failed => return ("ReadyForQuery", "after a request failed"),
            Phase::Rows => return ("DataRow or CommandComplete", "while a result's rows arrive"),
            Phase::CopyIn { finished: false } => {
                return ("nothing but an error", "while a COPY waited for our data");
            }
            Phase::CopyIn { finished: true } | Phase::CopyOutDone => {
                return ("CommandComplete", "at the end of a COPY");
            }
            Phase::CopyOut => return ("CopyData or CopyDone", "while a COPY's data arrived"),
            Phase::CopyBoth { .. } => {
                return ("CopyData or CopyDone", "while data was copied both ways");
            }
            Phase::Start => {}
        }
        match (kind, self.step()) {
            (Kind::Query, _) => {
                ("the result of a statement or ReadyForQuery", "during a simple query")
            }
            (_, None) => ("ReadyForQuery", "at the end of a request"),
            (_, Some(Expect::Parse)) => ("ParseComplete", "after Parse"),
            (_, Some(Expect::Bind)) => ("BindComplete", "after Bind"),
            (_, Some(Expect::Close)) => ("CloseComplete", "after Close"),
            (_, Some(Expect::Parameters)) => ("ParameterDescription", "after Describe"),
            (_, Some(Expect::Columns | Expect::PortalColumns)) => {
                ("RowDescription or NoData", "after Describe")
            }
            (_, Some(Expect::Execute { .. })) => ("the result of a statement", "after Execute"),
            (_, Some(Expect::Call)) => ("FunctionCallResponse", "after FunctionCall"),
        }
    }

    /// The hot path: the whole run of rows at the head of the read buffer.
    fn rows(&mut self) -> Result<Event, ProtocolError> {
        self.allow(b'D')?;
        if self.phase == Phase::Start {
            self.columns = match self.step() {
                Some(Expect::Execute { described: true }) => self.described,
                _ => None,
            };
            self.phase = Phase::Rows;
        }
        let run = rows::scan(&self.read, self.columns, self.limits.message)?;
        self.columns = run.columns;
        let rows = Rows::take(&mut self.read, &run);
        self.shed(run.end);
        self.reply(Reply::Rows(rows))
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
                "ReadyForQuery",
                "I, T or E",
                format!("{:?}", String::from_utf8_lossy(self.body(header))),
            ));
        };
        let alone = match self.pending.front() {
            None => true,
            Some(front) => !self.replied && !front.bare,
        };
        if alone && self.spare_ready > 0 {
            self.spare_ready -= 1;
            self.read.advance(header.total);
            self.status = status;
            return Ok(None);
        }
        self.allow(b'Z')?;
        self.read.advance(header.total);
        let event = self.reply(Reply::Ready(status))?;
        self.status = status;
        self.pending.pop_front();
        self.phase = Phase::Start;
        self.replied = false;
        self.columns = None;
        self.described = None;
        Ok(Some(event))
    }

    fn handle(&mut self, message: Message) -> Result<Event, ProtocolError> {
        match message {
            Message::NoticeResponse(notice) => Ok(Event::Notice(Box::new(notice))),
            Message::NotificationResponse(notification) => Ok(Event::Notification(notification)),
            Message::ParameterStatus(status) => self.parameter_status(&status),
            Message::ErrorResponse(error) => {
                if error.is_fatal() {
                    self.life = Life::Fatal;
                }
                if self.pending.is_empty() {
                    return Ok(Event::Unsolicited(Box::new(error)));
                }
                self.fail();
                self.reply(Reply::Error(Box::new(error)))
            }
            message => {
                self.allow(message.tag())?;
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
        let simple = self.kind() == Some(Kind::Query);
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
            Message::RowDescription(description) => {
                let columns = u16::try_from(description.fields.len()).ok();
                if simple {
                    self.columns = columns;
                    self.phase = Phase::Rows;
                } else {
                    self.described =
                        if self.step() == Some(Expect::PortalColumns) { columns } else { None };
                    self.finish_step();
                }
                Reply::RowDescription(description)
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
            other => return Err(self.unexpected(backend::describe(other.tag()))),
        };
        self.reply(reply)
    }

    fn parameter_status(&mut self, status: &ParameterStatus) -> Result<Event, ProtocolError> {
        let name = String::from_utf8_lossy(&status.name).into_owned();
        let value = String::from_utf8_lossy(&status.value).into_owned();
        remember(&mut self.parameters, &name, &value, &self.limits)?;
        Ok(Event::ParameterStatus { name, value })
    }
}

/// Keeps a parameter's value; a server may not report more names or bytes than the limits say.
pub(crate) fn remember(
    parameters: &mut Vec<(String, String)>,
    name: &str,
    value: &str,
    limits: &Limits,
) -> Result<(), ProtocolError> {
    let others = parameters.iter().filter(|(known, _)| known != name);
    let bytes: usize = others.map(|(name, value)| name.len() + value.len()).sum();
    let bytes = bytes.saturating_add(name.len()).saturating_add(value.len());
    if bytes > limits.parameter_bytes {
        return Err(ProtocolError::malformed(
            "ParameterStatus",
            format!("at most {} bytes of parameters in all", limits.parameter_bytes),
            format!("{bytes}"),
        ));
    }
    if let Some((_, known)) = parameters.iter_mut().find(|(known, _)| known == name) {
        value.clone_into(known);
        return Ok(());
    }
    let limit = limits.parameters;
    if parameters.len() >= limit {
        return Err(ProtocolError::malformed(
            "ParameterStatus",
            format!("at most {limit} different parameters"),
            format!("another one, {:?}", name.chars().take(64).collect::<String>()),
        ));
    }
    parameters.push((name.to_owned(), value.to_owned()));
    Ok(())
}
