//! One value in binary form.

use kecoa_types::civil::{Date as SqlDate, Timestamp, TimestampTz};
use kecoa_types::{DecodeError, Interval, binary};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyFloat};

use super::form::Form;
use super::problem::{Problem, refused};
use super::{float4, numeric, to_text};
use crate::convert::load::context::Context;
use crate::convert::load::datetime::{self, Date, Time};
use crate::convert::load::kind::Kind;
use crate::convert::load::{bytea, json, native, number, uuid};

/// The years that datetime has.
const YEARS: std::ops::RangeInclusive<i32> = 1..=9999;

impl Form {
    /// Converts one value that is not NULL.
    #[inline]
    pub(in crate::convert::load) fn load<'py>(
        self,
        context: &mut Context<'_, 'py>,
        data: &[u8],
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = context.py;
        match self {
            Form::Int4 => match data.try_into() {
                Ok(bytes) => int(py, i32::from_be_bytes(bytes).into()),
                Err(_) => Err(refused(py, &DecodeError::binary("an int4 of 4 bytes", data))),
            },
            Form::Int8 => match data.try_into() {
                Ok(bytes) => int(py, i64::from_be_bytes(bytes)),
                Err(_) => Err(refused(py, &DecodeError::binary("an int8 of 8 bytes", data))),
            },
            form => form.load_other(context, data).map_err(|problem| problem.raised(py)),
        }
    }

    fn load_other<'py>(
        self,
        context: &mut Context<'_, 'py>,
        data: &[u8],
    ) -> Result<Bound<'py, PyAny>, Problem> {
        let py = context.py;
        let made = match self {
            Form::Int2 => int(py, binary::int2::decode(data)?.into()),
            Form::Int4 => int(py, binary::int4::decode(data)?.into()),
            Form::Int8 => int(py, binary::int8::decode(data)?),
            Form::Oid => int(py, binary::oid::decode(data)?.into()),
            Form::Float4 => return Ok(float(py, float4::widen(binary::float4::decode(data)?))),
            Form::Float8 => return Ok(float(py, binary::float8::decode(data)?)),
            Form::Numeric => {
                let text = numeric::NumericText::new(data)?;
                number::decimal(context.decimal, text.as_bytes())
            }
            Form::Plain(Kind::Text) => context.codec.decode(py, data),
            Form::Plain(Kind::Bytes) => Ok(PyBytes::new(py, data).into_any()),
            Form::Plain(kind) => native::load(context, kind, data),
            Form::Bool => Ok(PyBool::new(py, binary::bool::decode(data)?).to_owned().into_any()),
            Form::Date => match binary::date::decode(data)? {
                SqlDate::Finite(date) if YEARS.contains(&date.year()) => datetime::make_date(
                    py,
                    Date { year: date.year(), month: date.month().into(), day: date.day().into() },
                ),
                _ => return self.load_via_text(context, data),
            },
            Form::Time => {
                let time = binary::time::decode(data)?;
                datetime::make_time(context, time_of(time, None))
            }
            Form::TimeTz => {
                let time = binary::timetz::decode(data)?;
                datetime::make_time(context, time_of(time.time(), Some(time.offset())))
            }
            Form::Timestamp => match binary::timestamp::decode(data)? {
                Timestamp::Finite(at) if YEARS.contains(&at.year()) => {
                    let time = time_of(at.time(), None);
                    make_timestamp(context, at.year(), at.month(), at.day(), time)
                }
                _ => return self.load_via_text(context, data),
            },
            Form::TimestampTz => match binary::timestamptz::decode(data)? {
                TimestampTz::Finite(at) if YEARS.contains(&at.year()) => {
                    let time = time_of(at.time(), Some(at.offset()));
                    make_timestamp(context, at.year(), at.month(), at.day(), time)
                }
                _ => return self.load_via_text(context, data),
            },
            Form::Interval => match delta_of(binary::interval::decode(data)?) {
                Some((days, seconds, micros)) => match datetime::delta(py, days, seconds, micros) {
                    Ok(made) => Ok(made),
                    Err(_) => return self.load_via_text(context, data),
                },
                None => return self.load_via_text(context, data),
            },
            Form::Bytea => bytea::view(py, data.into()),
            Form::Jsonb => match data {
                [1, text @ ..] => json::load(py, &context.codec, text),
                _ => return Err(DecodeError::binary("jsonb of version 1", data).into()),
            },
            Form::Uuid => match data.try_into() {
                Ok(bytes) => uuid::from_bits(py, u128::from_be_bytes(bytes)),
                Err(_) => return Err(DecodeError::binary("a uuid of 16 bytes", data).into()),
            },
        };
        Ok(made?)
    }

    /// The text loader's answer.
    #[cold]
    fn load_via_text<'py>(
        self,
        context: &mut Context<'_, 'py>,
        data: &[u8],
    ) -> Result<Bound<'py, PyAny>, Problem> {
        let mut text = Vec::new();
        to_text::scalar(self, data, &mut text)?;
        Ok(native::load(context, self.kind(), &text)?)
    }
}

#[inline]
fn int(py: Python<'_>, value: i64) -> PyResult<Bound<'_, PyAny>> {
    // SAFETY: the result is a new int or NULL with MemoryError set.
    unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyLong_FromLongLong(value)) }
}

#[inline]
fn float(py: Python<'_>, value: f64) -> Bound<'_, PyAny> {
    // Text has no NaN but one.
    PyFloat::new(py, if value.is_nan() { f64::NAN } else { value }).into_any()
}

#[inline]
fn time_of(time: kecoa_types::Time, offset: Option<i32>) -> Time {
    Time {
        // As from text: 24:00 is 00:00.
        hour: i32::from(time.hour()) % 24,
        minute: time.minute().into(),
        second: time.second().into(),
        // Below a million.
        microsecond: time.microsecond().cast_signed(),
        offset,
    }
}

#[inline]
fn make_timestamp<'py>(
    context: &mut Context<'_, 'py>,
    year: i32,
    month: u8,
    day: u8,
    time: Time,
) -> PyResult<Bound<'py, PyAny>> {
    let date = Date { year, month: month.into(), day: day.into() };
    datetime::make_timestamp(context, date, time)
}

/// Days, seconds and microseconds of a timedelta: a year is 365 days and a month 30, as in psycopg2.
/// Nothing where the text loader must decide.
fn delta_of(interval: Interval) -> Option<(i32, i32, i32)> {
    if !interval.is_finite() {
        return None;
    }
    let days = i64::from(interval.months / 12) * 365
        + i64::from(interval.months % 12) * 30
        + i64::from(interval.days);
    let seconds = interval.microseconds / 1_000_000;
    let micros = interval.microseconds % 1_000_000;
    Some((i32::try_from(days).ok()?, i32::try_from(seconds).ok()?, i32::try_from(micros).ok()?))
}
