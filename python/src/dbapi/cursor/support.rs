//! What the cursor's methods share.

use std::sync::{Arc, Mutex};

use kecoa_proto::RowDescription;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use super::Cursor;
use super::inner::Inner;
use crate::convert::codec::Codec;
use crate::convert::layout::Layout;
use crate::dbapi::connection::Connection;
use crate::limit::Limited;
use crate::names;
use crate::sync::lock;

impl Cursor {
    /// A cursor of a connection, as the class itself makes one without a name.
    pub(crate) fn of(connection: &Bound<'_, Connection>) -> PyResult<Cursor> {
        Ok(Cursor { inner: Mutex::new(Inner::of(connection)?) })
    }

    /// `__init__`: a fresh cursor of a connection, on the server when it has a name.
    pub(super) fn initialise(
        &self,
        py: Python<'_>,
        conn: &Bound<'_, PyAny>,
        name: Option<&Bound<'_, PyAny>>,
        withhold: bool,
        scrollable: Option<bool>,
    ) -> PyResult<()> {
        let conn = conn.cast::<Connection>().map_err(|_| {
            PyTypeError::new_err("argument 1 must be subclass of kecoa.extensions.connection")
        })?;
        let old = std::mem::replace(&mut *lock(&self.inner), Inner::of(conn)?);
        drop(old);
        if let Some(name) = name.filter(|name| !name.is_none()) {
            let name = match name.cast::<PyBytes>() {
                Ok(bytes) => String::from_utf8_lossy(bytes.as_bytes()).into_owned(),
                Err(_) => name.extract()?,
            };
            self.set_name(py, &name, conn.get().mark())?;
        }
        self.set_scrolling(py, withhold, scrollable)
    }

    /// The connection, or InterfaceError where `__init__` did not run.
    pub(crate) fn connection_of<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, Connection>> {
        let found =
            lock(&self.inner).connection.as_ref().map(|connection| connection.clone_ref(py));
        match found {
            Some(connection) => Ok(connection.into_bound(py)),
            None => Err(names::interface_error(py, "the cursor has no connection")),
        }
    }

    /// Puts statements under a limit of seconds, or under the connection's.
    pub(super) fn limited(&self, py: Python<'_>, seconds: Option<f64>) -> PyResult<Limited> {
        self.connection_of(py)?.get().limited(seconds)
    }

    /// InterfaceError when the cursor or its connection is closed.
    pub(crate) fn check_open(&self, py: Python<'_>) -> PyResult<()> {
        let open = {
            let inner = lock(&self.inner);
            inner.connection.as_ref().map(|conn| !inner.closed && !conn.get().is_closed())
        };
        let message = match open {
            Some(true) => return Ok(()),
            Some(false) => "cursor already closed",
            None => "the cursor has no connection",
        };
        Err(names::interface_error(py, message))
    }

    /// The connection's encoding.
    pub(crate) fn codec(&self, _py: Python<'_>) -> Arc<Codec> {
        let inner = lock(&self.inner);
        inner.connection.as_ref().map(|conn| conn.get().codec()).unwrap_or_default()
    }

    pub(super) fn own_string_types<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyDict>> {
        let types = lock(&self.inner).string_types.as_ref().map(|types| types.clone_ref(py))?;
        types.into_bound(py).cast_into::<PyDict>().ok()
    }

    pub(super) fn connection_types<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyDict>> {
        let types = self.connection_of(py).ok()?.get().string_types(py).ok()?;
        (!types.is_empty()).then_some(types)
    }

    /// How the columns of a result load: by the cursor's typecasters, the connection's, the module's.
    pub(crate) fn layout_of(
        &self,
        py: Python<'_>,
        description: &Arc<RowDescription>,
    ) -> PyResult<Arc<Layout>> {
        let connection = self.connection_of(py)?;
        let shared = connection.get().string_types(py).ok().filter(|types| !types.is_empty());
        connection.get().layouts.of(py, description, &[self.own_string_types(py), shared])
    }

    /// The cursor's own typecasters, made when there are none; for `register_type`.
    pub(crate) fn string_types_or_new<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let fresh = PyDict::new(py);
        let mut inner = lock(&self.inner);
        if let Some(types) = &inner.string_types
            && let Ok(types) = types.bind(py).cast::<PyDict>()
        {
            return Ok(types.clone());
        }
        let old = inner.string_types.replace(fresh.clone().into_any().unbind());
        drop(inner);
        drop(old);
        Ok(fresh)
    }

    /// `withhold` and `scrollable`, which only named cursors have.
    pub(crate) fn set_scrolling(
        &self,
        py: Python<'_>,
        withhold: bool,
        scrollable: Option<bool>,
    ) -> PyResult<()> {
        if withhold {
            self.check_named(py, "withhold")?;
            lock(&self.inner).withhold = true;
        }
        if scrollable.is_some() {
            self.check_named(py, "scrollable")?;
            lock(&self.inner).scrollable = scrollable;
        }
        Ok(())
    }

    pub(super) fn check_named(&self, py: Python<'_>, attribute: &str) -> PyResult<()> {
        if lock(&self.inner).name.is_some() {
            return Ok(());
        }
        Err(names::programming_error(py, format!("trying to set .{attribute} on unnamed cursor")))
    }

    pub(super) fn object(
        &self,
        py: Python<'_>,
        pick: impl FnOnce(&Inner) -> &Option<Py<PyAny>>,
    ) -> Option<Py<PyAny>> {
        pick(&lock(&self.inner)).as_ref().map(|object| object.clone_ref(py))
    }

    pub(super) fn replace(
        &self,
        value: Option<Py<PyAny>>,
        pick: impl FnOnce(&mut Inner) -> &mut Option<Py<PyAny>>,
    ) {
        let old = std::mem::replace(pick(&mut lock(&self.inner)), value);
        drop(old);
    }
}

/// An identifier, given as str or bytes, in double quotes.
pub(super) fn quoted_name(name: &Bound<'_, PyAny>) -> PyResult<String> {
    let bytes;
    let text;
    let name = if let Ok(found) = name.cast::<PyBytes>() {
        bytes = found.clone();
        bytes.as_bytes()
    } else {
        text = name.cast::<PyString>()?.clone();
        text.to_str()?.as_bytes()
    };
    let quoted = kecoa_types::literal::quote_ident(name)
        .map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(String::from_utf8_lossy(&quoted).into_owned())
}
