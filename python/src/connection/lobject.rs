//! `lobject`: PostgreSQL's large objects as psycopg2 shows them, files inside a transaction.
//!
//! The server's functions are called by their oids, which are fixed in PostgreSQL's catalog, in
//! FunctionCall messages: data travels in binary form. As in psycopg2, whose calls go through
//! libpq, what the server refuses is an OperationalError without SQLSTATE.

use std::fs::File;
use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Mutex, TryLockError};

use bytes::Bytes;
use kecoa::Interrupt;
use kecoa::blocking::Client;
use kecoa_proto::{Format, Parameter, Request};
use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};

use super::{Connection, link::Aftermath, link::lock};
use crate::error;
use crate::globals;

/// The server's functions, by their oids in `pg_proc`.
mod function {
    pub(super) const OPEN: u32 = 952;
    pub(super) const CLOSE: u32 = 953;
    pub(super) const READ: u32 = 954;
    pub(super) const WRITE: u32 = 955;
    pub(super) const CREAT: u32 = 957;
    pub(super) const UNLINK: u32 = 964;
    pub(super) const CREATE: u32 = 715;
    pub(super) const SEEK: u32 = 3170;
    pub(super) const TELL: u32 = 3171;
    pub(super) const TRUNCATE: u32 = 3172;
}

/// `INV_READ` and `INV_WRITE`, the modes of `lo_open`.
const READ: i32 = 0x0004_0000;
const WRITE: i32 = 0x0002_0000;

/// How much one message carries: neither side has to hold a whole object more than once.
const CHUNK: usize = 4 << 20;

/// How an object was opened: `[r|w|rw|n][t|b]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Mode {
    read: bool,
    write: bool,
    binary: bool,
}

impl Mode {
    /// Reads a mode; empty is "rt".
    fn parse(text: &str) -> Option<Mode> {
        let (read, write, rest) = if let Some(rest) = text.strip_prefix("rw") {
            (true, true, rest)
        } else if let Some(rest) = text.strip_prefix('r') {
            (true, false, rest)
        } else if let Some(rest) = text.strip_prefix('w') {
            (false, true, rest)
        } else if let Some(rest) = text.strip_prefix('n') {
            (false, false, rest)
        } else {
            (true, false, text)
        };
        let binary = match rest {
            "" | "t" => false,
            "b" => true,
            _ => return None,
        };
        Some(Mode { read, write, binary })
    }

    fn name(self) -> &'static str {
        match (self.read, self.write, self.binary) {
            (true, true, false) => "rwt",
            (true, true, true) => "rwb",
            (true, false, false) => "rt",
            (true, false, true) => "rb",
            (false, true, false) => "wt",
            (false, true, true) => "wb",
            (false, false, _) => "n",
        }
    }

    fn flags(self) -> i32 {
        (if self.read { READ } else { 0 }) | (if self.write { WRITE } else { 0 })
    }
}

/// Calls on the server, one after the other, on a client that is locked.
struct Calls<'a> {
    client: &'a mut Client,
    hook: &'a mut dyn Interrupt,
}

/// A descriptor or number as the server gives it.
fn number<const N: usize>(value: &[u8]) -> Result<[u8; N], kecoa::Error> {
    value.try_into().map_err(|_| {
        kecoa::Error::usage(format!("expected {N} bytes of a number, found {}", value.len()))
    })
}

impl Calls<'_> {
    fn call(&mut self, oid: u32, args: &[&[u8]]) -> Result<Bytes, kecoa::Error> {
        let args: Vec<_> = args
            .iter()
            .map(|value| Parameter { format: Format::Binary, value: Some(value) })
            .collect();
        let request = Request::FunctionCall { oid, args: &args, result: Format::Binary };
        let results = self.client.run(&request, self.hook)?;
        Ok(results
            .into_iter()
            .find_map(|result| result.function_result)
            .flatten()
            .unwrap_or_default())
    }

    fn int4(&mut self, oid: u32, args: &[&[u8]]) -> Result<i32, kecoa::Error> {
        self.call(oid, args).and_then(|value| number(&value).map(i32::from_be_bytes))
    }

    fn int8(&mut self, oid: u32, args: &[&[u8]]) -> Result<i64, kecoa::Error> {
        self.call(oid, args).and_then(|value| number(&value).map(i64::from_be_bytes))
    }

    fn open(&mut self, oid: u32, flags: i32) -> Result<i32, kecoa::Error> {
        self.int4(function::OPEN, &[&oid.to_be_bytes(), &flags.to_be_bytes()])
    }

    fn close(&mut self, descriptor: i32) -> Result<(), kecoa::Error> {
        self.int4(function::CLOSE, &[&descriptor.to_be_bytes()]).map(drop)
    }

    /// A new object, with an oid of the server's choice when `oid` is 0.
    fn create(&mut self, oid: u32) -> Result<u32, kecoa::Error> {
        let value = if oid == 0 {
            self.call(function::CREAT, &[&(READ | WRITE).to_be_bytes()])?
        } else {
            self.call(function::CREATE, &[&oid.to_be_bytes()])?
        };
        number(&value).map(u32::from_be_bytes)
    }

    fn write(&mut self, descriptor: i32, data: &[u8]) -> Result<usize, kecoa::Error> {
        let mut written = 0usize;
        for chunk in data.chunks(CHUNK) {
            let count = self.int4(function::WRITE, &[&descriptor.to_be_bytes(), chunk])?;
            let count = usize::try_from(count).unwrap_or(0);
            written = written.saturating_add(count);
            if count < chunk.len() {
                break;
            }
        }
        Ok(written)
    }

    /// Gives what is read to `sink`, at most `limit` bytes.
    fn read(
        &mut self,
        descriptor: i32,
        limit: Option<usize>,
        mut sink: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<io::Result<()>, kecoa::Error> {
        let mut left = limit.unwrap_or(usize::MAX);
        while left > 0 {
            let wanted = left.min(CHUNK);
            let length = i32::try_from(wanted).unwrap_or(i32::MAX);
            let args: [&[u8]; 2] = [&descriptor.to_be_bytes(), &length.to_be_bytes()];
            let data = self.call(function::READ, &args)?;
            if let Err(error) = sink(&data) {
                return Ok(Err(error));
            }
            if data.len() < wanted {
                break;
            }
            left -= wanted;
        }
        Ok(Ok(()))
    }
}

/// What went wrong with an object: on the server, or with a file here.
enum Failure {
    Server(kecoa::Error),
    File(String),
}

impl From<kecoa::Error> for Failure {
    fn from(error: kecoa::Error) -> Failure {
        Failure::Server(error)
    }
}

/// libpq's words about a file that fails.
fn file_failed(what: &str, path: &Path, error: &io::Error) -> Failure {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    Failure::File(format!("could not {what} file \"{}\": {text}\n", path.display()))
}

fn import(calls: &mut Calls<'_>, path: &Path) -> Result<u32, Failure> {
    let mut file = File::open(path).map_err(|error| file_failed("open", path, &error))?;
    let oid = calls.create(0)?;
    let descriptor = calls.open(oid, WRITE)?;
    let mut buffer = vec![0; CHUNK];
    loop {
        let count =
            file.read(&mut buffer).map_err(|error| file_failed("read from", path, &error))?;
        if count == 0 {
            break;
        }
        calls.write(descriptor, buffer.get(..count).unwrap_or_default())?;
    }
    calls.close(descriptor)?;
    Ok(oid)
}

fn export(calls: &mut Calls<'_>, oid: u32, path: &Path) -> Result<(), Failure> {
    let descriptor = calls.open(oid, READ)?;
    let mut file = File::create(path).map_err(|error| file_failed("open", path, &error))?;
    calls
        .read(descriptor, None, |data| file.write_all(data))?
        .map_err(|error| file_failed("write to", path, &error))?;
    calls.close(descriptor)?;
    Ok(())
}

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
        if crate::functions::get_wait_callback(py)?.is_some() {
            return Err(globals::get(py)?
                .exceptions
                .programming(py, "lobject cannot be used with an asynchronous callback."));
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
            Ok(None) => {
                Err(globals::get(py)?.exceptions.operational(py, file_failure.unwrap_or_default()))
            }
            Err(error) => Err(error::operational(py, &error, &slf.get().codec())),
        }
    }
}

impl LargeObject {
    fn connection<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, Connection>> {
        let found = lock(&self.inner).connection.as_ref().map(|conn| conn.clone_ref(py));
        match found {
            Some(connection) => Ok(connection.into_bound(py)),
            None => Err(globals::get(py)?.exceptions.interface(py, "lobject already closed")),
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
            return Err(globals::get(py)?
                .exceptions
                .programming(py, "can't use a lobject outside of transactions"));
        }
        Ok(())
    }

    /// The connection and the server's descriptor; an error when the object is closed, or its
    /// transaction over.
    fn ready<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, Connection>, i32)> {
        let descriptor = lock(&self.inner).descriptor;
        let (Some(descriptor), false) = (descriptor, self.is_closed()) else {
            return Err(globals::get(py)?.exceptions.interface(py, "lobject already closed"));
        };
        let connection = self.connection(py)?;
        LargeObject::refuse_autocommit(py, connection.get())?;
        if !self.is_current(connection.get()) {
            return Err(globals::get(py)?
                .exceptions
                .programming(py, "lobject isn't valid anymore"));
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
struct Patient;

impl Interrupt for Patient {
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
        let aftermath = match this.link.try_lock() {
            Err(TryLockError::WouldBlock | TryLockError::Poisoned(_)) => return,
            Ok(mut link) if link.pid == std::process::id() => {
                if let Some(client) = link.client.as_mut() {
                    // What it answers matters to nobody any more.
                    let _ = Calls { client, hook: &mut Patient }.close(descriptor);
                }
                Aftermath::collect(&mut link)
            }
            Ok(_) => return,
        };
        let Some(aftermath) = aftermath else { return };
        Python::try_attach(|py| {
            if let Err(error) = this.settle(py, aftermath) {
                error.write_unraisable(py, None);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{Mode, READ, WRITE, file_failed, number};

    #[test]
    fn reads_modes() {
        for (text, name, flags) in [
            ("", "rt", READ),
            ("r", "rt", READ),
            ("t", "rt", READ),
            ("b", "rb", READ),
            ("rb", "rb", READ),
            ("w", "wt", WRITE),
            ("wb", "wb", WRITE),
            ("rw", "rwt", READ | WRITE),
            ("rwb", "rwb", READ | WRITE),
            ("n", "n", 0),
            ("nb", "n", 0),
        ] {
            let mode = Mode::parse(text);
            assert_eq!(mode.map(Mode::name), Some(name), "{text}");
            assert_eq!(mode.map(Mode::flags), Some(flags), "{text}");
        }
        for text in ["x", "rr", "wr", "rbt", "r "] {
            assert_eq!(Mode::parse(text), None, "{text}");
        }
    }

    #[test]
    fn says_what_failed_as_libpq_does() {
        let error = std::io::Error::from_raw_os_error(2);
        let super::Failure::File(text) = file_failed("open", "/no/such".as_ref(), &error) else {
            panic!("a file failed");
        };
        assert_eq!(text, "could not open file \"/no/such\": No such file or directory\n");
    }

    #[test]
    fn a_number_has_its_length() {
        assert_eq!(number::<4>(&[0, 0, 1, 0]).unwrap(), [0, 0, 1, 0]);
        assert!(number::<4>(&[0, 0, 1]).is_err());
        assert!(number::<8>(&[0; 4]).is_err());
    }
}
