//! What Python sees of a connection.

use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict, PyGenericAlias, PyString, PyTuple, PyType};

use super::Connection;
use super::characteristics::{Characteristics, parse_level, parse_on_off};
use super::info::ConnectionInfo;
use super::objects::exception_class;
use super::two_phase::End;
use crate::convert::parameters::Binding;
use crate::dbapi::lobject::{Oid, Text};
use crate::dbapi::pipeline::Pipeline;
use crate::limit;
use crate::names;
use crate::observe::observed;
use crate::sync::lock;

#[pymethods]
impl Connection {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs), text_signature = "(dsn, async_=0)")]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Connection {
        Connection::default()
    }

    /// Connects. Keyword `async` is another name of `async_`.
    #[pyo3(signature = (dsn, async_=None, **kwargs))]
    pub(super) fn __init__(
        slf: &Bound<'_, Self>,
        dsn: &Bound<'_, PyString>,
        async_: Option<&Bound<'_, PyAny>>,
        kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        Connection::initialise(slf, dsn, async_, kwargs)
    }

    /// `Warning`, for programs that have the connection at hand and not the module.
    #[getter(Warning)]
    fn get_warning(&self, py: Python<'_>) -> Py<PyType> {
        exception_class(py, "Warning")
    }

    /// `Error`, for programs that have the connection at hand and not the module.
    #[getter(Error)]
    fn get_error(&self, py: Python<'_>) -> Py<PyType> {
        exception_class(py, "Error")
    }

    /// `InterfaceError`, for programs that have the connection at hand and not the module.
    #[getter(InterfaceError)]
    fn get_interface_error(&self, py: Python<'_>) -> Py<PyType> {
        exception_class(py, "InterfaceError")
    }

    /// `DatabaseError`, for programs that have the connection at hand and not the module.
    #[getter(DatabaseError)]
    fn get_database_error(&self, py: Python<'_>) -> Py<PyType> {
        exception_class(py, "DatabaseError")
    }

    /// `DataError`, for programs that have the connection at hand and not the module.
    #[getter(DataError)]
    fn get_data_error(&self, py: Python<'_>) -> Py<PyType> {
        exception_class(py, "DataError")
    }

    /// `OperationalError`, for programs that have the connection at hand and not the module.
    #[getter(OperationalError)]
    fn get_operational_error(&self, py: Python<'_>) -> Py<PyType> {
        exception_class(py, "OperationalError")
    }

    /// `IntegrityError`, for programs that have the connection at hand and not the module.
    #[getter(IntegrityError)]
    fn get_integrity_error(&self, py: Python<'_>) -> Py<PyType> {
        exception_class(py, "IntegrityError")
    }

    /// `InternalError`, for programs that have the connection at hand and not the module.
    #[getter(InternalError)]
    fn get_internal_error(&self, py: Python<'_>) -> Py<PyType> {
        exception_class(py, "InternalError")
    }

    /// `ProgrammingError`, for programs that have the connection at hand and not the module.
    #[getter(ProgrammingError)]
    fn get_programming_error(&self, py: Python<'_>) -> Py<PyType> {
        exception_class(py, "ProgrammingError")
    }

    /// `NotSupportedError`, for programs that have the connection at hand and not the module.
    #[getter(NotSupportedError)]
    fn get_not_supported_error(&self, py: Python<'_>) -> Py<PyType> {
        exception_class(py, "NotSupportedError")
    }

    /// 0 open, 1 closed, 2 broken.
    #[getter]
    fn closed(&self) -> i32 {
        lock(&self.state).closed
    }

    /// How many COMMITs the server has confirmed, however they were sent: `kecoa.retry` sees by it
    /// that a body committed by itself.
    #[getter]
    fn _commits(&self) -> u64 {
        lock(&self.state).commits
    }

    /// How many statements have changed the session's settings, or what it listens to: a pool sees by it
    /// that there is something to undo.
    #[getter]
    fn _session_changes(&self) -> u64 {
        lock(&self.state).session_changes
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

    /// 1 on an asynchronous connection.
    #[getter]
    fn async_(&self) -> i32 {
        i32::from(self.is_async())
    }

    /// `async_` under psycopg2's first name.
    #[getter(r#async)]
    fn get_async(&self) -> i32 {
        i32::from(self.is_async())
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
    pub(super) fn cursor_factory(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        lock(&self.objects).cursor_factory.as_ref().map(|factory| factory.clone_ref(py))
    }

    #[setter]
    pub(super) fn set_cursor_factory(&self, value: Option<Py<PyAny>>) {
        let old = std::mem::replace(&mut lock(&self.objects).cursor_factory, value);
        drop(old);
    }

    /// Whether statements commit by themselves.
    #[getter]
    fn autocommit(&self) -> bool {
        self.is_autocommit()
    }

    /// How values get into statements: "client", as literals as in psycopg2, or "server", as
    /// parameters beside a statement that the server prepares when it comes again.
    #[getter]
    fn get_binding(&self) -> &'static str {
        lock(&self.state).binding.name()
    }

    #[setter]
    fn set_binding(&self, value: &str) -> PyResult<()> {
        lock(&self.state).binding = Binding::parse(value)?;
        Ok(())
    }

    /// How many seconds a statement of `execute`, `executemany`, `callproc` or `stream` may take before
    /// the server is asked to cancel it; None for no limit.
    #[getter]
    fn statement_timeout(&self) -> Option<f64> {
        lock(&self.state).statement_timeout.map(|limit| limit.as_secs_f64())
    }

    #[setter]
    fn set_statement_timeout(&self, value: Option<f64>) -> PyResult<()> {
        lock(&self.state).statement_timeout = value.map(limit::parse).transpose()?;
        Ok(())
    }

    #[setter]
    fn set_autocommit(slf: &Bound<'_, Self>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        Connection::check_settable(slf)?;
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
        Connection::check_settable(slf)?;
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
        Connection::check_settable(slf)?;
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
        Connection::check_settable(slf)?;
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
        Connection::change_session(slf, isolation_level, readonly, deferrable, autocommit)
    }

    /// psycopg2's older way: 0 is autocommit, None the server's default. Rolls back.
    fn set_isolation_level(slf: &Bound<'_, Self>, level: &Bound<'_, PyAny>) -> PyResult<()> {
        Connection::change_level(slf, level)
    }

    /// Changes the client encoding. Rolls back.
    fn set_client_encoding(slf: &Bound<'_, Self>, encoding: &str) -> PyResult<()> {
        Connection::change_encoding(slf, encoding)
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
        Connection::new_cursor(slf, name, cursor_factory, withhold, scrollable)
    }

    /// Drops what pipelines have queued: a pool, since nobody is there any more to have it sent.
    fn _drop_queued(&self) {
        let queue = std::mem::take(&mut *lock(&self.queue));
        drop(queue);
    }

    /// Statements that are sent together, without waiting in between.
    fn pipeline(slf: &Bound<'_, Self>) -> PyResult<Pipeline> {
        slf.get().check_open(slf.py())?;
        slf.get().refuse_waiting(slf.py(), "pipeline")?;
        Ok(Pipeline::new(slf.clone().unbind()))
    }

    /// Makes the transaction's changes permanent.
    fn commit(slf: &Bound<'_, Self>) -> PyResult<()> {
        slf.get().check_open(slf.py())?;
        slf.get().refuse_async(slf.py(), "commit")?;
        slf.get().refuse_two_phase(slf.py(), "commit")?;
        observed("commit", slf.as_any(), None, || Connection::do_commit(slf))
    }

    /// Undoes the transaction's changes.
    fn rollback(slf: &Bound<'_, Self>) -> PyResult<()> {
        slf.get().check_open(slf.py())?;
        slf.get().refuse_async(slf.py(), "rollback")?;
        slf.get().refuse_two_phase(slf.py(), "rollback")?;
        observed("rollback", slf.as_any(), None, || Connection::do_rollback(slf))
    }

    /// Closes; an open transaction is rolled back by the server.
    fn close(&self, py: Python<'_>) {
        self.shut(py);
    }

    /// Asks the server to cancel what runs, from any thread.
    fn cancel(&self, py: Python<'_>) -> PyResult<()> {
        self.cancel_statement(py)
    }

    /// Rolls back and puts the session back to what it was when it was opened.
    fn reset(slf: &Bound<'_, Self>) -> PyResult<()> {
        Connection::reset_session(slf)
    }

    /// A setting that the server reports by itself, or None.
    fn get_parameter_status(&self, py: Python<'_>, parameter: &str) -> PyResult<Option<String>> {
        self.check_open(py)?;
        self.server_parameter(py, parameter)
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
        let descriptor = lock(&self.state).descriptor;
        descriptor.ok_or_else(|| names::interface_error(py, "no socket"))
    }

    /// Whether an asynchronous connection is at work; False on a synchronous one.
    fn isexecuting(&self) -> bool {
        self.is_executing()
    }

    /// Goes on with what is under way without waiting, and takes notices and notifications that
    /// came meanwhile. One of `extensions.POLL_*`.
    fn poll(slf: &Bound<'_, Self>) -> PyResult<i32> {
        // An answer that came with the end of the connection is still to be taken.
        if !lock(&slf.get().state).busy {
            slf.get().check_open(slf.py())?;
        }
        Connection::poll_once(slf)
    }

    /// Opens a large object, or makes one when `oid` is 0.
    #[pyo3(signature = (oid=Oid::INVALID, mode=Text::empty(), new_oid=Oid::INVALID, new_file=Text::NONE, lobject_factory=None))]
    fn lobject<'py>(
        slf: &Bound<'py, Self>,
        oid: Oid,
        mode: Text,
        new_oid: Oid,
        new_file: Text,
        lobject_factory: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        slf.get().check_open(slf.py())?;
        slf.get().refuse_waiting(slf.py(), "lobject")?;
        Connection::large_object(slf, &oid, mode, &new_oid, new_file, lobject_factory)
    }

    /// A capsule of psycopg2's name, to pass on or to look whether there is one. There is no libpq
    /// behind this connection: what it points to is a block of zeros, never to be given to libpq.
    fn get_native_connection<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        self.check_open(py)?;
        PyCapsule::new_with_value(py, [0_u64; 256], c"psycopg2.connection.native_connection")
    }

    /// An identifier for a two-phase transaction.
    fn xid<'py>(
        slf: &Bound<'py, Self>,
        format_id: &Bound<'py, PyAny>,
        gtrid: &Bound<'py, PyAny>,
        bqual: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        slf.get().check_open(slf.py())?;
        Connection::new_xid(slf.py(), format_id, gtrid, bqual)
    }

    /// Begins a two-phase transaction.
    fn tpc_begin(slf: &Bound<'_, Self>, xid: &Bound<'_, PyAny>) -> PyResult<()> {
        slf.get().check_open(slf.py())?;
        slf.get().refuse_async(slf.py(), "tpc_begin")?;
        Connection::begin_two_phase(slf, xid)
    }

    /// The first phase: the server keeps the transaction whatever happens to the connection.
    fn tpc_prepare(slf: &Bound<'_, Self>) -> PyResult<()> {
        slf.get().check_open(slf.py())?;
        slf.get().refuse_async(slf.py(), "tpc_prepare")?;
        Connection::prepare_two_phase(slf)
    }

    /// Commits the two-phase transaction, or a prepared one by its identifier.
    #[pyo3(signature = (xid=None))]
    fn tpc_commit(slf: &Bound<'_, Self>, xid: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        slf.get().check_open(slf.py())?;
        slf.get().refuse_async(slf.py(), "tpc_commit")?;
        Connection::end_two_phase(slf, xid, End::Commit)
    }

    /// Rolls back the two-phase transaction, or a prepared one by its identifier.
    #[pyo3(signature = (xid=None))]
    fn tpc_rollback(slf: &Bound<'_, Self>, xid: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        slf.get().check_open(slf.py())?;
        slf.get().refuse_async(slf.py(), "tpc_rollback")?;
        Connection::end_two_phase(slf, xid, End::Rollback)
    }

    /// The transactions that are prepared and not ended.
    fn tpc_recover<'py>(slf: &Bound<'py, Self>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        slf.get().check_open(slf.py())?;
        slf.get().refuse_async(slf.py(), "tpc_recover")?;
        Connection::recover_two_phase(slf)
    }

    /// `connection[Cursor]` in annotations: what `cursor()` makes, for type checkers.
    #[classmethod]
    fn __class_getitem__<'py>(
        cls: &Bound<'py, PyType>,
        item: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyGenericAlias>> {
        PyGenericAlias::new(cls.py(), cls, item)
    }

    fn __enter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, Self>> {
        Connection::enter(slf)?;
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
        Connection::exit(slf, exc_type)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> String {
        slf.get().shown("connection", slf.as_ptr())
    }

    fn __reduce__(slf: &Bound<'_, Self>) -> PyResult<()> {
        Err(PyTypeError::new_err(format!("cannot pickle '{}' object", slf.get_type().name()?)))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Ok(queue) = self.queue.try_lock() {
            queue.iter().try_for_each(|queued| queued.traverse(&visit))?;
        }
        self.objects.try_lock().map_or(Ok(()), |objects| objects.traverse(&visit))
    }

    fn __clear__(&self) {
        let queue = std::mem::take(&mut *lock(&self.queue));
        let old = std::mem::take(&mut *lock(&self.objects));
        drop((queue, old));
    }
}
