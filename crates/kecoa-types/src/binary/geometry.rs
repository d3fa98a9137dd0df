//! Geometric types: their binary form as the text that the server prints.

use crate::{DecodeError, oid, text};

const EXPECTED: &str = "a geometric value: coordinates of 8 bytes each";

/// Whether [`write_text`] knows the type.
#[must_use]
pub const fn is_known(oid: u32) -> bool {
    matches!(
        oid,
        oid::POINT | oid::LSEG | oid::PATH | oid::BOX | oid::POLYGON | oid::LINE | oid::CIRCLE
    )
}

/// Appends the text of a value of type `oid`: a `point`, `lseg`, `path`, `box`, `polygon`, `line` or
/// `circle`.
///
/// # Errors
/// The type is another one, or there are not as many bytes as it has.
pub fn write_text(oid: u32, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), DecodeError> {
    parse(oid, bytes, out).ok_or_else(|| DecodeError::binary(EXPECTED, bytes))
}

fn parse(oid: u32, bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let (first, coordinates) = match oid {
        oid::PATH => bytes.split_first().map(|(first, rest)| (*first, rest))?,
        _ => (1, bytes),
    };
    let (count, coordinates) = match oid {
        oid::PATH | oid::POLYGON => {
            let (count, rest) = coordinates.split_first_chunk::<4>()?;
            (usize::try_from(i32::from_be_bytes(*count)).ok()?.checked_mul(2)?, rest)
        }
        oid::POINT => (2, coordinates),
        oid::LSEG | oid::BOX => (4, coordinates),
        oid::LINE | oid::CIRCLE => (3, coordinates),
        _ => return None,
    };
    let (coordinates, []) = coordinates.as_chunks::<8>() else { return None };
    if coordinates.len() != count {
        return None;
    }
    let numbers: Vec<f64> = coordinates.iter().map(|bytes| f64::from_be_bytes(*bytes)).collect();
    let (open, close): (&[u8], &[u8]) = match (oid, first) {
        (oid::POINT | oid::BOX, _) => (b"", b""),
        (oid::LSEG | oid::PATH, 0) | (oid::LSEG, _) => (b"[", b"]"),
        (oid::PATH | oid::POLYGON, 1) => (b"(", b")"),
        (oid::LINE, _) => (b"{", b"}"),
        (oid::CIRCLE, _) => (b"<", b">"),
        _ => return None,
    };
    out.extend_from_slice(open);
    let width = if oid == oid::LINE { 1 } else { 2 };
    for (index, point) in numbers.chunks(width).enumerate() {
        if index > 0 {
            out.push(b',');
        }
        let is_point = point.len() == 2;
        if is_point {
            out.push(b'(');
        }
        for (at, number) in point.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            text::float8::encode(number, out);
        }
        if is_point {
            out.push(b')');
        }
    }
    out.extend_from_slice(close);
    Some(())
}
