//! `executemany` in a few round trips, with the outcome of psycopg2's loop.
//!
//! Rows travel in requests of many statements that end in one Sync: the server skips what follows an
//! error, as the loop would not have sent it. Where statements commit by themselves each row is
//! given a transaction of its own inside of the request. A row travels as its own text, parsed as it
//! would be alone; only a plain INSERT, UPDATE or DELETE is parsed once and bound row by row, where every
//! value is sure to be taken as its literal would be. By server binding every statement is that can be.

use std::ops::Range;

use kecoa::blocking::Client;
use kecoa::{Interrupt, Never, Piped, ResultSet};
use kecoa_proto::{Parameter, Request, Step, Target, TransactionStatus};
use pyo3::prelude::*;
use pyo3::types::PyIterator;

use super::execute::{Mode, statement};
use super::{Binding, Cursor, lock};
use crate::connection::Connection;
use crate::dump::{Dumper, Settings};
use crate::interpolate;
use crate::parameters::{Template, Values, is_literal, is_plain, is_row_statement};

/// How many rows travel together, and how many bytes of their text.
const BATCH_ROWS: usize = 500;
const BATCH_BYTES: usize = 256 * 1024;
/// The names by which a request knows the statement that is bound, and the end of a transaction.
const ROW: &[u8] = b"kecoa_many";
const CHAIN: &[u8] = b"kecoa_chain";
const UNNAMED: &[u8] = b"";
/// The first version that has COMMIT AND CHAIN.
const CHAINS_FROM: i32 = 120_000;

/// A row as it will travel.
struct Row {
    text: Range<usize>,
    /// Beside the text, where the statement is parsed once.
    values: Option<Values>,
}

/// Rows that travel together.
#[derive(Default)]
struct Batch {
    texts: Vec<u8>,
    rows: Vec<Row>,
}

impl Batch {
    fn text(&self, index: usize) -> &[u8] {
        self.rows.get(index).and_then(|row| self.texts.get(row.text.clone())).unwrap_or_default()
    }

    fn is_full(&self) -> bool {
        self.rows.len() >= BATCH_ROWS || self.texts.len() >= BATCH_BYTES
    }

    fn clear(&mut self) {
        self.texts.clear();
        self.rows.clear();
    }
}

/// A statement that is parsed once for all rows.
struct Once {
    sql: Vec<u8>,
    /// The types of the columns that the values go to; none by server binding, which is asked for.
    columns: Option<Vec<u32>>,
}

/// How one batch ended.
struct Sent {
    results: Vec<ResultSet>,
    /// The error, the row that it came of, and whether nothing of that row ran.
    failed: Option<(kecoa::Error, usize, bool)>,
}

/// What the server was asked in front of the rows and behind each of them.
#[derive(Clone, Copy)]
struct Commits(bool);

impl Commits {
    /// A row's result among those of the request.
    fn position(self, row: usize) -> usize {
        if self.0 { 1 + 2 * row } else { row }
    }

    /// The row that a number of results leads up to, and whether the next answer is its own.
    fn row_at(self, results: usize) -> (usize, bool) {
        match (self.0, results.checked_sub(1)) {
            (false, _) => (results, true),
            (true, None) => (0, false),
            (true, Some(behind)) => (behind / 2, behind % 2 == 0),
        }
    }

    /// How many portals are bound when a row's own is.
    fn bound_at(self, row: usize) -> usize {
        self.position(row) + 1
    }
}

impl Batch {
    /// Sends the rows and takes what they answer.
    fn send(
        &self,
        client: &mut Client,
        once: Option<&Once>,
        commits: Commits,
        hook: &mut dyn Interrupt,
    ) -> Result<Piped, kecoa::Error> {
        let parameters: Vec<Vec<Parameter<'_>>> = self
            .rows
            .iter()
            .map(|row| row.values.as_ref().map(Values::parameters).unwrap_or_default())
            .collect();
        let mut steps = Vec::with_capacity(self.rows.len() * 4 + 8);
        let execute = Step::Execute { portal: UNNAMED, max_rows: 0 };
        let bind =
            |statement| Step::Bind { portal: UNNAMED, statement, parameters: &[], results: &[] };
        if commits.0 {
            steps.push(Step::Parse { name: UNNAMED, sql: b"BEGIN", types: &[] });
            steps.extend([bind(UNNAMED), execute]);
            // Closed first: an error may have kept an earlier request from closing it.
            steps.push(Step::Close(Target::Statement(CHAIN)));
            steps.push(Step::Parse { name: CHAIN, sql: b"COMMIT AND CHAIN", types: &[] });
        }
        let mut parsed: Option<&[u32]> = None;
        for (index, (row, parameters)) in self.rows.iter().zip(&parameters).enumerate() {
            match (&row.values, once) {
                (Some(values), Some(once)) => {
                    if parsed != Some(values.types.as_slice()) {
                        steps.push(Step::Close(Target::Statement(ROW)));
                        let (sql, types) = (once.sql.as_slice(), values.types.as_slice());
                        steps.push(Step::Parse { name: ROW, sql, types });
                        parsed = Some(&values.types);
                    }
                    let (portal, statement) = (UNNAMED, ROW);
                    steps.push(Step::Bind { portal, statement, parameters, results: &[] });
                }
                _ => {
                    let sql = self.text(index);
                    steps.push(Step::Parse { name: UNNAMED, sql, types: &[] });
                    steps.push(bind(UNNAMED));
                }
            }
            steps.push(execute);
            if commits.0 {
                if index + 1 == self.rows.len() {
                    steps.push(Step::Parse { name: UNNAMED, sql: b"COMMIT", types: &[] });
                    steps.extend([bind(UNNAMED), execute]);
                } else {
                    steps.extend([bind(CHAIN), execute]);
                }
            }
        }
        if commits.0 {
            steps.push(Step::Close(Target::Statement(CHAIN)));
        }
        if parsed.is_some() {
            steps.push(Step::Close(Target::Statement(ROW)));
        }
        let id = client.submit(&Request::Extended(&steps))?;
        client.finish_pipeline(id, hook)
    }

    /// Sends the rows; after an error the transaction is what the row's own error would have left.
    fn run(
        &self,
        client: &mut Client,
        once: Option<&Once>,
        hook: &mut dyn Interrupt,
    ) -> Result<Sent, kecoa::Error> {
        let commits = Commits(client.transaction_status() == TransactionStatus::Idle);
        let sent = self.send(client, once, commits, hook);
        // Also where the request was interrupted: its own transaction is no one's to end but ours.
        if commits.0
            && !client.is_closed()
            && client.transaction_status() != TransactionStatus::Idle
        {
            client.run(&Request::Query(b"ROLLBACK"), &mut Never)?;
        }
        let Piped { results, bound, error, .. } = sent?;
        let (row, own) = commits.row_at(results.len());
        let failed = error.map(|error| {
            let unrun = commits.0 && own && bound < commits.bound_at(row);
            (error, row, unrun)
        });
        let complete = if failed.is_some() { row } else { self.rows.len() };
        let mut taken = Vec::with_capacity(complete);
        for (index, result) in results.into_iter().enumerate() {
            if index == commits.position(taken.len()) && taken.len() < complete {
                taken.push(result);
            }
        }
        Ok(Sent { results: taken, failed })
    }
}

/// The types of the columns of a plain statement, when it is one and the server can say.
fn describe(slf: &Bound<'_, Connection>, sql: &[u8]) -> PyResult<Option<Once>> {
    let Some(Template { sql }) = Template::new(sql) else { return Ok(None) };
    if !is_plain(&sql) {
        return Ok(None);
    }
    let steps = [
        Step::Parse { name: UNNAMED, sql: &sql, types: &[] },
        Step::Describe(Target::Statement(UNNAMED)),
    ];
    let driven = Connection::drive(slf, |client, hook| {
        if client.transaction_status() != TransactionStatus::Idle {
            // An error would end the transaction; a savepoint is not worth its round trip.
            let id = client.submit(&Request::Extended(&steps))?;
            return client.finish_pipeline(id, hook).map(|piped| piped.results);
        }
        client.run(&Request::Extended(&steps), hook)
    })?;
    let columns = driven.ok().and_then(|mut results| results.pop()?.parameters);
    Ok(columns.map(|columns| Once { sql, columns: Some(columns) }))
}

impl Cursor {
    /// The rest of `executemany`, behind its first row.
    pub(super) fn run_many<'py>(
        slf: &Bound<'py, Cursor>,
        query: &Bound<'py, PyAny>,
        rows: &mut Bound<'py, PyIterator>,
        total: &mut i64,
    ) -> PyResult<()> {
        let py = slf.py();
        let connection = slf.get().connection_of(py)?;
        let settings = connection.get().settings();
        let sql = statement(query, &settings, slf.as_any())?;
        let crdb = connection.get().is_cockroach();
        let pipelines = |this: &Connection| -> PyResult<bool> {
            Ok(is_row_statement(&sql)
                && this.green(py)?.is_none()
                && match this.server_transaction() {
                    TransactionStatus::InTransaction => true,
                    TransactionStatus::Idle => {
                        this.is_autocommit() && !crdb && this.version_number() >= CHAINS_FROM
                    }
                    TransactionStatus::Failed => false,
                })
        };
        if !pipelines(connection.get())? {
            for vars in rows {
                let vars = vars.inspect_err(|_| slf.get().count(*total))?;
                Cursor::run_counted(slf, query, &vars, total)?;
            }
            return Ok(());
        }
        let Some(mut next) = rows.next() else { return Ok(()) };
        let once = match connection.get().binding() {
            Binding::Server => {
                Template::new(&sql).map(|once| Once { sql: once.sql, columns: None })
            }
            Binding::Client if crdb => None,
            Binding::Client => describe(&connection, &sql)?,
        };
        let mut batch = Batch::default();
        loop {
            let vars = match next {
                Ok(vars) => vars,
                Err(error) => {
                    // The rows before it count, as in a loop.
                    Cursor::send_batch(slf, &connection, &mut batch, once.as_ref(), total)?;
                    slf.get().count(*total);
                    return Err(error);
                }
            };
            let pushed = match pipelines(connection.get())? {
                true => push(slf, &connection, &settings, &mut batch, &sql, &vars, once.as_ref()),
                false => Ok(false),
            };
            let kept = matches!(pushed, Ok(true));
            if !kept || batch.is_full() {
                Cursor::send_batch(slf, &connection, &mut batch, once.as_ref(), total)?;
            }
            if let Err(error) = pushed {
                let old = lock(&slf.get().inner).query.take();
                drop(old);
                return Err(error);
            }
            if !kept {
                Cursor::run_counted(slf, query, &vars, total)?;
            }
            match rows.next() {
                Some(more) => next = more,
                None => break,
            }
        }
        Cursor::send_batch(slf, &connection, &mut batch, once.as_ref(), total)
    }

    /// Sends what was gathered and takes the outcome as if each row had been sent alone.
    fn send_batch(
        slf: &Bound<'_, Cursor>,
        connection: &Bound<'_, Connection>,
        batch: &mut Batch,
        once: Option<&Once>,
        total: &mut i64,
    ) -> PyResult<()> {
        slf.get().check_open(slf.py())?;
        while !batch.rows.is_empty() {
            let driven =
                Connection::drive(connection, |client, hook| batch.run(client, once, hook))?;
            let sent = match driven {
                Ok(sent) => sent,
                Err(error) => {
                    let text = batch.text(0).to_vec();
                    slf.get().show_query(&text);
                    return Cursor::take_driven(
                        slf,
                        connection,
                        &text,
                        Mode::CountOnly,
                        Err(error),
                    );
                }
            };
            let done = sent.results.len();
            if let Some(last) = done.checked_sub(1) {
                for result in &sent.results {
                    let counted = result.tag.as_ref().and_then(kecoa_proto::CommandTag::rows);
                    match counted.and_then(|rows| i64::try_from(rows).ok()) {
                        Some(count) if *total != -1 => *total += count,
                        _ => *total = -1,
                    }
                }
                slf.get().show_query(batch.text(last));
                Cursor::store(slf, sent.results, Mode::CountOnly)?;
            }
            let Some((error, row, unrun)) = sent.failed else { break };
            let text = batch.text(row).to_vec();
            let old = lock(&slf.get().inner).forget();
            drop(old);
            slf.get().show_query(&text);
            if !unrun {
                return Cursor::take_driven(slf, connection, &text, Mode::CountOnly, Err(error));
            }
            // Sent by itself it shows the error that the server has for it, at its true position.
            Cursor::run(slf, connection, &text, Mode::CountOnly)?;
            let count = lock(&slf.get().inner).rowcount;
            *total = if count == -1 || *total == -1 { -1 } else { *total + count };
            batch.rows.drain(..=row);
        }
        batch.clear();
        Ok(())
    }

    fn count(&self, total: i64) {
        lock(&self.inner).rowcount = total;
    }

    /// What `cursor.query` shows from now on.
    fn show_query(&self, text: &[u8]) {
        let old = lock(&self.inner).query.replace(text.into());
        drop(old);
    }
}

/// Adds a row to the batch; false when it has to travel alone.
fn push<'py>(
    slf: &Bound<'py, Cursor>,
    connection: &Bound<'py, Connection>,
    settings: &Settings,
    batch: &mut Batch,
    sql: &[u8],
    vars: &Bound<'py, PyAny>,
    once: Option<&Once>,
) -> PyResult<bool> {
    if vars.is_none() {
        return Ok(false);
    }
    let begin = batch.texts.len();
    let mut marks = Vec::new();
    let mut dumper = Dumper::new(slf.py(), settings, Some(connection));
    let merged = interpolate::merge_marked(&mut dumper, sql, vars, &mut batch.texts, &mut |mark| {
        marks.push(mark);
    });
    if let Err(error) = merged {
        batch.texts.truncate(begin);
        return Err(crate::error::with_cursor(slf.py(), error, slf.as_any()));
    }
    let text = begin..batch.texts.len();
    let texts = &batch.texts;
    let literals = || marks.iter().filter_map(|mark| texts.get(mark.clone()));
    let values = once.and_then(|once| {
        let values = Values::of(literals(), connection.get().is_cockroach())?;
        let columns = once.columns.as_ref();
        columns.is_none_or(|columns| values.cannot_fail(columns)).then_some(values)
    });
    // What an adapter made may be several statements.
    if values.is_none() && literals().any(|literal| literal.contains(&b';') && !is_literal(literal))
        || texts.get(text.clone()).is_none_or(|text| text.contains(&0))
    {
        batch.texts.truncate(begin);
        return Ok(false);
    }
    batch.rows.push(Row { text, values });
    Ok(true)
}
