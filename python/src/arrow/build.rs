//! From the bytes of a result's rows to Arrow's buffers.

use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;

use kecoa_proto::Format;
use kecoa_types::array::binary as binary_array;
use kecoa_types::array::text::{Event, Parser};
use kecoa_types::civil::{Date, Timestamp, TimestampTz};
use kecoa_types::{DecodeError, Numeric, binary, text};

use super::kind::Kind;
use super::units::{DAYS_1970_TO_2000, MICROSECONDS_1970_TO_2000, MonthDayNano, digits};

/// Memory that somebody outside reads, and what keeps it. Clones share it.
#[derive(Clone)]
pub(super) struct Buffer {
    pub(super) start: *const u8,
    _owner: Arc<dyn Any + Send + Sync>,
}

// SAFETY: the pointer is into what the owner keeps, which any thread may read and none changes.
unsafe impl Send for Buffer {}
// SAFETY: as above.
unsafe impl Sync for Buffer {}

impl<T: Send + Sync + 'static> From<Vec<T>> for Buffer {
    fn from(values: Vec<T>) -> Buffer {
        // A vector that moves keeps its elements where they are.
        Buffer { start: values.as_ptr().cast(), _owner: Arc::new(values) }
    }
}

/// A finished column.
#[derive(Clone)]
pub(super) struct Column {
    pub(super) length: usize,
    pub(super) null_count: usize,
    /// Validity first; none when there are no NULLs.
    pub(super) validity: Option<Buffer>,
    pub(super) buffers: Vec<Buffer>,
    pub(super) child: Option<Box<Column>>,
}

/// One bit a value, least significant first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    length: usize,
}

impl Bits {
    fn push(&mut self, bit: bool) {
        if self.length.is_multiple_of(8) {
            self.bytes.push(0);
        }
        if let Some(last) = self.bytes.last_mut() {
            *last |= u8::from(bit) << (self.length % 8);
        }
        self.length += 1;
    }
}

enum Values {
    Bool(Bits),
    I16(Vec<i16>),
    I32(Vec<i32>),
    I64(Vec<i64>),
    U32(Vec<u32>),
    F32(Vec<f32>),
    F64(Vec<f64>),
    D128(Vec<i128>),
    D256(Vec<[u128; 2]>),
    Interval(Vec<MonthDayNano>),
    Sixteen(Vec<[u8; 16]>),
    Bytes { offsets: Vec<i32>, data: Vec<u8> },
    List { offsets: Vec<i32>, child: Box<Builder> },
}

/// Collects the values of one column.
pub(super) struct Builder {
    kind: Kind,
    format: Format,
    valid: Bits,
    null_count: usize,
    values: Values,
}

/// Reads a value in the form that the server used.
macro_rules! decode {
    ($format:expr, $module:ident, $bytes:expr) => {
        match $format {
            Format::Text => text::$module::decode($bytes),
            Format::Binary => binary::$module::decode($bytes),
        }
    };
}

fn too_far(what: &'static str, bytes: &[u8], format: Format) -> DecodeError {
    match format {
        Format::Text => DecodeError::text(what, bytes),
        Format::Binary => DecodeError::new(what, "a value outside its range"),
    }
}

const FINITE_DATE: &str =
    "a finite date for Arrow's date32 (select the column as text to keep infinity)";
const FINITE_TIMESTAMP: &str =
    "a finite timestamp for Arrow's timestamp[us] (select the column as text to keep infinity)";
const FINITE_INTERVAL: &str = "a finite interval within 292 years of hours, minutes and seconds for Arrow's \
     month_day_nano (select the column as text to keep it)";
const FINITE_NUMBER: &str =
    "a number with at most the column's digits for Arrow's decimal (select the column as text)";
const DAY_TIME: &str = "a time before 24:00:00 for Arrow's time64 (select the column as text)";
const ONE_DIMENSION: &str =
    "an array of one dimension for Arrow's list (select the column as text, or unnest it)";
const BATCH_LIMIT: &str = "at most 2 GiB - 1 in one batch of a column";
const KNOWN_FORM: &str = "a type whose binary form is known (select the column as text)";

impl Builder {
    pub(super) fn new(kind: &Kind, format: Format) -> Builder {
        let offsets = || vec![0_i32];
        let values = match kind {
            Kind::Bool => Values::Bool(Bits::default()),
            Kind::Int2 => Values::I16(Vec::new()),
            Kind::Int4 | Kind::Date => Values::I32(Vec::new()),
            Kind::Int8 | Kind::Time | Kind::Timestamp | Kind::TimestampTz => {
                Values::I64(Vec::new())
            }
            Kind::Oid => Values::U32(Vec::new()),
            Kind::Float4 => Values::F32(Vec::new()),
            Kind::Float8 => Values::F64(Vec::new()),
            Kind::Decimal { .. } if kind.is_wide() => Values::D256(Vec::new()),
            Kind::Decimal { .. } => Values::D128(Vec::new()),
            Kind::Interval => Values::Interval(Vec::new()),
            Kind::Uuid => Values::Sixteen(Vec::new()),
            Kind::Text
            | Kind::Numeric
            | Kind::TimeTz
            | Kind::Json
            | Kind::Jsonb
            | Kind::Bytea
            | Kind::Other => Values::Bytes { offsets: offsets(), data: Vec::new() },
            Kind::List { element, .. } => {
                Values::List { offsets: offsets(), child: Box::new(Builder::new(element, format)) }
            }
        };
        Builder { kind: kind.clone(), format, valid: Bits::default(), null_count: 0, values }
    }

    /// Appends a value as the server sent it.
    ///
    /// # Errors
    /// It is not a value of its type, or Arrow's type has no place for it.
    pub(super) fn push(&mut self, value: Option<&[u8]>) -> Result<(), DecodeError> {
        match value {
            Some(bytes) => {
                self.push_value(bytes)?;
                self.valid.push(true);
            }
            None => {
                self.push_gap();
                self.null_count += 1;
                self.valid.push(false);
            }
        }
        Ok(())
    }

    /// What stands in the place of NULL.
    fn push_gap(&mut self) {
        match &mut self.values {
            Values::Bool(bits) => bits.push(false),
            Values::I16(values) => values.push(0),
            Values::I32(values) => values.push(0),
            Values::I64(values) => values.push(0),
            Values::U32(values) => values.push(0),
            Values::F32(values) => values.push(0.0),
            Values::F64(values) => values.push(0.0),
            Values::D128(values) => values.push(0),
            Values::D256(values) => values.push([0; 2]),
            Values::Interval(values) => values.push(MonthDayNano::default()),
            Values::Sixteen(values) => values.push([0; 16]),
            Values::Bytes { offsets, .. } | Values::List { offsets, .. } => {
                offsets.push(offsets.last().copied().unwrap_or(0));
            }
        }
    }

    fn push_value(&mut self, bytes: &[u8]) -> Result<(), DecodeError> {
        let form = self.format;
        match (&mut self.values, &self.kind) {
            (Values::Bool(bits), _) => bits.push(decode!(form, bool, bytes)?),
            (Values::I16(values), _) => values.push(decode!(form, int2, bytes)?),
            (Values::I32(values), Kind::Date) => values.push(days(bytes, form)?),
            (Values::I32(values), _) => values.push(decode!(form, int4, bytes)?),
            (Values::I64(values), Kind::Time) => values.push(time(bytes, form)?),
            (Values::I64(values), Kind::Timestamp) => values.push(timestamp(bytes, form)?),
            (Values::I64(values), Kind::TimestampTz) => values.push(timestamptz(bytes, form)?),
            (Values::I64(values), _) => values.push(decode!(form, int8, bytes)?),
            (Values::U32(values), _) => values.push(decode!(form, oid, bytes)?),
            (Values::F32(values), _) => values.push(decode!(form, float4, bytes)?),
            (Values::F64(values), _) => values.push(decode!(form, float8, bytes)?),
            (Values::D128(values), kind) => {
                values.push(decimal(bytes, form, kind)?[0].cast_signed());
            }
            (Values::D256(values), kind) => values.push(native(decimal(bytes, form, kind)?)),
            (Values::Interval(values), _) => values.push(interval(bytes, form)?),
            (Values::Sixteen(values), _) => {
                values.push(*decode!(form, uuid, bytes)?.as_bytes());
            }
            (Values::Bytes { offsets, data }, kind) => {
                let before = data.len();
                push_bytes(bytes, form, kind, data)?;
                if let Err(error) = push_offset(offsets, data.len()) {
                    data.truncate(before);
                    return Err(error);
                }
            }
            (Values::List { offsets, child }, kind) => {
                let delimiter = match kind {
                    Kind::List { delimiter, .. } => *delimiter,
                    _ => b',',
                };
                push_list(bytes, form, delimiter, child)?;
                push_offset(offsets, child.valid.length)?;
            }
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Column {
        let length = self.valid.length;
        let (buffers, child): (Vec<Buffer>, _) = match self.values {
            Values::Bool(bits) => (vec![bits.bytes.into()], None),
            Values::I16(values) => (vec![values.into()], None),
            Values::I32(values) => (vec![values.into()], None),
            Values::I64(values) => (vec![values.into()], None),
            Values::U32(values) => (vec![values.into()], None),
            Values::F32(values) => (vec![values.into()], None),
            Values::F64(values) => (vec![values.into()], None),
            Values::D128(values) => (vec![values.into()], None),
            Values::D256(values) => (vec![values.into()], None),
            Values::Interval(values) => (vec![values.into()], None),
            Values::Sixteen(values) => (vec![values.into()], None),
            Values::Bytes { offsets, data } => (vec![offsets.into(), data.into()], None),
            Values::List { offsets, child } => {
                (vec![offsets.into()], Some(Box::new(child.finish())))
            }
        };
        let validity = (self.null_count > 0).then(|| self.valid.bytes.into());
        Column { length, null_count: self.null_count, validity, buffers, child }
    }
}

fn push_offset(offsets: &mut Vec<i32>, end: usize) -> Result<(), DecodeError> {
    let end = i32::try_from(end).map_err(|_| DecodeError::new(BATCH_LIMIT, format!("{end}")))?;
    offsets.push(end);
    Ok(())
}

fn days(bytes: &[u8], form: Format) -> Result<i32, DecodeError> {
    match decode!(form, date, bytes)? {
        Date::Finite(date) => Ok(date.to_days() + DAYS_1970_TO_2000),
        Date::Infinity | Date::NegInfinity => Err(too_far(FINITE_DATE, bytes, form)),
    }
}

fn time(bytes: &[u8], form: Format) -> Result<i64, DecodeError> {
    let time = decode!(form, time, bytes)?;
    if time.hour() < 24 { Ok(time.to_microseconds()) } else { Err(too_far(DAY_TIME, bytes, form)) }
}

fn timestamp(bytes: &[u8], form: Format) -> Result<i64, DecodeError> {
    let microseconds = match decode!(form, timestamp, bytes)? {
        Timestamp::Finite(parts) => parts.to_microseconds().checked_add(MICROSECONDS_1970_TO_2000),
        Timestamp::Infinity | Timestamp::NegInfinity => None,
    };
    microseconds.ok_or_else(|| too_far(FINITE_TIMESTAMP, bytes, form))
}

fn timestamptz(bytes: &[u8], form: Format) -> Result<i64, DecodeError> {
    let microseconds = match decode!(form, timestamptz, bytes)? {
        TimestampTz::Finite(parts) => {
            parts.to_microseconds().checked_add(MICROSECONDS_1970_TO_2000)
        }
        TimestampTz::Infinity | TimestampTz::NegInfinity => None,
    };
    microseconds.ok_or_else(|| too_far(FINITE_TIMESTAMP, bytes, form))
}

fn interval(bytes: &[u8], form: Format) -> Result<MonthDayNano, DecodeError> {
    let interval = decode!(form, interval, bytes)?;
    let nanoseconds = interval.microseconds.checked_mul(1_000).filter(|_| interval.is_finite());
    let nanoseconds = nanoseconds.ok_or_else(|| too_far(FINITE_INTERVAL, bytes, form))?;
    Ok(MonthDayNano { months: interval.months, days: interval.days, nanoseconds })
}

/// A decimal's unscaled value, two's complement, least significant half first.
fn decimal(bytes: &[u8], form: Format, kind: &Kind) -> Result<[u128; 2], DecodeError> {
    let &Kind::Decimal { precision, scale } = kind else { return Ok([0; 2]) };
    let written: Cow<'_, [u8]> = match form {
        Format::Text => Cow::Borrowed(bytes),
        Format::Binary => Cow::Owned(format_numeric(&binary::numeric::decode(bytes)?)),
    };
    digits(&written, precision, scale).ok_or_else(|| DecodeError::text(FINITE_NUMBER, &written))
}

/// The halves of 256 bits in the order of this machine.
fn native([low, high]: [u128; 2]) -> [u128; 2] {
    if cfg!(target_endian = "little") { [low, high] } else { [high, low] }
}

fn format_numeric(number: &Numeric) -> Vec<u8> {
    let mut out = Vec::new();
    text::numeric::encode(number, &mut out);
    out
}

fn push_bytes(
    bytes: &[u8],
    form: Format,
    kind: &Kind,
    data: &mut Vec<u8>,
) -> Result<(), DecodeError> {
    match (kind, form) {
        (Kind::Bytea, Format::Text) => text::bytea::decode_into(bytes, data)?,
        (Kind::Bytea, Format::Binary) => data.extend_from_slice(bytes),
        (Kind::Numeric, Format::Binary) => {
            text::numeric::encode(&binary::numeric::decode(bytes)?, data);
        }
        (Kind::TimeTz, Format::Binary) => {
            text::timetz::encode(&binary::timetz::decode(bytes)?, data);
        }
        (Kind::Jsonb, Format::Binary) => match bytes.split_first() {
            Some((1, json)) => push_text(json, data)?,
            _ => return Err(DecodeError::binary("jsonb of version 1", bytes)),
        },
        (Kind::Other, Format::Binary) => {
            return Err(DecodeError::new(KNOWN_FORM, "a value in binary form"));
        }
        _ => push_text(bytes, data)?,
    }
    Ok(())
}

fn push_text(bytes: &[u8], data: &mut Vec<u8>) -> Result<(), DecodeError> {
    data.extend_from_slice(text::text::decode(bytes)?.as_bytes());
    Ok(())
}

fn push_list(
    bytes: &[u8],
    form: Format,
    delimiter: u8,
    child: &mut Builder,
) -> Result<(), DecodeError> {
    if form == Format::Binary {
        let (header, mut rest) = binary_array::header(bytes)?;
        if header.dimensions.len() > 1 {
            let found = format!("{} dimensions", header.dimensions.len());
            return Err(DecodeError::new(ONE_DIMENSION, found));
        }
        for _ in 0..header.count {
            child.push(binary_array::element(&mut rest)?)?;
        }
        return Ok(());
    }
    let mut depth = 0;
    for event in Parser::new(bytes, delimiter) {
        match event? {
            Event::Open if depth == 1 => return Err(DecodeError::text(ONE_DIMENSION, bytes)),
            Event::Open => depth += 1,
            Event::Close => {}
            Event::Null => child.push(None)?,
            Event::Element(element) => child.push(Some(&element))?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same value in both forms builds the same column.
    fn both(kind: &Kind, in_text: &[u8], in_binary: &[u8]) -> Values {
        let build = |format, bytes| {
            let mut builder = Builder::new(kind, format);
            builder.push(None).unwrap();
            builder.push(Some(bytes)).unwrap();
            builder.values
        };
        let (text, binary) = (build(Format::Text, in_text), build(Format::Binary, in_binary));
        assert_eq!(show(&text), show(&binary), "{kind}");
        text
    }

    fn show(values: &Values) -> String {
        match values {
            Values::Bool(bits) => format!("{:?}", bits.bytes),
            Values::I16(values) => format!("{values:?}"),
            Values::I32(values) => format!("{values:?}"),
            Values::I64(values) => format!("{values:?}"),
            Values::U32(values) => format!("{values:?}"),
            Values::F32(values) => format!("{values:?}"),
            Values::F64(values) => format!("{values:?}"),
            Values::D128(values) => format!("{values:?}"),
            Values::D256(values) => format!("{values:?}"),
            Values::Interval(values) => format!("{values:?}"),
            Values::Sixteen(values) => format!("{values:?}"),
            Values::Bytes { offsets, data } => format!("{offsets:?} {data:?}"),
            Values::List { offsets, child } => format!("{offsets:?} {}", show(&child.values)),
        }
    }

    #[test]
    fn both_forms_mean_the_same() {
        let day = both(&Kind::Date, b"2000-01-02", &1_i32.to_be_bytes());
        assert_eq!(show(&day), "[0, 10958]");
        both(&Kind::Bool, b"t", &[1]);
        both(&Kind::Int2, b"-2", &(-2_i16).to_be_bytes());
        both(&Kind::Int8, b"7", &7_i64.to_be_bytes());
        both(&Kind::Float8, b"1.5", &1.5_f64.to_be_bytes());
        both(&Kind::Timestamp, b"2000-01-01 00:00:01", &1_000_000_i64.to_be_bytes());
        both(&Kind::TimestampTz, b"2000-01-01 02:00:01+02", &1_000_000_i64.to_be_bytes());
        both(&Kind::Time, b"00:00:01", &1_000_000_i64.to_be_bytes());
        both(&Kind::Bytea, br"\x00ff", b"\x00\xff");
        both(&Kind::Jsonb, b"[1]", b"\x01[1]");
        let mut number = Vec::new();
        binary::numeric::encode(&"-12.50".parse().unwrap(), &mut number);
        let decimal = both(&Kind::Decimal { precision: 6, scale: 2 }, b"-12.50", &number);
        assert_eq!(show(&decimal), "[0, -1250]");
        both(&Kind::Decimal { precision: 60, scale: 2 }, b"-12.50", &number);
        both(&Kind::Numeric, b"-12.50", &number);
        let array =
            [[0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 21], [0, 0, 0, 2], [0, 0, 0, 1]].concat();
        let elements: [&[u8]; 3] = [&[0, 0, 0, 2, 0, 5], &[0xff; 4], &[]];
        let list = Kind::List { element: Box::new(Kind::Int2), delimiter: b',' };
        let found = both(&list, b"{5,NULL}", &[array, elements.concat()].concat());
        assert_eq!(show(&found), "[0, 0, 2] [5, 0]");
    }

    #[test]
    fn a_form_that_is_not_known_is_refused() {
        let mut builder = Builder::new(&Kind::Other, Format::Binary);
        let error = builder.push(Some(b"?")).unwrap_err().to_string();
        assert!(error.contains("select the column as text"), "{error}");
    }
}
