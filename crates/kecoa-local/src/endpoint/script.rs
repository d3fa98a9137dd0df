//! A simple query to PostgreSQL, and what the client sees of each statement's reply.

use bytes::Bytes;

use super::backend::put_query;
use super::replies::{Fields, put_tag, tag};
use super::session::{Flow, Session};
use crate::dialect::edit::Sql;
use crate::dialect::plan::{Class, OnError, Reply};
use crate::dialect::transaction::Transaction;

/// One statement that runs, and what comes of it.
#[derive(Clone, Debug)]
pub(super) struct Run {
    /// What the client sees.
    pub(super) reply: Reply,
    /// What its failure means.
    pub(super) on_error: OnError,
    /// How the rules look at the client's statement, if this completes it.
    pub(super) class: Option<Class>,
    /// The state of the transaction after it, if the rules say.
    pub(super) after: Option<Transaction>,
}

impl Run {
    /// A statement of which nothing is known.
    pub(super) fn unknown() -> Self {
        Self { reply: Reply::Forward, on_error: OnError::Fail, class: None, after: None }
    }

    /// A statement of the endpoint's own.
    pub(super) fn hidden() -> Self {
        Self { reply: Reply::Hide, ..Self::unknown() }
    }
}

/// Statements sent as one Query message.
#[derive(Debug, Default)]
pub(super) struct Script {
    /// Their text.
    pub(super) sql: Sql,
    /// What comes of each.
    pub(super) runs: Vec<Run>,
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
        let mut failed = false;
        loop {
            let frame = self.backend_frame().await?;
            let hidden = run.as_ref().is_some_and(|run| run.reply == Reply::Hide);
            match frame.tag {
                b'T' | b'D' if hidden => {}
                b'D' | b'd' => self.rows(&frame),
                b'C' => {
                    let done = run.take().unwrap_or_else(Run::unknown);
                    let found = frame.body.strip_suffix(b"\0").unwrap_or(&frame.body);
                    self.noticed_tag(found);
                    if let Some(tag) = tag(&done.reply, found) {
                        put_tag(&tag, &mut self.client.output);
                    }
                    self.completed(done.class, done.after);
                    run = runs.next();
                }
                b'G' => {
                    self.client.put(&frame);
                    self.copy_in().await?;
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
                    self.error(&frame, on_error, Some((&script.sql, client)))?;
                }
                b'Z' => {
                    self.unsynced = false;
                    let status = frame.body.first().copied().unwrap_or(b'I');
                    let status = self.repair_release(status).await?;
                    return Ok(Ended { failed, status });
                }
                _ => self.tell(&frame),
            }
        }
    }
}
