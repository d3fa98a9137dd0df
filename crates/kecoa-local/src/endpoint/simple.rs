//! The simple protocol: a batch of statements, one implicit transaction.

use bytes::Bytes;
use kecoa_sql::Statement;

use super::flow::{End, Flow};
use super::lookup::{LOOKUPS, unreadable};
use super::replies::put_tag;
use super::run::{Run, runs};
use super::script::{Ended, Script};
use super::session::Session;
use crate::dialect::catalog::{Catalog, Context};
use crate::dialect::edit::Sql;
use crate::dialect::plan::{Analysis, Class, Piece, Reply};
use crate::dialect::steady::keeps_names;
use crate::dialect::transaction::{Phase, Planned, Transaction};

impl Session {
    /// A Query message.
    pub(super) async fn query(&mut self, body: &Bytes) -> Flow<()> {
        self.drain().await?;
        if self.skipping {
            self.end_request();
            return Ok(()); // as PostgreSQL does, until the Sync
        }
        let client = body
            .strip_suffix(b"\0")
            .filter(|sql| memchr::memchr(0, sql).is_none())
            .map(|sql| body.slice_ref(sql))
            .ok_or_else(|| End::Protocol("a query without its closing NUL".to_owned()))?;
        self.text.set(&client);
        self.begin_request().await?;
        let mut status = self.batch(&client).await?;
        while self.rewind(status).await? {
            status = self.batch(&client).await?;
        }
        self.end_request();
        self.ready(status, true);
        self.client.flush().await.map_err(|_| End::Client)
    }

    /// Runs the client's batch; returns the status that ReadyForQuery shall have.
    async fn batch(&mut self, client: &Bytes) -> Flow<u8> {
        let statements = kecoa_sql::split(client, self.backslash_escapes);
        if self.unreadable_encoding || !statements.iter().all(Statement::is_understood) {
            // To the byte: PostgreSQL says what is wrong with it.
            self.end_request();
            let script = Script::of(Sql::copied(client, 0), Vec::new());
            return Ok(self.run_script(script, client).await?.status);
        }
        if statements.len() > 1 {
            if self.transaction.settings.unsure && self.transaction.phase != Phase::Failed {
                self.ask_settings().await?;
            }
            if !self.transaction.settings.now().implicit_batches {
                return self.separately(&statements, client).await;
            }
        }
        let mut planned = Vec::with_capacity(statements.len());
        let mut next = self.transaction.clone();
        // Whatever runs of the batch. One whose tables have changed meanwhile asks anew before each statement.
        let mut same_names = self.rerun.attempts == 0;
        for (index, statement) in statements.iter().enumerate() {
            let analysis = if index == 0 {
                let analysis = self.analyse(statement, None).await?;
                next = self.transaction.clone(); // the settings may have been asked for
                Some(analysis)
            } else {
                self.analyse_early(statement, &next, same_names).await?
            };
            let Some(analysis) = analysis else {
                return self.one_by_one(&statements, client).await;
            };
            self.note_role(statement);
            same_names &= keeps_names(statement, &analysis, &self.catalog);
            let phase = next.phase;
            let plan = next.plan(&analysis);
            if plan.detached && statements.len() > 1 {
                return self.one_by_one(&statements, client).await;
            }
            self.part_of_request(&analysis, Some(&plan), phase);
            planned.push((analysis.class, plan, next.clone()));
        }
        if let [(class, plan, after)] = planned.as_slice()
            && plan.detached
        {
            let (class, plan, after) = (*class, plan.clone(), after.clone());
            return Ok(self.detached(class, plan, after, client).await?.status);
        }
        let mut script = Script::default();
        for (class, plan, after) in planned {
            for (piece, run) in runs(plan.pieces, class, &after) {
                script.push(&piece.sql, run);
            }
        }
        Ok(self.run_script(script, client).await?.status)
    }

    /// Understands a statement before anything of its batch has run, asking what must be known where the
    /// statements before it leave `same_names`; `None` when it must be asked for what an earlier
    /// statement of the batch may change.
    async fn analyse_early(
        &mut self,
        statement: &Statement<'_>,
        next: &Transaction,
        same_names: bool,
    ) -> Flow<Option<Analysis>> {
        if next.settings.unsure {
            return Ok(None);
        }
        let nothing = Catalog::default();
        for _ in 0..LOOKUPS {
            let context = Context {
                database: &self.database,
                catalog: if same_names { &self.catalog } else { &nothing },
                backslash_escapes: self.backslash_escapes,
                settings: next.settings.now(),
                parameters: None,
            };
            let need = match crate::dialect::analyse(statement, &context) {
                Ok(analysis) => {
                    self.column_names.note(statement);
                    return Ok(Some(analysis));
                }
                Err(need) => need,
            };
            if !same_names || self.transaction.phase == Phase::Failed {
                break;
            }
            match self.lookup(&self.question(&need)).await? {
                Some(rows) => self.catalog.answer(need, &rows),
                None => break,
            }
        }
        Ok(None)
    }

    /// Runs what PostgreSQL takes only outside a transaction, each piece as a query of its own.
    pub(super) async fn detached(
        &mut self,
        class: Class,
        plan: Planned,
        after: Transaction,
        client: &Bytes,
    ) -> Flow<Ended> {
        if let Some(database) = plan.use_database {
            let failed = match self.use_database(database).await? {
                Ok(()) => {
                    put_tag(b"SET", &mut self.client.output);
                    false
                }
                Err(error) => {
                    self.own_error(error);
                    true
                }
            };
            return Ok(Ended { failed, status: b'I' });
        }
        let mut ended = Ended { failed: false, status: b'I' };
        for (piece, run) in runs(plan.pieces, class, &after) {
            ended = self.run_script(Script::of(piece.sql, vec![run]), client).await?;
            if ended.failed {
                break;
            }
        }
        Ok(ended)
    }

    /// Runs each statement of a batch as a query of its own.
    async fn separately(&mut self, statements: &[Statement<'_>], client: &Bytes) -> Flow<u8> {
        self.end_request();
        let mut ended = Ended { failed: false, status: b'I' };
        for (index, statement) in statements.iter().enumerate() {
            let analysis = if index == 0 || self.reads_alike(statement.sql()).await? {
                self.analyse(statement, None).await?
            } else {
                Analysis::refuse(&unreadable())
            };
            let mut next = self.transaction.clone();
            let plan = next.plan(&analysis);
            ended = if plan.detached {
                self.detached(analysis.class, plan, next, client).await?
            } else {
                let mut script = Script::default();
                for (piece, run) in runs(plan.pieces, analysis.class, &next) {
                    script.push(&piece.sql, run);
                }
                self.run_script(script, client).await?
            };
            self.ready(ended.status, false);
            if ended.failed {
                break;
            }
        }
        Ok(ended.status)
    }

    /// Runs a batch statement by statement, because a later one depends on what an earlier one
    /// does, or cannot run inside a transaction. Extended messages without a Sync between them keep
    /// the rest one implicit transaction, as PostgreSQL's own rule has it.
    async fn one_by_one(&mut self, statements: &[Statement<'_>], client: &Bytes) -> Flow<u8> {
        self.begin_request().await?; // nothing of it was sent yet
        let mut status = b'I';
        for (index, statement) in statements.iter().enumerate() {
            let analysis = if index == 0 || self.reads_alike(statement.sql()).await? {
                self.analyse(statement, None).await?
            } else {
                Analysis::refuse(&unreadable())
            };
            if self.skipping {
                break;
            }
            let mut next = self.transaction.clone();
            let plan = next.plan(&analysis);
            self.part_of_request(&analysis, Some(&plan), self.transaction.phase);
            if plan.detached {
                // What ran so far is committed, as CockroachDB's autocommit_before_ddl does.
                if self.unsynced {
                    let synced = self.sync().await?.unwrap_or(b'I');
                    if self.commit_failed {
                        return Ok(synced);
                    }
                }
                let ended = self.detached(analysis.class, plan, next, client).await?;
                status = ended.status;
                if ended.failed {
                    return Ok(status);
                }
                continue;
            }
            for (piece, run) in runs(plan.pieces, analysis.class, &next) {
                self.put_unnamed(&piece, run, client);
            }
            self.drain().await?;
            if self.skipping {
                break;
            }
        }
        if self.unsynced {
            status = self.sync().await?.unwrap_or(b'I');
        }
        Ok(status)
    }

    /// Sends a piece as the unnamed statement, which a Query message ends anyway.
    fn put_unnamed(&mut self, piece: &Piece, run: Run, client: &Bytes) {
        let visible = piece.reply != Reply::Hide;
        self.put_piece(b"", piece, run, visible, Some(client.clone()));
    }
}
