//! The text form: `empty`, `[lower,upper)` with either bracket and either bound left out; a
//! multirange is `{range,range}`.

use std::ops::Bound;

use super::{Multirange, Range};
use crate::error::DecodeError;
use crate::quoting::{push_quoted_if, take_quoted};

const EXPECTED: &str = "a range as [lower,upper), or empty";
const EXPECTED_MANY: &str = "a multirange as {range,range}";

/// Decodes a range whose bounds `decode_bound` decodes.
///
/// # Errors
/// It is no range, or a bound is refused.
pub fn decode<T>(
    bytes: &[u8],
    mut decode_bound: impl FnMut(&[u8]) -> Result<T, DecodeError>,
) -> Result<Range<T>, DecodeError> {
    let mut rest = bytes;
    let range = take(&mut rest, &mut decode_bound)?;
    match (range, rest.is_empty()) {
        (Some(range), true) => Ok(range),
        _ => Err(DecodeError::text(EXPECTED, bytes)),
    }
}

/// Decodes a multirange whose bounds `decode_bound` decodes.
///
/// # Errors
/// It is no multirange, or a bound is refused.
pub fn decode_multirange<T>(
    bytes: &[u8],
    mut decode_bound: impl FnMut(&[u8]) -> Result<T, DecodeError>,
) -> Result<Multirange<T>, DecodeError> {
    let refused = || DecodeError::text(EXPECTED_MANY, bytes);
    let mut rest = bytes.strip_prefix(b"{").ok_or_else(refused)?;
    let mut ranges = Vec::new();
    if rest != b"}" {
        loop {
            ranges.push(take(&mut rest, &mut decode_bound)?.ok_or_else(refused)?);
            match rest {
                [b',', behind @ ..] => rest = behind,
                b"}" => break,
                _ => return Err(refused()),
            }
        }
    }
    Ok(Multirange(ranges))
}

/// Takes a range off the front; nothing where there is none.
fn take<T>(
    rest: &mut &[u8],
    decode_bound: &mut impl FnMut(&[u8]) -> Result<T, DecodeError>,
) -> Result<Option<Range<T>>, DecodeError> {
    if let Some(behind) = rest.strip_prefix(b"empty") {
        *rest = behind;
        return Ok(Some(Range::Empty));
    }
    let Some((open @ (b'[' | b'('), behind)) = rest.split_first() else { return Ok(None) };
    let Some((lower, behind)) = take_quoted(behind, b",") else { return Ok(None) };
    let Some(behind) = behind.strip_prefix(b",") else { return Ok(None) };
    let Some((upper, behind)) = take_quoted(behind, b")]") else { return Ok(None) };
    let Some((close @ (b']' | b')'), behind)) = behind.split_first() else { return Ok(None) };
    *rest = behind;
    let mut make = |bound: Option<Vec<u8>>, included| -> Result<Bound<T>, DecodeError> {
        Ok(match bound {
            None => Bound::Unbounded,
            Some(bound) if included => Bound::Included(decode_bound(&bound)?),
            Some(bound) => Bound::Excluded(decode_bound(&bound)?),
        })
    };
    Ok(Some(Range::Between(make(lower, *open == b'[')?, make(upper, *close == b']')?)))
}

/// Appends a range whose bounds `encode_bound` appends, with quotes where they need them.
pub fn encode<T>(
    range: &Range<T>,
    out: &mut Vec<u8>,
    mut encode_bound: impl FnMut(&T, &mut Vec<u8>),
) {
    let Range::Between(lower, upper) = range else { return out.extend_from_slice(b"empty") };
    let mut bound = Vec::new();
    out.push(if matches!(lower, Bound::Included(_)) { b'[' } else { b'(' });
    for (side, behind) in [(lower, b','), (upper, b')')] {
        if let Bound::Included(value) | Bound::Excluded(value) = side {
            bound.clear();
            encode_bound(value, &mut bound);
            push_quoted(&bound, out);
        }
        out.push(behind);
    }
    if let (Bound::Included(_), Some(last)) = (upper, out.last_mut()) {
        *last = b']';
    }
}

/// Appends a multirange whose bounds `encode_bound` appends.
pub fn encode_multirange<T>(
    ranges: &Multirange<T>,
    out: &mut Vec<u8>,
    mut encode_bound: impl FnMut(&T, &mut Vec<u8>),
) {
    out.push(b'{');
    for (index, range) in ranges.0.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        encode(range, out, &mut encode_bound);
    }
    out.push(b'}');
}

/// A bound, in quotes where PostgreSQL puts them.
fn push_quoted(value: &[u8], out: &mut Vec<u8>) {
    let special = |byte: &u8| {
        matches!(byte, b'"' | b'\\' | b'(' | b')' | b'[' | b']' | b',' | b' ' | b'\t'..=b'\r')
    };
    push_quoted_if(value, special, out);
}
