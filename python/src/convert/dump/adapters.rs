//! The adapter classes, for programs that use or extend them; the dumpers' fast path needs none.

use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDate, PyDateTime, PyDelta, PyDict, PyTime, PyTuple, PyTzInfo};

use super::{Dumper, Settings, datetime, list, scalar, string};
use crate::convert::codec::Codec;
use crate::dbapi::connection::Connection;
use crate::globals;

/// What an adapter holds. Values are only swapped under the locks, never used or dropped.
#[derive(Default)]
pub(crate) struct Held {
    adapted: Mutex<Option<Py<PyAny>>>,
    connection: Mutex<Option<Py<Connection>>>,
    encoding: Mutex<Option<String>>,
    buffer: Mutex<Option<Py<PyBytes>>>,
}

fn swap<T>(place: &Mutex<Option<T>>, value: Option<T>) {
    let old = std::mem::replace(&mut *place.lock().unwrap_or_else(PoisonError::into_inner), value);
    drop(old);
}

fn get<T>(py: Python<'_>, place: &Mutex<Option<Py<T>>>) -> Option<Py<T>> {
    let place = place.lock().unwrap_or_else(PoisonError::into_inner);
    place.as_ref().map(|value| value.clone_ref(py))
}

impl Held {
    fn adapted<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        get(py, &self.adapted).unwrap_or_else(|| py.None()).into_bound(py)
    }

    fn prepare(&self, connection: &Bound<'_, PyAny>) -> PyResult<()> {
        let connection = connection
            .cast::<Connection>()
            .map_err(|_| PyTypeError::new_err("argument 1 must be kecoa.extensions.connection"))?;
        swap(&self.connection, Some(connection.clone().unbind()));
        Ok(())
    }

    /// The connection's settings, or those of `encoding`; latin1 is psycopg2's default.
    fn settings(&self, py: Python<'_>) -> PyResult<Settings> {
        if let Some(connection) = get(py, &self.connection) {
            return Ok(connection.get().settings());
        }
        let name = self.encoding.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(Settings::unconnected(Codec::named(name.as_deref().unwrap_or("latin1"))?))
    }
}

/// Writes the literal of what is held.
type Quote = for<'py> fn(Python<'py>, &Held, &Bound<'py, PyAny>, &mut Vec<u8>) -> PyResult<()>;

fn quoted<'py>(py: Python<'py>, held: &Held, quote: Quote) -> PyResult<Bound<'py, PyBytes>> {
    let mut out = Vec::new();
    quote(py, held, &held.adapted(py), &mut out)?;
    Ok(PyBytes::new(py, &out))
}

/// As [`quoted`], kept for the next call.
fn buffered<'py>(py: Python<'py>, held: &Held, quote: Quote) -> PyResult<Bound<'py, PyBytes>> {
    if let Some(buffer) = get(py, &held.buffer) {
        return Ok(buffer.into_bound(py));
    }
    let bytes = quoted(py, held, quote)?;
    swap(&held.buffer, Some(bytes.clone().unbind()));
    Ok(bytes)
}

/// An adapter class: made from any object, quoted by `$quote`. `__new__` takes anything and
/// `__init__` one object, so that subclasses may have their own; `$text` shows what the latter takes. `dict` and `weakref`
/// are for those that psycopg2 writes in Python.
macro_rules! adapter {
    ($(#[$doc:meta])* $name:ident $python:literal $module:literal $text:literal ($obj:ident $(, $only:tt)?),
     $via:ident $quote:path $(, $flag:ident)*; $($more:tt)*) => {
        $(#[$doc])*
        #[pyclass(subclass, $($flag,)* frozen, name = $python, module = $module)]
        #[derive(Default)]
        pub(crate) struct $name {
            held: Held,
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
                swap(&self.held.adapted, Some($obj.unbind()));
            }

            /// The wrapped object.
            #[getter]
            fn adapted<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
                self.held.adapted(py)
            }

            /// The object as SQL.
            #[pyo3(signature = (*_args), text_signature = "($self)")]
            fn getquoted<'py>(
                &self,
                py: Python<'py>,
                _args: &Bound<'py, PyTuple>,
            ) -> PyResult<Bound<'py, PyBytes>> {
                $via(py, &self.held, $quote)
            }

            fn __conform__<'py>(
                slf: &Bound<'py, Self>,
                proto: &Bound<'py, PyAny>,
            ) -> PyResult<Bound<'py, PyAny>> {
                let py = slf.py();
                let ours = proto.is(&globals::get(py)?.isqlquote);
                Ok(if ours { slf.clone().into_any() } else { py.None().into_bound(py) })
            }

            fn __str__(&self, py: Python<'_>) -> PyResult<String> {
                let quoted = $via(py, &self.held, $quote)?;
                Ok(String::from_utf8_lossy(quoted.as_bytes()).into_owned())
            }

            $($more)*
        }
    };
}

fn quote_as_is(
    _py: Python<'_>,
    _held: &Held,
    value: &Bound<'_, PyAny>,
    out: &mut Vec<u8>,
) -> PyResult<()> {
    scalar::as_is(value, out)
}

fn quote_boolean(
    _py: Python<'_>,
    _held: &Held,
    value: &Bound<'_, PyAny>,
    out: &mut Vec<u8>,
) -> PyResult<()> {
    scalar::boolean(value, out)
}

fn quote_decimal(
    _py: Python<'_>,
    _held: &Held,
    value: &Bound<'_, PyAny>,
    out: &mut Vec<u8>,
) -> PyResult<()> {
    scalar::decimal(value, false, out)
}

fn quote_float(
    _py: Python<'_>,
    _held: &Held,
    value: &Bound<'_, PyAny>,
    out: &mut Vec<u8>,
) -> PyResult<()> {
    scalar::float(value, out)
}

fn quote_int(
    _py: Python<'_>,
    _held: &Held,
    value: &Bound<'_, PyAny>,
    out: &mut Vec<u8>,
) -> PyResult<()> {
    scalar::int(value, out)
}

fn quote_binary(
    py: Python<'_>,
    held: &Held,
    value: &Bound<'_, PyAny>,
    out: &mut Vec<u8>,
) -> PyResult<()> {
    string::binary(value, &held.settings(py)?, out)
}

fn quote_text(
    py: Python<'_>,
    held: &Held,
    value: &Bound<'_, PyAny>,
    out: &mut Vec<u8>,
) -> PyResult<()> {
    string::text(value, &held.settings(py)?, out)
}

fn quote_null(
    _py: Python<'_>,
    _held: &Held,
    _value: &Bound<'_, PyAny>,
    out: &mut Vec<u8>,
) -> PyResult<()> {
    out.extend_from_slice(b"NULL");
    Ok(())
}

fn quote_uuid(
    _py: Python<'_>,
    _held: &Held,
    value: &Bound<'_, PyAny>,
    out: &mut Vec<u8>,
) -> PyResult<()> {
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

fn quote_list<'py>(
    py: Python<'py>,
    held: &Held,
    value: &Bound<'py, PyAny>,
    out: &mut Vec<u8>,
) -> PyResult<()> {
    let connection = get(py, &held.connection).map(|connection| connection.into_bound(py));
    let settings = held.settings(py)?;
    list::array(&mut Dumper::new(py, &settings, connection.as_ref()), value, out)
}

fn quote_tuple<'py>(
    py: Python<'py>,
    held: &Held,
    value: &Bound<'py, PyAny>,
    out: &mut Vec<u8>,
) -> PyResult<()> {
    let connection = get(py, &held.connection).map(|connection| connection.into_bound(py));
    let settings = held.settings(py)?;
    list::tuple(&mut Dumper::new(py, &settings, connection.as_ref()), value, out)
}

adapter! {
    /// The object's `str` as it is.
    AsIs "AsIs" "kecoa.extensions" "(obj, /)" (obj, /), quoted quote_as_is;
}
adapter! {
    /// `true` or `false`.
    Boolean "Boolean" "kecoa.extensions" "(obj, /)" (obj, /), quoted quote_boolean;
}
adapter! {
    /// A number; NaN and the infinities as `'NaN'::numeric`.
    Decimal "Decimal" "kecoa._kecoa" "(obj, /)" (obj, /), quoted quote_decimal;
}
adapter! {
    /// A number.
    Float "Float" "kecoa.extensions" "(obj, /)" (obj, /), quoted quote_float;
}
adapter! {
    /// A number.
    Int "Int" "kecoa.extensions" "(obj, /)" (obj, /), quoted quote_int;
}
adapter! {
    /// Bytes as `bytea`.
    Binary "Binary" "kecoa.extensions" "(obj, /)" (obj, /), buffered quote_binary;
    /// Quotes as the connection's server wants it.
    fn prepare(&self, conn: &Bound<'_, PyAny>) -> PyResult<()> {
        self.held.prepare(conn)
    }

    /// The literal, once it was made.
    #[getter]
    fn buffer(&self, py: Python<'_>) -> Option<Py<PyBytes>> {
        get(py, &self.held.buffer)
    }
}
adapter! {
    /// Text as a string literal.
    QuotedString "QuotedString" "kecoa.extensions" "(obj, /)" (obj, /), buffered quote_text;
    /// Encodes and quotes as the connection wants it.
    fn prepare(&self, conn: &Bound<'_, PyAny>) -> PyResult<()> {
        self.held.prepare(conn)
    }

    /// The literal, once it was made.
    #[getter]
    fn buffer(&self, py: Python<'_>) -> Option<Py<PyBytes>> {
        get(py, &self.held.buffer)
    }

    /// Python's name of the encoding.
    #[getter]
    fn encoding(&self, py: Python<'_>) -> String {
        if let Some(connection) = get(py, &self.held.connection) {
            return connection.get().settings().codec.python_name();
        }
        let name = self.held.encoding.lock().unwrap_or_else(PoisonError::into_inner).clone();
        name.unwrap_or_else(|| "latin1".to_owned())
    }

    #[setter]
    fn set_encoding(&self, name: String) {
        swap(&self.held.encoding, Some(name));
    }
}
adapter! {
    /// A list as an array.
    List "List" "kecoa._kecoa" "(obj, /)" (obj, /), quoted quote_list;
    /// Passes the connection to the items' adapters.
    fn prepare(&self, conn: &Bound<'_, PyAny>) -> PyResult<()> {
        self.held.prepare(conn)
    }
}
adapter! {
    /// A sequence for `IN %s`.
    SqlIn "SQL_IN" "kecoa.extensions" "(seq)" (seq), quoted quote_tuple, dict, weakref;
    /// Passes the connection to the items' adapters.
    fn prepare(&self, conn: &Bound<'_, PyAny>) -> PyResult<()> {
        self.held.prepare(conn)
    }
}
adapter! {
    /// `NULL`.
    NoneAdapter "NoneAdapter" "kecoa.extensions" "(obj)" (obj), quoted quote_null, dict, weakref;
}
adapter! {
    /// `'…'::uuid`.
    UuidAdapter "UUID_adapter" "kecoa.extras" "(uuid)" (uuid), quoted quote_uuid, dict, weakref;
}

/// The protocol: a class that exists to be named, and an abstract base.
#[pyclass(subclass, frozen, name = "ISQLQuote", module = "kecoa.extensions")]
#[derive(Default)]
pub(crate) struct IsqlQuote {
    held: Held,
}

#[pymethods]
impl IsqlQuote {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs), text_signature = "(wrapped=None)")]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> IsqlQuote {
        IsqlQuote::default()
    }

    #[pyo3(signature = (wrapped=None, **_kwargs))]
    fn __init__(&self, wrapped: Option<Bound<'_, PyAny>>, _kwargs: Option<&Bound<'_, PyDict>>) {
        swap(&self.held.adapted, wrapped.map(Bound::unbind));
    }

    /// The wrapped object.
    #[getter]
    fn _wrapped<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.held.adapted(py)
    }

    /// None: to be overridden.
    #[pyo3(signature = (*_args), text_signature = "($self)")]
    fn getquoted(&self, _args: &Bound<'_, PyTuple>) -> Option<u8> {
        None
    }

    /// None: to be overridden.
    #[pyo3(signature = (*_args), text_signature = "($self)")]
    fn getbinary(&self, _args: &Bound<'_, PyTuple>) -> Option<u8> {
        None
    }

    /// None: to be overridden.
    #[pyo3(signature = (*_args), text_signature = "($self)")]
    fn getbuffer(&self, _args: &Bound<'_, PyTuple>) -> Option<u8> {
        None
    }
}

/// What a [`DateTimeAdapter`] wraps; the numbers are psycopg2's.
const TIME: i32 = 0;
const DATE: i32 = 1;
const TIMESTAMP: i32 = 2;
const INTERVAL: i32 = 3;

/// psycopg2's `datetime` wrapper: a value of the datetime module and what to cast it to.
#[pyclass(subclass, frozen, name = "datetime", module = "kecoa._kecoa")]
pub(crate) struct DateTimeAdapter {
    adapted: Py<PyAny>,
    kind: i32,
}

impl DateTimeAdapter {
    fn quote(&self, py: Python<'_>) -> PyResult<Vec<u8>> {
        let mut out = Vec::new();
        let value = self.adapted.bind(py);
        match self.kind {
            TIME => datetime::time(value, &mut out)?,
            DATE => datetime::date(value, &mut out)?,
            TIMESTAMP => datetime::datetime(value, &mut out)?,
            INTERVAL => datetime::interval(value, &mut out)?,
            _ => return Err(PyValueError::new_err("expected a type from 0 to 3")),
        }
        Ok(out)
    }
}

#[pymethods]
impl DateTimeAdapter {
    #[new]
    #[pyo3(signature = (datetime, r#type=-1))]
    fn new(datetime: Py<PyAny>, r#type: i32) -> DateTimeAdapter {
        DateTimeAdapter { adapted: datetime, kind: r#type }
    }

    /// The wrapped object.
    #[getter]
    fn adapted(&self, py: Python<'_>) -> Py<PyAny> {
        self.adapted.clone_ref(py)
    }

    /// 0 time, 1 date, 2 timestamp, 3 interval.
    #[getter]
    fn r#type(&self) -> i32 {
        self.kind
    }

    /// The object as SQL.
    #[pyo3(signature = (*_args), text_signature = "($self)")]
    fn getquoted<'py>(
        &self,
        py: Python<'py>,
        _args: &Bound<'py, PyTuple>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.quote(py)?))
    }

    fn __conform__<'py>(
        slf: &Bound<'py, Self>,
        proto: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let ours = proto.is(&globals::get(py)?.isqlquote);
        Ok(if ours { slf.clone().into_any() } else { py.None().into_bound(py) })
    }

    fn __str__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(String::from_utf8_lossy(&self.quote(py)?).into_owned())
    }
}

fn wrap(value: Bound<'_, PyAny>, kind: i32) -> DateTimeAdapter {
    DateTimeAdapter { adapted: value.unbind(), kind }
}

/// `DateFromPy(date)`.
#[pyfunction(name = "DateFromPy")]
#[pyo3(signature = (obj, /))]
pub(crate) fn date_from_py(obj: Bound<'_, PyDate>) -> DateTimeAdapter {
    wrap(obj.into_any(), DATE)
}

/// `TimeFromPy(time)`.
#[pyfunction(name = "TimeFromPy")]
#[pyo3(signature = (obj, /))]
pub(crate) fn time_from_py(obj: Bound<'_, PyTime>) -> DateTimeAdapter {
    wrap(obj.into_any(), TIME)
}

/// `TimestampFromPy(datetime)`.
#[pyfunction(name = "TimestampFromPy")]
#[pyo3(signature = (obj, /))]
pub(crate) fn timestamp_from_py(obj: Bound<'_, PyDateTime>) -> DateTimeAdapter {
    wrap(obj.into_any(), TIMESTAMP)
}

/// `IntervalFromPy(timedelta)`.
#[pyfunction(name = "IntervalFromPy")]
#[pyo3(signature = (obj, /))]
pub(crate) fn interval_from_py(obj: Bound<'_, PyDelta>) -> DateTimeAdapter {
    wrap(obj.into_any(), INTERVAL)
}

/// `Date(year, month, day)`.
#[pyfunction(name = "Date")]
#[pyo3(signature = (year, month, day))]
pub(crate) fn date(py: Python<'_>, year: i32, month: u8, day: u8) -> PyResult<DateTimeAdapter> {
    Ok(wrap(PyDate::new(py, year, month, day)?.into_any(), DATE))
}

/// Seconds with a fraction as whole seconds and microseconds, rounded as psycopg2 rounds.
fn split_seconds(py: Python<'_>, seconds: f64) -> PyResult<(i64, i64)> {
    let parts = py.import("math")?.call_method1("modf", (seconds,))?;
    let (fraction, whole): (f64, f64) = parts.extract()?;
    let whole = py.import("builtins")?.getattr("int")?.call1((whole,))?.extract()?;
    let micros =
        py.import("builtins")?.getattr("round")?.call1((fraction * 1_000_000.0,))?.extract()?;
    Ok((whole, micros))
}

/// `Time(hour, minutes, seconds, tzinfo=None)`.
#[pyfunction(name = "Time")]
#[pyo3(signature = (hour, minutes, seconds, tzinfo=None))]
pub(crate) fn time(
    py: Python<'_>,
    hour: i64,
    minutes: i64,
    seconds: f64,
    tzinfo: Option<Bound<'_, PyTzInfo>>,
) -> PyResult<DateTimeAdapter> {
    let (seconds, micros) = split_seconds(py, seconds)?;
    let class = py.get_type::<PyTime>();
    Ok(wrap(class.call1((hour, minutes, seconds, micros, tzinfo))?, TIME))
}

/// `Timestamp(year, month, day, hour, minutes, seconds, tzinfo=None)`.
#[pyfunction(name = "Timestamp")]
#[pyo3(signature = (year, month, day, hour=0, minutes=0, seconds=0.0, tzinfo=None))]
#[expect(clippy::too_many_arguments, reason = "PEP 249's signature")]
pub(crate) fn timestamp(
    py: Python<'_>,
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minutes: i64,
    seconds: f64,
    tzinfo: Option<Bound<'_, PyTzInfo>>,
) -> PyResult<DateTimeAdapter> {
    let (seconds, micros) = split_seconds(py, seconds)?;
    let class = py.get_type::<PyDateTime>();
    let value = class.call1((year, month, day, hour, minutes, seconds, micros, tzinfo))?;
    Ok(wrap(value, TIMESTAMP))
}

/// The local time of a POSIX timestamp.
fn from_ticks(py: Python<'_>, ticks: f64) -> PyResult<Bound<'_, PyAny>> {
    py.get_type::<PyDateTime>().call_method1("fromtimestamp", (ticks,))
}

/// `DateFromTicks(ticks)`.
#[pyfunction(name = "DateFromTicks")]
#[pyo3(signature = (ticks, /))]
pub(crate) fn date_from_ticks(py: Python<'_>, ticks: f64) -> PyResult<DateTimeAdapter> {
    Ok(wrap(from_ticks(py, ticks)?.call_method0("date")?, DATE))
}

/// `TimeFromTicks(ticks)`.
#[pyfunction(name = "TimeFromTicks")]
#[pyo3(signature = (ticks, /))]
pub(crate) fn time_from_ticks(py: Python<'_>, ticks: f64) -> PyResult<DateTimeAdapter> {
    Ok(wrap(from_ticks(py, ticks)?.call_method0("time")?, TIME))
}

/// `TimestampFromTicks(ticks)`: in the local time zone.
#[pyfunction(name = "TimestampFromTicks")]
#[pyo3(signature = (ticks, /))]
pub(crate) fn timestamp_from_ticks(py: Python<'_>, ticks: f64) -> PyResult<DateTimeAdapter> {
    Ok(wrap(from_ticks(py, ticks)?.call_method0("astimezone")?, TIMESTAMP))
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
    module.add_class::<DateTimeAdapter>()?;
    module.add_function(wrap_pyfunction!(date_from_py, module)?)?;
    module.add_function(wrap_pyfunction!(time_from_py, module)?)?;
    module.add_function(wrap_pyfunction!(timestamp_from_py, module)?)?;
    module.add_function(wrap_pyfunction!(interval_from_py, module)?)?;
    module.add_function(wrap_pyfunction!(date, module)?)?;
    module.add_function(wrap_pyfunction!(time, module)?)?;
    module.add_function(wrap_pyfunction!(timestamp, module)?)?;
    module.add_function(wrap_pyfunction!(date_from_ticks, module)?)?;
    module.add_function(wrap_pyfunction!(time_from_ticks, module)?)?;
    module.add_function(wrap_pyfunction!(timestamp_from_ticks, module)?)?;
    Ok(())
}
