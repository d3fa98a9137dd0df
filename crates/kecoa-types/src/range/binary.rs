//! The binary form: a byte of flags, then each bound with its length; a multirange is the number of
//! its ranges, then each with its length.

use std::ops::Bound;

use super::{Multirange, Range};
use crate::array::binary::{element, push_element};
use crate::{DecodeError, EncodeError};

const EMPTY: u8 = 0x01;
const LOWER_INCLUDED: u8 = 0x02;
const UPPER_INCLUDED: u8 = 0x04;
const NO_LOWER: u8 = 0x08;
const NO_UPPER: u8 = 0x10;

const EXPECTED: &str = "a binary range: flags, then each bound with its length";
const EXPECTED_MANY: &str = "a binary multirange: a number of ranges, then each with its length";

/// Decodes a range whose bounds `decode_bound` decodes.
///
/// # Errors
/// It is no range, or a bound is refused.
pub fn decode<T>(
    bytes: &[u8],
    mut decode_bound: impl FnMut(&[u8]) -> Result<T, DecodeError>,
) -> Result<Range<T>, DecodeError> {
    let refused = || DecodeError::binary(EXPECTED, bytes);
    let (flags, mut rest) = bytes.split_first().ok_or_else(refused)?;
    if flags & EMPTY != 0 {
        return if rest.is_empty() { Ok(Range::Empty) } else { Err(refused()) };
    }
    let mut bound = |without: u8, included: u8| -> Result<Bound<T>, DecodeError> {
        if flags & without != 0 {
            return Ok(Bound::Unbounded);
        }
        let value = decode_bound(element(&mut rest)?.ok_or_else(refused)?)?;
        Ok(if flags & included != 0 { Bound::Included(value) } else { Bound::Excluded(value) })
    };
    let lower = bound(NO_LOWER, LOWER_INCLUDED)?;
    let upper = bound(NO_UPPER, UPPER_INCLUDED)?;
    if rest.is_empty() { Ok(Range::Between(lower, upper)) } else { Err(refused()) }
}

/// Decodes a multirange whose bounds `decode_bound` decodes.
///
/// # Errors
/// It is no multirange, or a bound is refused.
pub fn decode_multirange<T>(
    bytes: &[u8],
    mut decode_bound: impl FnMut(&[u8]) -> Result<T, DecodeError>,
) -> Result<Multirange<T>, DecodeError> {
    let refused = || DecodeError::binary(EXPECTED_MANY, bytes);
    let (count, mut rest) = bytes.split_first_chunk::<4>().ok_or_else(refused)?;
    let count = usize::try_from(i32::from_be_bytes(*count)).map_err(|_| refused())?;
    // A range takes five bytes or more.
    if count.checked_mul(5).is_none_or(|least| least > rest.len()) {
        return Err(refused());
    }
    let mut ranges = Vec::with_capacity(count);
    for _ in 0..count {
        ranges.push(decode(element(&mut rest)?.ok_or_else(refused)?, &mut decode_bound)?);
    }
    if rest.is_empty() { Ok(Multirange(ranges)) } else { Err(refused()) }
}

/// Appends a range whose bounds `encode_bound` appends.
///
/// # Errors
/// A bound is refused, or longer than 2 GiB - 1.
pub fn encode<T>(
    range: &Range<T>,
    out: &mut Vec<u8>,
    mut encode_bound: impl FnMut(&T, &mut Vec<u8>) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    let Range::Between(lower, upper) = range else {
        out.push(EMPTY);
        return Ok(());
    };
    let flags = |bound: &Bound<T>, included, without| match bound {
        Bound::Included(_) => included,
        Bound::Excluded(_) => 0,
        Bound::Unbounded => without,
    };
    out.push(flags(lower, LOWER_INCLUDED, NO_LOWER) | flags(upper, UPPER_INCLUDED, NO_UPPER));
    for bound in [lower, upper] {
        if let Bound::Included(value) | Bound::Excluded(value) = bound {
            push_element(out, |out| encode_bound(value, out).map(|()| false))?;
        }
    }
    Ok(())
}

/// Appends a multirange whose bounds `encode_bound` appends.
///
/// # Errors
/// A bound is refused, or something is longer than 2 GiB - 1.
pub fn encode_multirange<T>(
    ranges: &Multirange<T>,
    out: &mut Vec<u8>,
    mut encode_bound: impl FnMut(&T, &mut Vec<u8>) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    let found = ranges.0.len();
    let count = i32::try_from(found).map_err(|_| EncodeError::TooLong {
        expected: "a multirange of 2147483647 ranges at most",
        found,
    })?;
    out.extend_from_slice(&count.to_be_bytes());
    for range in &ranges.0 {
        push_element(out, |out| encode(range, out, &mut encode_bound).map(|()| false))?;
    }
    Ok(())
}
