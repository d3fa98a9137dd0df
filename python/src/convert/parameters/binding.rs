//! How values get into a statement.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// How values get into a statement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Binding {
    /// As literals in its text, as in psycopg2.
    #[default]
    Client,
    /// As parameters beside it.
    Server,
}

impl Binding {
    /// By name.
    pub(crate) fn parse(name: &str) -> PyResult<Binding> {
        match name {
            "client" => Ok(Binding::Client),
            "server" => Ok(Binding::Server),
            _ => Err(PyValueError::new_err(format!(
                "expected the binding \"client\" or \"server\", found {name:?}"
            ))),
        }
    }

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Binding::Client => "client",
            Binding::Server => "server",
        }
    }
}
