//! Dates and times.

use std::io::Write as _;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{
    PyDate, PyDateAccess, PyDateTime, PyDelta, PyDeltaAccess, PyTime, PyTimeAccess, PyTzInfo,
};

/// What `isoformat` of a derived class says. One that is not equal to itself is no time at all
/// (pandas' `NaT` is derived from `datetime`): NULL.
fn isoformat(value: &Bound<'_, PyAny>, cast: &str, out: &mut Vec<u8>) -> PyResult<()> {
    if value.ne(value)? {
        out.extend_from_slice(b"NULL");
        return Ok(());
    }
    let text = value.call_method0("isoformat")?;
    let text = text.str()?;
    let text = text.to_str()?;
    if text.contains(['\'', '\\', '\0']) {
        return Err(PyValueError::new_err(format!(
            "expected a date or time from isoformat(), found {text:?}"
        )));
    }
    write!(out, "'{text}'::{cast}").map_err(PyErr::from)
}

fn is_naive(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(value.getattr("tzinfo")?.is_none())
}

/// Adds a number with zeros in front: a third of what `write!` takes, and dates come in thousands.
fn padded(mut number: u32, width: usize, out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + width, b'0');
    for digit in out.iter_mut().skip(start).rev() {
        *digit += u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
}

fn day(value: &impl PyDateAccess, out: &mut Vec<u8>) {
    padded(u32::try_from(value.get_year()).unwrap_or_default(), 4, out);
    out.push(b'-');
    padded(value.get_month().into(), 2, out);
    out.push(b'-');
    padded(value.get_day().into(), 2, out);
}

fn clock(value: &impl PyTimeAccess, out: &mut Vec<u8>) {
    padded(value.get_hour().into(), 2, out);
    out.push(b':');
    padded(value.get_minute().into(), 2, out);
    out.push(b':');
    padded(value.get_second().into(), 2, out);
    fraction(value.get_microsecond(), out);
}

fn fraction(microseconds: u32, out: &mut Vec<u8>) {
    if microseconds != 0 {
        out.push(b'.');
        padded(microseconds, 6, out);
    }
}

/// The time zone as `isoformat` writes it; false when only that knows.
fn offset(
    moment: &Bound<'_, PyDateTime>,
    zone: &Bound<'_, PyAny>,
    out: &mut Vec<u8>,
) -> PyResult<bool> {
    if zone.is(PyTzInfo::utc(moment.py())?) {
        out.extend_from_slice(b"+00:00");
        return Ok(true);
    }
    let found = moment.call_method0("utcoffset")?;
    let Ok(delta) = found.cast_exact::<PyDelta>() else { return Ok(false) };
    // An offset is less than a day: west of Greenwich a day less the seconds.
    let micros = i64::from(delta.get_days()) * 86_400_000_000
        + i64::from(delta.get_seconds()) * 1_000_000
        + i64::from(delta.get_microseconds());
    let distance = micros.unsigned_abs();
    let (seconds, rest) = (distance / 1_000_000, distance % 1_000_000);
    let (Ok(seconds), Ok(rest)) = (u32::try_from(seconds), u32::try_from(rest)) else {
        return Ok(false);
    };
    out.push(if micros < 0 { b'-' } else { b'+' });
    padded(seconds / 3600, 2, out);
    out.push(b':');
    padded(seconds / 60 % 60, 2, out);
    if seconds % 60 != 0 || rest != 0 {
        out.push(b':');
        padded(seconds % 60, 2, out);
        fraction(rest, out);
    }
    Ok(true)
}

pub(crate) fn date(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
    let Ok(date) = value.cast_exact::<PyDate>() else { return isoformat(value, "date", out) };
    out.push(b'\'');
    day(date, out);
    out.extend_from_slice(b"'::date");
    Ok(())
}

pub(crate) fn time(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
    if !is_naive(value)? {
        return isoformat(value, "timetz", out);
    }
    let Ok(time) = value.cast_exact::<PyTime>() else { return isoformat(value, "time", out) };
    out.push(b'\'');
    clock(time, out);
    out.extend_from_slice(b"'::time");
    Ok(())
}

/// As `isoformat` writes it, which a class derived from `datetime` may do otherwise.
pub(crate) fn datetime(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
    let zone = value.getattr("tzinfo")?;
    let cast = if zone.is_none() { "timestamp" } else { "timestamptz" };
    let Ok(moment) = value.cast_exact::<PyDateTime>() else { return isoformat(value, cast, out) };
    let start = out.len();
    out.push(b'\'');
    day(moment, out);
    out.push(b'T');
    clock(moment, out);
    if !zone.is_none() && !offset(moment, &zone, out)? {
        out.truncate(start);
        return isoformat(value, cast, out);
    }
    out.extend_from_slice(b"'::");
    out.extend_from_slice(cast.as_bytes());
    Ok(())
}

pub(crate) fn interval(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
    let delta = value.cast::<PyDelta>()?;
    write!(
        out,
        "'{} days {}.{:06} seconds'::interval",
        delta.get_days(),
        delta.get_seconds(),
        delta.get_microseconds()
    )
    .map_err(PyErr::from)
}
