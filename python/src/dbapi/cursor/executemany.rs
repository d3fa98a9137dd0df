//! `executemany` in a few round trips, with the outcome of psycopg2's loop.
//!
//! Rows travel in requests of many statements that end in one Sync: the server skips what follows an
//! error, as the loop would not have sent it. Where statements commit by themselves each row is
//! given a transaction of its own inside of the request. A row travels as its own text, parsed as it
//! would be alone; only a plain INSERT, UPDATE or DELETE is parsed once and bound row by row, where every
//! value is sure to be taken as its literal would be. By server binding every statement is that can be.
//!
//! In a transaction a request is sent before the answer to the one before it is taken, and the next
//! rows are adapted while the server works. Rows that are buffered lie in the connection: whoever
//! uses it meanwhile sends them first.

use std::sync::Arc;

use kecoa_proto::{Request, Step, Target, TransactionStatus};
use kecoa_types::ClientEncoding;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::PyIterator;

use super::Cursor;
use super::Mode;
use super::statement::{MarkedText, merge_marked, statement};
use crate::convert::dump::{LiteralOptions, Settings};
use crate::convert::parameters::{
    Binding, Values, is_literal, is_plain, is_row_statement, template_of,
};
use crate::dbapi::connection::Connection;
use crate::dbapi::connection::batch::{
    BATCH_BYTES, BATCH_ROWS, Batch, Commits, ParsedStatement, Sent, UNNAMED,
};
use crate::dbapi::connection::buffered::Row;
use crate::dbapi::connection::results::{Answer, BufferHandle, Flushed, ResultHandle};
use crate::names;
use crate::sync::lock;

/// The types of the columns of a plain statement, when it is one and the server can say.
fn describe(
    slf: &Bound<'_, Connection>,
    sql: &[u8],
    characters: ClientEncoding,
) -> PyResult<Option<ParsedStatement>> {
    let Some(template) = template_of(sql, characters).filter(|template| is_plain(&template.sql))
    else {
        return Ok(None);
    };
    let sql = template.sql.clone();
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
    Ok(columns.map(|columns| ParsedStatement { sql, untyped: Vec::new(), columns: Some(columns) }))
}

impl Cursor {
    /// `executemany`: one statement after the other; the row counts add up.
    pub(crate) fn do_executemany<'py>(
        slf: &Bound<'py, Cursor>,
        query: &Bound<'py, PyAny>,
        vars_list: &Bound<'py, PyAny>,
    ) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        lock(&this.inner).rowcount = -1;
        this.check_open(py)?;
        this.connection_of(py)?.get().refuse_async(py, "executemany")?;
        this.connection_of(py)?.get().refuse_prepared(py, "executemany")?;
        if lock(&this.inner).name.is_some() {
            return Err(names::programming_error(py, "can't call .executemany() on named cursors"));
        }
        let mut total = 0;
        let mut rows = vars_list.try_iter()?;
        if let Some(vars) = rows.next() {
            // The first one goes by itself: it may open the transaction, and shows what the server
            // has to say against the statement.
            Cursor::run_counted(slf, query, &vars?, &mut total)?;
            Cursor::run_rest(slf, query, &mut rows, &mut total)?;
        } else {
            this.drop_rows();
        }
        lock(&this.inner).rowcount = total;
        Ok(())
    }

    /// `executemany` whose statements take effect together. In a transaction they do; outside of one, in
    /// autocommit, they are as in `with connection`.
    pub(crate) fn executemany_atomic<'py>(
        slf: &Bound<'py, Cursor>,
        query: &Bound<'py, PyAny>,
        vars_list: &Bound<'py, PyAny>,
    ) -> PyResult<()> {
        let connection = slf.get().connection_of(slf.py())?;
        Connection::send_queued(&connection)?;
        if !connection.get().commits_by_itself() {
            return Cursor::do_executemany(slf, query, vars_list);
        }
        Connection::as_block(&connection, || Cursor::do_executemany(slf, query, vars_list))
    }

    /// Runs one of many statements, and adds its row count.
    pub(super) fn run_counted<'py>(
        slf: &Bound<'py, Cursor>,
        query: &Bound<'py, PyAny>,
        vars: &Bound<'py, PyAny>,
        total: &mut i64,
    ) -> PyResult<()> {
        let connection = slf.get().connection_of(slf.py())?;
        let mode = Mode::CountOnly;
        Cursor::execute_open(slf, &connection, query, Some(vars), mode, None, None)?;
        let count = lock(&slf.get().inner).rowcount;
        *total = if count == -1 || *total == -1 { -1 } else { *total + count };
        Ok(())
    }

    /// The rest of `executemany`, behind its first row.
    pub(super) fn run_rest<'py>(
        slf: &Bound<'py, Cursor>,
        query: &Bound<'py, PyAny>,
        rows: &mut Bound<'py, PyIterator>,
        total: &mut i64,
    ) -> PyResult<()> {
        let py = slf.py();
        let connection = slf.get().connection_of(py)?;
        let settings = connection.get().settings();
        let sql = statement(query, &settings, slf.as_any())?;
        let cockroach = connection.get().is_cockroach();
        let mut run = ExecuteMany {
            slf,
            connection,
            settings,
            sql: &sql,
            touches_rows: is_row_statement(&sql),
            cockroach,
            once: None,
            total,
            buffer: BufferHandle::default(),
            buffered: false,
            rows: 0,
            bytes: 0,
            row: MarkedText::default(),
            spare: Batch::default(),
            sent: None,
        };
        if !run.pipelines() {
            for vars in rows {
                let vars = vars.inspect_err(|_| slf.get().count(*run.total))?;
                Cursor::run_counted(slf, query, &vars, run.total)?;
            }
            return Ok(());
        }
        let Some(mut next) = rows.next() else { return Ok(()) };
        run.prepare()?;
        loop {
            let vars = match next {
                Ok(vars) => vars,
                Err(error) => {
                    // The rows before it count, as in a loop.
                    run.finish().map_err(|earlier| first_of(slf.py(), earlier, &error))?;
                    slf.get().count(*run.total);
                    return Err(error);
                }
            };
            match run.add(&vars) {
                Ok(true) if run.is_full() => run.send()?,
                Ok(true) => {}
                Ok(false) => {
                    run.finish()?;
                    Cursor::run_counted(slf, query, &vars, run.total)?;
                }
                Err(error) => {
                    run.finish().map_err(|earlier| first_of(slf.py(), earlier, &error))?;
                    slf.get().forget_query();
                    return Err(error);
                }
            }
            match rows.next() {
                Some(more) => next = more,
                None => return run.finish(),
            }
        }
    }

    fn count(&self, total: i64) {
        lock(&self.inner).rowcount = total;
    }
}

/// An `executemany` under way.
struct ExecuteMany<'a, 'py> {
    slf: &'a Bound<'py, Cursor>,
    connection: Bound<'py, Connection>,
    settings: Settings,
    sql: &'a [u8],
    /// The statement is one that touches or gives rows.
    touches_rows: bool,
    /// The server is CockroachDB.
    cockroach: bool,
    once: Option<Arc<ParsedStatement>>,
    /// How many rows were affected; -1 once a statement did not say.
    total: &'a mut i64,
    /// Rows that are buffered, in the connection: whoever uses it sends them first.
    buffer: BufferHandle,
    /// There may be some.
    buffered: bool,
    /// How many they are, and how long, unless somebody has sent them.
    rows: usize,
    bytes: usize,
    /// A row in the making.
    row: MarkedText,
    /// Memory for the next rows.
    spare: Batch,
    /// Rows that the server has been sent, and whose outcome is not known yet.
    sent: Option<(ResultHandle, Batch)>,
}

impl ExecuteMany<'_, '_> {
    /// Whether rows may travel together, as things are now.
    fn pipelines(&self) -> bool {
        self.touches_rows && self.connection.get().may_batch()
    }

    /// Finds out whether the statement can be parsed once for all rows.
    fn prepare(&mut self) -> PyResult<()> {
        let connection = self.connection.get();
        let characters = self.settings.codec.characters();
        self.once = match connection.binding() {
            Binding::Server => template_of(self.sql, characters).map(|template| ParsedStatement {
                sql: template.sql.clone(),
                untyped: template.untyped.clone(),
                columns: None,
            }),
            Binding::Client if self.cockroach => None,
            Binding::Client => describe(&self.connection, self.sql, characters)?,
        }
        .map(Arc::new);
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.rows >= BATCH_ROWS || self.bytes >= BATCH_BYTES
    }

    /// Adds a row to those that are buffered; false when it has to travel alone.
    fn add(&mut self, vars: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.take_flushed()?;
        if !self.pipelines() {
            return Ok(false);
        }
        let Some(values) = self.merge(vars)? else { return Ok(false) };
        // An adapter may have used the connection.
        if self.take_flushed()? && !self.pipelines() {
            return Ok(false);
        }
        let (once, spare) = (self.once.as_ref(), &mut self.spare);
        let row = Row { text: &self.row.text, values, once, spare };
        Connection::buffer_row(&self.connection, &self.buffer, row)?;
        self.buffered = true;
        self.rows += 1;
        self.bytes += self.row.text.len();
        Ok(true)
    }

    /// Takes over what came of rows that somebody else has sent, who used the connection. Whether
    /// there were any.
    fn take_flushed(&mut self) -> PyResult<bool> {
        let mut any = false;
        while let Some(flushed) = self.buffer.take() {
            any = true;
            (self.rows, self.bytes) = (0, 0);
            // What was sent ahead came before them.
            self.take_sent()?;
            self.account_flushed(flushed)?;
        }
        Ok(any)
    }

    fn account_flushed(&mut self, flushed: Flushed) -> PyResult<()> {
        let text = flushed.text().to_vec();
        let (batch, outcome) = flushed
            .within_time(self.slf.py(), &self.connection.get().codec())
            .inspect_err(|_| self.fail(&text))?;
        self.account_rows(batch, outcome)
    }

    /// Waits for what was sent ahead.
    fn take_sent(&mut self) -> PyResult<()> {
        let Some((handle, batch)) = self.sent.take() else { return Ok(()) };
        let taken = Connection::take_result(&self.connection, &handle);
        match taken.inspect_err(|_| self.fail(batch.text(0)))? {
            Ok(answer) => self.account_sent(&batch, answer),
            Err(error) => self.refused(&batch, error),
        }
    }

    /// Takes the outcome of rows; sends those once more that an error kept from running.
    fn account_rows(
        &mut self,
        mut batch: Batch,
        mut outcome: Result<Sent, kecoa::Error>,
    ) -> PyResult<()> {
        loop {
            let sent = match outcome {
                Ok(sent) => sent,
                Err(error) => return self.refused(&batch, error),
            };
            let Some(row) = account(self.slf, &self.connection, &batch, sent, self.total)? else {
                batch.clear();
                self.spare = batch;
                return Ok(());
            };
            // Sent by itself it shows the error that the server has for it, at its true position.
            let text = batch.text(row).to_vec();
            Cursor::run(self.slf, &self.connection, &text, Mode::CountOnly)?;
            add(self.total, lock(&self.slf.get().inner).rowcount);
            batch.rows.drain(..=row);
            if batch.is_empty() {
                return Ok(());
            }
            let once = self.once.as_deref();
            let driven =
                Connection::drive(&self.connection, |client, hook| batch.run(client, once, hook))
                    .inspect_err(|_| self.fail(batch.text(0)))?;
            outcome = driven;
        }
    }

    /// Sends what is buffered. In a transaction what the server says to it is taken later.
    fn send(&mut self) -> PyResult<()> {
        if self.is_in_transaction() { self.step() } else { self.finish() }
    }

    fn is_in_transaction(&self) -> bool {
        self.connection.get().server_transaction() == TransactionStatus::InTransaction
    }

    fn step(&mut self) -> PyResult<()> {
        self.take_flushed()?;
        let before = self.sent.take();
        let handle = before.as_ref().map(|(handle, _)| handle);
        let step = Connection::send_ahead(&self.connection, handle, &self.buffer)
            .inspect_err(|_| self.fail(before.as_ref().map_or(&[], |(_, batch)| batch.text(0))))?;
        (self.rows, self.bytes, self.buffered) = (0, 0, false);
        let step = match step {
            Ok(step) => step,
            Err(error) => return self.refused(&Batch::default(), error),
        };
        if let (Some((_, batch)), Some(answer)) = (&before, step.before) {
            self.account_sent(batch, answer)?;
        }
        match step.sent {
            Err(error) => return self.refused(&step.batch, error),
            Ok(None) => {
                self.take_flushed()?;
            }
            Ok(Some(handle)) => {
                // The memory of the one goes to the other.
                self.spare = before.map(|(_, batch)| batch).unwrap_or_default();
                self.spare.clear();
                self.sent = Some((handle, step.batch));
            }
        }
        Ok(())
    }

    /// Waits for what was sent, then sends what is buffered and waits for that.
    fn finish(&mut self) -> PyResult<()> {
        self.take_flushed()?;
        if self.sent.is_some() && self.buffered && self.is_in_transaction() {
            self.step()?;
        }
        self.take_sent()?;
        if !std::mem::take(&mut self.buffered) {
            return Ok(());
        }
        (self.rows, self.bytes) = (0, 0);
        let driven = Connection::run_buffered(&self.connection, &self.buffer)
            .inspect_err(|_| self.fail(&[]))?;
        match driven {
            Ok(Some(flushed)) => self.account_flushed(flushed),
            Ok(None) => self.take_flushed().map(drop),
            Err(error) => self.refused(&Batch::default(), error),
        }
    }

    /// Merges a row: its values where they travel beside a statement that is parsed once,
    /// and nothing when it has to travel alone.
    fn merge(&mut self, vars: &Bound<'_, PyAny>) -> PyResult<Option<Option<Values>>> {
        if vars.is_none() {
            return Ok(None);
        }
        let (slf, connection) = (self.slf, &self.connection);
        let binding = connection.get().binding();
        merge_marked(slf, connection, &self.settings, binding, self.sql, vars, &mut self.row)?;
        let (row, rules) = (&self.row, self.settings.rules(self.cockroach));
        let values = self.once.as_ref().and_then(|once| {
            let mut values = Values::of(&once.untyped, row.literals(), rules)?;
            if let Some(columns) = &once.columns {
                if !values.cannot_fail(columns) {
                    return None;
                }
                values.widen(columns);
            }
            Some(values)
        });
        // What an adapter made may be several statements.
        let several = values.is_none()
            && row.literals().any(|literal| literal.contains(&b';') && !is_literal(literal, rules));
        if several || row.text.contains(&0) {
            return Ok(None);
        }
        if values.is_none() {
            self.row.settle(LiteralOptions::of(binding, self.sql));
        }
        Ok(Some(values))
    }

    fn account_sent(&mut self, batch: &Batch, answer: Answer) -> PyResult<()> {
        match answer.within_time(self.slf.py(), &self.connection.get().codec()) {
            Ok(Ok(piped)) => {
                let sent = batch.outcome(Commits::NEVER, piped);
                account(self.slf, &self.connection, batch, sent, self.total).map(drop)
            }
            Ok(Err(error)) => self.refused(batch, error),
            Err(raised) => {
                self.fail(batch.text(0));
                Err(raised)
            }
        }
    }

    /// Nothing is known of the rows but the error.
    fn refused(&self, batch: &Batch, error: kecoa::Error) -> PyResult<()> {
        let text = batch.text(0).to_vec();
        self.fail(&text);
        self.connection.get().remember_error(Some(&error));
        Cursor::take_driven(self.slf, &self.connection, &text, Mode::CountOnly, Err(error))
    }

    /// The cursor shows a statement that failed.
    fn fail(&self, text: &[u8]) {
        let old = lock(&self.slf.get().inner).forget();
        drop(old);
        self.slf.get().show_query(text.into());
    }
}

/// Takes the outcome of a batch as if each row had been sent alone. A row that failed before any of
/// it ran is not raised but named: it is to be sent once more.
fn account(
    slf: &Bound<'_, Cursor>,
    connection: &Bound<'_, Connection>,
    batch: &Batch,
    sent: Sent,
    total: &mut i64,
) -> PyResult<Option<usize>> {
    if let Some(last) = sent.results.len().checked_sub(1) {
        for result in &sent.results {
            let counted = result.tag.as_ref().and_then(kecoa_proto::CommandTag::rows);
            add(total, counted.and_then(|rows| i64::try_from(rows).ok()).unwrap_or(-1));
        }
        slf.get().show_query(batch.text(last).into());
        Cursor::store(slf, sent.results, Mode::CountOnly)?;
    }
    let Some((error, row, unrun)) = sent.failed else { return Ok(None) };
    let old = lock(&slf.get().inner).forget();
    drop(old);
    let text = batch.text(row).to_vec();
    slf.get().show_query(text.as_slice().into());
    if unrun {
        return Ok(Some(row));
    }
    connection.get().remember_error(Some(&error));
    Cursor::take_driven(slf, connection, &text, Mode::CountOnly, Err(error)).map(|()| None)
}

/// Of an error of rows that were sent and one that came later, while they were under way: the first,
/// as a loop would not have come to the second. Ctrl-C and its like are not to be lost, so they go
/// first, with the other as their context.
fn first_of(py: Python<'_>, earlier: PyErr, later: &PyErr) -> PyErr {
    if later.is_instance_of::<PyException>(py) || !earlier.is_instance_of::<PyException>(py) {
        return earlier;
    }
    let later = later.clone_ref(py);
    match later.value(py).setattr("__context__", earlier.value(py)) {
        Ok(()) => later,
        Err(problem) => problem,
    }
}

/// Adds to a count of rows, where -1 says that one of them is not known.
fn add(total: &mut i64, count: i64) {
    *total = if count == -1 || *total == -1 { -1 } else { *total + count };
}
