//! Messages from the server to the client.

use tokio::io::{AsyncRead, AsyncWrite};

use crate::decide::{Content, Message};
use crate::framing::{self, Phase};
use crate::inject;
use crate::injector::{End, Shared, head};
use crate::pipe::{Gone, Pipe};
use crate::plan::Direction;
use crate::reply::Fate;

/// From the server to the client.
pub(super) struct FromServer<'a, R, W> {
    shared: &'a Shared<'a>,
    pipe: Pipe<R, W>,
    number: u64,
    start: u64,
}

impl<'a, R: AsyncRead + Unpin, W: AsyncWrite + Unpin> FromServer<'a, R, W> {
    pub(super) fn new(shared: &'a Shared<'a>, pipe: Pipe<R, W>) -> Self {
        FromServer { shared, pipe, number: 0, start: 0 }
    }

    pub(super) async fn run(mut self) -> End {
        loop {
            match self.step().await {
                Ok(None) => {}
                Ok(Some(end)) => return end,
                Err(_) => {
                    self.pipe.finish().await;
                    return End::Over;
                }
            }
        }
    }

    async fn step(&mut self) -> Result<Option<End>, Gone> {
        let phase = {
            let state = self.shared.state();
            match (state.bytes, state.negotiating) {
                (true, _) => Phase::Bytes,
                (false, true) => Phase::Reply,
                (false, false) => Phase::Messages,
            }
        };
        let Some(unit) = framing::next(phase, Direction::Server, &self.pipe.input) else {
            // Nobody waits for a message that is still on its way but a client that is served
            // slowly on purpose.
            self.pipe.fill().await?;
            return Ok(None);
        };
        match unit.phase {
            Phase::Bytes => self.shared.state().bytes = true,
            Phase::Reply => {
                let mut state = self.shared.state();
                state.negotiating = false;
                state.bytes = matches!(unit.tag, b'S' | b'G');
            }
            _ => {}
        }
        let head = head(&self.pipe.input, unit.length);
        let committed = unit.tag == b'C' && head.get(5..) == Some(b"COMMIT\0");
        let fate = match unit.phase {
            Phase::Messages => self.shared.state().expected.fate(unit.tag, head),
            _ => Fate::Forward,
        };
        let start = self.start;
        self.start += unit.length;
        self.number += 1;
        match fate {
            Fate::Forward => {}
            Fate::Hide => {
                self.pipe.discard(unit.length).await?;
                return Ok(None);
            }
            Fate::Replace(bytes) => {
                self.pipe.discard(unit.length).await?;
                self.pipe.put(&bytes, false).await?;
                return Ok(None);
            }
        }
        let matter = if committed { Content::Committed } else { Content::Other };
        let direction = Direction::Server;
        let message = Message { direction, unit, number: self.number, start, matter };
        let decision = self.shared.decide(&message);
        let mut instead = None;
        if let Some((fault, _)) = decision.error
            && let Some(code) = self.shared.code(fault)
        {
            self.shared.log(&message, 0, fault);
            let fatal = inject::is_fatal(code);
            let error = inject::error(code, fatal, &self.shared.what(fault));
            if fatal {
                self.pipe.flush().await?;
                return Ok(Some(End::Report(error)));
            }
            self.shared.state().expected.skip_to_ready();
            instead = Some(error);
        }
        let shared = self.shared;
        shared.carry(&mut self.pipe, &message, &decision, instead).await
    }
}
