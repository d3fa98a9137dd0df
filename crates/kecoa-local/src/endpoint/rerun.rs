//! Runs a request again that failed with a retry error, as CockroachDB does while nothing of its result has
//! been sent: a statement or batch outside a transaction, or the first one of a transaction.
//!
//! What such a request is answered is held back up to a bound. It ends, too, at whatever cannot be said
//! twice.

use std::mem;

use kecoa_proto::frame::{Frame, FrameDecoder, Limits};

use super::expect::Expect;
use super::flow::{End, Flow};
use super::messages::put_frame;
use super::own_statements::put_strings;
use super::request::{keep_reports, pause, stands_alone};
use super::session::Session;
use crate::dialect::plan::{Analysis, OnError};
use crate::dialect::transaction::{Phase, Planned};

/// So much of an answer is held back at most: CockroachDB's `sql.defaults.results_buffer.size`.
const HELD: usize = 512 * 1024;

/// A longer request of the extended protocol is not kept to be sent again.
const KEPT: usize = 256 * 1024;

/// So often, where a table's columns have changed since.
const STALE_ATTEMPTS: u32 = 10;

/// So often a request is run again at most.
const ATTEMPTS: u32 = 100;

impl Session {
    /// A request begins: holds its answer back if it may be run again.
    pub(super) async fn begin_request(&mut self) -> Flow<()> {
        let whole = self.transaction.phase == Phase::Idle || self.transaction.is_untouched();
        if !self.unsynced {
            self.rerun.executed = false;
        }
        if !whole || self.rerun.executed {
            self.end_request();
            return Ok(());
        }
        if !self.client.output.is_empty() {
            self.client.flush().await.map_err(|_| End::Client)?;
        }
        let rerun = &mut self.rerun;
        rerun.holding = true;
        rerun.failed = false;
        rerun.bound = false;
        rerun.ended = false;
        rerun.before.clone_from(&self.transaction);
        rerun.made.clear();
        rerun.log.clear();
        Ok(())
    }

    /// A request is over, or part of its answer is sent.
    pub(super) fn end_request(&mut self) {
        self.rerun.holding = false;
        self.rerun.failed = false;
        self.rerun.log.clear();
        self.rerun.attempts = 0;
    }

    /// Takes note of a statement of the request before it is sent.
    pub(super) fn part_of_request(
        &mut self,
        analysis: &Analysis,
        plan: Option<&Planned>,
        phase: Phase,
    ) {
        if self.rerun.holding {
            self.rerun.holding = self.rerun.allows(analysis, plan, phase);
        }
        self.rerun.executed = true;
    }

    /// Takes note of a message of the client's.
    pub(super) fn keep_message(&mut self, frame: &Frame) {
        if !self.rerun.holding || self.rerun.repeating {
            return;
        }
        // A statement that is closed behind its use would not be there the second time.
        self.rerun.bound |= matches!(frame.tag, b'B' | b'D');
        let closes = frame.tag == b'C' && self.rerun.bound && frame.body.first() == Some(&b'S');
        if closes || self.rerun.log.len() + frame.body.len() > KEPT {
            self.rerun.holding = false;
            return;
        }
        put_frame(&mut self.rerun.log, frame);
    }

    /// Takes note of an error that the client is told. One of a column that the endpoint named by itself says that
    /// another session has changed the table since its columns were asked for.
    pub(super) fn failed_request(&mut self, code: &str, on_error: OnError, own_column: bool) {
        let again = match code {
            "40001" => true,
            "42703" => own_column && self.rerun.attempts < STALE_ATTEMPTS,
            _ => false,
        };
        self.rerun.failed |= self.rerun.holding && again && on_error == OnError::Fail;
    }

    /// Whether so much is held back that it must be sent.
    pub(super) fn release_much(&mut self) {
        if self.rerun.holding && self.client.output.len() > HELD {
            self.rerun.holding = false;
        }
    }

    /// Whether the request, which has ended with PostgreSQL's `status`, is to be run again. Then all is as
    /// it was before it.
    pub(super) async fn rewind(&mut self, status: u8) -> Flow<bool> {
        let rerun = &mut self.rerun;
        if !(rerun.holding && rerun.failed) || rerun.attempts >= ATTEMPTS {
            return Ok(false);
        }
        // The unnamed statement is lost to a simple query.
        let keeps_unnamed = status == b'I' && rerun.before.phase == Phase::Idle;
        if !stands_alone(&rerun.log, keeps_unnamed) {
            return Ok(false);
        }
        let wait = pause(rerun.attempts);
        rerun.attempts += 1;
        rerun.failed = false;
        rerun.executed = false;
        rerun.ended = false;
        let before = rerun.before.clone();
        keep_reports(&mut self.client.output);
        if status != b'I' {
            let _ = self.internal_query("ROLLBACK").await?;
        }
        tokio::time::sleep(wait).await;
        if before.phase == Phase::Open {
            for sql in before.again() {
                let _ = self.internal_query(&String::from_utf8_lossy(&sql)).await?;
            }
        }
        self.transaction = before;
        self.skipping = false;
        self.ran();
        Ok(true)
    }

    /// Says the client's messages again, up to their Sync; returns its status.
    pub(super) async fn repeat_messages(&mut self) -> Flow<Option<u8>> {
        let mut decoder = FrameDecoder::new(Limits::default());
        let mut messages = self.rerun.log.clone();
        self.rerun.repeating = true;
        // No transaction undoes what is prepared.
        for name in mem::take(&mut self.rerun.made) {
            self.statements.remove(&name);
            put_strings(&mut self.backend.output, b'C', &[&[b"S", name.as_ref()].concat()], &[]);
            self.expected.push_back(Expect::Close { visible: false });
            self.unsynced = true;
        }
        while let Some(frame) =
            decoder.decode(&mut messages).map_err(|error| End::Protocol(error.to_string()))?
        {
            if !self.skipping {
                self.unsynced = true;
                Box::pin(self.extended_message(frame)).await?;
            }
        }
        self.rerun.repeating = false;
        self.skipping = false;
        self.sync().await
    }
}
