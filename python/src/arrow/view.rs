//! An array that came from outside, value by value.
//!
//! Everything that is reached through numbers in the data (offsets, views, dictionary indices) is
//! checked against what the array's lengths imply.

use super::source::{Int, Type, Unit};
use super::units::MonthDayNano;

/// An array of one column, or a part of one.
pub(super) struct View<'a> {
    pub(super) kind: &'a Type,
    pub(super) length: usize,
    /// The first value's place in the buffers.
    pub(super) offset: usize,
    pub(super) validity: Option<&'a [u8]>,
    /// The values, the views, or the offsets.
    pub(super) fixed: &'a [u8],
    /// What offsets or views point into.
    pub(super) data: Vec<&'a [u8]>,
    pub(super) inner: Option<Box<View<'a>>>,
}

/// One value.
#[derive(Clone, Debug)]
pub(super) enum Value<'v> {
    Null,
    Bool(bool),
    Int(i128),
    Float(f32),
    Double(f64),
    Text(&'v str),
    Bytes(&'v [u8]),
    /// Unscaled, two's complement, least significant half first.
    Decimal([u128; 2], i32),
    /// Days from 1970-01-01.
    Date(i64),
    /// From midnight, or from 1970-01-01.
    Time(i64, Unit),
    Timestamp(i64, Unit),
    Duration(i64, Unit),
    Interval(MonthDayNano),
    /// The elements of a list: places in the array behind it.
    List(std::ops::Range<usize>),
}

/// What the interface says, and what was found instead.
pub(super) fn impossible(what: &str, found: impl std::fmt::Display) -> String {
    format!("expected {what} in the Arrow data, found {found}")
}

/// A count that the interface says is zero or more.
pub(super) fn count(number: i64, what: &str) -> Result<usize, String> {
    usize::try_from(number).map_err(|_| impossible(what, number))
}

/// Bytes of a fixed-width value; 0 for those that have none.
pub(super) fn width(kind: &Type) -> usize {
    match kind {
        Type::Int(int) | Type::Dictionary(int) => usize::from(int.bytes),
        Type::Half => 2,
        Type::Float | Type::Date32 | Type::Months | Type::Time(Unit::Second | Unit::Milli) => 4,
        Type::Double
        | Type::Date64
        | Type::Time(_)
        | Type::Timestamp { .. }
        | Type::Duration(_)
        | Type::DayTime => 8,
        Type::MonthDayNano | Type::Views { .. } => 16,
        Type::Fixed(width) => *width,
        Type::Decimal { bits, .. } => bits / 8,
        Type::Bytes { wide, .. } | Type::List { wide } => {
            if *wide {
                8
            } else {
                4
            }
        }
        Type::Null | Type::Bool | Type::FixedList(_) => 0,
    }
}

/// One bit of many.
pub(super) fn bit(bits: &[u8], index: usize) -> bool {
    bits.get(index / 8).is_some_and(|byte| byte >> (index % 8) & 1 == 1)
}

/// The bytes of a signed or unsigned number of any width, widened.
fn widen(bytes: &[u8], signed: bool) -> i128 {
    let little = |index: usize| {
        let index = if cfg!(target_endian = "little") { index } else { bytes.len() - 1 - index };
        bytes.get(index).copied()
    };
    let negative = signed && bytes.len().checked_sub(1).and_then(little).is_some_and(|b| b >= 0x80);
    let mut wide = [if negative { 0xff } else { 0 }; 16];
    for (index, place) in wide.iter_mut().enumerate().take(bytes.len()) {
        *place = little(index).unwrap_or(0);
    }
    i128::from_le_bytes(wide)
}

impl<'a> View<'a> {
    fn inner(&self) -> Option<&View<'a>> {
        self.inner.as_deref()
    }

    /// The elements of the lists, through a dictionary if the lists are in one.
    pub(super) fn list(&self) -> Option<&View<'a>> {
        match self.kind {
            Type::Dictionary(_) => self.inner()?.list(),
            _ => self.inner(),
        }
    }

    /// The bytes of the value at a place of the buffer.
    fn at(&self, place: usize, width: usize) -> Result<&'a [u8], String> {
        let start = place.checked_mul(width);
        start
            .and_then(|start| self.fixed.get(start..start.checked_add(width)?))
            .ok_or_else(|| impossible("a value", "the end of its buffer"))
    }

    fn number(&self, place: usize, width: usize) -> Result<i64, String> {
        let wide = widen(self.at(place, width)?, true);
        i64::try_from(wide).map_err(|_| impossible("a 64-bit number", wide))
    }

    /// An offset, checked to be zero or more.
    pub(super) fn end_of(&self, place: usize) -> Result<usize, String> {
        count(self.number(place, width(self.kind))?, "an offset")
    }

    /// The value of a row, counted from 0.
    ///
    /// # Errors
    /// The data contradicts itself.
    pub(super) fn value(&self, row: usize) -> Result<Value<'a>, String> {
        if row >= self.length {
            return Err(impossible("a row", "the end of its array"));
        }
        let place = self.offset + row;
        if self.validity.is_some_and(|bits| !bit(bits, place)) {
            return Ok(Value::Null);
        }
        let number = || self.number(place, width(self.kind));
        Ok(match *self.kind {
            Type::Null => Value::Null,
            Type::Bool => Value::Bool(bit(self.fixed, place)),
            Type::Int(Int { bytes, signed }) => {
                Value::Int(widen(self.at(place, usize::from(bytes))?, signed))
            }
            Type::Half => Value::Float(half(self.number(place, 2)?)),
            Type::Float => {
                let bytes = self.at(place, 4)?.first_chunk().copied().unwrap_or_default();
                Value::Float(f32::from_ne_bytes(bytes))
            }
            Type::Double => {
                let bytes = self.at(place, 8)?.first_chunk().copied().unwrap_or_default();
                Value::Double(f64::from_ne_bytes(bytes))
            }
            Type::Bytes { text, .. } => {
                let range = self.end_of(place)?..self.end_of(place + 1)?;
                let bytes = self.data.first().and_then(|data| data.get(range));
                bytes_or_text(bytes, text)?
            }
            Type::Views { text } => bytes_or_text(self.through_view(place), text)?,
            Type::Fixed(width) => Value::Bytes(self.at(place, width)?),
            Type::Decimal { bits, scale } => Value::Decimal(self.decimal(place, bits / 8)?, scale),
            Type::Date32 => Value::Date(number()?),
            Type::Date64 => Value::Date(number()?.div_euclid(86_400_000)),
            Type::Time(unit) => Value::Time(number()?, unit),
            Type::Timestamp { unit, .. } => Value::Timestamp(number()?, unit),
            Type::Duration(unit) => Value::Duration(number()?, unit),
            Type::Months => {
                let months = i32::try_from(number()?).unwrap_or(0);
                Value::Interval(MonthDayNano { months, ..MonthDayNano::default() })
            }
            Type::DayTime | Type::MonthDayNano => Value::Interval(self.interval(place)?),
            Type::List { .. } => {
                let (start, end) = (self.end_of(place)?, self.end_of(place + 1)?);
                if end < start {
                    return Err(impossible(&format!("an offset of {start} or more"), end));
                }
                Value::List(start..end)
            }
            Type::FixedList(length) => {
                let start = place.checked_mul(length);
                let start = start.ok_or_else(|| impossible("a list", "one beyond all memory"))?;
                Value::List(start..start.saturating_add(length))
            }
            Type::Dictionary(Int { bytes, signed }) => {
                let index = widen(self.at(place, usize::from(bytes))?, signed);
                let row = usize::try_from(index).map_err(|_| impossible("an index", index))?;
                return match self.inner() {
                    Some(values) => values.value(row),
                    None => Err(impossible("a dictionary", "none")),
                };
            }
        })
    }

    /// A view is a length and 12 bytes, or four of them, a buffer and an offset.
    fn through_view(&self, place: usize) -> Option<&'a [u8]> {
        let view = self.at(place, 16).ok()?;
        let part = |at: usize| {
            let bytes = view.get(at..at + 4)?.first_chunk::<4>()?;
            usize::try_from(i32::from_ne_bytes(*bytes)).ok()
        };
        let length = part(0)?;
        if length <= 12 {
            return view.get(4..4 + length);
        }
        let start = part(12)?;
        self.data.get(part(8)?)?.get(start..start.checked_add(length)?)
    }

    fn decimal(&self, place: usize, width: usize) -> Result<[u128; 2], String> {
        let bytes = self.at(place, width)?;
        if width <= 16 {
            let low = widen(bytes, true);
            let high: i128 = if low < 0 { -1 } else { 0 };
            return Ok([low.cast_unsigned(), high.cast_unsigned()]);
        }
        let (first, second) = bytes.split_at_checked(16).unwrap_or_default();
        let halves = [widen(first, true).cast_unsigned(), widen(second, true).cast_unsigned()];
        let [first, second] = halves;
        Ok(if cfg!(target_endian = "little") { [first, second] } else { [second, first] })
    }

    fn interval(&self, place: usize) -> Result<MonthDayNano, String> {
        let bytes = self.at(place, width(self.kind))?;
        let int = |at: usize| {
            let bytes = bytes.get(at..at + 4).and_then(|bytes| bytes.first_chunk::<4>());
            bytes.map_or(0, |bytes| i32::from_ne_bytes(*bytes))
        };
        if *self.kind == Type::DayTime {
            let nanoseconds = i64::from(int(4)) * 1_000_000;
            return Ok(MonthDayNano { months: 0, days: int(0), nanoseconds });
        }
        let nanoseconds = bytes.get(8..16).and_then(|bytes| bytes.first_chunk::<8>());
        let nanoseconds = nanoseconds.map_or(0, |bytes| i64::from_ne_bytes(*bytes));
        Ok(MonthDayNano { months: int(0), days: int(4), nanoseconds })
    }
}

fn bytes_or_text(bytes: Option<&[u8]>, text: bool) -> Result<Value<'_>, String> {
    let bytes = bytes.ok_or_else(|| impossible("a value", "one outside of its buffer"))?;
    if !text {
        return Ok(Value::Bytes(bytes));
    }
    std::str::from_utf8(bytes)
        .map(Value::Text)
        .map_err(|_| impossible("text in UTF-8", "bytes that are none"))
}

/// IEEE 754 half precision: a sign, five bits of exponent, ten of fraction.
fn half(bits: i64) -> f32 {
    let bits = u16::try_from(bits & 0xffff).unwrap_or(0);
    let (sign, exponent, fraction) = (bits >> 15, (bits >> 10) & 0x1f, f32::from(bits & 0x3ff));
    let size = match exponent {
        0 => fraction * 2_f32.powi(-24),
        0x1f if fraction == 0.0 => f32::INFINITY,
        0x1f => f32::NAN,
        _ => (1.0 + fraction / 1024.0) * 2_f32.powi(i32::from(exponent) - 15),
    };
    if sign == 1 { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_read() {
        for (bits, value) in [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0001, 2_f32.powi(-24)),
            (0x7c00, f32::INFINITY),
        ] {
            assert_eq!(half(bits), value);
        }
        assert!(half(0x7e00).is_nan());
    }

    #[test]
    fn numbers_are_widened_with_their_sign() {
        assert_eq!(widen(&(-2_i16).to_ne_bytes(), true), -2);
        assert_eq!(widen(&u64::MAX.to_ne_bytes(), false), i128::from(u64::MAX));
        assert_eq!(widen(&i128::MIN.to_ne_bytes(), true), i128::MIN);
        assert_eq!(widen(&[], true), 0);
    }
}
