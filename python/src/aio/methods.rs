//! What `kecoa.aio` sees of a link.

use std::sync::{Arc, Mutex};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyFloat, PyList, PyTuple, PyWeakrefReference};

use super::link::AsyncLink;
use crate::dbapi::connection::Connection;
use crate::dbapi::cursor::Cursor;
use crate::errors::error;
use crate::names;

#[pymethods]
impl AsyncLink {
    /// Puts a connection under the care of the running event loop. `owner` gets what the server
    /// says without being asked, through its method `_on_messages(notices, notifications)`.
    #[new]
    fn new(
        py: Python<'_>,
        connection: Py<Connection>,
        event_loop: Bound<'_, PyAny>,
    ) -> PyResult<AsyncLink> {
        let running_loop = py.import("asyncio")?.getattr("_get_running_loop")?.unbind();
        let fd = {
            let link = connection.get().link(py);
            link.client.as_ref().and_then(kecoa::blocking::Client::raw_fd)
        };
        let Some(fd) = fd else {
            return Err(names::interface_error(py, "the connection is closed"));
        };
        Ok(AsyncLink {
            create_future: event_loop.getattr("create_future")?.unbind(),
            event_loop: event_loop.unbind(),
            connection,
            running_loop,
            fd,
            pid: std::process::id(),
            state: Mutex::default(),
        })
    }

    /// Begins to watch the socket, for `owner`.
    fn start(slf: &Bound<'_, Self>, owner: &Bound<'_, PyAny>) -> PyResult<()> {
        let owner = PyWeakrefReference::new(owner)?.unbind();
        let old = slf.get().state().owner.replace(owner);
        drop(old);
        AsyncLink::watch_reading(slf, true)
    }

    /// The connection that is driven. It must not be used by itself.
    #[getter]
    fn connection(&self, py: Python<'_>) -> Py<Connection> {
        self.connection.clone_ref(py)
    }

    /// The event loop.
    #[getter]
    fn event_loop(&self, py: Python<'_>) -> Py<PyAny> {
        self.event_loop.clone_ref(py)
    }

    /// Whether a forked child has it, which must leave it alone.
    #[getter]
    fn is_foreign(&self) -> bool {
        self.pid != std::process::id()
    }

    /// Whether statements or cancel requests are under way.
    #[getter]
    fn is_busy(&self) -> bool {
        !self.state().is_quiet()
    }

    /// The server's word on the transaction, one of `extensions.TRANSACTION_STATUS_*`, as of the
    /// last answer.
    #[getter]
    fn transaction(&self) -> i32 {
        match self.connection.get().server_transaction() {
            kecoa_proto::TransactionStatus::Idle => 0,
            kecoa_proto::TransactionStatus::InTransaction => 2,
            kecoa_proto::TransactionStatus::Failed => 3,
        }
    }

    /// The statement that has to be run before the next one, to open its transaction.
    #[getter]
    fn begin_due(&self) -> Option<String> {
        let begin = self.due()?;
        Some(String::from_utf8_lossy(&begin).into_owned())
    }

    /// Sends what was submitted in a pipeline.
    fn flush(slf: &Bound<'_, Self>) -> PyResult<()> {
        slf.get().check_loop(slf.py())?;
        AsyncLink::send(slf)
    }

    /// The statement that opens transactions; None where statements commit by themselves.
    fn set_begin(&self, begin: Option<&str>) {
        self.state().begin = begin.map(|begin| begin.as_bytes().into());
    }

    /// From now on statements are submitted without waiting for those before them, or not.
    fn set_pipelining(&self, on: bool) {
        self.state().pipelining = on;
    }

    /// Runs a statement for a cursor: a future that is done when the cursor has its result. None
    /// when it has to wait its turn, or for BEGIN; `held` is for whoever has the connection.
    #[pyo3(signature = (cursor, query, vars=None, held=false))]
    fn execute<'py>(
        slf: &Bound<'py, Self>,
        cursor: &Bound<'py, Cursor>,
        query: &Bound<'py, PyAny>,
        vars: Option<&Bound<'py, PyAny>>,
        held: bool,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        AsyncLink::submit_statement(slf, cursor, query, vars, held)
    }

    /// Runs a statement for a cursor whose rows become Arrow's batches: as `execute`. Only for whoever has
    /// the connection.
    #[pyo3(signature = (cursor, query, vars=None))]
    fn execute_arrow<'py>(
        slf: &Bound<'py, Self>,
        cursor: &Bound<'py, Cursor>,
        query: &Bound<'py, PyAny>,
        vars: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        AsyncLink::submit_arrow(slf, cursor, query, vars)
    }

    /// Runs a statement once for each of `many`, without waiting in between: a future that is done
    /// when the last one is answered, with the first error among them. The row counts are added to
    /// the cursor's, which are forgotten `first`. Only for whoever has the connection.
    #[pyo3(signature = (cursor, query, many, first))]
    fn executemany<'py>(
        slf: &Bound<'py, Self>,
        cursor: &Bound<'py, Cursor>,
        query: &Bound<'py, PyAny>,
        many: &Bound<'py, PyList>,
        first: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        if first {
            cursor.get().begin_count(Arc::from(*b""));
        }
        AsyncLink::submit_many(slf, cursor, query, many)
    }

    /// Runs a command of the connection's own. Only for whoever has the connection.
    #[pyo3(signature = (sql, commit=false))]
    fn command<'py>(
        slf: &Bound<'py, Self>,
        sql: &str,
        commit: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        AsyncLink::submit_command(slf, sql, commit)
    }

    /// Raises when the connection is closed: the first time after it was lost, by what.
    fn check(&self, py: Python<'_>) -> PyResult<()> {
        self.check_open(py)
    }

    /// Whether a request is under way whose replies are taken one by one.
    #[getter]
    fn is_streaming(&self) -> bool {
        self.state().streaming.is_some()
    }

    /// Whether somebody who waited for an answer got the error of the lost connection.
    #[getter]
    fn loss_reported(&self) -> bool {
        self.state().loss_reported
    }

    /// Whether a transaction was open when the connection was lost.
    #[getter]
    fn cut_transaction(&self) -> bool {
        self.state().cut_transaction
    }

    /// The exception for a connection that was lost.
    fn lost<'py>(&self, py: Python<'py>, message: &str) -> Bound<'py, PyAny> {
        error::lost(py, message).into_value(py).into_bound(py).into_any()
    }

    /// Asks for the connection: None when the caller has it now, else a future that is done when it
    /// has; `first`, before all others who ask.
    #[pyo3(signature = (first=false))]
    fn turn<'py>(slf: &Bound<'py, Self>, first: bool) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = slf.py();
        let this = slf.get();
        this.check_loop(py)?;
        this.check_open(py)?;
        {
            let mut state = this.state();
            if state.is_free() || (first && !state.held && state.is_quiet()) {
                state.held = true;
                return Ok(None);
            }
        }
        let future = this.new_future(py)?;
        let waiter = future.clone().unbind();
        let mut state = this.state();
        if first {
            state.waiters.push_front(waiter);
        } else {
            state.waiters.push_back(waiter);
        }
        drop(state);
        Ok(Some(future))
    }

    /// Gives the connection back.
    fn release(slf: &Bound<'_, Self>) -> PyResult<()> {
        if !AsyncLink::hand_over(slf, "release", &[])? {
            slf.get().state().held = false;
            AsyncLink::next_turn(slf);
        }
        Ok(())
    }

    /// Nobody waits for the statement behind `future` any more: has it cancelled. Until it is over,
    /// for `grace` seconds at most, nobody else gets the connection. All of a pipeline is given up
    /// with `None`.
    #[pyo3(signature = (future, grace))]
    fn abandon(
        slf: &Bound<'_, Self>,
        future: Option<&Bound<'_, PyAny>>,
        grace: f64,
    ) -> PyResult<()> {
        let py = slf.py();
        let given = future.map_or_else(|| py.None().into_bound(py), Clone::clone);
        if AsyncLink::hand_over(slf, "abandon", &[given, PyFloat::new(py, grace).into_any()])? {
            return Ok(());
        }
        AsyncLink::give_up(slf, future, grace)
    }

    /// Nobody waits for the statement behind `future` any more, which goes on to its end: nobody
    /// else gets the connection before, and it is closed when that takes longer than `grace` seconds.
    fn let_go(slf: &Bound<'_, Self>, future: &Bound<'_, PyAny>, grace: f64) -> PyResult<()> {
        let given = [future.clone(), PyFloat::new(slf.py(), grace).into_any()];
        if AsyncLink::hand_over(slf, "let_go", &given)? {
            return Ok(());
        }
        AsyncLink::leave_to_itself(slf, future, grace)
    }

    /// A cancel request came to an end; called by the loop.
    fn on_cancelled(slf: &Bound<'_, Self>) {
        {
            let mut state = slf.get().state();
            state.cancelling = state.cancelling.saturating_sub(1);
        }
        AsyncLink::next_turn(slf);
    }

    /// The time to end a cancelled statement is over; called by the loop.
    fn on_grace_over(slf: &Bound<'_, Self>, number: u64, grace: f64) {
        AsyncLink::check_grace(slf, number, grace);
    }

    /// Something has arrived; called by the loop.
    fn on_readable(slf: &Bound<'_, Self>) {
        if let Err(raised) = AsyncLink::advance(slf) {
            AsyncLink::fail(slf, raised);
        }
    }

    /// There is room to send; called by the loop.
    fn on_writable(slf: &Bound<'_, Self>) {
        if let Err(raised) = AsyncLink::advance(slf) {
            AsyncLink::fail(slf, raised);
        }
    }

    /// Begins a request whose replies are taken one by one. Only for whoever has the connection.
    fn stream_start(
        slf: &Bound<'_, Self>,
        cursor: &Bound<'_, Cursor>,
        sql: &Bound<'_, PyBytes>,
    ) -> PyResult<()> {
        AsyncLink::start_streaming(slf, cursor, sql.as_bytes())
    }

    /// The next reply: None when it has not come (wait for `stream_ready`), bytes of a COPY, or one
    /// of the numbers of `kecoa.aio._copy`.
    fn stream_next<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        slf.get().check_loop(slf.py())?;
        AsyncLink::next_reply_object(slf)
    }

    /// A future that is done when it is worth to call `stream_next` or to `copy_send` again.
    fn stream_ready<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.get().check_loop(slf.py())?;
        AsyncLink::await_reply(slf)
    }

    /// Queues data of a COPY, sends what goes; False when not all of it went, or when the server
    /// has refused the COPY.
    fn copy_send(slf: &Bound<'_, Self>, data: &Bound<'_, PyBytes>) -> PyResult<bool> {
        slf.get().check_loop(slf.py())?;
        AsyncLink::send_copy(slf, data.as_bytes())
    }

    /// Whether the server has refused the COPY under way.
    fn copy_refused(slf: &Bound<'_, Self>) -> PyResult<bool> {
        slf.get().check_loop(slf.py())?;
        AsyncLink::is_copy_refused(slf)
    }

    /// Ends the data of a COPY; with a reason, gives it up.
    #[pyo3(signature = (reason=None))]
    fn copy_end(slf: &Bound<'_, Self>, reason: Option<&str>) -> PyResult<()> {
        AsyncLink::end_copy(slf, reason)
    }

    /// Nobody wants what the request under way has to say: drops it, and cancels it.
    fn stream_abandon(slf: &Bound<'_, Self>, grace: f64) -> PyResult<()> {
        let given = [PyFloat::new(slf.py(), grace).into_any()];
        if AsyncLink::hand_over(slf, "stream_abandon", &given)? {
            return Ok(());
        }
        AsyncLink::abandon_streaming(slf, grace)
    }

    /// Takes what has arrived without being asked for; raises when the server has gone.
    fn poll(slf: &Bound<'_, Self>) -> PyResult<()> {
        slf.get().check_loop(slf.py())?;
        AsyncLink::look(slf)
    }

    /// Closes the connection; what waits for it fails.
    #[pyo3(signature = (reason=None))]
    fn close(slf: &Bound<'_, Self>, reason: Option<&str>) -> PyResult<()> {
        let given = reason.into_pyobject(slf.py())?;
        if !AsyncLink::hand_over(slf, "close", &[given])? {
            AsyncLink::end_with(slf, reason);
        }
        Ok(())
    }

    fn __reduce__(slf: &Bound<'_, Self>) -> PyResult<Py<PyTuple>> {
        Err(PyTypeError::new_err(format!("cannot pickle '{}' object", slf.get_type().name()?)))
    }
}
