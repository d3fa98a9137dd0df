//! `AsyncLink`: a client that the event loop drives.
//!
//! Everything here runs in the loop's thread with the GIL held, and never waits. The socket's
//! reader is registered once and stays; the writer only while the socket takes no more.

use std::collections::VecDeque;
use std::os::fd::RawFd;
use std::sync::{Arc, Mutex, MutexGuard};

use kecoa::Readiness;
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple, PyWeakrefMethods, PyWeakrefReference};

use super::requests::Pending;
use super::streaming::Pull;
use crate::dbapi::connection::{Connection, Messages};
use crate::dbapi::cursor::Cursor;
use crate::names;
use crate::sync::lock;

/// A connection's client, driven by an event loop. For `kecoa.aio`, which has the objects that
/// programs see.
#[pyclass(frozen, weakref, module = "kecoa._kecoa")]
pub(crate) struct AsyncLink {
    pub(super) connection: Py<Connection>,
    pub(super) event_loop: Py<PyAny>,
    create_future: Py<PyAny>,
    running_loop: Py<PyAny>,
    fd: RawFd,
    /// A forked child shares the parent's selector and must leave it alone.
    pid: u32,
    state: Mutex<State>,
}

/// Locked for moments only, never across a call into Python.
#[derive(Default)]
pub(super) struct State {
    /// What was submitted and not answered, oldest first.
    pub(super) requests: VecDeque<Pending>,
    /// Tasks that wait for their turn, oldest first.
    waiters: VecDeque<Py<PyAny>>,
    /// A task has the connection for itself.
    pub(super) held: bool,
    /// Cancel requests that are on their way.
    pub(super) cancelling: u32,
    /// BEGIN, where statements open transactions.
    pub(super) begin: Option<Arc<[u8]>>,
    /// Statements are submitted before those before them are answered.
    pub(super) pipelining: bool,
    /// A request whose replies are taken one by one.
    pub(super) pull: Option<Pull>,
    reading: bool,
    writing: bool,
    /// Weak: whom notices and notifications are for.
    owner: Option<Py<PyWeakrefReference>>,
    numbers: u64,
    /// How many bytes of statements were submitted and wait to be sent.
    pub(super) unsent: usize,
    /// Why the connection is closed, for those who still wait for it.
    pub(super) end: Option<String>,
    /// A transaction was open when the connection ended.
    cut_transaction: bool,
    /// How many COMMITs were answered when last no request was under way.
    commits: u64,
    /// Somebody who waited for an answer was told that the connection is lost.
    pub(super) told: bool,
    /// What is to be told to the statement under way, beside its answer.
    complaint: Option<PyErr>,
}

impl State {
    pub(super) fn next_number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    pub(super) fn is_free(&self) -> bool {
        !self.held && self.is_quiet() && self.waiters.is_empty()
    }

    /// Nothing is under way on the server, as far as we know.
    fn is_quiet(&self) -> bool {
        self.requests.is_empty() && self.cancelling == 0 && self.pull.is_none()
    }
}

impl AsyncLink {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    pub(super) fn new_future<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.create_future.bind(py).call0()
    }

    /// RuntimeError in another event loop than the connection's.
    pub(super) fn check_loop(&self, py: Python<'_>) -> PyResult<()> {
        if self.running_loop.bind(py).call0()?.is(&self.event_loop) {
            return Ok(());
        }
        Err(PyRuntimeError::new_err(
            "the connection belongs to another event loop: make one in the loop that uses it",
        ))
    }

    /// InterfaceError, or what ended the connection, when it is closed.
    pub(super) fn check_open(&self, py: Python<'_>) -> PyResult<()> {
        let connection = self.connection.get();
        if !connection.is_closed() {
            return Ok(());
        }
        let end = self.state().end.take();
        Err(match end {
            Some(end) => crate::errors::error::lost(py, &end)?,
            None => names::interface_error(py, "the connection is closed"),
        })
    }

    /// Watches the socket for what it has to be, and no more.
    pub(super) fn watch(slf: &Bound<'_, Self>, wanted: Option<Readiness>) -> PyResult<()> {
        let wants = wanted == Some(Readiness::Writable);
        let was = std::mem::replace(&mut slf.get().state().writing, wants);
        if wants == was {
            return Ok(());
        }
        let py = slf.py();
        let event_loop = slf.get().event_loop.bind(py);
        if wants {
            let callback = slf.getattr(intern!(py, "on_writable"))?;
            event_loop.call_method1(intern!(py, "add_writer"), (slf.get().fd, callback))?;
        } else {
            event_loop.call_method1(intern!(py, "remove_writer"), (slf.get().fd,))?;
        }
        Ok(())
    }

    /// Whether the loop tells when something arrives.
    pub(super) fn watch_reading(slf: &Bound<'_, Self>, on: bool) -> PyResult<()> {
        let was = std::mem::replace(&mut slf.get().state().reading, on);
        if was == on {
            return Ok(());
        }
        let py = slf.py();
        let event_loop = slf.get().event_loop.bind(py);
        if on {
            let callback = slf.getattr(intern!(py, "on_readable"))?;
            event_loop.call_method1(intern!(py, "add_reader"), (slf.get().fd, callback))?;
        } else {
            event_loop.call_method1(intern!(py, "remove_reader"), (slf.get().fd,))?;
        }
        Ok(())
    }

    /// Leaves the event loop alone from now on.
    pub(super) fn unwatch(slf: &Bound<'_, Self>) {
        if slf.get().pid != std::process::id() {
            return;
        }
        // A loop that is closed has forgotten the socket by itself.
        let _ = AsyncLink::watch(slf, None);
        let _ = AsyncLink::watch_reading(slf, false);
    }

    /// Brings the Python side up to date after the client was driven, and hands over what the
    /// server said without being asked. What goes wrong there is told to the statement under way:
    /// whoever waits for an answer gets one in spite of it.
    pub(super) fn catch_up(slf: &Bound<'_, Self>) {
        let py = slf.py();
        let this = slf.get();
        let connection = this.connection.get();
        let was_closed = connection.is_closed();
        let open = connection.server_transaction() != kecoa_proto::TransactionStatus::Idle;
        let (messages, caught_up) = connection.catch_up(py);
        {
            let mut state = this.state();
            let commits = connection.commits();
            if !was_closed && connection.is_closed() {
                // The answer to a COMMIT may have come, though not to its end.
                state.cut_transaction = open && commits == state.commits;
            }
            if state.requests.is_empty() {
                state.commits = commits;
            }
        }
        if let Err(error) = AsyncLink::hand_on(slf, messages) {
            // The program's own: never an answer's.
            error.write_unraisable(py, Some(slf.as_any()));
        }
        if let Err(error) = caught_up {
            let old = this.state().complaint.replace(error);
            drop(old);
        }
    }

    /// What is to be told beside an answer.
    pub(super) fn complaint(&self) -> PyResult<()> {
        let complaint = self.state().complaint.take();
        complaint.map_or(Ok(()), Err)
    }

    fn hand_on(slf: &Bound<'_, Self>, messages: Messages) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        if messages.notices.is_empty() && messages.notifications.is_empty() {
            return Ok(());
        }
        let owner = this.state().owner.as_ref().map(|owner| owner.clone_ref(py));
        let Some(owner) = owner.and_then(|owner| owner.bind(py).upgrade()) else { return Ok(()) };
        let Messages { notices, notifications } = messages;
        let codec = this.connection.get().codec();
        let notices = notices
            .into_iter()
            .map(|notice| crate::errors::error::diagnostics(py, notice, &codec))
            .collect::<PyResult<Vec<_>>>()?;
        let notifications = notifications
            .iter()
            .map(|notification| crate::dbapi::notify::from_server(py, notification, &codec))
            .collect::<PyResult<Vec<_>>>()?;
        owner.call_method1(intern!(py, "_hear"), (notices, notifications)).map(drop)
    }

    /// Gives the connection to whoever waits for it longest, if it is free.
    pub(super) fn hand_over(slf: &Bound<'_, Self>) {
        let py = slf.py();
        loop {
            let next = {
                let mut state = slf.get().state();
                if state.held || !state.is_quiet() {
                    return;
                }
                let next = state.waiters.pop_front();
                state.held = next.is_some();
                next
            };
            let Some(next) = next else { return };
            if next.call_method1(py, intern!(py, "set_result"), (py.None(),)).is_ok() {
                return;
            }
            // It was cancelled meanwhile.
            slf.get().state().held = false;
        }
    }

    /// Something went wrong in the loop's callback, where nobody can be told: the connection is of
    /// no more use.
    pub(super) fn fail(slf: &Bound<'_, Self>, error: PyErr) {
        let py = slf.py();
        let text = error.to_string();
        AsyncLink::end_with(slf, Some(&text));
        error.write_unraisable(py, Some(slf.as_any()));
    }

    /// Closes, and tells those who wait why. With a reason, the connection was lost.
    pub(super) fn end_with(slf: &Bound<'_, Self>, reason: Option<&str>) {
        let py = slf.py();
        let this = slf.get();
        AsyncLink::unwatch(slf);
        let connection = this.connection.get();
        let idle = connection.server_transaction() == kecoa_proto::TransactionStatus::Idle;
        let cut = !connection.is_closed() && !idle;
        connection.close_link(py, reason.is_some());
        let (requests, pull, waiters) = {
            let mut state = this.state();
            state.cut_transaction |= cut;
            state.end = reason.map(ToOwned::to_owned);
            state.held = false;
            (
                std::mem::take(&mut state.requests),
                state.pull.take(),
                std::mem::take(&mut state.waiters),
            )
        };
        let owner = this.state().owner.as_ref().map(|owner| owner.clone_ref(py));
        if let Some(owner) = owner.and_then(|owner| owner.bind(py).upgrade()) {
            let _ = owner.call_method1(intern!(py, "_lost"), (reason,));
        }
        let reason = reason.unwrap_or("the connection was closed");
        for pending in requests {
            this.connection.get().count_statement(false);
            let raised = if pending.may_commit() {
                let error = kecoa::Error::connection_lost(reason);
                Ok(this.raise(py, &error, None, &pending.sql, true))
            } else {
                crate::errors::error::lost(py, reason)
            };
            super::requests::tell(py, &pending.future, raised.and_then(Err));
        }
        for future in pull.and_then(|pull| pull.waiter).into_iter().chain(waiters) {
            if let Ok(error) = crate::errors::error::lost(py, reason) {
                let _ = future.call_method1(py, intern!(py, "set_exception"), (error.value(py),));
            }
        }
    }
}

#[pymethods]
impl AsyncLink {
    /// Puts a connection under the care of the running event loop. `owner` is told what the server
    /// says without being asked, through its method `_hear(notices, notifications)`.
    #[new]
    fn new(
        py: Python<'_>,
        connection: Py<Connection>,
        event_loop: Bound<'_, PyAny>,
    ) -> PyResult<AsyncLink> {
        let running_loop = py.import("asyncio")?.getattr("_get_running_loop")?.unbind();
        let fd = {
            let link = connection.get().link();
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

    /// Runs a statement once for each of `many`, without waiting in between: a future that is done
    /// when the last one is answered, with the first error among them. The row counts are added to
    /// the cursor's, which are forgotten `first`. Only for whoever has the connection.
    #[pyo3(signature = (cursor, query, many, first))]
    fn execute_many<'py>(
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
    fn is_pulling(&self) -> bool {
        self.state().pull.is_some()
    }

    /// Whether somebody who waited for an answer was told that the connection is lost.
    #[getter]
    fn was_told(&self) -> bool {
        self.state().told
    }

    /// Whether a transaction was open when the connection was lost.
    #[getter]
    fn cut_transaction(&self) -> bool {
        self.state().cut_transaction
    }

    /// The exception for a connection that was lost.
    fn lost<'py>(&self, py: Python<'py>, message: &str) -> PyResult<Bound<'py, PyAny>> {
        Ok(crate::errors::error::lost(py, message)?.into_value(py).into_bound(py).into_any())
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
    fn release(slf: &Bound<'_, Self>) {
        slf.get().state().held = false;
        AsyncLink::hand_over(slf);
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
        AsyncLink::give_up(slf, future, grace)
    }

    /// Nobody waits for the statement behind `future` any more, which goes on to its end: nobody
    /// else gets the connection before, and it is closed when that takes longer than `grace` seconds.
    fn let_go(slf: &Bound<'_, Self>, future: &Bound<'_, PyAny>, grace: f64) -> PyResult<()> {
        AsyncLink::leave_to_itself(slf, future, grace)
    }

    /// A cancel request came to an end; called by the loop.
    fn on_cancelled(slf: &Bound<'_, Self>) {
        {
            let mut state = slf.get().state();
            state.cancelling = state.cancelling.saturating_sub(1);
        }
        AsyncLink::hand_over(slf);
    }

    /// The time to end a cancelled statement is over; called by the loop.
    fn on_grace_over(slf: &Bound<'_, Self>, number: u64, grace: f64) {
        AsyncLink::check_grace(slf, number, grace);
    }

    /// Something has arrived; called by the loop.
    fn on_readable(slf: &Bound<'_, Self>) {
        if let Err(error) = AsyncLink::advance(slf) {
            AsyncLink::fail(slf, error);
        }
    }

    /// There is room to send; called by the loop.
    fn on_writable(slf: &Bound<'_, Self>) {
        if let Err(error) = AsyncLink::advance(slf) {
            AsyncLink::fail(slf, error);
        }
    }

    /// Begins a request whose replies are pulled one by one. Only for whoever has the connection.
    fn pull_start(
        slf: &Bound<'_, Self>,
        cursor: &Bound<'_, Cursor>,
        sql: &Bound<'_, PyBytes>,
    ) -> PyResult<()> {
        AsyncLink::start_pull(slf, cursor, sql.as_bytes())
    }

    /// The next reply: None when it has not come (wait for `pull_ready`), bytes of a COPY, or one
    /// of the numbers of `kecoa.aio._copy`.
    fn pull<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        AsyncLink::pull_reply(slf)
    }

    /// A future that is done when it is worth to `pull` or to `copy_send` again.
    fn pull_ready<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        AsyncLink::await_reply(slf)
    }

    /// Queues data of a COPY, sends what goes; False when not all of it went, or when the server
    /// has refused the COPY.
    fn copy_send(slf: &Bound<'_, Self>, data: &Bound<'_, PyBytes>) -> PyResult<bool> {
        AsyncLink::send_copy(slf, data.as_bytes())
    }

    /// Whether the server has refused the COPY under way.
    fn copy_refused(slf: &Bound<'_, Self>) -> PyResult<bool> {
        AsyncLink::is_copy_refused(slf)
    }

    /// Ends the data of a COPY; with a reason, gives it up.
    #[pyo3(signature = (reason=None))]
    fn copy_end(slf: &Bound<'_, Self>, reason: Option<&str>) -> PyResult<()> {
        AsyncLink::end_copy(slf, reason)
    }

    /// Nobody wants what the request under way has to say: drops it, and cancels it.
    fn pull_abandon(slf: &Bound<'_, Self>, grace: f64) -> PyResult<()> {
        AsyncLink::abandon_pull(slf, grace)
    }

    /// Takes what has arrived without being asked for; raises when the server has gone.
    fn poll(slf: &Bound<'_, Self>) -> PyResult<()> {
        AsyncLink::look(slf)
    }

    /// Closes the connection; what waits for it fails.
    #[pyo3(signature = (reason=None))]
    fn close(slf: &Bound<'_, Self>, reason: Option<&str>) {
        AsyncLink::end_with(slf, reason);
    }

    fn __reduce__(slf: &Bound<'_, Self>) -> PyResult<Py<PyTuple>> {
        Err(PyTypeError::new_err(format!("cannot pickle '{}' object", slf.get_type().name()?)))
    }
}
