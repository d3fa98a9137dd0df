//! Asynchronous connections, and synchronous ones that wait through the wait callback ("green").
//!
//! Both submit a request and leave the waiting to Python: `poll` goes on as far as it goes without
//! waiting. A synchronous connection calls the callback once for each request, without any lock
//! held, so that other greenlets of the thread go on meanwhile.

use std::sync::atomic::Ordering;

use kecoa::blocking::{Connecting, Stage};
use kecoa::config::Config;
use kecoa::{Readiness, ResultSet};
use kecoa_proto::{Request, RequestId};
use pyo3::prelude::*;
use pyo3::types::{PyWeakrefMethods, PyWeakrefReference};

use super::Connection;
use super::signals::{DriveResult, Signals};
use super::state::{STATUS_BEGIN, STATUS_READY};
use super::update::SessionUpdate;
use crate::dbapi::cursor::Cursor;
use crate::dbapi::wait_callback::get_wait_callback;
use crate::errors::error;
use crate::limit;
use crate::names;
use crate::sync::lock;

/// `STATUS_CONNECTING` of psycopg2's C code: a connection that is being made.
pub(crate) const STATUS_CONNECTING: i32 = 20;
/// The connection is made, and how to write dates is being set.
const STATUS_DATESTYLE: i32 = 21;

/// psycopg2's `POLL_*`.
const POLL_OK: i32 = 0;
const POLL_READ: i32 = 1;
const POLL_WRITE: i32 = 2;

fn poll_number(wanted: Readiness) -> i32 {
    match wanted {
        Readiness::Readable => POLL_READ,
        Readiness::Writable => POLL_WRITE,
    }
}

/// What became of a request that was to be queued.
enum Submitted {
    Asked(Result<(), kecoa::Error>),
    /// Another one is polled.
    Busy,
    Closed,
}

impl Connection {
    /// The wait callback, on a synchronous connection while one is set.
    pub(crate) fn green(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        if self.is_async() { None } else { get_wait_callback(py) }
    }

    /// Whether the connection is asynchronous.
    pub(crate) fn is_async(&self) -> bool {
        lock(&self.state).asynchronous
    }

    /// Whether it is at work, or being made, and has to be polled.
    pub(crate) fn is_executing(&self) -> bool {
        let state = lock(&self.state);
        state.asynchronous
            && (state.busy || matches!(state.status, STATUS_CONNECTING | STATUS_DATESTYLE))
    }

    /// ProgrammingError on an asynchronous connection.
    pub(crate) fn refuse_async(&self, py: Python<'_>, what: &str) -> PyResult<()> {
        if !self.is_async() {
            return Ok(());
        }
        let message = format!("{what} cannot be used in asynchronous mode");
        Err(names::programming_error(py, message))
    }

    /// ProgrammingError where waiting cannot be left to a callback, or to the caller.
    pub(crate) fn refuse_waiting(&self, py: Python<'_>, what: &str) -> PyResult<()> {
        self.refuse_async(py, what)?;
        self.refuse_green(py, what)
    }

    /// ProgrammingError on a synchronous connection while a wait callback is set.
    pub(crate) fn refuse_green(&self, py: Python<'_>, what: &str) -> PyResult<()> {
        if self.green(py).is_none() {
            return Ok(());
        }
        let message = format!("{what} cannot be used with an asynchronous callback.");
        Err(names::programming_error(py, message))
    }

    /// ProgrammingError while a request is under way that somebody polls.
    pub(crate) fn refuse_busy(&self, py: Python<'_>, what: &str) -> PyResult<()> {
        if !lock(&self.state).busy {
            return Ok(());
        }
        let message = format!("{what} cannot be used while an asynchronous query is underway");
        Err(names::programming_error(py, message))
    }

    /// OperationalError while the connection is being made.
    pub(crate) fn refuse_connecting(&self, py: Python<'_>) -> PyResult<()> {
        if !matches!(lock(&self.state).status, STATUS_CONNECTING | STATUS_DATESTYLE) {
            return Ok(());
        }
        Err(names::operational_error(py, "asynchronous connection attempt underway"))
    }

    /// The error of driving a connection while somebody else polls it.
    pub(super) fn check_idle(&self, py: Python<'_>) -> PyResult<()> {
        self.refuse_reentry(py)?;
        if !lock(&self.state).busy {
            return Ok(());
        }
        Err(Connection::polled_elsewhere(py))
    }

    /// ProgrammingError for what is asked of a connection whose request somebody polls.
    pub(super) fn polled_elsewhere(py: Python<'_>) -> PyErr {
        names::programming_error(py, "a single async query can be executed on the same connection")
    }

    /// Begins to connect; polling goes on with it.
    pub(super) fn start_connecting(&self, py: Python<'_>, config: &Config) -> PyResult<()> {
        let started = py.detach(|| Connecting::start(config));
        let connecting = match started {
            Ok(connecting) => connecting,
            Err(error) => {
                lock(&self.state).closed = 2;
                return Err(error::connect_exception(py, &error));
            }
        };
        {
            let mut state = lock(&self.state);
            state.closed = 0;
            state.status = STATUS_CONNECTING;
            state.descriptor = connecting.socket();
        }
        let old = py.detach(|| lock(&self.link).connecting.replace(connecting));
        drop(old);
        Ok(())
    }

    /// Connects through the callback.
    pub(super) fn connect_green(
        slf: &Bound<'_, Connection>,
        config: &Config,
        callback: &Py<PyAny>,
    ) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        this.start_connecting(py, config)?;
        let waited = callback.call1(py, (slf,));
        let unfinished = py.detach(|| lock(&this.link).connecting.take());
        if let Err(error) = waited {
            this.shut(py);
            return Err(error);
        }
        if unfinished.is_some() {
            this.shut(py);
            return Err(names::operational_error(
                py,
                "the wait callback returned before the connection was made",
            ));
        }
        if this.dates_are_iso(py)? {
            return Ok(());
        }
        Connection::command(slf, "SET datestyle TO 'ISO'", false)
    }

    /// Whether dates come in the form that the typecasters read. A walsender sends none, and may
    /// know no SET.
    pub(super) fn dates_are_iso(&self, py: Python<'_>) -> PyResult<bool> {
        if lock(&self.state).options.iter().any(|(name, _)| name == "replication") {
            return Ok(true);
        }
        let style = self.server_parameter(py, "DateStyle")?;
        Ok(style.is_none_or(|style| style.starts_with("ISO")))
    }

    /// One step of connecting.
    fn poll_connecting(slf: &Bound<'_, Connection>) -> PyResult<i32> {
        let py = slf.py();
        let this = slf.get();
        let stage = py.detach(|| {
            let mut link = lock(&this.link);
            let stage = link.connecting.as_mut().map(Connecting::advance);
            let socket = link.connecting.as_ref().and_then(Connecting::socket);
            if !matches!(stage, Some(Ok(Stage::Waiting(_)))) {
                link.connecting = None;
            }
            stage.map(|stage| (stage, socket))
        });
        match stage {
            None => Err(names::interface_error(py, "connection already closed")),
            Some((Err(error), _)) => {
                lock(&this.state).closed = 2;
                Err(error::connect_exception(py, &error))
            }
            Some((Ok(Stage::Waiting(wanted)), socket)) => {
                lock(&this.state).descriptor = socket;
                Ok(poll_number(wanted))
            }
            Some((Ok(Stage::Ready(client)), _)) => {
                this.adopt(py, *client, None)?;
                if !this.is_async() {
                    return Ok(POLL_OK);
                }
                lock(&this.state).autocommit = true;
                if this.dates_are_iso(py)? {
                    return Ok(POLL_OK);
                }
                this.submit(py, b"SET datestyle TO 'ISO'")?.map_err(|e| this.raise(py, &e))?;
                lock(&this.state).status = STATUS_DATESTYLE;
                Ok(POLL_WRITE)
            }
        }
    }

    /// Queues a request that is to be polled.
    fn submit(&self, py: Python<'_>, sql: &[u8]) -> DriveResult<()> {
        self.check_idle(py)?;
        let submitted = py.detach(|| {
            let mut link = lock(&self.link);
            if link.lookahead.is_some() || link.buffered.is_some() {
                // Left by an `executemany` during which the callback was set.
                let mut signals = Signals::default();
                link.settle_all(&mut signals);
            }
            // Once more, and settled while the client is held: another thread may have submitted.
            if lock(&self.state).busy {
                return Submitted::Busy;
            }
            let id = link.client.as_mut().map(|client| client.submit(&Request::Query(sql)));
            match id {
                Some(Ok(id)) => {
                    link.request = Some(id);
                    lock(&self.state).busy = true;
                    self.executing.fetch_add(1, Ordering::Relaxed);
                    Submitted::Asked(Ok(()))
                }
                Some(Err(error)) => Submitted::Asked(Err(error)),
                None => Submitted::Closed,
            }
        });
        match submitted {
            Submitted::Asked(asked) => Ok(asked),
            Submitted::Busy => Err(Connection::polled_elsewhere(py)),
            Submitted::Closed => Err(names::interface_error(py, "connection already closed")),
        }
    }

    /// The request under way is nobody's any more. Its number, if there was one.
    pub(super) fn end_work(&self, py: Python<'_>) -> Option<RequestId> {
        let was = std::mem::replace(&mut lock(&self.state).busy, false);
        if was {
            self.executing.fetch_sub(1, Ordering::Relaxed);
        }
        py.detach(|| lock(&self.link).request.take())
    }

    /// One step of the request under way.
    fn step(&self, py: Python<'_>) -> DriveResult<Option<Readiness>> {
        let (step, update) = py.detach(|| {
            let mut link = lock(&self.link);
            let request = link.request;
            let step = link.client.as_mut().map(|client| {
                let step = match client.advance() {
                    // The server has said COMMIT: the answer is there, whatever came behind it.
                    Err(_) if request.is_some_and(|id| client.has_ended(id)) => Ok(None),
                    step => step,
                };
                if client.has_excess() {
                    // It goes on, if it cannot be cancelled, and its rows are dropped.
                    let _ = client.canceller().cancel();
                }
                step
            });
            (step, SessionUpdate::collect(&mut link, &self.state))
        });
        if let Some(update) = update {
            self.settle(py, update)?;
        }
        match step {
            Some(step) => Ok(step),
            None => Err(names::interface_error(py, "connection already closed")),
        }
    }

    /// What the request answered; nothing where another thread has taken that. Waits only if it was
    /// not polled to its end.
    fn finish_work(slf: &Bound<'_, Connection>) -> DriveResult<Option<Vec<ResultSet>>> {
        let this = slf.get();
        this.refuse_reentry(slf.py())?;
        // Nobody submits before it is taken: the connection is at work until then.
        Connection::drive_own(slf, |link, signals| {
            let id = link.request.take();
            if std::mem::replace(&mut lock(&this.state).busy, false) {
                this.executing.fetch_sub(1, Ordering::Relaxed);
            }
            signals.start(limit::current());
            let client = link.client.as_mut()?;
            Some(id.map(|id| client.finish(id, signals)).transpose())
        })
    }

    /// Runs a request through the callback.
    pub(super) fn run_green(
        slf: &Bound<'_, Connection>,
        callback: &Py<PyAny>,
        sql: &[u8],
    ) -> DriveResult<Vec<ResultSet>> {
        let py = slf.py();
        let this = slf.get();
        if let Err(error) = this.submit(py, sql)? {
            return Ok(Err(error));
        }
        if let Err(error) = callback.call1(py, (slf,)) {
            // What the server is doing is not known, and cannot be waited for: as psycopg2.
            this.end_work(py);
            this.shut(py);
            lock(&this.state).closed = 2;
            return Err(error);
        }
        let finished = Connection::finish_work(slf)?;
        Ok(finished.map(Option::unwrap_or_default))
    }

    /// A user's statement through the callback, in a transaction that is begun first.
    pub(super) fn run_user_green(
        slf: &Bound<'_, Connection>,
        callback: &Py<PyAny>,
        sql: &[u8],
        may_begin: bool,
    ) -> DriveResult<Vec<ResultSet>> {
        let this = slf.get();
        let begin = {
            let state = lock(&this.state);
            (may_begin && state.wants_begin()).then(|| state.begin())
        };
        if let Some(begin) = begin {
            if let Err(error) = Connection::run_green(slf, callback, begin.as_bytes())? {
                return Ok(Err(error));
            }
            lock(&this.state).status = STATUS_BEGIN;
        }
        Connection::run_green(slf, callback, sql)
    }

    /// Sends a statement of an asynchronous connection; `poll` stores what it answers in `cursor`.
    pub(crate) fn start_async(
        slf: &Bound<'_, Connection>,
        cursor: &Bound<'_, Cursor>,
        sql: &[u8],
    ) -> DriveResult<()> {
        let py = slf.py();
        let this = slf.get();
        let watched = PyWeakrefReference::new(cursor.as_any())?;
        if let Err(error) = this.submit(py, sql)? {
            return Ok(Err(error));
        }
        let old = lock(&this.objects).cursor.replace(watched.unbind());
        drop(old);
        match this.step(py)? {
            Ok(_) => Ok(Ok(())),
            Err(error) => {
                this.end_work(py);
                Ok(Err(error))
            }
        }
    }

    /// `poll()`: goes on with what is under way, or takes what came by itself.
    pub(super) fn poll_once(slf: &Bound<'_, Connection>) -> PyResult<i32> {
        let py = slf.py();
        let this = slf.get();
        this.refuse_reentry(py)?;
        let (status, busy) = {
            let state = lock(&this.state);
            (state.status, state.busy)
        };
        if status == STATUS_CONNECTING {
            return Connection::poll_connecting(slf);
        }
        if !busy {
            let polled = Connection::drive_unqueued(slf, |client, _| client.poll())?;
            return polled.map(|()| POLL_OK).map_err(|error| this.raise(py, &error));
        }
        let stepped = this.step(py)?;
        if let Ok(Some(wanted)) = stepped {
            return Ok(poll_number(wanted));
        }
        if !this.is_async() {
            // Who called the callback takes the answer.
            return stepped.map(|_| POLL_OK).map_err(|error| this.raise(py, &error));
        }
        let answer = match stepped {
            Ok(_) => match Connection::finish_work(slf)? {
                Ok(Some(answer)) => Ok(answer),
                Ok(None) => return Ok(POLL_OK),
                Err(error) => Err(error),
            },
            Err(error) => {
                this.end_work(py);
                Err(error)
            }
        };
        if status == STATUS_DATESTYLE {
            lock(&this.state).status = STATUS_READY;
            return answer.map(|_| POLL_OK).map_err(|error| this.raise(py, &error));
        }
        let cursor = lock(&this.objects).cursor.take();
        let cursor = cursor.and_then(|cursor| cursor.bind(py).upgrade());
        match cursor.and_then(|cursor| cursor.cast_into::<Cursor>().ok()) {
            Some(cursor) => Cursor::take_answer(&cursor, slf, answer).map(|()| POLL_OK),
            None => Err(names::interface_error(py, "the asynchronous cursor has disappeared")),
        }
    }
}
