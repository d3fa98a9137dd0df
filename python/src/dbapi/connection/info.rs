//! `connection.info`: what is known about the connection.

use kecoa::config::Target;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::Connection;
use crate::sync::lock;

/// psycopg2's `ConnectionInfo`.
#[pyclass(subclass, frozen, module = "kecoa.extensions")]
pub(crate) struct ConnectionInfo {
    connection: Py<Connection>,
}

impl ConnectionInfo {
    /// Whether the connection was made and not closed.
    fn is_open(&self) -> bool {
        self.connection.get().is_connected()
    }

    /// The place that was connected to, one of several perhaps.
    fn target(&self) -> Option<Target> {
        if !self.is_open() {
            return None;
        }
        lock(&self.connection.get().state).target.clone()
    }

    fn option(&self, name: &str) -> Option<String> {
        if !self.is_open() {
            return None;
        }
        lock(&self.connection.get().state)
            .options
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.clone())
    }
}

#[pymethods]
impl ConnectionInfo {
    #[new]
    pub(crate) fn new(connection: Py<Connection>) -> ConnectionInfo {
        ConnectionInfo { connection }
    }

    /// The database's name.
    #[getter]
    fn dbname(&self) -> Option<String> {
        self.option("dbname")
    }

    /// The user's name.
    #[getter]
    fn user(&self) -> Option<String> {
        self.option("user")
    }

    /// The password that was given; empty when none was.
    #[getter]
    fn password(&self) -> Option<String> {
        let password = lock(&self.connection.get().state).password.clone();
        self.is_open().then(|| password.unwrap_or_default())
    }

    /// The host that was connected to, or the directory of its socket.
    #[getter]
    fn host(&self) -> Option<String> {
        let host = |target: Target| match target.hostaddr {
            Some(address) if target.host.is_empty() => address,
            _ => target.host,
        };
        self.target().map(host).or_else(|| self.option("host"))
    }

    /// The port that was connected to.
    #[getter]
    fn port(&self) -> Option<u16> {
        let port = || self.option("port").and_then(|port| port.parse().ok()).unwrap_or(5432);
        self.is_open().then(|| self.target().map_or_else(port, |target| target.port))
    }

    /// The command-line options for the server.
    #[getter]
    fn options(&self) -> Option<String> {
        self.is_open().then(|| self.option("options").unwrap_or_default())
    }

    /// All options but the password.
    #[getter]
    fn dsn_parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.connection.get().dsn_parameters(py)
    }

    /// 0 when connected, 1 when not.
    #[getter]
    fn status(&self) -> i32 {
        i32::from(!self.is_open())
    }

    /// As `connection.get_transaction_status`, 4 when closed.
    #[getter]
    fn transaction_status(&self) -> i32 {
        self.connection.get().transaction_number()
    }

    /// 3; 0 when not connected.
    #[getter]
    fn protocol_version(&self) -> i32 {
        if self.is_open() { 3 } else { 0 }
    }

    /// The server's version as a number.
    #[getter]
    fn server_version(&self) -> i32 {
        lock(&self.connection.get().state).server_version
    }

    /// The last error of the connection itself.
    #[getter]
    fn error_message(&self) -> Option<String> {
        if !self.is_open() {
            return Some("the connection is closed\n".to_owned());
        }
        lock(&self.connection.get().state).last_error.clone()
    }

    /// The socket's file descriptor, -1 when there is none.
    #[getter]
    fn socket(&self) -> i32 {
        lock(&self.connection.get().state).descriptor.unwrap_or(-1)
    }

    /// The process id of the server's side.
    #[getter]
    fn backend_pid(&self) -> i32 {
        lock(&self.connection.get().state).process_id
    }

    /// Whether the server asked for a password and had none.
    #[getter]
    fn needs_password(&self) -> bool {
        false
    }

    /// Whether a password was at hand.
    #[getter]
    fn used_password(&self) -> bool {
        lock(&self.connection.get().state).password.is_some()
    }

    /// Whether the connection is encrypted.
    #[getter]
    fn ssl_in_use(&self) -> bool {
        lock(&self.connection.get().state).tls.is_some()
    }

    /// What `ssl_attribute` knows, also where there is no TLS.
    #[getter]
    fn ssl_attribute_names(&self) -> [&'static str; 3] {
        ["library", "protocol", "cipher"]
    }

    /// A fact about the encryption.
    fn ssl_attribute(&self, name: &str) -> Option<&'static str> {
        let (protocol, cipher) = lock(&self.connection.get().state).tls?;
        match name {
            "library" => Some("rustls"),
            "protocol" => Some(protocol),
            "cipher" => Some(cipher),
            _ => None,
        }
    }

    /// A setting that the server reports.
    fn parameter_status(&self, py: Python<'_>, name: &str) -> PyResult<Option<String>> {
        self.connection.get().server_parameter(py, name)
    }
}
