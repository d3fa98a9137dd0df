//! Dates, times, timestamps and intervals through datetime's C API.

mod interval;

use std::collections::HashMap;
use std::sync::Mutex;

use kecoa_types::text::fields;
pub(super) use kecoa_types::text::fields::{DateFields as Date, TimeFields as Time};
use pyo3::exceptions::{PyOverflowError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use self::interval::{IntervalError, other_style, parse_interval};
use super::context::{Context, Zones};
use crate::convert::classes::{self, datetime_api as api};
use crate::names;
use crate::sync::lock_attached;

/// What psycopg2 says of a value, and then which one it is and what to do about it.
#[cold]
fn with_value(problem: &str, what: &str, data: &[u8]) -> String {
    let shown = String::from_utf8_lossy(data.get(..64).unwrap_or(data));
    format!(
        "{problem}: found the {what} '{shown}', for which Python has no object; select it as text \
         (::text), or register a loader of your own (kecoa.types.register_loader)"
    )
}

/// An error of datetime's that also names the value; any other (of a time zone's factory) as it is.
#[cold]
fn named(py: Python<'_>, error: PyErr, what: &str, data: &[u8]) -> PyErr {
    let class = error.get_type(py);
    let is_plain =
        class.is(py.get_type::<PyValueError>()) || class.is(py.get_type::<PyOverflowError>());
    if !is_plain {
        return error;
    }
    PyErr::from_type(class, with_value(&error.value(py).to_string(), what, data))
}

/// `HH:MM:SS[.ffffff][±HH[:MM[:SS]]]`, and what follows, as psycopg2 reads it: a leap second moves to
/// the next minute, 24:00 is 00:00.
fn parse_time(data: &[u8]) -> Option<(Time, &[u8])> {
    let (mut time, rest) = fields::time(data)?;
    if time.second > 59 {
        time.minute += 1;
        time.second -= 60;
    }
    if time.hour == 24 {
        time.hour = 0;
    }
    Some((time, rest))
}

/// `min` or `max` of a class of datetime, for `-infinity` and `infinity`.
fn extreme<'py>(class: &Bound<'py, PyAny>, data: &[u8]) -> Option<PyResult<Bound<'py, PyAny>>> {
    match data {
        b"infinity" => Some(class.getattr("max")),
        b"-infinity" => Some(class.getattr("min")),
        _ => None,
    }
}

/// A class of datetime as an object.
///
/// # Safety
/// `class` is one of the C API's type pointers.
unsafe fn class<'py>(py: Python<'py>, class: *mut ffi::PyTypeObject) -> Bound<'py, PyAny> {
    // SAFETY: the types live as long as the interpreter.
    unsafe { Bound::from_borrowed_ptr(py, class.cast()) }
}

pub(super) fn date<'py>(py: Python<'py>, data: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let api = api(py)?;
    // SAFETY: a type pointer of the C API.
    if let Some(value) = extreme(&unsafe { class(py, api.DateType) }, data) {
        return value;
    }
    let Some((mut date, rest)) = fields::date(data) else {
        return Err(names::data_error(py, "unable to parse date"));
    };
    if rest.ends_with(b"BC") {
        date.year = -date.year;
    }
    make_date(py, date).map_err(|error| named(py, error, "date", data))
}

/// A date; ValueError where Python has none.
#[inline]
pub(super) fn make_date(py: Python<'_>, date: Date) -> PyResult<Bound<'_, PyAny>> {
    let api = api(py)?;
    // SAFETY: the C API's constructor checks ranges and returns a new reference or NULL with
    // ValueError set.
    unsafe {
        Bound::from_owned_ptr_or_err(
            py,
            (api.Date_FromDate)(date.year, date.month, date.day, api.DateType),
        )
    }
}

pub(super) fn time<'py>(
    context: &mut Context<'_, 'py>,
    data: &[u8],
) -> PyResult<Bound<'py, PyAny>> {
    let Some((time, _)) = parse_time(data) else {
        return Err(names::data_error(context.py, "unable to parse time"));
    };
    make_time(context, time).map_err(|error| named(context.py, error, "time", data))
}

/// A time; ValueError where Python has none.
#[inline]
pub(super) fn make_time<'py>(
    context: &mut Context<'_, 'py>,
    time: Time,
) -> PyResult<Bound<'py, PyAny>> {
    let py = context.py;
    let api = api(py)?;
    let zone = zone(context, time.offset)?;
    // SAFETY: as in `make_date`; `zone` is a tzinfo or None, which the constructor checks.
    unsafe {
        Bound::from_owned_ptr_or_err(
            py,
            (api.Time_FromTime)(
                time.hour,
                time.minute,
                time.second,
                time.microsecond,
                zone.as_ptr(),
                api.TimeType,
            ),
        )
    }
}

pub(super) fn timestamp<'py>(
    context: &mut Context<'_, 'py>,
    data: &[u8],
    zoned: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let py = context.py;
    let api = api(py)?;
    let Some((mut date, rest)) = fields::date(data) else {
        // SAFETY: a type pointer of the C API.
        let Some(value) = extreme(&unsafe { class(py, api.DateTimeType) }, data) else {
            return Err(names::data_error(py, "unable to parse date"));
        };
        let value = value?;
        if !zoned || matches!(context.zones, Zones::Naive) {
            return Ok(value);
        }
        let options = pyo3::types::PyDict::new(py);
        // SAFETY: `timezone.utc` lives as long as the interpreter.
        options.set_item("tzinfo", unsafe { Bound::from_borrowed_ptr(py, api.TimeZone_UTC) })?;
        return value.call_method("replace", (), Some(&options));
    };
    let (time, rest) = match rest {
        [b' ' | b'T', b'0'..=b'9', ..] => {
            let Some((time, rest)) = parse_time(rest.get(1..).unwrap_or_default()) else {
                return Err(names::data_error(py, "unable to parse time"));
            };
            (time, rest)
        }
        _ => (Time::default(), rest),
    };
    if rest.ends_with(b"BC") {
        date.year = -date.year;
    }
    make_timestamp(context, date, time).map_err(|error| named(py, error, "timestamp", data))
}

/// A timestamp; ValueError where Python has none.
#[inline]
pub(super) fn make_timestamp<'py>(
    context: &mut Context<'_, 'py>,
    date: Date,
    time: Time,
) -> PyResult<Bound<'py, PyAny>> {
    let py = context.py;
    let api = api(py)?;
    let zone = zone(context, time.offset)?;
    // SAFETY: as in `make_time`.
    unsafe {
        Bound::from_owned_ptr_or_err(
            py,
            (api.DateTime_FromDateAndTime)(
                date.year,
                date.month,
                date.day,
                time.hour,
                time.minute,
                time.second,
                time.microsecond,
                zone.as_ptr(),
                api.DateTimeType,
            ),
        )
    }
}

/// `datetime.timezone` objects by offset; a program sees a handful.
static TIMEZONES: PyOnceLock<Mutex<HashMap<i32, Py<PyAny>>>> = PyOnceLock::new();
/// More offsets than exist; beyond it objects are made and not kept.
const MAX_TIMEZONES: usize = 2000;

fn zone<'py>(context: &mut Context<'_, 'py>, offset: Option<i32>) -> PyResult<Bound<'py, PyAny>> {
    let py = context.py;
    let Some(offset) = offset else { return Ok(py.None().into_bound(py)) };
    match &context.zones {
        Zones::Naive => return Ok(py.None().into_bound(py)),
        Zones::Factory(factory) => return factory.call1((delta(py, 0, offset, 0)?,)),
        Zones::Native => {}
    }
    if let Some((last, zone)) = &context.last_zone
        && *last == offset
    {
        return Ok(zone.clone());
    }
    let known = TIMEZONES.get_or_init(py, Mutex::default);
    let found = lock_attached(py, known).get(&offset).map(|zone| zone.clone_ref(py));
    let zone = match found {
        Some(zone) => zone.into_bound(py),
        None => {
            let zone = classes::timezone(py)?.call1((delta(py, 0, offset, 0)?,))?;
            let mut known = lock_attached(py, known);
            if known.len() < MAX_TIMEZONES {
                known.insert(offset, zone.clone().unbind());
            }
            zone
        }
    };
    context.last_zone = Some((offset, zone.clone()));
    Ok(zone)
}

/// A timedelta; OverflowError where Python has none.
pub(super) fn delta(
    py: Python<'_>,
    days: i32,
    seconds: i32,
    micros: i32,
) -> PyResult<Bound<'_, PyAny>> {
    let api = api(py)?;
    // SAFETY: the C API's constructor normalises and returns a new reference or NULL with an error.
    unsafe {
        Bound::from_owned_ptr_or_err(
            py,
            (api.Delta_FromDelta)(days, seconds, micros, 1, api.DeltaType),
        )
    }
}

pub(super) fn interval<'py>(py: Python<'py>, data: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let api = api(py)?;
    // SAFETY: a type pointer of the C API.
    let class = unsafe { class(py, api.DeltaType) };
    let parsed = match parse_interval(data) {
        Ok(parsed) => parsed,
        Err(IntervalError::Iso8601) => {
            // As psycopg2's own tests demand; in binary form any style will do.
            let message =
                with_value("iso_8601 intervalstyle currently not supported", "interval", data);
            return Err(names::not_supported_error(py, message));
        }
        Err(problem) => {
            if matches!(data, b"infinity" | b"-infinity") {
                // psycopg2 returns a timedelta of zero here, which is no answer at all.
                let error = PyOverflowError::new_err("an infinite interval has no timedelta");
                return Err(named(py, error, "interval", data));
            }
            // Redshift sends a plain number of microseconds.
            let text = String::from_utf8_lossy(data).into_owned();
            if let Ok(micros) = text.parse::<i64>() {
                return class.call1((0, 0, micros));
            }
            if problem == IntervalError::TooBig {
                let error = PyOverflowError::new_err("interval component too big");
                return Err(named(py, error, "interval", data));
            }
            match other_style(data) {
                Some(parsed) => parsed,
                None => {
                    return Err(PyValueError::new_err(format!(
                        "expected number of microseconds, got {text}"
                    )));
                }
            }
        }
    };
    match (i32::try_from(parsed.days), i32::try_from(parsed.seconds), i32::try_from(parsed.micros))
    {
        (Ok(days), Ok(seconds), Ok(micros)) => delta(py, days, seconds, micros),
        _ => class.call1((parsed.days, parsed.seconds, parsed.micros)),
    }
    .map_err(|error| named(py, error, "interval", data))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_times_as_psycopg2_does() {
        let (time, rest) = parse_time(b"10:11:12.5-03:30:15 BC").unwrap();
        assert_eq!(rest, b" BC");
        assert_eq!(time.microsecond, 500_000);
        assert_eq!(time.offset, Some(-(3 * 3600 + 30 * 60 + 15)));
        assert_eq!(parse_time(b"24:00:00").unwrap().0, Time::default());
        let leap = parse_time(b"23:59:60").unwrap().0;
        assert_eq!((leap.minute, leap.second), (60, 0));
        assert!(parse_time(b"10").is_none());
    }
}
