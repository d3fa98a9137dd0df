//! `executemany` in a few round trips, with the outcome of psycopg2's loop.
//!
//! Rows travel in requests of many statements that end in one Sync: the server skips what follows an
//! error, as the loop would not have sent it. Where statements commit by themselves each row is
//! given a transaction of its own inside of the request. A row travels as its own text, parsed as it
//! would be alone; only a plain INSERT, UPDATE or DELETE is parsed once and bound row by row, where every
//! value is sure to be taken as its literal would be. By server binding every statement is that can be.
//!
//! In a transaction a request is sent before the answer to the one before it is taken, and the next
//! rows are adapted while the server works.

mod batch;

use kecoa_proto::{Request, Step, Target, TransactionStatus};
use kecoa_types::Characters;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::PyIterator;

use self::batch::{Batch, Commits, Once, Row, Sent, UNNAMED};
use super::execute::{Mode, statement};
use super::{Binding, Cursor, lock};
use crate::connection::{Answer, Connection, Ticket};
use crate::dump::{Departures, Dumper, Settings};
use crate::interpolate;
use crate::parameters::{Values, is_literal, is_plain, is_row_statement, template_of};

/// The first version that has COMMIT AND CHAIN.
const CHAINS_FROM: i32 = 120_000;

/// The types of the columns of a plain statement, when it is one and the server can say.
fn describe(
    slf: &Bound<'_, Connection>,
    sql: &[u8],
    characters: Characters,
) -> PyResult<Option<Once>> {
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
        let mut many = Many {
            slf,
            connection,
            settings,
            sql: &sql,
            once: None,
            total,
            next: Batch::default(),
            sent: None,
        };
        if !many.pipelines()? {
            for vars in rows {
                let vars = vars.inspect_err(|_| slf.get().count(*many.total))?;
                Cursor::run_counted(slf, query, &vars, many.total)?;
            }
            return Ok(());
        }
        let Some(mut next) = rows.next() else { return Ok(()) };
        many.prepare()?;
        loop {
            let vars = match next {
                Ok(vars) => vars,
                Err(error) => {
                    // The rows before it count, as in a loop.
                    many.finish().map_err(|earlier| first_of(slf.py(), earlier, &error))?;
                    slf.get().count(*many.total);
                    return Err(error);
                }
            };
            match many.add(&vars) {
                Ok(true) if many.next.is_full() => many.send()?,
                Ok(true) => {}
                Ok(false) => {
                    many.finish()?;
                    Cursor::run_counted(slf, query, &vars, many.total)?;
                }
                Err(error) => {
                    many.finish().map_err(|earlier| first_of(slf.py(), earlier, &error))?;
                    slf.get().forget_query();
                    return Err(error);
                }
            }
            match rows.next() {
                Some(more) => next = more,
                None => return many.finish(),
            }
        }
    }

    fn count(&self, total: i64) {
        lock(&self.inner).rowcount = total;
    }
}

/// An `executemany` under way.
struct Many<'a, 'py> {
    slf: &'a Bound<'py, Cursor>,
    connection: Bound<'py, Connection>,
    settings: Settings,
    sql: &'a [u8],
    once: Option<Once>,
    /// How many rows were affected; -1 once a statement did not say.
    total: &'a mut i64,
    /// Rows that are gathered.
    next: Batch,
    /// Rows that the server has been sent, and whose outcome is not known yet.
    sent: Option<(Ticket, Batch)>,
}

impl Many<'_, '_> {
    /// Whether rows may travel together, as things are now.
    fn pipelines(&self) -> PyResult<bool> {
        let connection = self.connection.get();
        Ok(is_row_statement(self.sql)
            && connection.green(self.slf.py())?.is_none()
            && match connection.server_transaction() {
                TransactionStatus::InTransaction => true,
                TransactionStatus::Idle => {
                    connection.is_autocommit()
                        && !connection.is_cockroach()
                        && connection.version_number() >= CHAINS_FROM
                }
                TransactionStatus::Failed => false,
            })
    }

    /// Finds out whether the statement can be parsed once for all rows.
    fn prepare(&mut self) -> PyResult<()> {
        let connection = self.connection.get();
        let characters = self.settings.codec.characters();
        self.once = match connection.binding() {
            Binding::Server => template_of(self.sql, characters)
                .map(|template| Once { sql: template.sql.clone(), columns: None }),
            Binding::Client if connection.is_cockroach() => None,
            Binding::Client => describe(&self.connection, self.sql, characters)?,
        };
        Ok(())
    }

    /// Adds a row to those that are gathered; false when it has to travel alone.
    fn add(&mut self, vars: &Bound<'_, PyAny>) -> PyResult<bool> {
        if !self.pipelines()? {
            return Ok(false);
        }
        push(
            self.slf,
            &self.connection,
            &self.settings,
            &mut self.next,
            self.sql,
            vars,
            self.once.as_ref(),
        )
    }

    /// Sends what is gathered. In a transaction what the server says to it is taken later.
    fn send(&mut self) -> PyResult<()> {
        if self.is_in_transaction() { self.step() } else { self.finish() }
    }

    fn is_in_transaction(&self) -> bool {
        self.connection.get().server_transaction() == TransactionStatus::InTransaction
    }

    fn step(&mut self) -> PyResult<()> {
        let (next, once) = (&self.next, self.once.as_ref());
        let before = self.sent.take();
        let ticket = before.as_ref().map(|(ticket, _)| ticket);
        let step = Connection::send_ahead(&self.connection, ticket, |client| {
            next.submit(client, once, Commits::NEVER)
        })
        .inspect_err(|_| self.fail(next.text(0)))?;
        let step = match step {
            Ok(step) => step,
            Err(error) => return self.refused(&self.next, error),
        };
        if let (Some((_, batch)), Some(answer)) = (&before, step.before) {
            self.account_sent(batch, answer)?;
        }
        match step.sent {
            Err(error) => return self.refused(&self.next, error),
            Ok(None) => {}
            Ok(Some(ticket)) => {
                // The memory of the one goes to the other.
                let mut spare = before.map(|(_, batch)| batch).unwrap_or_default();
                spare.clear();
                self.sent = Some((ticket, std::mem::replace(&mut self.next, spare)));
            }
        }
        Ok(())
    }

    /// Waits for what was sent, then sends what is gathered and waits for that.
    fn finish(&mut self) -> PyResult<()> {
        if self.sent.is_some() && !self.next.is_empty() && self.is_in_transaction() {
            self.step()?;
        }
        if let Some((ticket, batch)) = self.sent.take() {
            let taken = Connection::take_ahead(&self.connection, &ticket);
            match taken.inspect_err(|_| self.fail(batch.text(0)))? {
                Ok(answer) => self.account_sent(&batch, answer)?,
                Err(error) => return self.refused(&batch, error),
            }
        }
        while !self.next.is_empty() {
            self.begin_again()?;
            let (next, once) = (&self.next, self.once.as_ref());
            let driven =
                Connection::drive(&self.connection, |client, hook| next.run(client, once, hook))
                    .inspect_err(|_| self.fail(next.text(0)))?;
            let sent = match driven {
                Ok(sent) => sent,
                Err(error) => return self.refused(&self.next, error),
            };
            let Some(row) = account(self.slf, &self.connection, &self.next, sent, self.total)?
            else {
                break;
            };
            // Sent by itself it shows the error that the server has for it, at its true position.
            let text = self.next.text(row).to_vec();
            Cursor::run(self.slf, &self.connection, &text, Mode::CountOnly)?;
            add(self.total, lock(&self.slf.get().inner).rowcount);
            self.next.rows.drain(..=row);
        }
        self.next.clear();
        Ok(())
    }

    /// Where whoever gives the rows has ended the transaction, the rows that were gathered begin the
    /// next, as each would have done.
    fn begin_again(&self) -> PyResult<()> {
        let connection = self.connection.get();
        let ended = connection.server_transaction() == TransactionStatus::Idle;
        if ended && !connection.is_autocommit() {
            Connection::begin_now(&self.connection)?;
        }
        Ok(())
    }

    fn account_sent(&mut self, batch: &Batch, answer: Answer) -> PyResult<()> {
        match answer.within_time(&self.connection) {
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
    let (beside, merged) = Departures::beside(connection.get().binding(), sql);
    dumper.departs = beside;
    let done = interpolate::merge_marked(&mut dumper, sql, vars, &mut batch.texts, &mut |mark| {
        marks.push(mark);
    });
    if let Err(error) = done {
        batch.texts.truncate(begin);
        return Err(crate::error::with_cursor(slf.py(), error, slf.as_any()));
    }
    let text = begin..batch.texts.len();
    let texts = &batch.texts;
    let literals = || marks.iter().filter_map(|mark| texts.get(mark.clone()));
    let characters = settings.codec.characters();
    let values = once.and_then(|once| {
        let mut values = Values::of(literals(), connection.get().is_cockroach(), characters)?;
        if let Some(columns) = &once.columns {
            if !values.cannot_fail(columns) {
                return None;
            }
            values.widen(columns);
        }
        Some(values)
    });
    // What an adapter made may be several statements.
    if values.is_none()
        && literals().any(|literal| literal.contains(&b';') && !is_literal(literal, characters))
        || texts.get(text.clone()).is_none_or(|text| text.contains(&0))
    {
        batch.texts.truncate(begin);
        return Ok(false);
    }
    if values.is_none() {
        merged.enclose_smallest(&marks, &mut batch.texts);
    }
    let text = begin..batch.texts.len();
    batch.rows.push(Row { text, values });
    Ok(true)
}
