//! `connection.pipeline()`: statements that are sent without waiting for those before them.
//!
//! What is queued lies in the connection, so that whatever else uses the connection sends it first: statements
//! run in the order of their calls.

use std::sync::{Arc, Mutex};

use kecoa::ResultSet;
use kecoa_proto::Request;
use pyo3::exceptions::PyException;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::dbapi::connection::Connection;
use crate::dbapi::connection::queue::Queued;
use crate::dbapi::cursor::Cursor;
use crate::dbapi::cursor::statement::merged;
use crate::errors::error::{is_interrupted, timed_out};
use crate::limit;
use crate::names;
use crate::sync::lock;

/// Statements that are queued, and sent together by `sync()`, at the end of the `with` block, or by whatever
/// else uses the connection.
///
/// Each runs as by `cursor.execute`, in order, and has its result in the cursor that `execute` gave.
/// `sync()` raises the first error. Within a transaction nothing behind an error runs; where
/// statements commit by themselves, those behind it do.
#[pyclass(frozen, name = "Pipeline", module = "kecoa.extensions")]
pub(crate) struct Pipeline {
    connection: Py<Connection>,
    /// The first error of what another thread has sent.
    failed: Mutex<Option<PyErr>>,
}

type Answer = Result<Vec<ResultSet>, kecoa::Error>;

/// Takes note of the error of a statement: the caller's, or the pipeline's where that is another thread's.
fn fail(queued: &Queued, py: Python<'_>, error: PyErr, failed: &mut Option<PyErr>) {
    if queued.thread == std::thread::current().id() {
        failed.get_or_insert(error);
        return;
    }
    let Ok(pipeline) = queued.pipeline.bind(py).cast::<Pipeline>() else { return };
    let mut first = lock(&pipeline.get().failed);
    let later = if first.is_none() { first.replace(error) } else { Some(error) };
    drop(first);
    drop(later);
}

/// Gives a statement's answer to its cursor.
fn take(
    queued: &Queued,
    connection: &Bound<'_, Connection>,
    answer: Result<Vec<ResultSet>, kecoa::Error>,
) -> PyResult<()> {
    Cursor::take_answer(queued.cursor.bind(connection.py()).cast()?, connection, answer)
}

impl Connection {
    /// Sends what pipelines have queued, in front of what the caller is about to do; raises the first error
    /// of this thread's statements.
    pub(crate) fn send_queued(slf: &Bound<'_, Connection>) -> PyResult<()> {
        let queue = std::mem::take(&mut *lock(&slf.get().queue));
        if queue.is_empty() { Ok(()) } else { send(slf, &queue) }
    }

    /// The same in front of a ROLLBACK, to which errors of what it undoes are nothing.
    pub(crate) fn send_queued_quietly(slf: &Bound<'_, Connection>) -> PyResult<()> {
        match Connection::send_queued(slf) {
            Err(error) if error.is_instance_of::<PyException>(slf.py()) => Ok(()),
            sent => sent,
        }
    }
}

fn send(connection: &Bound<'_, Connection>, queue: &[Queued]) -> PyResult<()> {
    let py = connection.py();
    let Some((first, rest)) = queue.split_first() else { return Ok(()) };
    connection.get().check_open(py)?;
    connection.get().refuse_waiting(py, "pipeline")?;
    connection.get().refuse_prepared(py, "pipeline")?;
    let _limited = connection.get().limited(None)?;
    let mut failed = None;
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
    let rest = if begun { rest } else { queue };
    if let Some(answer) = answer.transpose()
        && let Err(error) = take(first, connection, answer)
    {
        fail(first, py, error, &mut failed);
        return failed.map_or(Ok(()), Err);
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
    for (queued, answer) in rest.iter().zip(answers) {
        let taken = match (answer, limit) {
            (Err(error), Some(limit)) if is_interrupted(&error) => {
                let codec = connection.get().codec();
                Err(timed_out(py, &error, limit, &codec))
            }
            (answer, _) => take(queued, connection, answer),
        };
        if let Err(error) = taken {
            fail(queued, py, error, &mut failed);
        }
    }
    failed.map_or(Ok(()), Err)
}

impl Pipeline {
    pub(crate) fn new(connection: Py<Connection>) -> Pipeline {
        Pipeline { connection, failed: Mutex::default() }
    }

    /// Takes this pipeline's statements out, to be dropped.
    fn forget(slf: &Bound<'_, Self>) {
        let connection = slf.get().connection.get();
        let own = {
            let mut queue = lock(&connection.queue);
            let all = std::mem::take(&mut *queue);
            let (own, others): (Vec<_>, Vec<_>) =
                all.into_iter().partition(|queued| queued.pipeline.is(slf));
            *queue = others;
            (own, lock(&slf.get().failed).take())
        };
        drop(own);
    }

    fn send(slf: &Bound<'_, Self>) -> PyResult<()> {
        let connection = slf.get().connection.bind(slf.py());
        let sent = Connection::send_queued(connection);
        match lock(&slf.get().failed).take() {
            // It is the earlier one.
            Some(error) => Err(error),
            None => sent,
        }
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
        let queued = Queued {
            pipeline: slf.clone().into_any().unbind(),
            thread: std::thread::current().id(),
            cursor: cursor.clone().into_any().unbind(),
            sql,
        };
        lock(&connection.get().queue).push(queued);
        Ok(cursor)
    }

    /// Sends what was queued and waits for all of it; raises the first error, also of what was sent before
    /// because another thread used the connection.
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
            Pipeline::forget(slf);
            return Ok(());
        }
        Pipeline::send(slf)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.connection)
    }
}
