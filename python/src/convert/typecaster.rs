//! Typecasters: the objects that turn a column's text into a Python value, as psycopg2's `type`.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};

use super::load::{Context, Kind, Loader};
use crate::names::Installed;

/// psycopg2's `psycopg2._psycopg.type`: PEP 249's type object and a conversion in one.
#[pyclass(frozen, name = "type", module = "kecoa._kecoa")]
pub(crate) struct Typecaster {
    #[pyo3(get)]
    name: Py<PyAny>,
    #[pyo3(get)]
    values: Py<PyTuple>,
    pub(crate) cast: Cast,
}

/// How a typecaster converts.
pub(crate) enum Cast {
    /// One of ours.
    Native(Kind),
    /// An array of what the base converts.
    Array(Py<Typecaster>),
    /// A Python function of `(value, cursor)`.
    Python(Py<PyAny>),
    /// Python functions of `(value, cursor)`: of text as str, and of the binary form as bytes.
    Forms { text: Py<PyAny>, binary: Py<PyAny> },
    /// `new_type` was called without a function.
    Missing,
}

impl Typecaster {
    /// One of ours, for the module and for `string_types`.
    pub(crate) fn native(
        py: Python<'_>,
        name: &str,
        oids: &[u32],
        cast: Cast,
    ) -> PyResult<Py<Typecaster>> {
        let values = PyTuple::new(py, oids)?.unbind();
        Py::new(py, Typecaster { name: PyString::new(py, name).into_any().unbind(), values, cast })
    }

    /// The loader that does what this typecaster does.
    pub(crate) fn loader(&self, py: Python<'_>) -> Loader {
        match &self.cast {
            Cast::Native(kind) => Loader::Native(*kind),
            Cast::Array(base) => Loader::Array(Box::new(base.get().loader(py))),
            Cast::Python(function) => Loader::Python(function.clone_ref(py)),
            Cast::Forms { text, binary } => {
                Loader::Forms { text: text.clone_ref(py), binary: binary.clone_ref(py) }
            }
            Cast::Missing => Loader::Missing,
        }
    }

    /// Makes it the typecaster for its oids in `string_types` of some scope.
    pub(crate) fn register(
        slf: &Bound<'_, Typecaster>,
        string_types: &Bound<'_, PyDict>,
    ) -> PyResult<()> {
        for value in slf.get().values.bind(slf.py()) {
            string_types.set_item(value, slf)?;
        }
        Ok(())
    }

    fn covers(&self, py: Python<'_>, oid: i64) -> bool {
        self.values
            .bind(py)
            .iter()
            .any(|value| value.extract::<i64>().is_ok_and(|value| value == oid))
    }
}

#[pymethods]
impl Typecaster {
    /// `caster(value, cursor)`: None stays None, bytes are in the encoding of the cursor's connection.
    #[pyo3(signature = (value, cursor))]
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        value: &Bound<'py, PyAny>,
        cursor: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if value.is_none() {
            return Ok(value.clone());
        }
        let context = Context::for_object(cursor)?;
        let loader = self.loader(py);
        if let Ok(text) = value.cast::<PyString>() {
            let text = text.to_str()?;
            loader.load(&mut context.decoded(), Some(text.as_bytes()))
        } else if let Ok(bytes) = value.cast::<PyBytes>() {
            let mut context = context;
            loader.load(&mut context, Some(bytes.as_bytes()))
        } else {
            Err(PyTypeError::new_err(format!(
                "expected str, bytes or None to cast, found {}",
                value.get_type().name()?
            )))
        }
    }

    /// PEP 249's comparison with an oid, or with another typecaster that shares one.
    fn __eq__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> bool {
        if let Ok(other) = other.cast::<Typecaster>() {
            let other = other.get();
            return self
                .values
                .bind(py)
                .iter()
                .any(|oid| oid.extract::<i64>().is_ok_and(|oid| other.covers(py, oid)));
        }
        other.extract::<i64>().is_ok_and(|oid| self.covers(py, oid))
    }

    fn __ne__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> bool {
        !self.__eq__(py, other)
    }

    fn __hash__(slf: &Bound<'_, Self>) -> usize {
        // By identity, as psycopg2's: equal typecasters may differ in hash.
        slf.as_ptr() as usize >> 4
    }

    fn __repr__(slf: &Bound<'_, Self>) -> String {
        let name = slf.get().name.bind(slf.py());
        format!("<kecoa._kecoa.type '{name}' at {:p}>", slf.as_ptr())
    }
}

/// oid -> typecaster, last resort of every lookup; live, as `extensions.string_types`.
static STRING_TYPES: Installed<Py<PyDict>> = Installed::new();

/// What loads a column whose oid nobody registered: text.
static DEFAULT: Installed<Py<Typecaster>> = Installed::new();

/// The module's typecasters, by oid.
pub(crate) fn string_types(py: Python<'_>) -> PyResult<&Bound<'_, PyDict>> {
    Ok(STRING_TYPES.get(py)?.bind(py))
}

/// What loads a column whose oid nobody registered.
pub(crate) fn default(py: Python<'_>) -> PyResult<&Bound<'_, Typecaster>> {
    Ok(DEFAULT.get(py)?.bind(py))
}

/// The typecaster for an oid, an int, in the given dictionaries, then in the module's.
pub(crate) fn find<'py>(
    py: Python<'py>,
    oid: &Bound<'py, PyAny>,
    types: &[Option<Bound<'py, PyDict>>],
) -> PyResult<Option<Bound<'py, Typecaster>>> {
    let global = string_types(py)?;
    for types in types.iter().flatten().chain(std::iter::once(global)) {
        if let Some(found) = types.get_item(oid)?
            && let Ok(caster) = found.cast_into::<Typecaster>()
        {
            return Ok(Some(caster));
        }
    }
    Ok(None)
}

/// `new_type(oids, name, castobj)`: a typecaster from a function of `(value, cursor)`.
#[pyfunction]
#[pyo3(signature = (values, name=None, castobj=None, baseobj=None))]
pub(crate) fn new_type(
    py: Python<'_>,
    values: Bound<'_, PyTuple>,
    name: Option<Bound<'_, PyString>>,
    castobj: Option<Bound<'_, PyAny>>,
    baseobj: Option<Bound<'_, PyAny>>,
) -> PyResult<Py<Typecaster>> {
    drop(baseobj);
    let cast = match castobj {
        None => Cast::Missing,
        Some(object) => match object.cast::<Typecaster>() {
            // A typecaster under another name keeps its native speed.
            Ok(caster) => match &caster.get().cast {
                Cast::Native(kind) => Cast::Native(*kind),
                Cast::Array(base) => Cast::Array(base.clone_ref(py)),
                Cast::Python(function) => Cast::Python(function.clone_ref(py)),
                Cast::Forms { text, binary } => {
                    Cast::Forms { text: text.clone_ref(py), binary: binary.clone_ref(py) }
                }
                Cast::Missing => Cast::Missing,
            },
            Err(_) => Cast::Python(object.unbind()),
        },
    };
    let name = name.map_or_else(|| py.None(), |name| name.into_any().unbind());
    Py::new(py, Typecaster { name, values: values.unbind(), cast })
}

/// `new_binary_type(oids, name, castobj, binary)`: as `new_type`, with a second function for values in
/// binary form: those of server binding come in it.
#[pyfunction]
#[pyo3(signature = (values, name, castobj, binary))]
pub(crate) fn new_binary_type(
    py: Python<'_>,
    values: Bound<'_, PyTuple>,
    name: Bound<'_, PyString>,
    castobj: Py<PyAny>,
    binary: Py<PyAny>,
) -> PyResult<Py<Typecaster>> {
    let cast = Cast::Forms { text: castobj, binary };
    Py::new(py, Typecaster { name: name.into_any().unbind(), values: values.unbind(), cast })
}

/// `new_array_type(oids, name, baseobj)`: lists of what `baseobj` converts.
#[pyfunction]
#[pyo3(signature = (values, name, baseobj))]
pub(crate) fn new_array_type(
    py: Python<'_>,
    values: Bound<'_, PyTuple>,
    name: Bound<'_, PyString>,
    baseobj: Py<Typecaster>,
) -> PyResult<Py<Typecaster>> {
    let cast = Cast::Array(baseobj);
    Py::new(py, Typecaster { name: name.into_any().unbind(), values: values.unbind(), cast })
}

/// Every typecaster of psycopg2's C module: name, oids (from `pg_type`), conversion.
const SCALARS: &[(&str, &[u32], Kind)] = &[
    ("NUMBER", &[20, 23, 21, 701, 700, 1700], Kind::Float),
    ("LONGINTEGER", &[20], Kind::Int),
    ("INTEGER", &[23, 21], Kind::Int),
    ("FLOAT", &[701, 700], Kind::Float),
    ("DECIMAL", &[1700], Kind::Decimal),
    ("UNICODE", &[19, 18, 25, 1042, 1043], Kind::Text),
    ("BYTES", &[19, 18, 25, 1042, 1043], Kind::Bytes),
    ("STRING", &[19, 18, 25, 1042, 1043], Kind::Text),
    ("BOOLEAN", &[16], Kind::Bool),
    ("DATETIME", &[1114], Kind::Timestamp),
    ("DATETIMETZ", &[1184], Kind::TimestampTz),
    ("TIME", &[1083, 1266], Kind::Time),
    ("DATE", &[1082], Kind::Date),
    ("INTERVAL", &[704, 1186], Kind::Interval),
    ("BINARY", &[17], Kind::Bytea),
    ("ROWID", &[26], Kind::Int),
    ("UNKNOWN", &[705], Kind::Text),
    ("JSON", &[114], Kind::Json),
    ("JSONB", &[3802], Kind::Json),
];

/// The arrays: name, oids, the scalar they hold.
const ARRAYS: &[(&str, &[u32], Kind)] = &[
    ("LONGINTEGERARRAY", &[1016], Kind::Int),
    ("INTEGERARRAY", &[1005, 1006, 1007], Kind::Int),
    ("FLOATARRAY", &[1021, 1022], Kind::Float),
    ("DECIMALARRAY", &[1231], Kind::Decimal),
    ("UNICODEARRAY", &[1002, 1003, 1009, 1014, 1015], Kind::Text),
    ("BYTESARRAY", &[1002, 1003, 1009, 1014, 1015], Kind::Bytes),
    ("STRINGARRAY", &[1002, 1003, 1009, 1014, 1015], Kind::Text),
    ("BOOLEANARRAY", &[1000], Kind::Bool),
    ("DATETIMEARRAY", &[1115], Kind::Timestamp),
    ("DATETIMETZARRAY", &[1185], Kind::TimestampTz),
    ("TIMEARRAY", &[1183, 1270], Kind::Time),
    ("DATEARRAY", &[1182], Kind::Date),
    ("INTERVALARRAY", &[1187], Kind::Interval),
    ("BINARYARRAY", &[1001], Kind::Bytea),
    ("ROWIDARRAY", &[1028, 1013], Kind::Int),
    ("INETARRAY", &[1041], Kind::Text),
    ("CIDRARRAY", &[651], Kind::Text),
    ("MACADDRARRAY", &[1040], Kind::Text),
    ("JSONARRAY", &[199], Kind::Json),
    ("JSONBARRAY", &[3807], Kind::Json),
];

/// Names that exist in the module but are not registered: psycopg2's aliases, and uuid, which
/// waits for `extras.register_uuid`.
const UNREGISTERED: &[(&str, &[u32], Kind, bool)] = &[
    ("PYDATETIME", &[1114], Kind::Timestamp, false),
    ("PYDATETIMETZ", &[1184], Kind::TimestampTz, false),
    ("PYTIME", &[1083, 1266], Kind::Time, false),
    ("PYDATE", &[1082], Kind::Date, false),
    ("PYINTERVAL", &[704, 1186], Kind::Interval, false),
    ("PYDATETIMEARRAY", &[1115], Kind::Timestamp, true),
    ("PYDATETIMETZARRAY", &[1185], Kind::TimestampTz, true),
    ("PYTIMEARRAY", &[1183, 1270], Kind::Time, true),
    ("PYDATEARRAY", &[1182], Kind::Date, true),
    ("PYINTERVALARRAY", &[1187], Kind::Interval, true),
    ("UUID", &[2950], Kind::Uuid, false),
    ("UUIDARRAY", &[2951], Kind::Uuid, true),
];

/// Adds the typecasters to the module and registers them.
pub(crate) fn install(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let string_types = PyDict::new(py);
    let array = |kind| -> PyResult<Cast> {
        Ok(Cast::Array(Typecaster::native(py, "DEFAULT", &[], Cast::Native(kind))?))
    };
    for (name, oids, kind) in SCALARS {
        let caster = Typecaster::native(py, name, oids, Cast::Native(*kind))?;
        for oid in *oids {
            string_types.set_item(oid, &caster)?;
        }
        module.add(*name, caster)?;
    }
    for (name, oids, kind) in ARRAYS {
        let caster = Typecaster::native(py, name, oids, array(*kind)?)?;
        for oid in *oids {
            string_types.set_item(oid, &caster)?;
        }
        module.add(*name, caster)?;
    }
    for (name, oids, kind, is_array) in UNREGISTERED {
        let cast = if *is_array { array(*kind)? } else { Cast::Native(*kind) };
        module.add(*name, Typecaster::native(py, name, oids, cast)?)?;
    }
    module.add("string_types", &string_types)?;
    STRING_TYPES.set(py, string_types.unbind())?;
    DEFAULT.set(py, Typecaster::native(py, "DEFAULT", &[], Cast::Native(Kind::Text))?)
}
