//! The extended protocol, from PostgreSQL to the client: each answer matched to what is expected.

use kecoa_proto::frame::Frame;

use super::expect::Expect;
use super::flow::{End, Flow};
use super::messages::{put, put_frame};
use super::origin::Origin;
use super::replies::{is_of_batch, row};
use super::session::Session;
use crate::dialect::plan::{OnError, Reply};
use crate::dialect::transaction::Phase;

impl Session {
    /// Matches a message of PostgreSQL to what is expected.
    pub(super) async fn answer(&mut self, frame: Frame) -> Flow<()> {
        match (frame.tag, self.expected.front_mut()) {
            (b'N', Some(Expect::Execute { run, .. }))
                if run.reply == Reply::Hide && is_of_batch(&frame.body) => {}
            (b'N' | b'A' | b'S', _) => self.forward(&frame),
            (b'E', _) => self.fail(&frame).await?,
            (b'1', Some(Expect::Parse { visible, undo, .. })) => {
                if *visible {
                    put_frame(&mut self.client.output, &frame);
                    self.rerun.prepared(undo.as_ref().map(|(name, _)| name));
                }
                self.expected.pop_front();
            }
            (b'2', Some(Expect::Bind { visible, .. }))
            | (b'3', Some(Expect::Close { visible })) => {
                if *visible {
                    put_frame(&mut self.client.output, &frame);
                }
                self.expected.pop_front();
            }
            (b't', Some(Expect::Describe { visible, .. })) => {
                if *visible {
                    put_frame(&mut self.client.output, &frame);
                }
            }
            (b'T', Some(Expect::Describe { visible, .. })) => {
                if *visible {
                    self.column_names.put(&frame.body, &mut self.client.output);
                }
                self.expected.pop_front();
            }
            (b'n', Some(Expect::Describe { visible, no_data })) => {
                if *visible && *no_data {
                    put_frame(&mut self.client.output, &frame);
                }
                self.expected.pop_front();
            }
            (b'D', Some(Expect::Execute { run, collect, .. })) => {
                if *collect {
                    self.collected.push(row(&frame.body));
                } else if run.reply != Reply::Hide {
                    self.rows(&frame);
                }
            }
            (b'C', Some(Expect::Execute { .. })) => {
                if let Some(Expect::Execute { run, .. }) = self.expected.pop_front() {
                    self.complete(*run, &frame);
                }
            }
            (b's' | b'I', Some(Expect::Execute { .. })) => {
                put_frame(&mut self.client.output, &frame);
                self.expected.pop_front();
            }
            (b'G', Some(Expect::Execute { run, .. })) => {
                let form = run.copy_form();
                // A Sync sent along is ignored by PostgreSQL while it copies; the client sends
                // another behind its data.
                self.expected.truncate(1);
                put_frame(&mut self.client.output, &frame);
                self.copy_in(form).await?;
                put(&mut self.backend.output, b'H', &[]);
            }
            (b'Z', Some(Expect::Sync)) => {
                self.unsynced = false;
                self.synced = Some(frame.body.first().copied().unwrap_or(b'I'));
                self.expected.pop_front();
            }
            (b'd', _) => self.rows(&frame),
            (b'H' | b'c' | b'W', _) => put_frame(&mut self.client.output, &frame),
            (other, _) => {
                let message = format!("PostgreSQL sent {:?} out of turn", char::from(other));
                return Err(End::Protocol(message));
            }
        }
        Ok(())
    }

    /// An error: what was asked up to the Sync will not be answered.
    async fn fail(&mut self, frame: &Frame) -> Flow<()> {
        self.commit_failed = matches!(self.expected.front(), Some(Expect::Sync));
        let mut first = true;
        let mut cause = (OnError::Fail, None);
        while !matches!(self.expected.front(), None | Some(Expect::Sync)) {
            let (on_error, source) = match self.expected.pop_front() {
                Some(Expect::Parse { undo, on_error, source, .. }) => {
                    match undo {
                        Some((name, Some(before))) => drop(self.statements.insert(name, before)),
                        Some((name, None)) => drop(self.statements.remove(&name)),
                        None => {}
                    }
                    (on_error, source)
                }
                Some(Expect::Bind { portal, source, .. }) => {
                    if let Some(portal) = portal {
                        self.portals.remove(&portal);
                    }
                    (OnError::Fail, source)
                }
                Some(Expect::Execute { run, source, .. }) => (run.on_error, source),
                _ => (OnError::Fail, None),
            };
            if std::mem::take(&mut first) {
                cause = (on_error, source);
            }
        }
        // Inside PostgreSQL the transaction is lost, if one is open; the Sync will show it.
        if self.transaction.phase == Phase::Open {
            self.transaction.phase = Phase::Failed;
        }
        self.skipping = self.expected.is_empty();
        let (on_error, source) = cause;
        let backslash_escapes = self.backslash_escapes;
        let origin = source.as_ref().map(|(sql, client)| Origin {
            sql: sql.as_ref(),
            part: 0..sql.text.len(),
            client: client.as_ref(),
            backslash_escapes,
        });
        self.error(frame, on_error, origin.as_ref()).await
    }
}
