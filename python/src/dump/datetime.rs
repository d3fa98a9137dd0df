//! Dates and times.

use std::io::Write as _;

use pyo3::prelude::*;
use pyo3::types::{PyDate, PyDateAccess, PyDateTime, PyDelta, PyDeltaAccess, PyTime, PyTimeAccess};

fn isoformat(value: &Bound<'_, PyAny>, cast: &str, out: &mut Vec<u8>) -> PyResult<()> {
    let text = value.call_method0("isoformat")?;
    write!(out, "'{}'::{cast}", text.str()?.to_str()?).map_err(PyErr::from)
}

fn is_naive(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(value.getattr("tzinfo")?.is_none())
}

pub(super) fn date(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
    match value.cast_exact::<PyDate>() {
        Ok(date) => write!(
            out,
            "'{:04}-{:02}-{:02}'::date",
            date.get_year(),
            date.get_month(),
            date.get_day()
        )
        .map_err(PyErr::from),
        Err(_) => isoformat(value, "date", out),
    }
}

fn clock(value: &impl PyTimeAccess, out: &mut Vec<u8>) -> PyResult<()> {
    write!(out, "{:02}:{:02}:{:02}", value.get_hour(), value.get_minute(), value.get_second())?;
    match value.get_microsecond() {
        0 => Ok(()),
        micros => write!(out, ".{micros:06}").map_err(PyErr::from),
    }
}

pub(super) fn time(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
    if !is_naive(value)? {
        return isoformat(value, "timetz", out);
    }
    match value.cast_exact::<PyTime>() {
        Ok(time) => {
            out.push(b'\'');
            clock(time, out)?;
            out.extend_from_slice(b"'::time");
            Ok(())
        }
        Err(_) => isoformat(value, "time", out),
    }
}

pub(super) fn datetime(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
    if !is_naive(value)? {
        return isoformat(value, "timestamptz", out);
    }
    match value.cast_exact::<PyDateTime>() {
        Ok(moment) => {
            let (year, month, day) = (moment.get_year(), moment.get_month(), moment.get_day());
            write!(out, "'{year:04}-{month:02}-{day:02}T")?;
            clock(moment, out)?;
            out.extend_from_slice(b"'::timestamp");
            Ok(())
        }
        Err(_) => isoformat(value, "timestamp", out),
    }
}

pub(super) fn interval(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
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
