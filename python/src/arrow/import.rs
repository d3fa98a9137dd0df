//! Looks at arrays that came from outside, value by value.
//!
//! The lengths of buffers are not part of the interface: what a producer's lengths and offsets
//! imply is trusted to be there, as the interface demands. Everything that is reached through
//! numbers in the data (offsets, views, dictionary indices) is checked against what was implied.

use std::ffi::c_void;

use super::abi::ArrowArray;
use super::source::{Int, SourceField, Type, Unit};
use super::units::MonthDayNano;

/// How many of a pointer's bits no memory needs.
const ADDRESS_BITS: u32 = usize::BITS / 4;
/// The most buffers behind views: more is no count but something else.
const MAX_BUFFERS: usize = 1 << 20;

/// An array of one column, or a part of one.
pub(super) struct View<'a> {
    kind: &'a Type,
    length: usize,
    /// The first value's place in the buffers.
    offset: usize,
    validity: Option<&'a [u8]>,
    /// The values, the views, or the offsets.
    fixed: &'a [u8],
    /// What offsets or views point into.
    data: Vec<&'a [u8]>,
    inner: Option<Box<View<'a>>>,
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

fn impossible(what: &str, found: impl std::fmt::Display) -> String {
    format!("expected {what} in the Arrow data, found {found}")
}

/// A count that the interface says is zero or more.
fn count(number: i64, what: &str) -> Result<usize, String> {
    usize::try_from(number).map_err(|_| impossible(what, number))
}

/// # Safety
/// The array was filled in by its producer and not released.
unsafe fn buffer(array: &ArrowArray, index: usize, length: usize) -> Result<&[u8], String> {
    if length == 0 {
        return Ok(&[]);
    }
    if index >= count(array.n_buffers, "a count of buffers")? || array.buffers.is_null() {
        return Err(impossible("a buffer", "none"));
    }
    if isize::try_from(length).is_err() {
        return Err(impossible("a buffer within the address space", length));
    }
    // SAFETY: the interface promises `n_buffers` pointers, each NULL or to as many bytes as length
    // and offset of the array imply, which is what the callers ask for.
    unsafe {
        let start: *const c_void = *array.buffers.add(index);
        if start.is_null() {
            return Err(impossible("a buffer", "a null pointer"));
        }
        Ok(std::slice::from_raw_parts(start.cast(), length))
    }
}

/// Bytes of a fixed-width value; 0 for those that have none.
fn width(kind: &Type) -> usize {
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

/// The arrays of a record batch's columns, and how many rows there are.
///
/// # Errors
/// The array is not what the schema says.
///
/// # Safety
/// The array was filled in by its producer, of the type that `fields` were read from, and is not
/// released.
pub(super) unsafe fn batch<'a>(
    array: &'a ArrowArray,
    fields: &'a [SourceField],
) -> Result<(usize, Vec<View<'a>>), String> {
    let length = count(array.length, "a length")?;
    let offset = count(array.offset, "an offset")?;
    if count(array.n_children, "a count of columns")? != fields.len() {
        return Err(impossible(&format!("{} columns", fields.len()), array.n_children));
    }
    let end = ends(offset, length)?;
    if count(array.n_buffers, "a count of buffers")? != 1 || !array.dictionary.is_null() {
        return Err(impossible("one buffer and no dictionary of a struct", "others"));
    }
    if array.buffers.is_null() {
        return Err(impossible("buffers", "a null pointer to all of them"));
    }
    // SAFETY: as the caller promises.
    unsafe {
        // A struct may have NULLs of its own; a table's rows have none.
        if let Some(bits) = validity(array, end)?
            && (offset..end).any(|row| !bit(bits, row))
        {
            return Err(impossible("rows", "a row that is NULL as a whole"));
        }
        let mut views = Vec::with_capacity(fields.len());
        for (index, field) in fields.iter().enumerate() {
            let mut view = view(child(array, index)?, field)?;
            // The struct's own offset is on top of its children's.
            if view.length < end {
                return Err(impossible(&format!("{end} rows"), view.length));
            }
            view.offset += offset;
            view.length = length;
            views.push(view);
        }
        Ok((length, views))
    }
}

/// Checks what the type says about the parts of an array.
fn agrees(array: &ArrowArray, kind: &Type) -> Result<(), String> {
    let buffers = count(array.n_buffers, "a count of buffers")?;
    let fits = match kind {
        // Older libraries give one.
        Type::Null => buffers <= 1,
        Type::FixedList(_) => buffers == 1,
        Type::Bytes { .. } => buffers == 3,
        Type::Views { .. } => (3..=MAX_BUFFERS).contains(&buffers),
        _ => buffers == 2,
    };
    if !fits {
        return Err(impossible("as many buffers as the schema's type has", buffers));
    }
    if buffers > 0 && array.buffers.is_null() {
        return Err(impossible("buffers", "a null pointer to all of them"));
    }
    let children = count(array.n_children, "a count of arrays below an array")?;
    let expected = usize::from(matches!(kind, Type::List { .. } | Type::FixedList(_)));
    if children != expected {
        return Err(impossible(&format!("{expected} arrays below the array"), children));
    }
    if matches!(kind, Type::Dictionary(_)) == array.dictionary.is_null() {
        return Err(impossible(
            "a dictionary where the schema has one, and nowhere else",
            "the other",
        ));
    }
    Ok(())
}

/// The end of the values of an array: a place within the address space, as each has a bit at least.
fn ends(offset: usize, length: usize) -> Result<usize, String> {
    let end =
        offset.checked_add(length).filter(|end| *end < isize::MAX.unsigned_abs() >> ADDRESS_BITS);
    end.ok_or_else(|| impossible("an offset and a length within the address space", offset))
}

/// One of the arrays below an array.
///
/// # Safety
/// As [`batch`], and `index` is below `n_children`.
unsafe fn child(array: &ArrowArray, index: usize) -> Result<&ArrowArray, String> {
    if array.children.is_null() {
        return Err(impossible("an array below the array", "a null pointer to all of them"));
    }
    // SAFETY: the interface promises `n_children` pointers to arrays.
    let child = unsafe { (*array.children.add(index)).as_ref() };
    filled(child.ok_or_else(|| impossible("an array below the array", "a null pointer"))?)
}

/// An array that was not released.
fn filled(array: &ArrowArray) -> Result<&ArrowArray, String> {
    match array.release {
        Some(_) => Ok(array),
        None => Err(impossible("an array", "one that was released")),
    }
}

/// The bits that tell NULLs, where there may be any: a count of -1 is one that nobody made.
///
/// # Safety
/// As [`batch`].
unsafe fn validity(array: &ArrowArray, end: usize) -> Result<Option<&[u8]>, String> {
    if array.null_count < -1 || array.null_count > array.length {
        return Err(impossible(
            &format!("a count of NULLs from -1 to {}", array.length),
            array.null_count,
        ));
    }
    if array.null_count == 0 || array.length == 0 {
        return Ok(None);
    }
    if count(array.n_buffers, "a count of buffers")? == 0 {
        return Err(impossible("a buffer for NULLs", "none"));
    }
    if array.buffers.is_null() {
        return Err(impossible("buffers", "a null pointer"));
    }
    // SAFETY: as the caller promises; there is one buffer at least.
    unsafe {
        if (*array.buffers).is_null() {
            // Without bits nothing is NULL, whatever nobody counted.
            return match array.null_count {
                -1 => Ok(None),
                found => Err(impossible(&format!("bits for {found} NULLs"), "a null pointer")),
            };
        }
        buffer(array, 0, end.div_ceil(8)).map(Some)
    }
}

/// # Safety
/// As [`batch`].
unsafe fn view<'a>(array: &'a ArrowArray, field: &'a SourceField) -> Result<View<'a>, String> {
    let length = count(array.length, "a length")?;
    let offset = count(array.offset, "an offset")?;
    let end = ends(offset, length)?;
    let kind = &field.kind;
    agrees(array, kind)?;
    // SAFETY: as the caller promises; sizes are those that the interface gives for each type.
    unsafe {
        let validity = match kind {
            Type::Null => None,
            _ => validity(array, end)?,
        };
        let width = width(kind);
        let places = match kind {
            Type::Bytes { .. } | Type::List { .. } if length > 0 => end + 1,
            _ => end,
        };
        let fixed = match kind {
            _ if length == 0 || matches!(kind, Type::Null | Type::FixedList(_)) => &[][..],
            Type::Bool => buffer(array, 1, end.div_ceil(8))?,
            _ => {
                let bytes = places.checked_mul(width);
                buffer(array, 1, bytes.ok_or_else(|| impossible("an offset", offset))?)?
            }
        };
        let mut view =
            View { kind, length, offset, validity, fixed, data: Vec::new(), inner: None };
        match kind {
            Type::Bytes { .. } if length > 0 => {
                let last = view.end_of(end)?;
                view.data.push(buffer(array, 2, last)?);
            }
            Type::Views { .. } if length > 0 => view.data = variadic(array)?,
            _ => {}
        }
        let inside = match kind {
            Type::Dictionary(_) => array.dictionary.as_ref().map(filled).transpose()?,
            Type::List { .. } | Type::FixedList(_) => match array.n_children {
                1 => Some(child(array, 0)?),
                _ => None,
            },
            _ => return Ok(view),
        };
        match (inside, &field.inner) {
            (Some(inside), Some(field)) => {
                view.inner = Some(Box::new(self::view(inside, field)?));
                Ok(view)
            }
            _ => Err(impossible("elements or a dictionary", "none")),
        }
    }
}

/// The data buffers behind views: their lengths are in the last buffer.
///
/// # Safety
/// As [`batch`].
unsafe fn variadic(array: &ArrowArray) -> Result<Vec<&[u8]>, String> {
    let buffers = count(array.n_buffers, "a count of buffers")?;
    let data =
        buffers.checked_sub(3).ok_or_else(|| impossible("three buffers or more", buffers))?;
    let size = data.checked_mul(8).ok_or_else(|| impossible("a count of buffers", buffers))?;
    // SAFETY: as the caller promises.
    unsafe {
        let lengths = buffer(array, buffers - 1, size)?;
        let mut found = Vec::new();
        for (index, length) in lengths.chunks_exact(8).enumerate() {
            let length = length.first_chunk().map_or(0, |bytes| i64::from_ne_bytes(*bytes));
            found.push(buffer(array, index + 2, count(length, "a length")?)?);
        }
        Ok(found)
    }
}

fn bit(bits: &[u8], index: usize) -> bool {
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
    fn end_of(&self, place: usize) -> Result<usize, String> {
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
