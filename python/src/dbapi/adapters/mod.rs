//! The adapter classes, for programs that use or extend them; the dumpers' fast path needs none.

mod datetime;
mod protocol;
mod state;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};

use self::protocol::{IsqlQuote, conform};
use self::state::{AdapterState, get, swap};
use crate::convert::dump::{Dumper, scalar, string};
use crate::sync::lock;

/// Writes the literal of what is state.
type Quote =
    for<'py> fn(Python<'py>, &AdapterState, &Bound<'py, PyAny>, &mut Vec<u8>) -> PyResult<()>;

fn quoted<'py>(
    py: Python<'py>,
    state: &AdapterState,
    quote: Quote,
) -> PyResult<Bound<'py, PyBytes>> {
    let mut out = Vec::new();
    quote(py, state, &state.adapted(py), &mut out)?;
    Ok(PyBytes::new(py, &out))
}

/// As [`quoted`], kept for the next call.
fn buffered<'py>(
    py: Python<'py>,
    state: &AdapterState,
    quote: Quote,
) -> PyResult<Bound<'py, PyBytes>> {
    if let Some(buffer) = get(py, &state.buffer) {
        return Ok(buffer.into_bound(py));
    }
    let bytes = quoted(py, state, quote)?;
    swap(&state.buffer, Some(bytes.clone().unbind()));
    Ok(bytes)
}

/// An adapter class: made from any object, quoted by `$quote`. `__new__` takes anything and
/// `__init__` one object, so that subclasses may have their own; `$text` shows what the latter takes. `dict` and `weakref`
/// are for those that psycopg2 writes in Python.
macro_rules! adapter {
    ($(#[$doc:meta])* $name:ident $python:literal $module:literal $text:literal ($obj:ident $(, $only:tt)?),
     $via:ident $quote:expr $(, $flag:ident)*; $($more:tt)*) => {
        $(#[$doc])*
        #[pyclass(subclass, $($flag,)* frozen, name = $python, module = $module)]
        #[derive(Default)]
        pub(crate) struct $name {
            state: AdapterState,
        }

        #[pymethods]
        impl $name {
            #[new]
            #[pyo3(signature = (*_args, **_kwargs), text_signature = $text)]
            fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> $name {
                $name::default()
            }

            #[pyo3(signature = ($obj $(, $only)?))]
            fn __init__(&self, $obj: Bound<'_, PyAny>) {
                swap(&self.state.adapted, Some($obj.unbind()));
            }

            /// The wrapped object.
            #[getter]
            fn adapted<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
                self.state.adapted(py)
            }

            /// The object as SQL.
            #[pyo3(signature = (*_args), text_signature = "($self)")]
            fn getquoted<'py>(
                &self,
                py: Python<'py>,
                _args: &Bound<'py, PyTuple>,
            ) -> PyResult<Bound<'py, PyBytes>> {
                $via(py, &self.state, $quote)
            }

            fn __conform__<'py>(
                slf: &Bound<'py, Self>,
                proto: &Bound<'py, PyAny>,
            ) -> PyResult<Bound<'py, PyAny>> {
                conform(slf.as_any(), proto)
            }

            fn __str__(&self, py: Python<'_>) -> PyResult<String> {
                let quoted = $via(py, &self.state, $quote)?;
                Ok(String::from_utf8_lossy(quoted.as_bytes()).into_owned())
            }

            $($more)*
        }
    };
}

fn quote_uuid(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
    let text = value.str()?;
    let text = text.to_str()?;
    // A derived class may print anything.
    if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'{' | b'}'))
    {
        return Err(PyValueError::new_err(format!("expected a UUID, found {text:?}")));
    }
    out.push(b'\'');
    out.extend_from_slice(text.as_bytes());
    out.extend_from_slice(b"'::uuid");
    Ok(())
}

/// Writes what has items, through their own adapters.
fn quote_items<'py>(
    py: Python<'py>,
    state: &AdapterState,
    out: &mut Vec<u8>,
    dump: impl FnOnce(&mut Dumper<'_, 'py>, &mut Vec<u8>) -> PyResult<()>,
) -> PyResult<()> {
    let connection = get(py, &state.connection);
    let connection = connection.map(|connection| connection.into_bound(py).into_any());
    let settings = state.settings(py)?;
    dump(&mut Dumper::new(py, &settings, connection.as_ref()), out)
}

adapter! {
    /// The object's `str` as it is.
    AsIs "AsIs" "kecoa.extensions" "(obj, /)" (obj, /), quoted |_, _, value, out| scalar::as_is(value, out);
}
adapter! {
    /// `true` or `false`.
    Boolean "Boolean" "kecoa.extensions" "(obj, /)" (obj, /), quoted |_, _, value, out| scalar::boolean(value, out);
}
adapter! {
    /// A number; NaN and the infinities as `'NaN'::numeric`.
    Decimal "Decimal" "kecoa._kecoa" "(obj, /)" (obj, /), quoted |_, _, value, out| scalar::decimal(value, false, out);
}
adapter! {
    /// A number.
    Float "Float" "kecoa.extensions" "(obj, /)" (obj, /), quoted |_, _, value, out| scalar::float(value, out);
}
adapter! {
    /// A number.
    Int "Int" "kecoa.extensions" "(obj, /)" (obj, /), quoted |_, _, value, out| scalar::int(value, out);
}
adapter! {
    /// Bytes as `bytea`.
    Binary "Binary" "kecoa.extensions" "(obj, /)" (obj, /), buffered |py, state, value, out| string::binary(value, &state.settings(py)?, out);
    /// Quotes as the connection's server wants it.
    fn prepare(&self, conn: &Bound<'_, PyAny>) -> PyResult<()> {
        self.state.prepare(conn)
    }

    /// The literal, once it was made.
    #[getter]
    fn buffer(&self, py: Python<'_>) -> Option<Py<PyBytes>> {
        get(py, &self.state.buffer)
    }
}
adapter! {
    /// Text as a string literal.
    QuotedString "QuotedString" "kecoa.extensions" "(obj, /)" (obj, /), buffered |py, state, value, out| string::text(value, &state.settings(py)?, out);
    /// Encodes and quotes as the connection wants it.
    fn prepare(&self, conn: &Bound<'_, PyAny>) -> PyResult<()> {
        self.state.prepare(conn)
    }

    /// The literal, once it was made.
    #[getter]
    fn buffer(&self, py: Python<'_>) -> Option<Py<PyBytes>> {
        get(py, &self.state.buffer)
    }

    /// Python's name of the encoding.
    #[getter]
    fn encoding(&self, py: Python<'_>) -> String {
        if let Some(connection) = get(py, &self.state.connection) {
            return connection.get().settings().codec.python_name();
        }
        let name = lock(&self.state.encoding).clone();
        name.unwrap_or_else(|| "latin1".to_owned())
    }

    #[setter]
    fn set_encoding(&self, name: String) {
        swap(&self.state.encoding, Some(name));
    }
}
adapter! {
    /// A list as an array.
    List "List" "kecoa._kecoa" "(obj, /)" (obj, /), quoted |py, state, value, out| {
        quote_items(py, state, out, |dumper, out| dumper.array(value, out))
    };
    /// Passes the connection to the items' adapters.
    fn prepare(&self, conn: &Bound<'_, PyAny>) -> PyResult<()> {
        self.state.prepare(conn)
    }
}
adapter! {
    /// A sequence for `IN %s`.
    SqlIn "SQL_IN" "kecoa.extensions" "(seq)" (seq), quoted |py, state, value, out| {
        quote_items(py, state, out, |dumper, out| dumper.tuple(value, out))
    }, dict, weakref;
    /// Passes the connection to the items' adapters.
    fn prepare(&self, conn: &Bound<'_, PyAny>) -> PyResult<()> {
        self.state.prepare(conn)
    }
}
adapter! {
    /// `NULL`.
    NoneAdapter "NoneAdapter" "kecoa.extensions" "(obj)" (obj), quoted |_, _, _, out| {
        out.extend_from_slice(b"NULL");
        Ok(())
    }, dict, weakref;
}
adapter! {
    /// `'…'::uuid`.
    UuidAdapter "UUID_adapter" "kecoa.extras" "(uuid)" (uuid), quoted |_, _, value, out| quote_uuid(value, out), dict, weakref;
}

/// Adds everything to the module.
pub(crate) fn install(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<IsqlQuote>()?;
    module.add_class::<AsIs>()?;
    module.add_class::<Boolean>()?;
    module.add_class::<Decimal>()?;
    module.add_class::<Float>()?;
    module.add_class::<Int>()?;
    module.add_class::<Binary>()?;
    module.add_class::<QuotedString>()?;
    module.add_class::<List>()?;
    module.add_class::<SqlIn>()?;
    module.add_class::<NoneAdapter>()?;
    module.add_class::<UuidAdapter>()?;
    datetime::install(module)
}
