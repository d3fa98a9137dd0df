//! Values in binary form: the same Python objects as from text, with less work where it pays.
//!
//! What Python has no object for, or only by a rule of the text loaders (`infinity`, years BC, more
//! days than a timedelta holds), is spelt as the server would and goes through the text loader, so
//! that both forms have one answer.

mod array;
mod choice;
mod float4;
mod numeric;
mod spell;

pub(crate) use choice::{Formats, is_utc};

use kecoa_types::civil::{Date as SqlDate, Timestamp, TimestampTz};
use kecoa_types::{DecodeError, Interval, binary, oid};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyFloat};

use super::datetime::{self, Date, Time};
use super::{Context, Kind, Loader, bytea, json, number, uuid};
use crate::globals;

/// A binary form, and the object made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Int2,
    Int4,
    Int8,
    Oid,
    Float4,
    Float8,
    Numeric,
    /// Text in the client's encoding: no different from its text form.
    Plain(Kind),
    Bool,
    Date,
    Time,
    TimeTz,
    Timestamp,
    /// An instant, told in UTC.
    TimestampTz,
    Interval,
    Bytea,
    /// A version byte, then text.
    Jsonb,
    Uuid,
}

/// The years that datetime has.
const YEARS: std::ops::RangeInclusive<i32> = 1..=9999;

impl Form {
    /// The form of a built-in type's values.
    fn of_type(oid: u32) -> Option<Form> {
        Some(match oid {
            oid::INT2 => Form::Int2,
            oid::INT4 => Form::Int4,
            oid::INT8 => Form::Int8,
            oid::OID => Form::Oid,
            oid::FLOAT4 => Form::Float4,
            oid::FLOAT8 => Form::Float8,
            oid::NUMERIC => Form::Numeric,
            oid::TEXT | oid::VARCHAR | oid::BPCHAR | oid::NAME | oid::UNKNOWN => {
                Form::Plain(Kind::Text)
            }
            oid::BOOL => Form::Bool,
            oid::DATE => Form::Date,
            oid::TIME => Form::Time,
            oid::TIMETZ => Form::TimeTz,
            oid::TIMESTAMP => Form::Timestamp,
            oid::TIMESTAMPTZ => Form::TimestampTz,
            oid::INTERVAL => Form::Interval,
            oid::BYTEA => Form::Bytea,
            oid::JSON => Form::Plain(Kind::Json),
            oid::JSONB => Form::Jsonb,
            oid::UUID => Form::Uuid,
            _ => return None,
        })
    }

    /// The form of a type's values from which the same object can be made as `kind` makes of text.
    fn of(oid: u32, kind: Kind) -> Option<Form> {
        match Form::of_type(oid)? {
            // Any way to read text will do.
            Form::Plain(Kind::Text) if matches!(kind, Kind::Text | Kind::Bytes) => {
                Some(Form::Plain(kind))
            }
            form => (form.kind() == kind).then_some(form),
        }
    }

    /// What loads the text form.
    fn kind(self) -> Kind {
        match self {
            Form::Int2 | Form::Int4 | Form::Int8 | Form::Oid => Kind::Int,
            Form::Float4 | Form::Float8 => Kind::Float,
            Form::Numeric => Kind::Decimal,
            Form::Plain(kind) => kind,
            Form::Bool => Kind::Bool,
            Form::Date => Kind::Date,
            Form::Time | Form::TimeTz => Kind::Time,
            Form::Timestamp => Kind::Timestamp,
            Form::TimestampTz => Kind::TimestampTz,
            Form::Interval => Kind::Interval,
            Form::Bytea => Kind::Bytea,
            Form::Jsonb => Kind::Json,
            Form::Uuid => Kind::Uuid,
        }
    }

    /// Whether the garbage collector ignores the objects made.
    pub(super) fn is_atomic(self) -> bool {
        self.kind().is_atomic()
    }

    /// Converts one value that is not NULL.
    #[inline]
    pub(super) fn load<'py>(
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
                let text = numeric::Spelled::new(data)?;
                number::decimal(context.decimal, text.as_bytes())
            }
            Form::Plain(Kind::Text) => context.codec.decode(py, data),
            Form::Plain(Kind::Bytes) => Ok(PyBytes::new(py, data).into_any()),
            Form::Plain(kind) => context.load_native(kind, data),
            Form::Bool => Ok(PyBool::new(py, binary::bool::decode(data)?).to_owned().into_any()),
            Form::Date => match binary::date::decode(data)? {
                SqlDate::Finite(date) if YEARS.contains(&date.year()) => datetime::make_date(
                    py,
                    Date { year: date.year(), month: date.month().into(), day: date.day().into() },
                ),
                _ => return self.load_spelt(context, data),
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
                _ => return self.load_spelt(context, data),
            },
            Form::TimestampTz => match binary::timestamptz::decode(data)? {
                TimestampTz::Finite(at) if YEARS.contains(&at.year()) => {
                    let time = time_of(at.time(), Some(at.offset()));
                    make_timestamp(context, at.year(), at.month(), at.day(), time)
                }
                _ => return self.load_spelt(context, data),
            },
            Form::Interval => match delta_of(binary::interval::decode(data)?) {
                Some((days, seconds, micros)) => match datetime::delta(py, days, seconds, micros) {
                    Ok(made) => Ok(made),
                    Err(_) => return self.load_spelt(context, data),
                },
                None => return self.load_spelt(context, data),
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
    fn load_spelt<'py>(
        self,
        context: &mut Context<'_, 'py>,
        data: &[u8],
    ) -> Result<Bound<'py, PyAny>, Problem> {
        let mut text = Vec::new();
        spell::scalar(self, data, &mut text)?;
        Ok(context.load_native(self.kind(), &text)?)
    }
}

/// Why no object was made.
enum Problem {
    Decode(DecodeError),
    Raised(PyErr),
}

impl Problem {
    #[cold]
    fn raised(self, py: Python<'_>) -> PyErr {
        match self {
            Problem::Decode(error) => refused(py, &error),
            Problem::Raised(error) => error,
        }
    }
}

impl From<DecodeError> for Problem {
    fn from(error: DecodeError) -> Problem {
        Problem::Decode(error)
    }
}

impl From<PyErr> for Problem {
    fn from(error: PyErr) -> Problem {
        Problem::Raised(error)
    }
}

/// Bytes that are no value of the type.
#[cold]
fn refused(py: Python<'_>, error: &DecodeError) -> PyErr {
    match globals::get(py) {
        Ok(globals) => globals.exceptions.data(py, error.to_string()),
        Err(error) => error,
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

/// A loader that is not for binary form, and the type whose values come in it.
pub(crate) struct Spelt {
    oid: u32,
    loader: Loader,
}

impl Spelt {
    /// Spells the value as the server would, and converts that.
    pub(super) fn load<'py>(
        &self,
        context: &mut Context<'_, 'py>,
        data: &[u8],
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut text = Vec::new();
        spell::value(self.oid, data, &mut text).map_err(|error| refused(context.py, &error))?;
        self.loader.load(context, Some(&text))
    }

    /// The loader of the text.
    pub(super) fn loader(&self) -> &Loader {
        &self.loader
    }
}

impl Loader {
    /// The loader for the same objects from the binary form of a type's values. A type whose binary
    /// form is unknown here is left to the loader as it comes.
    pub(crate) fn into_binary(self, oid: u32) -> Loader {
        if let Loader::Forms { binary, .. } = self {
            return Loader::PythonBinary(binary);
        }
        match choice::binary_of(&self, oid) {
            Some(loader) => loader,
            None if spell::is_known(oid) => Loader::Spelt(Box::new(Spelt { oid, loader: self })),
            None => self,
        }
    }
}

/// A list of lists from the binary form of an array.
pub(super) fn load_array<'py>(
    context: &mut Context<'_, 'py>,
    element: Form,
    oid: u32,
    data: &[u8],
) -> PyResult<Bound<'py, PyAny>> {
    array::load(context, element, oid, data).map_err(|problem| problem.raised(context.py))
}
