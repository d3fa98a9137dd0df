//! The loop of a session: messages taken from the client and from PostgreSQL, until either leaves.

use std::time::Instant;

use kecoa_proto::frame::Frame;

use super::copy_rows::CopyRows;
use super::dropped::DROPPED;
use super::flow::{End, Flow, protocol};
use super::messages::{put, put_frame};
use super::replies::Fields;
use super::session::{Session, unrecognized};
use super::too_long;
use super::{backend, cancel, request};
use crate::dialect::plan::{CopyForm, OnError};

impl Session {
    /// Serves the client until either side leaves.
    pub(super) async fn run(mut self) {
        let end = match self.serve().await {
            Ok(()) => End::Client,
            Err(end) => end,
        };
        if let Some(key) = &self.key {
            self.shared.keys.remove(key);
        }
        self.leave_process();
        let own = |code, message: &str| Some(Fields::own("FATAL", code, message));
        let error = match &end {
            End::Client => {
                if let Some(key) = self.backend_key.take().filter(|_| self.waiting) {
                    // Nobody waits for what the backend is doing.
                    let socket = backend::socket(&self.shared.options.backend);
                    let _ = cancel::send(&socket, key).await;
                }
                None
            }
            End::Reported => None,
            End::Backend => own("57P01", "the local endpoint lost its PostgreSQL server"),
            End::Protocol(message) => own("08P01", message),
            End::Shutdown => own("57P01", "server is shutting down"),
        };
        if let Some(error) = error {
            error.put(b'E', &mut self.client.output);
        }
        if !matches!(end, End::Client) {
            let _ = self.client.flush().await;
        }
    }

    async fn serve(&mut self) -> Flow<()> {
        loop {
            let frame = self.client_frame().await?;
            let _working = self.shared.at_work.enter();
            match frame.tag {
                b'Q' => self.query(&frame.body).await?,
                b'P' | b'B' | b'D' | b'E' | b'C' | b'H' | b'S' => self.extended(frame).await?,
                b'F' => self.function_call(&frame).await?,
                b'X' => return Ok(()),
                // What is left of a COPY that failed, or was skipped: it comes once.
                b'd' | b'c' | b'f' => self.end_request(),
                DROPPED => self.too_long(&frame).await?,
                other => {
                    let message = format!("invalid frontend message type {other}");
                    return Err(End::Protocol(message));
                }
            }
        }
    }

    /// The next message of an idle client; what PostgreSQL says unasked is passed on meanwhile.
    async fn client_frame(&mut self) -> Flow<Frame> {
        let mut answered = true;
        loop {
            if let Some(frame) = self.client.message().map_err(protocol)? {
                return Ok(frame);
            }
            let holds = self.rerun.holds();
            if !self.expected.is_empty() && !holds {
                // Unsynced messages are out: PostgreSQL may hold replies back, or wait.
                self.client.flush().await.map_err(|_| End::Client)?;
            }
            let at_work = &self.shared.at_work;
            let first = std::mem::take(&mut answered);
            if first
                && self.client_looks.look(&mut self.client, at_work, 0).map_err(|_| End::Client)?
            {
                self.turn.pass().await;
                continue;
            }
            let began = Instant::now();
            tokio::select! {
                read = request::pass(&mut self.client, true, holds) => read.map_err(|_| End::Client)?,
                read = self.backend.read() => {
                    if read.is_err() {
                        return Err(End::Backend);
                    }
                    self.forward_unsolicited()?;
                }
                () = self.shutdown.requested() => return Err(End::Shutdown),
            }
            self.turn.begin();
            if first {
                self.client_looks.slept(began.elapsed());
            }
        }
    }

    /// Passes on what PostgreSQL says while nothing is asked of it.
    fn forward_unsolicited(&mut self) -> Flow<()> {
        while self.expected.is_empty() {
            let Some(frame) = self.backend.message().map_err(|_| End::Backend)? else { break };
            self.forward(&frame);
            if frame.tag == b'E' {
                return Err(End::Reported); // nobody asked: it is the session's end
            }
        }
        Ok(())
    }

    /// The next message of PostgreSQL. Meanwhile output is written, and the client is listened to:
    /// one that left must not keep its transaction open.
    pub(super) async fn backend_frame(&mut self) -> Flow<Frame> {
        loop {
            if let Some(frame) = self.peeked.take() {
                return Ok(frame);
            }
            if let Some(frame) = self.backend.message().map_err(|_| End::Backend)? {
                if self.client.is_output_full() {
                    self.release_much();
                }
                if self.client.is_output_full() && !self.rerun.holds() {
                    self.client.flush().await.map_err(|_| End::Client)?;
                }
                self.waiting = false;
                return Ok(frame);
            }
            self.waiting = true;
            let asked = self.ask();
            if asked {
                let at_work = &self.shared.at_work;
                let looked = self.backend_looks.look(&mut self.backend, at_work, 1);
                if looked.map_err(|_| End::Backend)? {
                    continue;
                }
            }
            let began = Instant::now();
            let listen = !self.client.is_input_full();
            let holds = self.rerun.holds();
            tokio::select! {
                done = self.backend.exchange() => done.map_err(|_| End::Backend)?,
                done = request::pass(&mut self.client, listen, holds) => done.map_err(|_| End::Client)?,
                () = self.shutdown.requested() => return Err(End::Shutdown),
            }
            self.turn.begin();
            if asked {
                self.backend_looks.slept(began.elapsed());
            }
        }
    }

    /// Writes to PostgreSQL what it takes at once; whether there was something, and it took all of it.
    fn ask(&mut self) -> bool {
        if self.backend.output.is_empty() {
            return false;
        }
        self.backend.write_now().unwrap_or_else(|_| {
            // It has closed the connection, and may have said why.
            self.backend.output.clear();
            false
        })
    }

    async fn function_call(&mut self, frame: &Frame) -> Flow<()> {
        self.drain().await?;
        self.end_request();
        if self.skipping {
            return Ok(());
        }
        self.rerun.executed = true;
        put_frame(&mut self.backend.output, frame);
        self.ran();
        loop {
            let frame = self.backend_frame().await?;
            match frame.tag {
                b'E' => self.error(&frame, OnError::Fail, None).await?,
                b'Z' => {
                    self.unsynced = false;
                    self.ready(frame.body.first().copied().unwrap_or(b'I'), true);
                    return self.client.flush().await.map_err(|_| End::Client);
                }
                _ => self.forward(&frame),
            }
        }
    }

    /// Passes the client's data on until it is complete or PostgreSQL has an error, which is kept
    /// for the next [`backend_frame`](Self::backend_frame).
    ///
    /// A message that does not belong there ends the COPY and not, as in PostgreSQL, the session.
    pub(super) async fn copy_in(&mut self, form: CopyForm) -> Flow<()> {
        self.end_request(); // the data comes once
        let mut rows = CopyRows::of(form);
        self.client.flush().await.map_err(|_| End::Client)?;
        loop {
            while let Some(frame) = self.client.message().map_err(protocol)? {
                match frame.tag {
                    b'H' | b'S' => continue, // PostgreSQL ignores them here
                    b'X' => return Err(End::Client),
                    b'd' => put(&mut self.backend.output, b'd', &rows.take(frame.body)),
                    b'c' => {
                        put(&mut self.backend.output, b'd', &rows.finish());
                        put(&mut self.backend.output, b'c', &[]);
                    }
                    b'f' => put_frame(&mut self.backend.output, &frame),
                    stray => {
                        let too_long = too_long::refusal(&frame).map(|refusal| refusal.message);
                        self.stray = Some(too_long.unwrap_or_else(|| unrecognized(stray)));
                        put(&mut self.backend.output, b'f', b"\0");
                    }
                }
                if frame.tag != b'd' {
                    return Ok(());
                }
                if self.backend.is_output_full() {
                    break;
                }
            }
            while let Some(frame) = self.backend.message().map_err(|_| End::Backend)? {
                if matches!(frame.tag, b'N' | b'A' | b'S') {
                    self.forward(&frame);
                } else {
                    self.peeked = Some(frame);
                    return Ok(());
                }
            }
            let read = !self.backend.is_output_full();
            tokio::select! {
                done = self.backend.exchange() => done.map_err(|_| End::Backend)?,
                done = self.client.pass(read) => done.map_err(|_| End::Client)?,
                () = self.shutdown.requested() => return Err(End::Shutdown),
            }
        }
    }
}
