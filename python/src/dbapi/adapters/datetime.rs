//! Dates and times to be adapted, and PEP 249's functions that make them.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDate, PyDateTime, PyDelta, PyTime, PyTuple, PyTzInfo};

use super::protocol::conform;
use crate::convert::dump::datetime;

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
        conform(slf.as_any(), proto)
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

/// Adds the class and the functions to the module.
pub(super) fn install(module: &Bound<'_, PyModule>) -> PyResult<()> {
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
