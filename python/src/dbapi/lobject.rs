//! `lobject`: PostgreSQL's large objects as psycopg2 shows them, files inside a transaction.
//!
//! The server's functions are called by their oids, which are fixed in PostgreSQL's catalog, in
//! FunctionCall messages: data travels in binary form. As in psycopg2, whose calls go through
//! libpq, what the server refuses is an OperationalError without SQLSTATE.

mod calls;
mod mode;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Mutex, TryLockError};

use kecoa::Interrupt;
use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};

use self::calls::{Calls, Failure, export, function, import};
use self::mode::Mode;
use super::connection::Connection;
use super::connection::update::SessionUpdate;
use crate::dbapi::wait_callback::get_wait_callback;
use crate::errors::error;
use crate::names;
use crate::sync::lock;

/// A large object.
#[pyclass(subclass, frozen, name = "lobject", module = "kecoa.extensions")]
#[derive(Default)]
pub(crate) struct LargeObject {
    inner: Mutex<Inner>,
}

/// Locked for moments only, never across a call into Python.
#[derive(Default)]
struct Inner {
    connection: Option<Py<Connection>>,
    /// The transaction in which the object was opened.
    mark: u64,
    oid: u32,
    /// The server's descriptor while the object is open.
    descriptor: Option<i32>,
    mode: Mode,
}

/// An unsigned 32-bit number as C's conversion takes it: what does not fit loses its upper bits.
pub(super) struct Oid(u32);

impl Oid {
    /// No oid.
    pub(super) const INVALID: Oid = Oid(0);
}

impl<'py> FromPyObject<'_, 'py> for Oid {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Oid> {
        let value: i64 = value.extract()?;
        u32::try_from(value & 0xffff_ffff)
            .map(Oid)
            .map_err(|error| PyOverflowError::new_err(error.to_string()))
    }
}

/// A str without NUL, or None.
pub(super) struct Text(Option<String>);

impl Text {
    /// None.
    pub(super) const NONE: Text = Text(None);

    /// The empty str.
    pub(super) fn empty() -> Text {
        Text(Some(String::new()))
    }
}

impl<'py> FromPyObject<'_, 'py> for Text {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Text> {
        if value.is_none() {
            return Ok(Text(None));
        }
        let text: String = value.cast::<PyString>()?.extract()?;
        if text.contains('\0') {
            return Err(PyValueError::new_err("embedded null character"));
        }
        Ok(Text(Some(text)))
    }
}

impl Connection {
    /// `lobject(…)`: calls the factory.
    pub(super) fn large_object<'py>(
        slf: &Bound<'py, Connection>,
        oid: &Oid,
        mode: Text,
        new_oid: &Oid,
        new_file: Text,
        factory: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        slf.get().check_open(py)?;
        if get_wait_callback(py).is_some() {
            return Err(names::programming_error(
                py,
                "lobject cannot be used with an asynchronous callback.",
            ));
        }
        slf.get().refuse_prepared(py, "lobject")?;
        let factory = factory.unwrap_or_else(|| py.get_type::<LargeObject>().into_any());
        let made = match new_file.0 {
            Some(new_file) => factory.call1((slf, oid.0, mode.0, new_oid.0, new_file))?,
            None => factory.call1((slf, oid.0, mode.0, new_oid.0))?,
        };
        if !made.is_instance_of::<LargeObject>() {
            return Err(PyTypeError::new_err(
                "lobject factory must be subclass of kecoa.extensions.lobject",
            ));
        }
        Ok(made)
    }

    /// Runs calls on the server with the GIL released.
    fn calls<T: Send>(
        slf: &Bound<'_, Connection>,
        work: impl FnOnce(&mut Calls<'_>) -> Result<T, Failure> + Send,
    ) -> PyResult<T> {
        let py = slf.py();
        let mut file_failure = None;
        let place = &mut file_failure;
        let driven =
            Connection::drive(slf, move |client, hook| match work(&mut Calls { client, hook }) {
                Ok(value) => Ok(Some(value)),
                Err(Failure::Server(error)) => Err(error),
                Err(Failure::File(message)) => {
                    *place = Some(message);
                    Ok(None)
                }
            })?;
        match driven {
            Ok(Some(value)) => Ok(value),
            Ok(None) => Err(names::operational_error(py, file_failure.unwrap_or_default())),
            Err(error) => Err(error::operational(py, &error, &slf.get().codec())),
        }
    }
}

impl LargeObject {
    fn connection<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, Connection>> {
        let found = lock(&self.inner).connection.as_ref().map(|conn| conn.clone_ref(py));
        match found {
            Some(connection) => Ok(connection.into_bound(py)),
            None => Err(names::interface_error(py, "lobject already closed")),
        }
    }

    fn is_closed(&self) -> bool {
        let inner = lock(&self.inner);
        inner.descriptor.is_none()
            || inner.connection.as_ref().is_none_or(|connection| connection.get().is_closed())
    }

    /// Whether the transaction in which the object was opened goes on.
    fn is_current(&self, connection: &Connection) -> bool {
        !connection.is_autocommit() && lock(&self.inner).mark == connection.mark()
    }

    fn refuse_autocommit(py: Python<'_>, connection: &Connection) -> PyResult<()> {
        if connection.is_autocommit() {
            return Err(names::programming_error(
                py,
                "can't use a lobject outside of transactions",
            ));
        }
        Ok(())
    }

    /// The connection and the server's descriptor; an error when the object is closed, or its
    /// transaction over.
    fn ready<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, Connection>, i32)> {
        let descriptor = lock(&self.inner).descriptor;
        let (Some(descriptor), false) = (descriptor, self.is_closed()) else {
            return Err(names::interface_error(py, "lobject already closed"));
        };
        let connection = self.connection(py)?;
        LargeObject::refuse_autocommit(py, connection.get())?;
        if !self.is_current(connection.get()) {
            return Err(names::programming_error(py, "lobject isn't valid anymore"));
        }
        Ok((connection, descriptor))
    }

    /// The descriptor to be closed on the server, when its transaction goes on.
    fn take_descriptor(&self, connection: &Connection) -> Option<i32> {
        if self.is_closed() || !self.is_current(connection) {
            return None;
        }
        lock(&self.inner).descriptor.take()
    }
}

#[pymethods]
impl LargeObject {
    #[new]
    #[pyo3(
        signature = (*_args, **_kwargs),
        text_signature = "(conn, oid=0, mode=None, new_oid=0, new_file=None, /)"
    )]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> LargeObject {
        LargeObject::default()
    }

    /// Opens the object `oid`; makes one when `oid` is 0, with the oid `new_oid` or from the file
    /// `new_file` when given.
    #[pyo3(signature = (conn, oid=Oid::INVALID, mode=Text::NONE, new_oid=Oid::INVALID, new_file=Text::NONE, /))]
    fn __init__(
        &self,
        py: Python<'_>,
        conn: &Bound<'_, PyAny>,
        oid: Oid,
        mode: Text,
        new_oid: Oid,
        new_file: Text,
    ) -> PyResult<()> {
        let connection = conn
            .cast::<Connection>()
            .map_err(|_| PyTypeError::new_err("argument 1 must be kecoa.extensions.connection"))?;
        let (Oid(oid), Oid(new_oid)) = (oid, new_oid);
        let (mode, new_file) = (mode.0.unwrap_or_default(), new_file.0);
        LargeObject::refuse_autocommit(py, connection.get())?;
        let fresh = Inner {
            connection: Some(connection.clone().unbind()),
            mark: connection.get().mark(),
            ..Inner::default()
        };
        let old = std::mem::replace(&mut *lock(&self.inner), fresh);
        drop(old);
        let Some(mut mode) = Mode::parse(&mode) else {
            return Err(PyValueError::new_err(format!("bad mode for lobject: '{mode}'")));
        };
        connection.get().check_open(py)?;
        Connection::begin_now(connection)?;
        if oid == 0 {
            // What is made is to be written.
            mode = Mode { read: false, write: true, ..mode };
        }
        let (oid, descriptor) = Connection::calls(connection, move |calls| {
            let oid = match (oid, new_file) {
                (0, Some(path)) => import(calls, Path::new(&path))?,
                (0, None) => calls.create(new_oid)?,
                (oid, _) => oid,
            };
            let descriptor = match mode.flags() {
                0 => None,
                flags => Some(calls.open(oid, flags)?),
            };
            Ok((oid, descriptor))
        })?;
        let mut inner = lock(&self.inner);
        inner.oid = oid;
        inner.descriptor = descriptor;
        inner.mode = mode;
        Ok(())
    }

    /// The object's oid.
    #[getter]
    fn oid(&self) -> u32 {
        lock(&self.inner).oid
    }

    /// How the object was opened.
    #[getter]
    fn mode(&self) -> &'static str {
        lock(&self.inner).mode.name()
    }

    /// Whether the object, or its connection, is closed.
    #[getter]
    fn closed(&self) -> bool {
        self.is_closed()
    }

    /// Closes. Does nothing when the transaction is over: the server closed then.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let connection = lock(&self.inner).connection.as_ref().map(|conn| conn.clone_ref(py));
        let Some(connection) = connection else { return Ok(()) };
        let connection = connection.bind(py);
        match self.take_descriptor(connection.get()) {
            Some(descriptor) => Connection::calls(connection, |calls| Ok(calls.close(descriptor)?)),
            None => Ok(()),
        }
    }

    /// Reads `size` bytes, or all that is left: bytes in binary mode, else str.
    #[pyo3(signature = (size=-1, /))]
    fn read<'py>(&self, py: Python<'py>, size: isize) -> PyResult<Bound<'py, PyAny>> {
        let (connection, descriptor) = self.ready(py)?;
        let limit = usize::try_from(size).ok();
        let data = Connection::calls(&connection, |calls| {
            let mut data = Vec::new();
            let done = calls.read(descriptor, limit, |chunk| {
                data.extend_from_slice(chunk);
                Ok(())
            })?;
            drop(done);
            Ok(data)
        })?;
        if lock(&self.inner).mode.binary {
            return Ok(PyBytes::new(py, &data).into_any());
        }
        connection.get().codec().decode(py, &data)
    }

    /// Writes bytes, or str in the connection's encoding; returns the number of bytes.
    #[pyo3(signature = (data, /))]
    fn write(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<usize> {
        let (connection, descriptor) = self.ready(py)?;
        let data = if let Ok(data) = data.cast::<PyBytes>() {
            data.clone()
        } else if let Ok(text) = data.cast::<PyString>() {
            connection.get().codec().encode(text)?
        } else {
            return Err(PyTypeError::new_err(format!(
                "lobject.write requires a string; got {} instead",
                data.get_type().name()?
            )));
        };
        let data = data.as_bytes();
        Connection::calls(&connection, |calls| Ok(calls.write(descriptor, data)?))
    }

    /// Moves to a position: from the start (0), from where it is (1) or from the end (2).
    #[pyo3(signature = (offset, whence=0, /))]
    fn seek(&self, py: Python<'_>, offset: i64, whence: i32) -> PyResult<i64> {
        let (connection, descriptor) = self.ready(py)?;
        Connection::calls(&connection, |calls| {
            let args: [&[u8]; 3] =
                [&descriptor.to_be_bytes(), &offset.to_be_bytes(), &whence.to_be_bytes()];
            Ok(calls.int8(function::SEEK, &args)?)
        })
    }

    /// The position.
    fn tell(&self, py: Python<'_>) -> PyResult<i64> {
        let (connection, descriptor) = self.ready(py)?;
        Connection::calls(&connection, |calls| {
            Ok(calls.int8(function::TELL, &[&descriptor.to_be_bytes()])?)
        })
    }

    /// Cuts to a length, or fills with zeros up to it.
    #[pyo3(signature = (len=0, /))]
    fn truncate(&self, py: Python<'_>, len: i64) -> PyResult<()> {
        let (connection, descriptor) = self.ready(py)?;
        Connection::calls(&connection, |calls| {
            let args: [&[u8]; 2] = [&descriptor.to_be_bytes(), &len.to_be_bytes()];
            Ok(calls.int4(function::TRUNCATE, &args).map(drop)?)
        })
    }

    /// Closes and removes the object.
    fn unlink(&self, py: Python<'_>) -> PyResult<()> {
        let connection = self.connection(py)?;
        connection.get().check_open(py)?;
        Connection::begin_now(&connection)?;
        let descriptor = self.take_descriptor(connection.get());
        let oid = self.oid();
        Connection::calls(&connection, |calls| {
            if let Some(descriptor) = descriptor {
                calls.close(descriptor)?;
            }
            Ok(calls.int4(function::UNLINK, &[&oid.to_be_bytes()]).map(drop)?)
        })
    }

    /// Writes the object to a file on this machine, from its start.
    #[pyo3(signature = (filename, /))]
    fn export(&self, py: Python<'_>, filename: Text) -> PyResult<()> {
        let Text(Some(path)) = filename else {
            return Err(PyTypeError::new_err("export() argument must be str, not None"));
        };
        let connection = self.connection(py)?;
        LargeObject::refuse_autocommit(py, connection.get())?;
        connection.get().check_open(py)?;
        Connection::begin_now(&connection)?;
        let oid = self.oid();
        Connection::calls(&connection, move |calls| export(calls, oid, Path::new(&path)))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> String {
        format!(
            "<lobject object at {:p}; closed: {}>",
            slf.as_ptr(),
            i32::from(slf.get().is_closed())
        )
    }

    fn __reduce__(slf: &Bound<'_, Self>) -> PyResult<()> {
        Err(PyTypeError::new_err(format!("cannot pickle '{}' object", slf.get_type().name()?)))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Ok(inner) = self.inner.try_lock() {
            visit.call(&inner.connection)?;
        }
        Ok(())
    }
}

/// Waits for the server's word without asking Python.
struct Uninterrupted;

impl Interrupt for Uninterrupted {
    fn check(&mut self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

impl Drop for LargeObject {
    /// Closes on the server, as psycopg2 does. An object that goes away while its own connection is
    /// at work is left to the end of the transaction: to wait here could be to wait for oneself.
    fn drop(&mut self) {
        let Some(connection) = lock(&self.inner).connection.take() else { return };
        let Some(descriptor) = lock(&self.inner).descriptor.take() else { return };
        let this = connection.get();
        let current = lock(&self.inner).mark == this.mark();
        if this.is_closed() || this.is_autocommit() || !current {
            return;
        }
        // Called while attached to the interpreter, which is not to wait for the server.
        Python::try_attach(|py| {
            let update = py.detach(|| {
                let mut link = match this.link.try_lock() {
                    Ok(link) if link.pid == std::process::id() => link,
                    Ok(_) | Err(TryLockError::WouldBlock | TryLockError::Poisoned(_)) => {
                        return None;
                    }
                };
                if let Some(client) = link.client.as_mut() {
                    // What it answers matters to nobody any more.
                    let _ = Calls { client, hook: &mut Uninterrupted }.close(descriptor);
                }
                SessionUpdate::collect(&mut link, &this.state)
            });
            if let Some(update) = update
                && let Err(error) = this.settle(py, update)
            {
                error.write_unraisable(py, None);
            }
        });
    }
}
