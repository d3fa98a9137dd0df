//! From the server's values to Python objects: one loader a column, chosen once a result.

mod array;
mod binary;
mod bytea;
mod datetime;
mod json;
mod number;
mod uuid;

pub(crate) use binary::{Formats, is_utc};
pub(crate) use datetime::api as datetime_api;

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyDictMethods};

use crate::convert::codec::Codec;
use crate::convert::typecaster::Typecaster;
use crate::dbapi::cursor::Cursor;
use crate::globals;

/// The conversions that are ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Int,
    Float,
    Decimal,
    Text,
    Bytes,
    Bool,
    Date,
    Time,
    Timestamp,
    TimestampTz,
    Interval,
    Bytea,
    Json,
    Uuid,
}

impl Kind {
    /// Whether the garbage collector ignores the objects made (it sees no cycle through them), so
    /// that a tuple of them need not be looked at either.
    fn is_atomic(self) -> bool {
        !matches!(self, Kind::Json | Kind::Bytea)
    }
}

/// How a column's values become Python objects.
pub(crate) enum Loader {
    /// One of ours.
    Native(Kind),
    /// A list of what the inner loader makes.
    Array(Box<Loader>),
    /// One of ours, from binary form.
    Binary(binary::Form),
    /// A list of lists from binary form, and the type of the elements.
    BinaryArray(binary::Form, u32),
    /// Another one, for a column that came in binary form.
    Spelt(Box<binary::Spelt>),
    /// A Python function of `(value, cursor)`; it sees None for NULL, as psycopg2's do.
    Python(Py<PyAny>),
    /// Python functions of `(value, cursor)`, for text and for binary form.
    Forms { text: Py<PyAny>, binary: Py<PyAny> },
    /// A Python function of `(bytes, cursor)`, for a column that came in binary form.
    PythonBinary(Py<PyAny>),
    /// A typecaster without a function.
    Missing,
}

impl Loader {
    /// Whether no Python code of a user's runs while it loads.
    pub(crate) fn is_native(&self) -> bool {
        match self {
            Loader::Native(_) | Loader::Binary(_) | Loader::BinaryArray(..) => true,
            Loader::Spelt(spelt) => spelt.loader().is_native(),
            Loader::Array(element) => element.is_native(),
            Loader::Python(_)
            | Loader::Forms { .. }
            | Loader::PythonBinary(_)
            | Loader::Missing => false,
        }
    }

    /// Whether all it makes is atomic; see [`Kind::is_atomic`].
    pub(crate) fn is_atomic(&self) -> bool {
        match self {
            Loader::Native(kind) => kind.is_atomic(),
            Loader::Binary(form) => form.is_atomic(),
            _ => false,
        }
    }

    /// Converts one value; `None` is SQL's NULL.
    #[inline]
    pub(crate) fn load<'py>(
        &self,
        context: &mut Context<'_, 'py>,
        data: Option<&[u8]>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = context.py;
        let Some(data) = data else {
            let loader = match self {
                Loader::Spelt(spelt) => spelt.loader(),
                loader => loader,
            };
            return match loader {
                Loader::Python(function)
                | Loader::Forms { text: function, .. }
                | Loader::PythonBinary(function) => {
                    let none = py.None().into_bound(py);
                    function.bind(py).call1((none, context.cursor_object()))
                }
                _ => Ok(py.None().into_bound(py)),
            };
        };
        match self {
            Loader::Native(Kind::Int) => number::int(py, data),
            Loader::Native(Kind::Text) => context.codec.decode(py, data),
            Loader::Native(kind) => context.load_native(*kind, data),
            Loader::Array(element) => array::load(context, element, data),
            Loader::Binary(form) => form.load(context, data),
            Loader::BinaryArray(form, oid) => binary::load_array(context, *form, *oid, data),
            Loader::Spelt(spelt) => spelt.load(context, data),
            Loader::PythonBinary(function) => {
                function.bind(py).call1((PyBytes::new(py, data), context.cursor_object()))
            }
            Loader::Python(function) | Loader::Forms { text: function, .. } => {
                let text = context.codec.decode(py, data)?;
                function.bind(py).call1((text, context.cursor_object()))
            }
            Loader::Missing => Err(globals::get(py)?
                .exceptions
                .error(py, "internal error: no casting function found")),
        }
    }
}

/// The typecaster for an oid in the given dictionaries, then in the module's.
pub(crate) fn find_caster<'py>(
    py: Python<'py>,
    oid: u32,
    types: &[Option<Bound<'py, PyDict>>],
) -> PyResult<Option<Bound<'py, Typecaster>>> {
    let key = oid.into_pyobject(py)?;
    let global = globals::get(py)?.string_types.bind(py);
    for types in types.iter().flatten().chain(std::iter::once(global)) {
        if let Some(found) = types.get_item(&key)?
            && let Ok(caster) = found.cast_into::<Typecaster>()
        {
            return Ok(Some(caster));
        }
    }
    Ok(None)
}

/// What `cursor.tzinfo_factory` says about time zones.
pub(crate) enum Zones<'py> {
    /// `datetime.timezone`: an object per offset, kept.
    Native,
    /// None: values stay naive.
    Naive,
    /// Any other callable of a timedelta.
    Factory(Bound<'py, PyAny>),
}

/// What loaders need beside the bytes, looked up once a fetch.
pub(crate) struct Context<'a, 'py> {
    pub(crate) py: Python<'py>,
    codec: Arc<Codec>,
    cursor: Option<&'a Bound<'py, PyAny>>,
    pub(crate) zones: Zones<'py>,
    last_zone: Option<(i32, Bound<'py, PyAny>)>,
    stack: Vec<Bound<'py, PyAny>>,
    decimal: &'py Bound<'py, PyAny>,
}

impl<'a, 'py> Context<'a, 'py> {
    /// For a fetch from `cursor`.
    pub(crate) fn new(
        cursor: &'a Bound<'py, PyAny>,
        codec: Arc<Codec>,
        tzinfo_factory: &Bound<'py, PyAny>,
    ) -> PyResult<Context<'a, 'py>> {
        let py = cursor.py();
        let globals = globals::get(py)?;
        let zones = if tzinfo_factory.is(&globals.timezone) {
            Zones::Native
        } else if tzinfo_factory.is_none() {
            Zones::Naive
        } else {
            Zones::Factory(tzinfo_factory.clone())
        };
        Ok(Context {
            py,
            codec,
            cursor: Some(cursor),
            zones,
            last_zone: None,
            stack: Vec::new(),
            decimal: globals.decimal.bind(py),
        })
    }

    /// The same for values that are text in UTF-8 already, whatever the connection's encoding.
    pub(crate) fn decoded(mut self) -> Context<'a, 'py> {
        self.codec = Arc::default();
        self
    }

    /// For a typecaster called by hand with whatever was given as the cursor.
    pub(crate) fn for_object(object: &'a Bound<'py, PyAny>) -> PyResult<Context<'a, 'py>> {
        let py = object.py();
        let globals = globals::get(py)?;
        if let Ok(cursor) = object.cast::<Cursor>() {
            let zone = object.getattr("tzinfo_factory")?;
            return Context::new(object, cursor.get().codec(py), &zone);
        }
        Ok(Context {
            py,
            codec: Arc::default(),
            cursor: Some(object),
            zones: Zones::Native,
            last_zone: None,
            stack: Vec::new(),
            decimal: globals.decimal.bind(py),
        })
    }

    fn cursor_object(&self) -> Bound<'py, PyAny> {
        self.cursor.map_or_else(|| self.py.None().into_bound(self.py), Clone::clone)
    }

    fn load_native(&mut self, kind: Kind, data: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        let py = self.py;
        match kind {
            Kind::Int => number::int(py, data),
            Kind::Float => number::float(py, data),
            Kind::Decimal => number::decimal(self.decimal, data),
            Kind::Text => self.codec.decode(py, data),
            Kind::Bytes => Ok(PyBytes::new(py, data).into_any()),
            Kind::Bool => match data.first() {
                Some(b't' | b'T') => Ok(PyBool::new(py, true).to_owned().into_any()),
                Some(b'f' | b'F') => Ok(PyBool::new(py, false).to_owned().into_any()),
                _ => Err(globals::get(py)?.exceptions.interface(
                    py,
                    format!("can't parse boolean: '{}'", String::from_utf8_lossy(data)),
                )),
            },
            Kind::Date => datetime::date(py, data),
            Kind::Time => datetime::time(self, data),
            Kind::Timestamp => datetime::timestamp(self, data, false),
            Kind::TimestampTz => datetime::timestamp(self, data, true),
            Kind::Interval => datetime::interval(py, data),
            Kind::Bytea => bytea::load(py, data),
            Kind::Json => json::load(py, &self.codec, data),
            Kind::Uuid => uuid::load(py, data),
        }
    }
}
