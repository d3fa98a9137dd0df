//! What the endpoint asks PostgreSQL for itself, between the client's statements.

use std::mem;

use kecoa_sql::Statement;

use super::backend;
use super::expect::Expect;
use super::flow::Flow;
use super::own_statements::{OWN, put_strings};
use super::replies::{Fields, row};
use super::run::Run;
use super::session::Session;
use crate::dialect;
use crate::dialect::catalog::{Context, Need};
use crate::dialect::edit::Sql;
use crate::dialect::plan::{Analysis, Class, OnError, Piece, Refusal};
use crate::dialect::quote::quote;
use crate::dialect::settings::Settings;
use crate::dialect::transaction::Phase;
use crate::dialect::variables::is_utf8;

/// Each look-up answers one need, and a statement has few names; a bound holds it all the same.
pub(super) const LOOKUPS: usize = 256;

/// What follows was understood under other rules than PostgreSQL has by now.
pub(super) fn unreadable() -> Refusal {
    Refusal {
        detail: String::new(),
        code: "0A000",
        message: "standard_conforming_strings or client_encoding was changed in the middle of a \
                  batch, and the local endpoint cannot read what follows"
            .to_owned(),
        hint: "send the change by itself".to_owned(),
    }
}

impl Session {
    /// Understands a statement, asking PostgreSQL what must be known first.
    pub(super) async fn analyse(
        &mut self,
        statement: &Statement<'_>,
        parameters: Option<&[u32]>,
    ) -> Flow<Analysis> {
        self.catalog.clear();
        self.note_role(statement);
        if self.transaction.settings.unsure
            && !self.skipping
            && self.transaction.phase != Phase::Failed
        {
            self.ask_settings().await?;
        }
        for _ in 0..LOOKUPS {
            let context = Context {
                database: &self.database,
                catalog: &self.catalog,
                backslash_escapes: self.backslash_escapes,
                settings: self.transaction.settings.now(),
                parameters,
            };
            let need = match dialect::analyse(statement, &context) {
                Ok(analysis) => {
                    self.column_names.note(statement);
                    return Ok(analysis);
                }
                Err(need) => need,
            };
            if self.skipping || self.transaction.phase == Phase::Failed {
                break; // PostgreSQL refuses any statement now, whatever it is
            }
            match self.lookup(&self.question(&need)).await? {
                Some(rows) => self.catalog.answer(need, &rows),
                // It fails once more, for the client to see.
                None if !self.skipping => {
                    let again = Piece::forward(Sql::made(need.sql()));
                    return Ok(Analysis::piece(Class::Work, again));
                }
                None => break,
            }
        }
        Ok(Analysis::piece(Class::Work, Piece::forward(Sql::made("SELECT 1"))))
    }

    /// The query that answers a need.
    pub(super) fn question(&self, need: &Need) -> String {
        match need {
            Need::Activity => {
                let everyone = self.user == self.shared.options.backend.user;
                let texts = self.shared.texts.json(&self.user, everyone);
                format!("SELECT pg_catalog.set_config('kecoa.texts', {}, false)", quote(&texts))
            }
            need => need.sql(),
        }
    }

    /// Asks PostgreSQL for the session variables that the rules obey.
    pub(super) async fn ask_settings(&mut self) -> Flow<()> {
        if let Some(rows) = self.lookup(&Settings::query()).await?
            && let Some(row) = rows.first()
        {
            let inside = self.transaction.phase != Phase::Idle;
            self.transaction.settings.found(Settings::of_row(row), inside);
        }
        Ok(())
    }

    /// The same of a new session; returns whether the client is CockroachDB's administrator.
    pub(super) async fn ask_first(&mut self) -> Flow<bool> {
        let sql = format!("{}, crdb_internal.is_admin()", Settings::query());
        let Ok(rows) = self.internal_query(&sql).await? else { return Ok(false) };
        let Some(row) = rows.first() else { return Ok(false) };
        self.transaction.settings.found(Settings::of_row(row), false);
        Ok(row.last().is_some_and(|is_admin| is_admin.as_deref() == Some("t")))
    }

    /// Runs a query for the endpoint itself; nothing may be in flight. The error is PostgreSQL's.
    pub(super) async fn internal_query(
        &mut self,
        sql: &str,
    ) -> Flow<Result<Vec<Vec<Option<String>>>, Fields>> {
        backend::put_query(sql.as_bytes(), &mut self.backend.output);
        let mut rows = Vec::new();
        let mut error = None;
        loop {
            let frame = self.backend_frame().await?;
            match frame.tag {
                b'D' => rows.push(row(&frame.body)),
                b'E' => error = Some(Fields::read(&frame.body)),
                b'Z' => return Ok(error.map_or(Ok(rows), Err)),
                b'A' | b'S' => self.forward(&frame),
                _ => {}
            }
        }
    }

    /// Gives back to a client whose `RELEASE` failed the failed transaction it must see; returns
    /// the status byte.
    pub(super) async fn repair_release(&mut self, status: u8) -> Flow<u8> {
        if !mem::take(&mut self.release_failed) || status != b'I' {
            return Ok(status);
        }
        for sql in self.transaction.after_failed_release() {
            // The last of them fails, as it shall.
            let _ = self.internal_query(&sql).await?;
        }
        Ok(b'E')
    }

    /// Asks PostgreSQL something inside the client's transaction. `None` when what was in flight
    /// failed before.
    pub(super) async fn lookup(&mut self, sql: &str) -> Flow<Option<Vec<Vec<Option<String>>>>> {
        if !self.unsynced {
            return Ok(self.internal_query(sql).await?.ok());
        }
        self.drain().await?;
        if self.skipping {
            return Ok(None);
        }
        self.collected.clear();
        self.put_own(OWN, sql.as_bytes(), None, OnError::Fail);
        put_strings(&mut self.backend.output, b'E', &[OWN], &[0; 4]);
        let run = Box::new(Run::hidden());
        self.expected.push_back(Expect::Execute { run, collect: true, source: None });
        self.drain().await?;
        let rows = std::mem::take(&mut self.collected);
        Ok((!self.skipping).then_some(rows))
    }

    /// Whether PostgreSQL still cuts `sql` into tokens as it did when the session's settings were
    /// last reported, which happens only at the end of a batch or pipeline.
    pub(super) async fn reads_alike(&mut self, sql: &[u8]) -> Flow<bool> {
        if !sql.iter().any(|byte| *byte == b'\\' || !byte.is_ascii()) {
            return Ok(true); // nothing in it depends on them
        }
        let settings = "SELECT pg_catalog.current_setting('standard_conforming_strings'), \
                        pg_catalog.current_setting('client_encoding')";
        let Some(rows) = self.lookup(settings).await? else {
            return Ok(true); // what came before failed: this will not run
        };
        Ok(matches!(rows.first().map(Vec::as_slice), Some([Some(strings), Some(encoding)])
            if (strings == "off") == self.backslash_escapes && is_utf8(encoding)))
    }
}
