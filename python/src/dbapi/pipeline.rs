//! `connection.pipeline()`: statements that are sent without waiting for those before them.

use std::sync::{Arc, Mutex};

use kecoa::ResultSet;
use kecoa_proto::Request;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::dbapi::connection::Connection;
use crate::dbapi::cursor::Cursor;
use crate::dbapi::cursor::statement::merged;
use crate::errors::error::{is_interrupted, timed_out};
use crate::limit;
use crate::names;
use crate::sync::lock;

/// Statements that are queued, and sent together by `sync()` or at the end of the `with` block.
///
/// Each runs as by `cursor.execute`, in order, and has its result in the cursor that `execute` gave.
/// `sync()` raises the first error. Within a transaction nothing behind an error runs; where
/// statements commit by themselves, those behind it do.
#[pyclass(frozen, name = "Pipeline", module = "kecoa.extensions")]
pub(crate) struct Pipeline {
    connection: Py<Connection>,
    queue: Mutex<Vec<Queued>>,
}

/// A statement that waits to be sent.
struct Queued {
    cursor: Py<Cursor>,
    sql: Arc<[u8]>,
}

type Answer = Result<Vec<ResultSet>, kecoa::Error>;

impl Pipeline {
    pub(crate) fn new(connection: Py<Connection>) -> Pipeline {
        Pipeline { connection, queue: Mutex::default() }
    }

    fn take(&self) -> Vec<Queued> {
        std::mem::take(&mut *lock(&self.queue))
    }

    fn send(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let connection = slf.get().connection.bind(py);
        let queue = slf.get().take();
        let Some((first, rest)) = queue.split_first() else { return Ok(()) };
        connection.get().check_open(py)?;
        connection.get().refuse_waiting(py, "pipeline")?;
        connection.get().refuse_prepared(py, "pipeline")?;
        let _limited = connection.get().limited(None)?;
        // The first may have to begin the transaction; where it fails, what follows must not run
        // outside of one.
        let mut begun = false;
        let answer = Connection::drive_user(connection, true, |client, begin, hook| match begin {
            Some(begin) => {
                begun = true;
                client.run_in_transaction(begin, &first.sql, hook).map(Some)
            }
            None => Ok(None),
        })?;
        let rest = if begun { rest } else { queue.as_slice() };
        if let Some(answer) = answer.transpose() {
            Cursor::take_answer(first.cursor.bind(py), connection, answer)?;
        }
        let texts: Vec<Arc<[u8]>> = rest.iter().map(|queued| queued.sql.clone()).collect();
        let mut expired = false;
        let answers = Connection::drive(connection, |client, hook| {
            let mut requests = Vec::with_capacity(texts.len());
            for sql in &texts {
                requests.push(client.submit(&Request::Query(sql)));
            }
            let answers: Vec<Answer> = requests
                .into_iter()
                .map(|request| request.and_then(|request| client.finish(request, hook)))
                .collect();
            expired = hook.has_expired();
            Ok(answers)
        })?;
        let answers = answers.unwrap_or_default();
        let limit = limit::current().filter(|_| expired);
        let mut failed = None;
        for (queued, answer) in rest.iter().zip(answers) {
            let taken = match (answer, limit) {
                (Err(error), Some(limit)) if is_interrupted(&error) => {
                    let codec = connection.get().codec();
                    Err(timed_out(py, &error, limit, &codec))
                }
                (answer, _) => Cursor::take_answer(queued.cursor.bind(py), connection, answer),
            };
            if let Err(error) = taken {
                failed.get_or_insert(error);
            }
        }
        failed.map_or(Ok(()), Err)
    }
}

#[pymethods]
impl Pipeline {
    /// Queues a statement, for a new cursor or for `cursor`, whose result is there after `sync()`.
    #[pyo3(signature = (query, vars=None, *, cursor=None))]
    fn execute<'py>(
        slf: &Bound<'py, Self>,
        query: &Bound<'py, PyAny>,
        vars: Option<&Bound<'py, PyAny>>,
        cursor: Option<Bound<'py, Cursor>>,
    ) -> PyResult<Bound<'py, Cursor>> {
        let py = slf.py();
        let connection = slf.get().connection.bind(py);
        let cursor = match cursor {
            Some(cursor) => cursor,
            None => connection.call_method0("cursor")?.cast_into::<Cursor>()?,
        };
        cursor.get().check_open(py)?;
        if cursor.get().name().is_some() || !cursor.get().connection_of(py)?.is(connection) {
            return Err(names::programming_error(
                py,
                "expected an unnamed cursor of the pipeline's connection, found another",
            ));
        }
        let sql: Arc<[u8]> = merged(&cursor, connection, query, vars)?.into();
        cursor.get().begin_statement(sql.clone());
        let queued = Queued { cursor: cursor.clone().unbind(), sql };
        lock(&slf.get().queue).push(queued);
        Ok(cursor)
    }

    /// Sends what was queued and waits for all of it; raises the first error.
    fn sync(slf: &Bound<'_, Self>) -> PyResult<()> {
        Pipeline::send(slf)
    }

    fn __enter__<'py>(slf: &Bound<'py, Self>) -> Bound<'py, Self> {
        slf.clone()
    }

    /// Sends what is queued; nothing of it when the block failed.
    #[pyo3(signature = (exc_type=None, *_args))]
    fn __exit__(
        slf: &Bound<'_, Self>,
        exc_type: Option<&Bound<'_, PyAny>>,
        _args: &Bound<'_, PyTuple>,
    ) -> PyResult<()> {
        if exc_type.is_some() {
            drop(slf.get().take());
            return Ok(());
        }
        Pipeline::send(slf)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.connection)?;
        if let Ok(queue) = self.queue.try_lock() {
            for queued in queue.iter() {
                visit.call(&queued.cursor)?;
            }
        }
        Ok(())
    }

    fn __clear__(&self) {
        drop(self.take());
    }
}
