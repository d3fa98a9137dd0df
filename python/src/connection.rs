//! `connection`: psycopg2's connection object over `kecoa::blocking::Client`.

mod info;
mod link;
mod session;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use kecoa::blocking::{Canceller, Client};
use kecoa::config::{Config, conninfo};
use kecoa_proto::TransactionStatus;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyList, PyString, PyTuple, PyType};

pub(crate) use info::ConnectionInfo;
use link::{Aftermath, Link, Signals, lock};
use session::{Change, Characteristics, parse_level, parse_on_off};

use crate::codec::{Codec, clean_name};
use crate::cursor::Cursor;
use crate::dump::Settings;
use crate::error::{self, Circumstances};
use crate::globals;

/// `STATUS_SETUP`: made, not connected.
pub(crate) const STATUS_SETUP: i32 = 0;
/// `STATUS_READY`: no transaction begun.
pub(crate) const STATUS_READY: i32 = 1;
/// `STATUS_BEGIN`: a transaction begun by the driver.
pub(crate) const STATUS_BEGIN: i32 = 2;

/// A connection to a server.
#[pyclass(subclass, dict, weakref, frozen, name = "connection", module = "kecoa.extensions")]
#[derive(Default)]
pub(crate) struct Connection {
    link: Mutex<Link>,
    state: Mutex<State>,
    objects: Mutex<Objects>,
    /// Statements that run or wait for their turn.
    executing: AtomicU32,
}

/// What Python asks about without waiting for a running statement. Locked for moments only, never
/// across a call into Python.
#[derive(Default)]
pub(crate) struct State {
    /// 0 open, 1 closed, 2 broken.
    closed: i32,
    status: i32,
    autocommit: bool,
    isolation: Option<u8>,
    readonly: Option<bool>,
    deferrable: Option<bool>,
    /// Inside `with connection`.
    entered: bool,
    /// Counts transactions, so that named cursors know when theirs is over.
    mark: u64,
    transaction: TransactionStatus,
    codec: Arc<Codec>,
    encoding: String,
    standard_strings: bool,
    dsn: String,
    options: Vec<(String, String)>,
    password: Option<String>,
    server_version: i32,
    process_id: i32,
    descriptor: Option<i32>,
    tls: Option<(&'static str, &'static str)>,
    /// What the last statement's error said, for `info.error_message`.
    last_error: Option<String>,
    canceller: Option<Canceller>,
}

/// Python objects that belong to the connection.
#[derive(Default)]
struct Objects {
    string_types: Option<Py<PyDict>>,
    binary_types: Option<Py<PyDict>>,
    notices: Option<Py<PyAny>>,
    notifies: Option<Py<PyAny>>,
    cursor_factory: Option<Py<PyAny>>,
}

/// `180001` for "18.1", `90603` for "9.6.3", as `PQserverVersion`.
fn version_number(text: &str) -> i32 {
    let mut numbers = text.split(|c: char| c == '.' || c.is_ascii_whitespace()).map_while(|part| {
        let digits = part.chars().take_while(char::is_ascii_digit).collect::<String>();
        digits.parse::<i32>().ok().filter(|number| *number < 1000)
    });
    let major = numbers.next().unwrap_or(0);
    let minor = numbers.next().unwrap_or(0);
    if major >= 10 {
        return major * 10_000 + minor;
    }
    major * 10_000 + minor * 100 + numbers.next().unwrap_or(0)
}

/// The connection string with secrets as xxx, options in libpq's order.
fn masked(config: &Config) -> String {
    conninfo::format(Config::names().filter_map(|name| {
        let value = config.get(name)?;
        Some((name, if Config::is_secret(name) { "xxx" } else { value }))
    }))
}

impl Connection {
    /// Whether it was closed, here or by the server.
    pub(crate) fn is_closed(&self) -> bool {
        lock(&self.state).closed != 0
    }

    /// Whether it was opened and not closed.
    pub(crate) fn is_connected(&self) -> bool {
        let state = lock(&self.state);
        state.closed == 0 && state.status != STATUS_SETUP
    }

    /// InterfaceError when closed or never opened.
    pub(crate) fn check_open(&self, py: Python<'_>) -> PyResult<()> {
        let (closed, status) = {
            let state = lock(&self.state);
            (state.closed, state.status)
        };
        if closed == 0 && status != STATUS_SETUP {
            return Ok(());
        }
        Err(globals::get(py)?.exceptions.interface(py, "connection already closed"))
    }

    /// How literals are written on this connection.
    pub(crate) fn settings(&self) -> Settings {
        let state = lock(&self.state);
        Settings {
            codec: state.codec.clone(),
            standard_strings: state.standard_strings,
            connected: true,
        }
    }

    /// How text is encoded.
    pub(crate) fn codec(&self) -> Arc<Codec> {
        lock(&self.state).codec.clone()
    }

    /// Which transaction this is; see `State::mark`.
    pub(crate) fn mark(&self) -> u64 {
        lock(&self.state).mark
    }

    /// Whether statements commit by themselves.
    pub(crate) fn is_autocommit(&self) -> bool {
        lock(&self.state).autocommit
    }

    /// What the server says about the transaction.
    pub(crate) fn server_transaction(&self) -> TransactionStatus {
        lock(&self.state).transaction
    }

    /// The connection's own typecasters.
    pub(crate) fn string_types<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let found = lock(&self.objects).string_types.as_ref().map(|types| types.clone_ref(py));
        match found {
            Some(types) => Ok(types.into_bound(py)),
            None => Err(globals::get(py)?.exceptions.interface(py, "connection not initialised")),
        }
    }

    /// psycopg2's number of the transaction's status.
    pub(crate) fn transaction_number(&self) -> i32 {
        if !self.is_connected() {
            return 4;
        }
        if self.executing.load(Ordering::Relaxed) > 0 {
            return 1;
        }
        match lock(&self.state).transaction {
            TransactionStatus::Idle => 0,
            TransactionStatus::InTransaction => 2,
            TransactionStatus::Failed => 3,
        }
    }

    /// A setting that the server reports by itself. Waits for a running statement.
    pub(crate) fn server_parameter(&self, py: Python<'_>, name: &str) -> Option<String> {
        py.detach(|| {
            let link = lock(&self.link);
            link.client.as_ref()?.parameter(name).map(ToOwned::to_owned)
        })
    }

    /// All options but secrets.
    pub(crate) fn dsn_parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let options = lock(&self.state).options.clone();
        let dict = PyDict::new(py);
        for (name, value) in options {
            dict.set_item(name, value)?;
        }
        Ok(dict)
    }

    fn connect(slf: &Bound<'_, Connection>, dsn: &str) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let globals = globals::get(py)?;
        let config = Config::parse(dsn)
            .map_err(|error| globals.exceptions.operational(py, error.to_string()))?;
        let has_password = config.pairs().any(|(name, _)| Config::is_secret(name));
        let shown = if has_password { masked(&config) } else { dsn.to_owned() };
        lock(&this.state).dsn.clone_from(&shown);
        let mut signals = Signals::default();
        let connected = py.detach(|| Client::connect_with(&config, &mut signals));
        let client = match connected {
            Ok(client) => client,
            Err(error) => {
                lock(&this.state).closed = 2;
                return Err(match signals.into_raised() {
                    Some(raised) => raised,
                    None => error::connect_exception(py, &error),
                });
            }
        };
        let version = client.parameter("server_version").map_or(0, version_number);
        let datestyle_is_iso =
            client.parameter("DateStyle").is_none_or(|style| style.starts_with("ISO"));
        let resolved = client.config().unwrap_or(&config);
        let options = resolved
            .pairs()
            .filter(|(name, value)| !Config::is_secret(name) && !value.is_empty())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let password = resolved.password().map(ToOwned::to_owned);
        {
            let mut state = lock(&this.state);
            state.closed = 0;
            state.status = STATUS_READY;
            state.options = options;
            state.password = password;
            state.server_version = version;
            state.process_id = client.process_id().unwrap_or(0);
            state.descriptor = client.raw_fd();
            state.tls = client.tls_info();
            state.canceller = Some(client.canceller());
        }
        let aftermath = py.detach(|| {
            let mut link = lock(&this.link);
            link.client = Some(client);
            link.pid = std::process::id();
            Aftermath::collect(&mut link)
        });
        if let Some(aftermath) = aftermath {
            this.settle(py, aftermath)?;
        }
        if !datestyle_is_iso {
            Connection::command(slf, "SET datestyle TO 'ISO'", false)?;
        }
        Ok(())
    }

    fn shut(&self, py: Python<'_>) {
        {
            let mut state = lock(&self.state);
            if state.closed == 1 {
                return;
            }
            state.closed = 1;
            state.descriptor = None;
            state.canceller = None;
        }
        py.detach(|| {
            let mut link = lock(&self.link);
            let pid = link.pid;
            if let Some(client) = link.client.take() {
                if pid == std::process::id() {
                    drop(client);
                } else {
                    std::mem::forget(client);
                }
            }
        });
    }

    /// The error of this connection's client as an exception, without a cursor.
    fn raise(&self, py: Python<'_>, error: &kecoa::Error) -> PyErr {
        let codec = self.codec();
        let circumstances =
            Circumstances { statement: None, codec: &codec, cursor: None, commit: false };
        error::exception(py, error, &circumstances)
    }

    fn unsupported(py: Python<'_>, what: &str) -> PyErr {
        match globals::get(py) {
            Ok(globals) => {
                globals.exceptions.not_supported(py, format!("{what} is not supported yet"))
            }
            Err(error) => error,
        }
    }
}

/// PEP 249: the exceptions are attributes of the connection.
macro_rules! exception_getters {
    ($($method:ident $name:literal)*) => {
        $(
            fn $method(py: Python<'_>) -> PyResult<Bound<'_, PyType>> {
                Ok(globals::get(py)?.exceptions.class(py, $name))
            }
        )*
    };
}

impl Connection {
    exception_getters! {
        class_warning "Warning"
        class_error "Error"
        class_interface "InterfaceError"
        class_database "DatabaseError"
        class_data "DataError"
        class_operational "OperationalError"
        class_integrity "IntegrityError"
        class_internal "InternalError"
        class_programming "ProgrammingError"
        class_not_supported "NotSupportedError"
    }
}

#[pymethods]
impl Connection {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Connection {
        Connection::default()
    }

    /// Connects. Keyword `async` is another name of `async_`.
    #[pyo3(signature = (dsn, async_=None, **kwargs))]
    fn __init__(
        slf: &Bound<'_, Self>,
        dsn: &Bound<'_, PyString>,
        async_: Option<&Bound<'_, PyAny>>,
        kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let py = slf.py();
        let mut asynchronous = match async_ {
            Some(flag) => flag.is_truthy()?,
            None => false,
        };
        for (name, value) in kwargs.into_iter().flatten() {
            if !name.eq("async")? {
                return Err(PyTypeError::new_err(format!(
                    "'{name}' is an invalid keyword argument for connection()"
                )));
            }
            asynchronous |= value.is_truthy()?;
        }
        if asynchronous {
            return Err(Connection::unsupported(py, "an asynchronous connection"));
        }
        let objects = Objects {
            string_types: Some(PyDict::new(py).unbind()),
            binary_types: Some(PyDict::new(py).unbind()),
            notices: Some(PyList::empty(py).into_any().unbind()),
            notifies: Some(PyList::empty(py).into_any().unbind()),
            cursor_factory: None,
        };
        let old = std::mem::replace(&mut *lock(&slf.get().objects), objects);
        drop(old);
        Connection::connect(slf, dsn.to_str()?)
    }

    #[getter(Warning)]
    fn get_warning(slf: &Bound<'_, Self>) -> PyResult<Py<PyType>> {
        Connection::class_warning(slf.py()).map(Bound::unbind)
    }

    #[getter(Error)]
    fn get_error(slf: &Bound<'_, Self>) -> PyResult<Py<PyType>> {
        Connection::class_error(slf.py()).map(Bound::unbind)
    }

    #[getter(InterfaceError)]
    fn get_interface_error(slf: &Bound<'_, Self>) -> PyResult<Py<PyType>> {
        Connection::class_interface(slf.py()).map(Bound::unbind)
    }

    #[getter(DatabaseError)]
    fn get_database_error(slf: &Bound<'_, Self>) -> PyResult<Py<PyType>> {
        Connection::class_database(slf.py()).map(Bound::unbind)
    }

    #[getter(DataError)]
    fn get_data_error(slf: &Bound<'_, Self>) -> PyResult<Py<PyType>> {
        Connection::class_data(slf.py()).map(Bound::unbind)
    }

    #[getter(OperationalError)]
    fn get_operational_error(slf: &Bound<'_, Self>) -> PyResult<Py<PyType>> {
        Connection::class_operational(slf.py()).map(Bound::unbind)
    }

    #[getter(IntegrityError)]
    fn get_integrity_error(slf: &Bound<'_, Self>) -> PyResult<Py<PyType>> {
        Connection::class_integrity(slf.py()).map(Bound::unbind)
    }

    #[getter(InternalError)]
    fn get_internal_error(slf: &Bound<'_, Self>) -> PyResult<Py<PyType>> {
        Connection::class_internal(slf.py()).map(Bound::unbind)
    }

    #[getter(ProgrammingError)]
    fn get_programming_error(slf: &Bound<'_, Self>) -> PyResult<Py<PyType>> {
        Connection::class_programming(slf.py()).map(Bound::unbind)
    }

    #[getter(NotSupportedError)]
    fn get_not_supported_error(slf: &Bound<'_, Self>) -> PyResult<Py<PyType>> {
        Connection::class_not_supported(slf.py()).map(Bound::unbind)
    }

    /// 0 open, 1 closed, 2 broken.
    #[getter]
    fn closed(&self) -> i32 {
        lock(&self.state).closed
    }

    /// The connection string, its password shown as xxx.
    #[getter]
    fn dsn(&self) -> String {
        lock(&self.state).dsn.clone()
    }

    /// PostgreSQL's name of the client encoding.
    #[getter]
    fn encoding(&self) -> String {
        lock(&self.state).encoding.clone()
    }

    /// One of `extensions.STATUS_*`.
    #[getter]
    fn status(&self) -> i32 {
        lock(&self.state).status
    }

    /// 0: asynchronous connections are another class.
    #[getter]
    fn async_(&self) -> i32 {
        0
    }

    /// 0, under psycopg2's first name.
    #[getter(r#async)]
    fn get_async(&self) -> i32 {
        0
    }

    /// 3.
    #[getter]
    fn protocol_version(&self) -> i32 {
        3
    }

    /// The server's version as a number.
    #[getter]
    fn server_version(&self) -> i32 {
        lock(&self.state).server_version
    }

    /// What is known about the connection.
    #[getter]
    fn info(slf: &Bound<'_, Self>) -> ConnectionInfo {
        ConnectionInfo::new(slf.clone().unbind())
    }

    /// Typecasters of this connection.
    #[getter(string_types)]
    fn get_string_types<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.string_types(py)
    }

    /// Typecasters for binary values: none.
    #[getter]
    fn binary_types(&self, py: Python<'_>) -> Option<Py<PyDict>> {
        lock(&self.objects).binary_types.as_ref().map(|types| types.clone_ref(py))
    }

    /// None: there is no libpq.
    #[getter]
    fn pgconn_ptr(&self) -> Option<usize> {
        None
    }

    /// Notices and warnings of the server, the last fifty.
    #[getter]
    fn notices(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        lock(&self.objects).notices.as_ref().map(|notices| notices.clone_ref(py))
    }

    #[setter]
    fn set_notices(&self, value: Py<PyAny>) {
        let old = lock(&self.objects).notices.replace(value);
        drop(old);
    }

    /// Notifications that came.
    #[getter]
    fn notifies(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        lock(&self.objects).notifies.as_ref().map(|notifies| notifies.clone_ref(py))
    }

    #[setter]
    fn set_notifies(&self, value: Py<PyAny>) {
        let old = lock(&self.objects).notifies.replace(value);
        drop(old);
    }

    /// What `cursor()` makes.
    #[getter]
    fn cursor_factory(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        lock(&self.objects).cursor_factory.as_ref().map(|factory| factory.clone_ref(py))
    }

    #[setter]
    fn set_cursor_factory(&self, value: Option<Py<PyAny>>) {
        let old = std::mem::replace(&mut lock(&self.objects).cursor_factory, value);
        drop(old);
    }

    /// Whether statements commit by themselves.
    #[getter]
    fn autocommit(&self) -> bool {
        self.is_autocommit()
    }

    #[setter]
    fn set_autocommit(slf: &Bound<'_, Self>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        slf.get().check_settable(slf.py())?;
        let change =
            Characteristics { autocommit: Some(value.is_truthy()?), ..Characteristics::KEEP };
        Connection::set_characteristics(slf, change)
    }

    /// 1 to 4, or None for the server's default.
    #[getter]
    fn isolation_level(&self) -> Option<u8> {
        lock(&self.state).isolation
    }

    #[setter(isolation_level)]
    fn set_isolation_level_(slf: &Bound<'_, Self>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        slf.get().check_settable(slf.py())?;
        let change = Characteristics { isolation: parse_level(value)?, ..Characteristics::KEEP };
        Connection::set_characteristics(slf, change)
    }

    /// Whether transactions are read-only; None for the server's default.
    #[getter]
    fn readonly(&self) -> Option<bool> {
        lock(&self.state).readonly
    }

    #[setter]
    fn set_readonly(slf: &Bound<'_, Self>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        slf.get().check_settable(slf.py())?;
        let change = Characteristics { readonly: parse_on_off(value)?, ..Characteristics::KEEP };
        Connection::set_characteristics(slf, change)
    }

    /// Whether transactions are deferrable; None for the server's default.
    #[getter]
    fn deferrable(&self) -> Option<bool> {
        lock(&self.state).deferrable
    }

    #[setter]
    fn set_deferrable(slf: &Bound<'_, Self>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        slf.get().check_settable(slf.py())?;
        let change = Characteristics { deferrable: parse_on_off(value)?, ..Characteristics::KEEP };
        Connection::set_characteristics(slf, change)
    }

    /// Sets the characteristics of the transactions to come; None leaves one as it is.
    #[pyo3(signature = (isolation_level=None, readonly=None, deferrable=None, autocommit=None))]
    fn set_session(
        slf: &Bound<'_, Self>,
        isolation_level: Option<&Bound<'_, PyAny>>,
        readonly: Option<&Bound<'_, PyAny>>,
        deferrable: Option<&Bound<'_, PyAny>>,
        autocommit: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        slf.get().check_settable(slf.py())?;
        let change = Characteristics {
            isolation: isolation_level.map_or(Ok(Change::Keep), parse_level)?,
            readonly: readonly.map_or(Ok(Change::Keep), parse_on_off)?,
            deferrable: deferrable.map_or(Ok(Change::Keep), parse_on_off)?,
            autocommit: autocommit.map(|value| value.is_truthy()).transpose()?,
        };
        Connection::set_characteristics(slf, change)
    }

    /// psycopg2's older way: 0 is autocommit, None the server's default. Rolls back.
    fn set_isolation_level(slf: &Bound<'_, Self>, level: &Bound<'_, PyAny>) -> PyResult<()> {
        slf.get().check_open(slf.py())?;
        let level = if level.is_none() {
            None
        } else {
            match level.extract::<i64>()? {
                level @ 0..=4 => u8::try_from(level).ok(),
                _ => {
                    return Err(PyValueError::new_err("isolation level must be between 0 and 4"));
                }
            }
        };
        Connection::do_rollback(slf)?;
        let change = match level {
            Some(0) => Characteristics { autocommit: Some(true), ..Characteristics::KEEP },
            level => Characteristics {
                autocommit: Some(false),
                isolation: level.map_or(Change::Default, Change::To),
                ..Characteristics::KEEP
            },
        };
        Connection::set_characteristics(slf, change)
    }

    /// Changes the client encoding. Rolls back.
    fn set_client_encoding(slf: &Bound<'_, Self>, encoding: &str) -> PyResult<()> {
        let py = slf.py();
        slf.get().check_open(py)?;
        let name = clean_name(encoding);
        if lock(&slf.get().state).encoding == name {
            return Ok(());
        }
        Connection::do_rollback(slf)?;
        Connection::command(slf, &format!("SET client_encoding TO '{name}'"), false)
    }

    /// A new cursor: client-side, or on the server when it has a name.
    #[pyo3(signature = (name=None, cursor_factory=None, withhold=false, scrollable=None))]
    fn cursor<'py>(
        slf: &Bound<'py, Self>,
        name: Option<Bound<'py, PyAny>>,
        cursor_factory: Option<Bound<'py, PyAny>>,
        withhold: bool,
        scrollable: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        slf.get().check_open(py)?;
        let factory = cursor_factory
            .or_else(|| slf.get().cursor_factory(py).map(|factory| factory.into_bound(py)))
            .filter(|factory| !factory.is_none());
        let name = name.unwrap_or_else(|| py.None().into_bound(py));
        let cursor = match factory {
            Some(factory) => factory.call1((slf, name))?,
            None => py.get_type::<Cursor>().call1((slf, name))?,
        };
        let Ok(ours) = cursor.cast::<Cursor>() else {
            return Err(PyTypeError::new_err(
                "cursor factory must be subclass of kecoa.extensions.cursor",
            ));
        };
        if withhold || scrollable.is_some() {
            ours.get().set_scrolling(py, withhold, scrollable)?;
        }
        Ok(cursor)
    }

    /// Makes the transaction's changes permanent.
    fn commit(slf: &Bound<'_, Self>) -> PyResult<()> {
        slf.get().check_open(slf.py())?;
        Connection::do_commit(slf)
    }

    /// Undoes the transaction's changes.
    fn rollback(slf: &Bound<'_, Self>) -> PyResult<()> {
        slf.get().check_open(slf.py())?;
        Connection::do_rollback(slf)
    }

    /// Closes; an open transaction is rolled back by the server.
    fn close(&self, py: Python<'_>) {
        self.shut(py);
    }

    /// Asks the server to cancel what runs, from any thread.
    fn cancel(&self, py: Python<'_>) -> PyResult<()> {
        self.check_open(py)?;
        let canceller = lock(&self.state).canceller.clone();
        let Some(canceller) = canceller else { return Ok(()) };
        py.detach(|| canceller.cancel()).map_err(|error| self.raise(py, &error))
    }

    /// Rolls back and puts the session back to what it was when it was opened.
    fn reset(slf: &Bound<'_, Self>) -> PyResult<()> {
        slf.get().check_open(slf.py())?;
        let begun = {
            let mut state = lock(&slf.get().state);
            state.mark += 1;
            state.status == STATUS_BEGIN
        };
        if begun {
            Connection::command(slf, "ABORT", false)?;
        }
        Connection::command(slf, "DISCARD ALL", false)?;
        {
            let mut state = lock(&slf.get().state);
            state.status = STATUS_READY;
            state.autocommit = false;
            state.isolation = None;
            state.readonly = None;
            state.deferrable = None;
        }
        let datestyle = slf.get().server_parameter(slf.py(), "DateStyle");
        if datestyle.is_some_and(|style| !style.starts_with("ISO")) {
            Connection::command(slf, "SET datestyle TO 'ISO'", false)?;
        }
        Ok(())
    }

    /// A setting that the server reports by itself, or None.
    fn get_parameter_status(&self, py: Python<'_>, parameter: &str) -> PyResult<Option<String>> {
        self.check_open(py)?;
        Ok(self.server_parameter(py, parameter))
    }

    /// One of `extensions.TRANSACTION_STATUS_*`.
    fn get_transaction_status(&self) -> i32 {
        self.transaction_number()
    }

    /// The process id of the server's side.
    fn get_backend_pid(&self, py: Python<'_>) -> PyResult<i32> {
        self.check_open(py)?;
        Ok(lock(&self.state).process_id)
    }

    /// All options of the connection but the password.
    fn get_dsn_parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.check_open(py)?;
        self.dsn_parameters(py)
    }

    /// The socket's file descriptor.
    fn fileno(&self, py: Python<'_>) -> PyResult<i32> {
        self.check_open(py)?;
        lock(&self.state)
            .descriptor
            .ok_or(())
            .or_else(|()| Err(globals::get(py)?.exceptions.interface(py, "no socket")))
    }

    /// False: a synchronous connection is never seen at work by its own thread.
    fn isexecuting(&self) -> bool {
        false
    }

    /// Reads notices and notifications that came meanwhile.
    fn poll(slf: &Bound<'_, Self>) -> PyResult<i32> {
        let py = slf.py();
        slf.get().check_open(py)?;
        let polled = Connection::drive(slf, |client, _| client.poll())?;
        polled.map(|()| 0).map_err(|error| slf.get().raise(py, &error))
    }

    #[pyo3(signature = (*_args, **_kwargs))]
    fn lobject(
        &self,
        py: Python<'_>,
        _args: &Bound<'_, PyTuple>,
        _kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        Err(Connection::unsupported(py, "lobject()"))
    }

    /// NotSupportedError: there is no libpq.
    fn get_native_connection(&self, py: Python<'_>) -> PyResult<()> {
        self.check_open(py)?;
        Err(globals::get(py)?
            .exceptions
            .not_supported(py, "there is no libpq behind this connection"))
    }

    #[pyo3(signature = (*_args))]
    fn xid(&self, py: Python<'_>, _args: &Bound<'_, PyTuple>) -> PyResult<()> {
        Err(Connection::unsupported(py, "two-phase commit"))
    }

    #[pyo3(signature = (*_args))]
    fn tpc_begin(&self, py: Python<'_>, _args: &Bound<'_, PyTuple>) -> PyResult<()> {
        Err(Connection::unsupported(py, "two-phase commit"))
    }

    fn tpc_prepare(&self, py: Python<'_>) -> PyResult<()> {
        Err(Connection::unsupported(py, "two-phase commit"))
    }

    #[pyo3(signature = (*_args))]
    fn tpc_commit(&self, py: Python<'_>, _args: &Bound<'_, PyTuple>) -> PyResult<()> {
        Err(Connection::unsupported(py, "two-phase commit"))
    }

    #[pyo3(signature = (*_args))]
    fn tpc_rollback(&self, py: Python<'_>, _args: &Bound<'_, PyTuple>) -> PyResult<()> {
        Err(Connection::unsupported(py, "two-phase commit"))
    }

    fn tpc_recover(&self, py: Python<'_>) -> PyResult<()> {
        Err(Connection::unsupported(py, "two-phase commit"))
    }

    fn __enter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, Self>> {
        let py = slf.py();
        slf.get().check_open(py)?;
        let was = std::mem::replace(&mut lock(&slf.get().state).entered, true);
        if was {
            return Err(globals::get(py)?
                .exceptions
                .programming(py, "the connection cannot be re-entered recursively"));
        }
        Ok(slf.clone())
    }

    /// Commits, or rolls back when the block raised; the connection stays open.
    #[pyo3(signature = (exc_type, _exc, _tb))]
    fn __exit__(
        slf: &Bound<'_, Self>,
        exc_type: &Bound<'_, PyAny>,
        _exc: &Bound<'_, PyAny>,
        _tb: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        lock(&slf.get().state).entered = false;
        let method = if exc_type.is_none() { "commit" } else { "rollback" };
        slf.call_method0(method).map(drop)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> String {
        let state = lock(&slf.get().state);
        format!(
            "<connection object at {:p}; dsn: '{}', closed: {}>",
            slf.as_ptr(),
            state.dsn,
            state.closed
        )
    }

    fn __reduce__(slf: &Bound<'_, Self>) -> PyResult<()> {
        Err(PyTypeError::new_err(format!("cannot pickle '{}' object", slf.get_type().name()?)))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Ok(objects) = self.objects.try_lock() {
            visit.call(&objects.string_types)?;
            visit.call(&objects.binary_types)?;
            visit.call(&objects.notices)?;
            visit.call(&objects.notifies)?;
            visit.call(&objects.cursor_factory)?;
        }
        Ok(())
    }

    fn __clear__(&self) {
        let old = std::mem::take(&mut *lock(&self.objects));
        drop(old);
    }
}

/// A Python bool as an object, for attributes that are bool or None.
pub(crate) fn bool_or_none(py: Python<'_>, value: Option<bool>) -> Py<PyAny> {
    match value {
        Some(value) => PyBool::new(py, value).to_owned().into_any().unbind(),
        None => py.None(),
    }
}

#[cfg(test)]
mod tests {
    use super::version_number;

    #[test]
    fn versions_are_numbers_as_libpq_makes_them() {
        for (text, number) in [
            ("18.1 (Debian 18.1-1)", 180_001),
            ("18beta2", 180_000),
            ("13.0.0", 130_000),
            ("9.6.3", 90_603),
            ("", 0),
        ] {
            assert_eq!(version_number(text), number, "{text}");
        }
    }
}
