//! A simple query to PostgreSQL, and what the client sees of each statement's reply.

use bytes::Bytes;

use super::backend::put_query;
use super::flow::Flow;
use super::messages::put_frame;
use super::origin::Origin;
use super::replies::{Fields, is_of_batch, put_tag};
use super::run::Run;
use super::session::Session;
use crate::dialect::edit::Sql;
use crate::dialect::plan::{CopyForm, OnError, Reply};

/// Statements sent as one Query message.
#[derive(Debug, Default)]
pub(super) struct Script {
    /// Their text.
    pub(super) sql: Sql,
    /// What comes of each.
    pub(super) runs: Vec<Run>,
    /// Where each ends in the text, but for the last.
    ends: Vec<usize>,
}

impl Script {
    /// One statement, or a text of which nothing is known.
    pub(super) fn of(sql: Sql, runs: Vec<Run>) -> Self {
        Self { sql, runs, ends: Vec::new() }
    }

    /// Adds a statement.
    pub(super) fn push(&mut self, sql: &Sql, run: Run) {
        if !self.runs.is_empty() {
            self.ends.push(self.sql.text.len());
            self.sql.push("; ");
        }
        self.sql.append(sql);
        self.runs.push(run);
    }
}

/// How a script ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    /// One of its statements failed.
    pub(super) failed: bool,
    /// PostgreSQL's status byte.
    pub(super) status: u8,
}

impl Session {
    /// Runs a script and passes its replies on, all but the ReadyForQuery.
    pub(super) async fn run_script(&mut self, script: Script, client: &Bytes) -> Flow<Ended> {
        put_query(&script.sql.text, &mut self.backend.output);
        let mut runs = script.runs.into_iter();
        let mut run = runs.next();
        let mut ends = script.ends.into_iter();
        let mut part = 0..ends.next().unwrap_or(script.sql.text.len());
        let mut failed = false;
        loop {
            let frame = self.backend_frame().await?;
            let hidden = run.as_ref().is_some_and(|run| run.reply == Reply::Hide);
            match frame.tag {
                b'T' | b'D' if hidden => {}
                b'N' if hidden && is_of_batch(&frame.body) => {}
                b'T' => self.column_names.put(&frame.body, &mut self.client.output),
                b'D' | b'd' => self.rows(&frame),
                b'C' => {
                    let done = run.take().unwrap_or_else(Run::unknown);
                    self.complete(done, &frame);
                    run = runs.next();
                    part = part.end..ends.next().unwrap_or(script.sql.text.len());
                }
                b'G' => {
                    let form = run.as_ref().map_or(CopyForm::Other, Run::copy_form);
                    put_frame(&mut self.client.output, &frame);
                    self.copy_in(form).await?;
                }
                b'E' => {
                    let on_error = run.as_ref().map_or(OnError::Fail, |run| run.on_error);
                    let mut error = Fields::read(&frame.body);
                    if on_error == OnError::Exists && matches!(error.code(), "42P04" | "23505") {
                        error.set(b'S', "NOTICE");
                        error.set(b'V', "NOTICE");
                        error.put(b'N', &mut self.client.output);
                        put_tag(b"CREATE DATABASE", &mut self.client.output);
                        let done = run.take().unwrap_or_else(Run::unknown);
                        self.completed(done.class, done.after);
                        continue;
                    }
                    failed = true;
                    let origin = Origin {
                        sql: &script.sql,
                        part: part.clone(),
                        client,
                        backslash_escapes: self.backslash_escapes,
                    };
                    self.error(&frame, on_error, Some(&origin)).await?;
                }
                b'Z' => {
                    self.unsynced = false;
                    let status = frame.body.first().copied().unwrap_or(b'I');
                    let status = self.repair_release(status).await?;
                    return Ok(Ended { failed, status });
                }
                _ => self.forward(&frame),
            }
        }
    }
}
