//! Messages from the client to the server.

use std::collections::HashMap;

use bytes::{Bytes, BytesMut};
use kecoa_proto::SqlState;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::decide::{Content, Message};
use crate::framing::{self, Phase};
use crate::inject::{self, Seen};
use crate::injector::{End, Shared, head};
use crate::pipe::{Gone, Pipe};
use crate::plan::Direction;
use crate::startup::{self, FirstMessage};

/// A client may prepare so many statements; those beyond are not recognized when they run.
const PREPARED: usize = 1_024;

/// From the client to the server.
pub(super) struct FromClient<'a, R, W> {
    shared: &'a Shared<'a>,
    pipe: Pipe<R, W>,
    number: u64,
    start: u64,
    /// The statements that were prepared, by name.
    prepared: HashMap<Bytes, Seen>,
    /// What comes before the next Sync is not sent: the request has failed.
    skip_to_sync: bool,
}

impl<'a, R: AsyncRead + Unpin, W: AsyncWrite + Unpin> FromClient<'a, R, W> {
    pub(super) fn new(shared: &'a Shared<'a>, pipe: Pipe<R, W>) -> Self {
        let prepared = HashMap::new();
        FromClient { shared, pipe, number: 0, start: 0, prepared, skip_to_sync: false }
    }

    pub(super) async fn run(mut self) -> End {
        loop {
            match self.step().await {
                Ok(None) => {}
                Ok(Some(end)) => return end,
                Err(gone) => {
                    if gone == Gone::Source {
                        self.pipe.finish().await;
                    }
                    // The server ends the connection.
                    return std::future::pending().await;
                }
            }
        }
    }

    async fn step(&mut self) -> Result<Option<End>, Gone> {
        let phase = {
            let state = self.shared.state();
            match (state.bytes, state.opened) {
                (true, _) => Phase::Bytes,
                (false, true) => Phase::Messages,
                (false, false) => Phase::Startup,
            }
        };
        let Some(mut unit) = framing::next(phase, Direction::Client, &self.pipe.input) else {
            self.pipe.fill().await?;
            return Ok(None);
        };
        if unit.phase == Phase::Startup {
            let asked = startup::look(head(&self.pipe.input, unit.length));
            if let Some(end) = self.open(asked, &mut unit.length) {
                return Ok(Some(end));
            }
        } else {
            self.shared.identify_unless_cancelling(unit.phase);
        }
        let session = unit.phase == Phase::Startup && self.shared.state().opened;
        let head = head(&self.pipe.input, unit.length);
        if self.skip_to_sync {
            self.skip_to_sync = unit.tag != b'S';
            if self.skip_to_sync {
                self.pipe.discard(unit.length).await?;
                return Ok(None);
            }
        }
        let seen = match unit.phase {
            Phase::Messages => statements(&mut self.prepared, unit.tag, head),
            _ => Vec::new(),
        };
        let matter = match seen.as_slice() {
            _ if session => Content::Startup,
            [] => Content::Other,
            seen => Content::Statements(seen),
        };
        self.number += 1;
        let start = self.start;
        self.start += unit.length;
        let direction = Direction::Client;
        let message = Message { direction, unit, number: self.number, start, matter };
        let decision = self.shared.decide(&message);
        let mut instead = None;
        if let Some((fault, statement)) = decision.error
            && let Some(code) = self.shared.code(fault)
        {
            self.shared.log(&message, 0, fault);
            let what = self.shared.what(fault);
            let fatal = inject::is_fatal(code) || matter == Content::Startup;
            let error = inject::error(code, fatal, &what);
            if fatal {
                return Ok(Some(End::Report(error)));
            }
            let Some(seen) = seen.get(statement) else { return Ok(None) };
            instead = Some(self.replace(unit.tag, seen, error));
        }
        let shared = self.shared;
        shared.carry(&mut self.pipe, &message, &decision, instead).await
    }

    /// Takes note of an untagged message; the end, if it cannot be served.
    fn open(&mut self, asked: FirstMessage, length: &mut u64) -> Option<End> {
        let shared = self.shared;
        match asked {
            FirstMessage::Encryption => {
                shared.identify(None);
                shared.state().negotiating = true;
            }
            FirstMessage::Cancel => shared.state().bytes = true,
            FirstMessage::Session => {
                shared.identify(None);
                shared.state().opened = true;
            }
            FirstMessage::Seeded(seed, message) => {
                shared.identify(Some(seed));
                shared.state().opened = true;
                let rest = self.pipe.input.split_off(head(&self.pipe.input, *length).len());
                *length = message.len() as u64;
                self.pipe.input = BytesMut::from(&message[..]);
                self.pipe.input.unsplit(rest);
            }
            FirstMessage::BadSeed(found) => {
                let reason = format!(
                    "kecoa.fault_seed: expected a number from 0 to 18446744073709551615, found \
                     {found:?}"
                );
                let code = SqlState::INVALID_PARAMETER_VALUE;
                return Some(End::Report(inject::report(code, true, &reason)));
            }
        }
        None
    }

    /// What is sent in the place of a message so that the server reports an error for a statement.
    fn replace(&mut self, tag: u8, seen: &Seen, error: Bytes) -> Bytes {
        let expected = &mut self.shared.state().expected;
        let body = self.pipe.input.get(5..).unwrap_or_default();
        match tag {
            b'Q' if seen.commit => {
                expected.rollback(error, false);
                inject::rollback_query(inject::query_text(body), seen.offset)
            }
            b'Q' => {
                let marker = expected.error(|| error);
                inject::failing_query(inject::query_text(body), seen.offset, marker)
            }
            _ if seen.commit => {
                expected.rollback(error, true);
                self.skip_to_sync = true;
                inject::rollback_query(&[], 0)
            }
            _ => inject::failing_bind(expected.error(|| error)),
        }
    }
}

/// The statements that a message runs.
fn statements(prepared: &mut HashMap<Bytes, Seen>, tag: u8, head: &[u8]) -> Vec<Seen> {
    let body = head.get(5..).unwrap_or_default();
    match tag {
        b'Q' => inject::statements(inject::query_text(body)),
        b'P' => {
            let (name, sql) = inject::two_strings(body);
            prepared.remove(name);
            if let Some(seen) = inject::statements(sql).into_iter().next()
                && prepared.len() < PREPARED
            {
                prepared.insert(Bytes::copy_from_slice(name), seen);
            }
            Vec::new()
        }
        b'B' => prepared.get(inject::two_strings(body).1).cloned().into_iter().collect(),
        b'C' => {
            if let Some((b'S', name)) = body.split_first() {
                prepared.remove(inject::query_text(name));
            }
            Vec::new()
        }
        _ => Vec::new(),
    }
}
