//! `ReplicationCursor`: begins a stream, reads it, and reports to the server how far it has come.

use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kecoa::blocking::Client;
use kecoa::replication::{Progress, StreamEvent};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyFloat, PyInt, PyTuple};

use super::ReplicationMessage;
use super::message::local_time;
use crate::dbapi::connection::Connection;
use crate::dbapi::connection::signals::Signals;
use crate::dbapi::cursor::Cursor;
use crate::errors::error;
use crate::errors::exception::{Details, DriverError};
use crate::names;
use crate::sync::lock;

/// How long a wait for the socket lasts before it is seen that another thread closed the connection.
const RECHECK: Duration = Duration::from_millis(250);

/// The cursor behind `extras.ReplicationCursor`.
#[pyclass(
    extends = Cursor, subclass, frozen,
    name = "ReplicationCursor", module = "kecoa.extensions"
)]
#[derive(Default)]
pub(crate) struct ReplicationCursor {
    stream: Mutex<Stream>,
}

/// Locked for moments only: who waits for it may be attached to the interpreter.
#[derive(Default)]
struct Stream {
    progress: Progress,
    decode: bool,
    /// Began, and was not consumed yet.
    fresh: bool,
    consuming: bool,
}

/// What a step gave; `None` when no stream was open.
type Step<T> = Result<Option<T>, kecoa::Error>;

impl ReplicationCursor {
    fn base<'a, 'py>(slf: &'a Bound<'py, Self>) -> PyResult<&'a Bound<'py, Cursor>> {
        Ok(slf.cast::<Cursor>()?)
    }

    /// The connection, when the cursor may be used for `what`.
    fn ready<'py>(slf: &Bound<'py, Self>, what: &str) -> PyResult<Bound<'py, Connection>> {
        let py = slf.py();
        let cursor = Self::base(slf)?.get();
        cursor.check_open(py)?;
        let connection = cursor.connection_of(py)?;
        connection.get().refuse_green(py, what)?;
        connection.get().refuse_prepared(py, what)?;
        Ok(connection)
    }

    /// ProgrammingError that names the cursor.
    fn refuse<T>(slf: &Bound<'_, Self>, message: &str) -> PyResult<T> {
        let error = names::programming_error(slf.py(), message);
        Err(error::with_cursor(slf.py(), error, slf.as_any()))
    }

    /// Works on the open stream, with the GIL released.
    fn with_stream<T: Send>(
        slf: &Bound<'_, Self>,
        connection: &Bound<'_, Connection>,
        work: impl FnOnce(&mut Client, &mut Progress, &mut Signals) -> Result<T, kecoa::Error> + Send,
    ) -> PyResult<T> {
        let py = slf.py();
        let stream = &slf.get().stream;
        let driven = Connection::drive(connection, |client, hook| -> Step<T> {
            if !client.is_streaming() {
                return Ok(None);
            }
            let mut progress = lock(stream).progress.clone();
            let done = work(client, &mut progress, hook);
            lock(stream).progress.absorb(&progress);
            done.map(Some)
        })?;
        match driven {
            Ok(Some(done)) => Ok(done),
            Ok(None) => {
                let text = "no COPY in progress\n";
                let class = names::class(py, "DatabaseError");
                let value = class.call1((text,))?;
                if let Ok(driver_error) = value.cast::<DriverError>() {
                    driver_error.get().set(Details {
                        message: Some(text.to_owned()),
                        cursor: Some(slf.as_any().clone().unbind()),
                        ..Details::default()
                    });
                }
                Err(PyErr::from_value(value))
            }
            Err(error) => Err(Cursor::exception(Self::base(slf)?, connection, None, false, &error)),
        }
    }

    fn read(slf: &Bound<'_, Self>, connection: &Bound<'_, Connection>) -> PyResult<StreamEvent> {
        Self::with_stream(slf, connection, |client, progress, hook| {
            client.read_stream(progress, hook)
        })
    }

    /// The message, its payload decoded if that was asked for.
    fn message<'py>(
        slf: &Bound<'py, Self>,
        data: &kecoa_proto::message::replication::StreamedData,
    ) -> PyResult<Bound<'py, ReplicationMessage>> {
        let py = slf.py();
        let cursor = Self::base(slf)?;
        let payload = if lock(&slf.get().stream).decode {
            cursor.get().codec(py).decode(py, &data.payload)?.into_any().unbind()
        } else {
            PyBytes::new(py, &data.payload).into_any().unbind()
        };
        Bound::new(py, ReplicationMessage::over(cursor, data, payload))
    }

    /// Reads and calls until the stream ends or the consumer raises.
    fn consume_all(
        slf: &Bound<'_, Self>,
        connection: &Bound<'_, Connection>,
        consume: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        loop {
            Self::base(slf)?.get().check_open(slf.py())?;
            match Self::read(slf, connection)? {
                StreamEvent::Data(data) => {
                    consume.call1((Self::message(slf, &data)?,))?;
                }
                StreamEvent::Nothing => {
                    let due = lock(&slf.get().stream).progress.due_in();
                    wait(connection, due.min(RECHECK))?;
                }
                _ => return Ok(()),
            }
        }
    }

    fn shown_time<'py>(
        slf: &Bound<'py, Self>,
        pick: impl FnOnce(&Progress) -> Option<SystemTime>,
    ) -> PyResult<Bound<'py, PyAny>> {
        Self::base(slf)?.get().check_open(slf.py())?;
        let time = pick(&lock(&slf.get().stream).progress);
        let since = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        local_time(slf.py(), since.unwrap_or_default().as_secs_f64())
    }
}

/// Waits until the socket is readable, with the GIL released, and lets signal handlers run.
fn wait(connection: &Bound<'_, Connection>, time: Duration) -> PyResult<()> {
    let py = connection.py();
    if time.is_zero() {
        return py.check_signals();
    }
    let select = py.import("select")?;
    let poll = select.call_method0("poll")?;
    poll.call_method1("register", (connection.call_method0("fileno")?, select.getattr("POLLIN")?))?;
    let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX).saturating_add(1);
    poll.call_method1("poll", (milliseconds,))?;
    Ok(())
}

/// An interval of at least a second.
fn interval(seconds: f64) -> Option<Duration> {
    // NaN is no interval either.
    (seconds >= 1.0).then(|| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

#[pymethods]
impl ReplicationCursor {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(
        _args: &Bound<'_, PyTuple>,
        _kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyClassInitializer<ReplicationCursor> {
        PyClassInitializer::from(Cursor::default()).add_subclass(ReplicationCursor::default())
    }

    /// Runs a statement; `%s` and `%(name)s` stand for the arguments.
    #[pyo3(signature = (query, vars=None))]
    fn execute<'py>(
        slf: &Bound<'py, Self>,
        query: &Bound<'py, PyAny>,
        vars: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<()> {
        let cursor = Self::base(slf)?;
        Cursor::execute_command(cursor, query, vars)?;
        // START_REPLICATION by itself begins a stream, too.
        let connection = cursor.get().connection_of(slf.py())?;
        lock(&slf.get().stream).fresh = connection.get().is_streaming(slf.py());
        Ok(())
    }

    /// Begins a stream with a whole START_REPLICATION command. Payloads are str when `decode` is
    /// true. At least every `status_interval` seconds the server gets a report how far the cursor is, as
    /// long as messages are read.
    #[pyo3(signature = (command, decode=0, status_interval=10.0))]
    fn start_replication_expert(
        slf: &Bound<'_, Self>,
        command: &Bound<'_, PyAny>,
        decode: i64,
        status_interval: f64,
    ) -> PyResult<()> {
        let connection = Self::ready(slf, "start_replication_expert")?;
        let cursor = Self::base(slf)?;
        let sql = Cursor::command_text(cursor, command)?;
        let Some(interval) = interval(status_interval) else {
            return Self::refuse(slf, "status_interval must be >= 1 (sec)");
        };
        Cursor::run_command(cursor, &sql)?;
        let fresh = connection.get().is_streaming(slf.py());
        let mut stream = lock(&slf.get().stream);
        stream.progress.set_status_interval(interval);
        stream.progress.begun();
        stream.decode = decode != 0;
        stream.fresh = fresh;
        Ok(())
    }

    /// Calls `consume(message)` for each message until it raises; the server is kept posted
    /// meanwhile, every `keepalive_interval` seconds if that is given. Returns when the server ends
    /// the stream.
    #[pyo3(signature = (consume, keepalive_interval=None))]
    fn consume_stream(
        slf: &Bound<'_, Self>,
        consume: &Bound<'_, PyAny>,
        keepalive_interval: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let py = slf.py();
        let cursor = Self::base(slf)?.get();
        cursor.check_open(py)?;
        cursor.connection_of(py)?.get().refuse_async(py, "consume_stream")?;
        let connection = Self::ready(slf, "consume_stream")?;
        let given = match keepalive_interval {
            None => None,
            Some(given) if given.is_instance_of::<PyFloat>() || given.is_instance_of::<PyInt>() => {
                match interval(given.extract()?) {
                    None => return Self::refuse(slf, "keepalive_interval must be >= 1 (sec)"),
                    given => given,
                }
            }
            Some(_) => return Self::refuse(slf, "keepalive_interval must be int or float"),
        };
        let streaming = connection.get().is_streaming(py);
        let refusal = {
            let mut stream = lock(&slf.get().stream);
            if stream.consuming {
                Some("consume_stream cannot be used when already in the consume loop")
            } else if !stream.fresh || !streaming {
                Some("consume_stream: not replicating, call start_replication first")
            } else if consume.is_callable() {
                stream.fresh = false;
                stream.consuming = true;
                if let Some(given) = given {
                    stream.progress.set_status_interval(given);
                }
                None
            } else {
                return Err(PyTypeError::new_err("argument 1 must be callable"));
            }
        };
        if let Some(refusal) = refusal {
            return Err(names::programming_error(py, refusal));
        }
        let consumed = Self::consume_all(slf, &connection, consume);
        lock(&slf.get().stream).consuming = false;
        consumed
    }

    /// The next message if one has arrived, else None. Never waits; sends what is due.
    fn read_message<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<Option<Bound<'py, ReplicationMessage>>> {
        let connection = Self::ready(slf, "read_message")?;
        match Self::read(slf, &connection)? {
            StreamEvent::Data(data) => Self::message(slf, &data).map(Some),
            _ => Ok(None),
        }
    }

    /// Notes how far the program has come; LSNs never go back. Reports to the server at once when `force`
    /// or `reply` is true, otherwise with the next status update; `reply` asks it for an answer.
    #[pyo3(signature = (write_lsn=0, flush_lsn=0, apply_lsn=0, reply=0, force=0))]
    fn send_feedback(
        slf: &Bound<'_, Self>,
        write_lsn: u64,
        flush_lsn: u64,
        apply_lsn: u64,
        reply: i64,
        force: i64,
    ) -> PyResult<()> {
        let cursor = Self::base(slf)?.get();
        cursor.check_open(slf.py())?;
        lock(&slf.get().stream).progress.confirm(write_lsn, flush_lsn, apply_lsn);
        if reply == 0 && force == 0 {
            return Ok(());
        }
        let connection = cursor.connection_of(slf.py())?;
        Self::with_stream(slf, &connection, |client, progress, hook| {
            client.send_status(progress, reply != 0, hook)
        })
    }

    /// When something was last received from the server or sent to it, in local time.
    #[getter]
    fn io_timestamp<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        Self::shown_time(slf, Progress::last_io)
    }

    /// When the server last got a report how far the cursor is, in local time.
    #[getter]
    fn feedback_timestamp<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        Self::shown_time(slf, Progress::last_feedback)
    }

    /// Where the log ended on the server when it last said so (LSN).
    #[getter]
    fn wal_end(&self) -> u64 {
        lock(&self.stream).progress.wal_end()
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let closed = u8::from(Self::base(slf)?.get().was_closed());
        Ok(format!("<ReplicationCursor object at {:p}; closed: {closed}>", slf.as_ptr()))
    }
}
