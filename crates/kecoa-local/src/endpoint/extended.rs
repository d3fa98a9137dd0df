//! The extended protocol: messages sent on, answers matched to them.

use std::sync::Arc;

use bytes::Bytes;
use kecoa_proto::frame::Frame;
use kecoa_proto::message::frontend::{Message, Parse};
use kecoa_sql::Statement;

use super::expect::{Expect, Prepared};
use super::flow::{End, Flow};
use super::lookup::unreadable;
use super::messages::{put, put_frame};
use super::own_statements::{OWN, put_strings};
use super::replies::string;
use super::run::{Run, runs};
use super::session::Session;
use crate::dialect::edit::Sql;
use crate::dialect::plan::{Analysis, Class, OnError, Reply};
use crate::dialect::steady::keeps_names;
use crate::dialect::transaction::{self, Phase};

/// So many answers at most are awaited before the client's next message is taken.
const WINDOW: usize = 1024;

impl Session {
    /// One message of the extended protocol.
    pub(super) async fn extended(&mut self, frame: Frame) -> Flow<()> {
        if frame.tag == b'S' {
            self.skipping = false;
            let mut status = self.sync().await?;
            while let Some(found) = status
                && self.rewind(found).await?
            {
                status = self.repeat_messages().await?;
            }
            self.end_request();
            if let Some(status) = status {
                self.ready(status, true);
            }
            return self.client.flush().await.map_err(|_| End::Client);
        }
        if self.skipping {
            return self.skip(&frame).await;
        }
        if !self.unsynced {
            self.begin_request().await?;
        }
        self.keep_message(&frame);
        self.unsynced = true;
        self.extended_message(frame).await?;
        if self.expected.len() >= WINDOW || self.backend.is_output_full() {
            self.drain().await?;
        }
        Ok(())
    }

    /// A message behind an error, which PostgreSQL never sees. Run again, the request has it.
    async fn skip(&mut self, frame: &Frame) -> Flow<()> {
        if frame.tag == b'H' {
            self.end_request(); // the client waits for the error
            return self.client.flush().await.map_err(|_| End::Client);
        }
        self.keep_message(frame);
        Ok(())
    }

    /// One message other than a Sync, sent on.
    pub(super) async fn extended_message(&mut self, frame: Frame) -> Flow<()> {
        match frame.tag {
            b'P' => self.parse(frame).await?,
            b'B' => self.bind(frame).await?,
            b'D' => {
                self.expected.push_back(Expect::Describe { visible: true, no_data: true });
                put_frame(&mut self.backend.output, &frame);
            }
            b'E' => self.execute(frame).await?,
            b'C' => {
                let kind = frame.body.first().copied().unwrap_or(0);
                let name = frame.body.get(1..).and_then(|name| name.strip_suffix(b"\0"));
                match (kind, name) {
                    (b'S', Some(name)) => self.statements.remove(name),
                    (_, Some(name)) => self.portals.remove(name),
                    _ => None,
                };
                self.expected.push_back(Expect::Close { visible: true });
                put_frame(&mut self.backend.output, &frame);
            }
            _ => {
                put_frame(&mut self.backend.output, &frame);
                self.drain().await?;
                self.client.flush().await.map_err(|_| End::Client)?;
                // What comes next may be run again if nothing was before.
                self.begin_request().await?;
            }
        }
        Ok(())
    }

    /// Sends a Sync and waits for its ReadyForQuery; returns the status, which is the caller's to
    /// pass on. `None` when PostgreSQL ignored the Sync because a COPY began before it.
    pub(super) async fn sync(&mut self) -> Flow<Option<u8>> {
        put(&mut self.backend.output, b'S', &[]);
        self.expected.push_back(Expect::Sync);
        self.synced = None;
        self.commit_failed = false;
        self.drain().await?;
        let Some(status) = self.synced else { return Ok(None) };
        self.skipping = false;
        self.repair_release(status).await.map(Some)
    }

    /// Waits for everything that was asked to be answered.
    pub(super) async fn drain(&mut self) -> Flow<()> {
        if self.expected.is_empty() {
            return Ok(());
        }
        if !matches!(self.expected.back(), Some(Expect::Sync)) {
            put(&mut self.backend.output, b'H', &[]);
        }
        while !self.expected.is_empty() {
            let frame = self.backend_frame().await?;
            self.answer(frame).await?;
        }
        self.unsettled = false;
        Ok(())
    }

    /// Waits for what was asked if it changes how the next statement is understood.
    async fn settle(&mut self) -> Flow<()> {
        if self.unsettled { self.drain().await } else { Ok(()) }
    }

    async fn parse(&mut self, frame: Frame) -> Flow<()> {
        let Ok(Message::Parse(parse)) = Message::decode(b'P', frame.body.clone()) else {
            self.expected.push_back(Expect::Parse {
                visible: true,
                undo: None,
                on_error: OnError::Fail,
                source: None,
            });
            put_frame(&mut self.backend.output, &frame); // PostgreSQL says what is wrong with it
            return Ok(());
        };
        let client = parse.sql.clone();
        self.text.set(&client);
        let statements = kecoa_sql::split(&client, self.backslash_escapes);
        let understood = |statement: &&Statement<'_>| {
            statement.is_understood() && statements.len() == 1 && !self.unreadable_encoding
        };
        let Some(statement) = statements.first().filter(understood) else {
            // Nothing, or several, or what the lexer does not understand: PostgreSQL's to refuse.
            let undo = self.statements.remove(&parse.name);
            let source = Some((Arc::new(Sql::copied(&client, 0)), client.clone()));
            self.expected.push_back(Expect::Parse {
                visible: true,
                undo: Some((parse.name, undo)),
                on_error: OnError::Fail,
                source,
            });
            put_frame(&mut self.backend.output, &frame);
            return Ok(());
        };
        self.settle().await?;
        let analysis = if self.moment == self.settled || self.reads_alike(&client).await? {
            self.analyse(statement, Some(&parse.types)).await?
        } else {
            Analysis::refuse(&unreadable())
        };
        if self.skipping {
            return Ok(()); // something before it failed while we asked
        }
        let named_at = (!self.catalog.is_empty()).then_some(self.moment);
        let keeps_names = keeps_names(statement, &analysis, &self.catalog);
        let Some(piece) = analysis.pieces.first().cloned() else { return Ok(()) };
        if piece.on_error == OnError::Raised {
            let run = Run { on_error: OnError::Raised, ..Run::hidden() };
            self.put_piece(OWN, &piece, run, false, None);
            return Ok(());
        }
        let parsed = Arc::new(piece.sql);
        let source = Some((parsed.clone(), client.clone()));
        let sql = Bytes::copy_from_slice(&parsed.text);
        let types = parse.types.clone();
        let message = Message::Parse(Parse { name: parse.name.clone(), sql, types: parse.types });
        message
            .encode(&mut self.backend.output)
            .map_err(|error| End::Protocol(error.to_string()))?;
        let plain = is_plain(&analysis);
        let settings = *self.transaction.settings.now();
        let prepared = Prepared {
            analysis,
            sql: parsed,
            client,
            plain,
            types,
            named_at,
            keeps_names,
            settings,
        };
        let before = self.statements.insert(parse.name.clone(), Arc::new(prepared));
        self.expected.push_back(Expect::Parse {
            visible: true,
            undo: Some((parse.name, before)),
            on_error: OnError::Fail,
            source,
        });
        Ok(())
    }

    async fn bind(&mut self, frame: Frame) -> Flow<()> {
        let names = string(&frame.body)
            .and_then(|(portal, rest)| string(&rest).map(|(statement, _)| (portal, statement)));
        let Some((portal, statement)) = names else {
            return Err(End::Protocol("a Bind without its names".to_owned()));
        };
        if let Some(prepared) = self.statements.get(&statement) {
            self.text.set(&prepared.client);
        }
        self.renew(&statement).await?;
        if self.skipping {
            return Ok(());
        }
        let prepared = self.statements.get(&statement).cloned();
        let source = prepared.as_ref().and_then(|prepared| prepared.source());
        match prepared {
            Some(prepared) => self.portals.insert(portal.clone(), prepared),
            None => self.portals.remove(&portal),
        };
        self.expected.push_back(Expect::Bind { visible: true, portal: Some(portal), source });
        put_frame(&mut self.backend.output, &frame);
        Ok(())
    }

    /// Understands a prepared statement anew if names in it may mean something else by now, and has
    /// PostgreSQL parse what has become of it.
    async fn renew(&mut self, name: &Bytes) -> Flow<()> {
        self.settle().await?;
        let Some(prepared) = self.statements.get(name).cloned() else { return Ok(()) };
        let same_names = prepared.named_at.is_none_or(|at| at == self.moment);
        let settings = &self.transaction.settings;
        if same_names && prepared.settings == *settings.now() && !settings.unsure
            || self.transaction.phase == Phase::Failed
        {
            return Ok(());
        }
        let statements = kecoa_sql::split(&prepared.client, self.backslash_escapes);
        let [statement] = statements.as_slice() else { return Ok(()) };
        let analysis = self.analyse(statement, Some(&prepared.types)).await?;
        if self.skipping || self.transaction.phase == Phase::Failed {
            return Ok(());
        }
        let Some(piece) = analysis.pieces.first().cloned() else { return Ok(()) };
        let named_at = (!self.catalog.is_empty()).then_some(self.moment);
        let same = piece.sql == *prepared.sql;
        let sql = Arc::new(piece.sql);
        let renewed = Prepared {
            plain: is_plain(&analysis),
            keeps_names: keeps_names(statement, &analysis, &self.catalog),
            client: prepared.client.clone(),
            types: prepared.types.clone(),
            sql: sql.clone(),
            analysis,
            named_at,
            settings: *self.transaction.settings.now(),
        };
        let before = self.statements.insert(name.clone(), Arc::new(renewed));
        if same {
            return Ok(());
        }
        put_strings(&mut self.backend.output, b'C', &[&[b"S", name.as_ref()].concat()], &[]);
        self.expected.push_back(Expect::Close { visible: false });
        let parse = Parse {
            name: name.clone(),
            sql: Bytes::copy_from_slice(&sql.text),
            types: prepared.types.clone(),
        };
        Message::Parse(parse)
            .encode(&mut self.backend.output)
            .map_err(|error| End::Protocol(error.to_string()))?;
        self.expected.push_back(Expect::Parse {
            visible: false,
            undo: Some((name.clone(), before)),
            on_error: piece.on_error,
            source: Some((sql, prepared.client.clone())),
        });
        Ok(())
    }

    async fn execute(&mut self, frame: Frame) -> Flow<()> {
        let prepared =
            string(&frame.body).and_then(|(portal, _)| self.portals.get(&portal).cloned());
        if !prepared.as_ref().is_some_and(|prepared| prepared.keeps_names) {
            self.ran();
        }
        let Some(prepared) = prepared else {
            self.end_request();
            self.rerun.executed = true;
            let run = Box::new(Run::unknown());
            self.expected.push_back(Expect::Execute { run, collect: false, source: None });
            put_frame(&mut self.backend.output, &frame);
            return Ok(());
        };
        let analysis = &prepared.analysis;
        let pending = self
            .expected
            .iter()
            .any(|expect| matches!(expect, Expect::Execute { run, .. } if run.after.is_some()));
        // A schema change commits what its pipeline has executed.
        let later = analysis.class == Class::Definition && self.rerun.executed;
        if prepared.plain && !pending && !later && !self.transaction.watches(analysis.class) {
            // The usual case: nothing about it depends on the transaction.
            self.part_of_request(analysis, None, self.transaction.phase);
            let run = Run::plain(&analysis.pieces, analysis.class);
            let copies = matches!(run.reply, Reply::CopyIn(_));
            self.put_execute(&frame, run, &prepared);
            // What the client sends next belongs to the COPY.
            return if copies { self.drain().await } else { Ok(()) };
        }
        self.drain().await?;
        if self.skipping {
            return Ok(());
        }
        let mut next = self.transaction.clone();
        let plan = next.plan(analysis);
        self.part_of_request(analysis, Some(&plan), self.transaction.phase);
        if plan.detached {
            self.sync().await?;
            if self.commit_failed {
                self.unsynced = true;
                self.skipping = true;
                return Ok(());
            }
            let ended = self.detached(analysis.class, plan, next, &prepared.client).await?;
            self.ready(ended.status, false);
            self.unsynced = true;
            self.skipping = ended.failed;
            return Ok(());
        }
        self.unsettled |= next.settings != self.transaction.settings;
        let parsed = analysis.pieces.first().map(|piece| &piece.sql);
        for (index, (piece, run)) in
            runs(plan.pieces, analysis.class, &next).into_iter().enumerate()
        {
            if index == 0 && parsed == Some(&piece.sql) {
                self.put_execute(&frame, run, &prepared);
            } else {
                self.put_piece(OWN, &piece, run, false, None);
            }
        }
        if analysis.pieces.iter().any(|piece| matches!(piece.reply, Reply::CopyIn(_))) {
            return self.drain().await;
        }
        Ok(())
    }

    fn put_execute(&mut self, frame: &Frame, run: Run, prepared: &Prepared) {
        let source = prepared.source();
        self.expected.push_back(Expect::Execute { run: Box::new(run), collect: false, source });
        put_frame(&mut self.backend.output, frame);
    }
}

/// Whether what is sent for it is the same in any state of the transaction.
fn is_plain(analysis: &Analysis) -> bool {
    analysis.control.is_none()
        && analysis.pieces.len() == 1
        && !transaction::forces_retry(&analysis.pieces)
        && !transaction::reads_past(&analysis.pieces)
}
