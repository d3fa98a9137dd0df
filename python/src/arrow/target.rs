//! Writes values for one column of a table, in either form of COPY.

use kecoa_types::{Uuid, binary, oid, text};

use super::convert::{self, Misfit, misfit};
use super::source::{SourceField, Type};
use super::view::{Value, View};

/// A column of the table, as far as it is known.
#[derive(Clone, Debug, Default)]
pub(super) struct Target {
    pub(super) name: String,
    /// The type, that below a domain; 0 when it is not known.
    pub(super) type_oid: u32,
    /// The name of the type, for errors.
    pub(super) type_name: String,
    /// An enumeration: text in both forms.
    pub(super) is_enum: bool,
}

/// The greatest whole number that 32 and 64 bits of floating point hold with all below it: its bits.
const FLOAT4_BITS: u32 = 24;
const FLOAT8_BITS: u32 = 53;

impl Target {
    /// Whether every value of the Arrow type has a binary form that this column takes, if it is in
    /// range.
    pub(super) fn takes_binary(&self, source: &SourceField) -> bool {
        self.is_enum && is_text(source) || takes(self.type_oid, source)
    }

    /// Whether the data are instants and the column has no time zone: the server ignores the offset in
    /// their text, where an INSERT takes them to the session's zone.
    pub(super) fn drops_zone(&self, source: &SourceField) -> bool {
        let source = seen(source);
        match (&source.kind, &source.inner) {
            (Type::Timestamp { zoned: true, .. }, _) => {
                let oid = oid::element_of(self.type_oid).unwrap_or(self.type_oid);
                matches!(oid, oid::TIMESTAMP | oid::DATE | oid::TIME)
            }
            (Type::List { .. } | Type::FixedList(_), Some(inner)) => self.drops_zone(inner),
            _ => false,
        }
    }

    /// Appends the length and the bytes of a value in binary form.
    pub(super) fn push_binary(
        &self,
        view: &View<'_>,
        value: &Value<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Misfit> {
        let type_oid = if self.is_enum { oid::TEXT } else { self.type_oid };
        push_field(type_oid, view, value, out)
    }

    /// Appends a value in text form, escaped for COPY.
    pub(super) fn push_text(
        &self,
        source: &SourceField,
        view: &View<'_>,
        value: &Value<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Misfit> {
        if matches!(value, Value::Null) {
            out.extend_from_slice(br"\N");
            return Ok(());
        }
        let mut written = Vec::new();
        push_text(source, self.type_oid, view, value, &mut written)?;
        for byte in written {
            // COPY's text form: these would end the value, the row or the data.
            let escape = match byte {
                b'\\' => b'\\',
                b'\n' => b'n',
                b'\r' => b'r',
                b'\t' => b't',
                _ => {
                    out.push(byte);
                    continue;
                }
            };
            out.extend_from_slice(&[b'\\', escape]);
        }
        Ok(())
    }
}

/// The field whose values are seen: those of the dictionary, if it is one.
fn seen(source: &SourceField) -> &SourceField {
    match (&source.kind, &source.inner) {
        (Type::Dictionary(_), Some(values)) => seen(values),
        _ => source,
    }
}

fn is_text(source: &SourceField) -> bool {
    matches!(
        seen(source).kind,
        Type::Bytes { text: true, .. } | Type::Views { text: true } | Type::Null
    )
}

fn is_bytes(kind: &Type) -> bool {
    matches!(kind, Type::Bytes { text: false, .. } | Type::Views { text: false } | Type::Fixed(_))
}

fn takes(type_oid: u32, source: &SourceField) -> bool {
    let kind = &seen(source).kind;
    if *kind == Type::Null {
        return type_oid != 0;
    }
    match type_oid {
        oid::BOOL => *kind == Type::Bool,
        oid::INT2 | oid::INT4 | oid::INT8 | oid::OID => matches!(kind, Type::Int(_)),
        oid::FLOAT4 | oid::FLOAT8 => {
            matches!(kind, Type::Int(_) | Type::Half | Type::Float | Type::Double)
        }
        oid::NUMERIC => matches!(
            kind,
            Type::Int(_) | Type::Half | Type::Float | Type::Double | Type::Decimal { .. }
        ),
        oid::TEXT | oid::VARCHAR | oid::BPCHAR | oid::NAME | oid::JSON | oid::JSONB | oid::XML => {
            is_text(source)
        }
        oid::BYTEA => is_bytes(kind),
        oid::UUID => *kind == Type::Fixed(16) || is_text(source),
        oid::DATE => matches!(kind, Type::Date32 | Type::Date64),
        oid::TIME => matches!(kind, Type::Time(_)),
        oid::TIMESTAMP => matches!(kind, Type::Timestamp { zoned: false, .. }),
        oid::TIMESTAMPTZ => matches!(kind, Type::Timestamp { zoned: true, .. }),
        oid::INTERVAL => {
            matches!(kind, Type::Months | Type::DayTime | Type::MonthDayNano | Type::Duration(_))
        }
        _ => match (oid::element_of(type_oid), kind, &seen(source).inner) {
            (Some(element), Type::List { .. } | Type::FixedList(_), Some(inner)) => {
                oid::element_of(element).is_none() && takes(element, inner)
            }
            _ => false,
        },
    }
}

/// Appends a length and as many bytes; -1 for NULL.
fn push_field(
    type_oid: u32,
    view: &View<'_>,
    value: &Value<'_>,
    out: &mut Vec<u8>,
) -> Result<(), Misfit> {
    if matches!(value, Value::Null) {
        out.extend_from_slice(&(-1_i32).to_be_bytes());
        return Ok(());
    }
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    push_bytes(type_oid, view, value, out)?;
    let written = out.len() - start - 4;
    let length = i32::try_from(written).map_err(|_| misfit("at most 2 GiB - 1", written))?;
    if let Some(place) = out.get_mut(start..start + 4) {
        place.copy_from_slice(&length.to_be_bytes());
    }
    Ok(())
}

fn whole<T: TryFrom<i128>>(number: i128, range: &'static str) -> Result<T, Misfit> {
    T::try_from(number).map_err(|_| misfit(range, number))
}

fn push_bytes(
    type_oid: u32,
    view: &View<'_>,
    value: &Value<'_>,
    out: &mut Vec<u8>,
) -> Result<(), Misfit> {
    match (type_oid, value) {
        (oid::BOOL, Value::Bool(value)) => binary::bool::encode(value, out),
        (oid::INT2, Value::Int(number)) => {
            binary::int2::encode(&whole(*number, "a number from -32768 to 32767")?, out);
        }
        (oid::INT4, Value::Int(number)) => {
            binary::int4::encode(&whole(*number, "a number from -2147483648 to 2147483647")?, out);
        }
        (oid::INT8, Value::Int(number)) => {
            let range = "a number from -9223372036854775808 to 9223372036854775807";
            binary::int8::encode(&whole(*number, range)?, out);
        }
        (oid::OID, Value::Int(number)) => {
            binary::oid::encode(&whole(*number, "a number from 0 to 4294967295")?, out);
        }
        (oid::FLOAT4, Value::Float(number)) => binary::float4::encode(number, out),
        (oid::FLOAT4, Value::Double(number)) => {
            binary::float4::encode(&convert::narrow(*number)?, out);
        }
        (oid::FLOAT4, Value::Int(number)) => {
            let number = convert::exact(*number, FLOAT4_BITS)?;
            binary::float4::encode(&convert::narrow(number)?, out);
        }
        (oid::FLOAT8, Value::Float(number)) => binary::float8::encode(&f64::from(*number), out),
        (oid::FLOAT8, Value::Double(number)) => binary::float8::encode(number, out),
        (oid::FLOAT8, Value::Int(number)) => {
            binary::float8::encode(&convert::exact(*number, FLOAT8_BITS)?, out);
        }
        (oid::UUID, Value::Text(text)) => binary::uuid::encode(&text.parse::<Uuid>()?, out),
        (oid::JSONB, Value::Text(text)) => {
            out.push(1);
            out.extend_from_slice(text.as_bytes());
        }
        (_, Value::Text(text)) => out.extend_from_slice(text.as_bytes()),
        (_, Value::Bytes(bytes)) => out.extend_from_slice(bytes),
        (oid::DATE, Value::Date(days)) => binary::date::encode(&convert::date(*days)?, out),
        (oid::TIME, Value::Time(number, unit)) => {
            binary::time::encode(&convert::time(*number, *unit)?, out);
        }
        (oid::TIMESTAMP, Value::Timestamp(number, unit)) => {
            binary::timestamp::encode(&convert::timestamp(*number, *unit)?, out);
        }
        (oid::TIMESTAMPTZ, Value::Timestamp(number, unit)) => {
            binary::timestamptz::encode(&convert::timestamptz(*number, *unit)?, out);
        }
        (oid::INTERVAL, Value::Interval(parts)) => {
            binary::interval::encode(&convert::interval(*parts)?, out);
        }
        (oid::INTERVAL, Value::Duration(number, unit)) => {
            binary::interval::encode(&convert::duration(*number, *unit)?, out);
        }
        (oid::NUMERIC, value) => match convert::numeric(value)? {
            Some(number) => binary::numeric::encode(&number, out),
            None => return Err(mismatch(type_oid)),
        },
        (_, Value::List(range)) => push_array(type_oid, view, range.clone(), out)?,
        _ => return Err(mismatch(type_oid)),
    }
    Ok(())
}

/// [`takes`] looks at types before values; this is for what it would have overlooked.
fn mismatch(type_oid: u32) -> Misfit {
    let name = oid::name_of(type_oid).unwrap_or("the column's type");
    Misfit::new(format!("a value of {name}"), "one of another type")
}

/// One dimension, none when it is empty; the lower bound is 1.
fn push_array(
    type_oid: u32,
    view: &View<'_>,
    range: std::ops::Range<usize>,
    out: &mut Vec<u8>,
) -> Result<(), Misfit> {
    let (Some(element), Some(inner)) = (oid::element_of(type_oid), view.list()) else {
        return Err(mismatch(type_oid));
    };
    let length = range.len();
    let number = |number: usize| i32::try_from(number).map(i32::to_be_bytes);
    let length = number(length).map_err(|_| misfit("at most 2147483647 elements", length))?;
    out.extend_from_slice(&i32::from(!range.is_empty()).to_be_bytes());
    let flags = out.len();
    out.extend_from_slice(&0_i32.to_be_bytes());
    out.extend_from_slice(&element.to_be_bytes());
    if range.is_empty() {
        return Ok(());
    }
    out.extend_from_slice(&length);
    out.extend_from_slice(&1_i32.to_be_bytes());
    let mut has_null = false;
    for place in range {
        let value = inner.value(place).map_err(contradiction)?;
        has_null |= matches!(value, Value::Null);
        push_field(element, inner, &value, out)?;
    }
    if let Some(flag) = out.get_mut(flags + 3) {
        *flag = u8::from(has_null);
    }
    Ok(())
}

pub(super) fn contradiction(error: String) -> Misfit {
    Misfit::new("Arrow data that agrees with itself", error)
}

/// A value in the server's text form.
fn push_text(
    source: &SourceField,
    type_oid: u32,
    view: &View<'_>,
    value: &Value<'_>,
    out: &mut Vec<u8>,
) -> Result<(), Misfit> {
    let source = seen(source);
    match value {
        Value::Null => {}
        Value::Bool(value) => text::bool::encode(value, out),
        Value::Int(_) | Value::Float(_) | Value::Double(_) | Value::Decimal(..) => {
            convert::push_number(value, out);
        }
        Value::Text(text) => out.extend_from_slice(text.as_bytes()),
        Value::Bytes(bytes) => {
            let uuid = type_oid == oid::UUID || type_oid == 0 && source.is_uuid;
            match bytes.first_chunk::<16>().filter(|_| uuid && bytes.len() == 16) {
                Some(bytes) => text::uuid::encode(&Uuid::from_bytes(*bytes), out),
                None => text::bytea::encode(bytes, out),
            }
        }
        Value::Date(days) => text::date::encode(&convert::date(*days)?, out),
        Value::Time(number, unit) => text::time::encode(&convert::time(*number, *unit)?, out),
        Value::Timestamp(number, unit) => match source.kind {
            Type::Timestamp { zoned: true, .. } => {
                text::timestamptz::encode(&convert::timestamptz(*number, *unit)?, out);
            }
            _ => text::timestamp::encode(&convert::timestamp(*number, *unit)?, out),
        },
        Value::Interval(parts) => text::interval::encode(&convert::interval(*parts)?, out),
        Value::Duration(number, unit) => {
            text::interval::encode(&convert::duration(*number, *unit)?, out);
        }
        Value::List(range) => {
            let (Some(inner), Some(field)) = (view.list(), &source.inner) else {
                return Err(mismatch(type_oid));
            };
            let element = oid::element_of(type_oid).unwrap_or(0);
            push_text_array(field, element, inner, range.clone(), out)?;
        }
    }
    Ok(())
}

fn push_text_array(
    field: &SourceField,
    element: u32,
    view: &View<'_>,
    range: std::ops::Range<usize>,
    out: &mut Vec<u8>,
) -> Result<(), Misfit> {
    let delimiter = oid::array_of(element).map_or(b',', oid::delimiter_of);
    let mut written = Vec::new();
    out.push(b'{');
    for (index, place) in range.enumerate() {
        if index > 0 {
            out.push(delimiter);
        }
        let value = view.value(place).map_err(contradiction)?;
        if matches!(value, Value::Null) {
            out.extend_from_slice(b"NULL");
            continue;
        }
        written.clear();
        push_text(field, element, view, &value, &mut written)?;
        if matches!(value, Value::List(_)) {
            // A list in a list is a further dimension.
            out.extend_from_slice(&written);
        } else {
            kecoa_types::array::text::push_element(&written, delimiter, out);
        }
    }
    out.push(b'}');
    Ok(())
}
