//! `uuid`.

use std::str::FromStr;

use super::hex::{hex_pair, hex_pairs, push_hex};
use crate::error::DecodeError;
use crate::uuid::Uuid;

/// Decodes the canonical form: groups of 8-4-4-4-12 hexadecimal digits of either case.
///
/// [`Uuid`]'s `FromStr` takes PostgreSQL's other forms.
///
/// # Errors
/// It is not in that form.
#[inline]
pub fn decode(bytes: &[u8]) -> Result<Uuid, DecodeError> {
    parse(bytes)
        .ok_or_else(|| DecodeError::text("a UUID as xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", bytes))
}

#[inline]
fn parse(bytes: &[u8]) -> Option<Uuid> {
    let bytes: &[u8; 36] = bytes.try_into().ok()?;
    let [
        a0,
        a1,
        a2,
        a3,
        a4,
        a5,
        a6,
        a7,
        b'-',
        b0,
        b1,
        b2,
        b3,
        b'-',
        c0,
        c1,
        c2,
        c3,
        b'-',
        d0,
        d1,
        d2,
        d3,
        b'-',
        e0,
        e1,
        e2,
        e3,
        e4,
        e5,
        e6,
        e7,
        e8,
        e9,
        e10,
        e11,
    ] = *bytes
    else {
        return None;
    };
    hex_pairs([
        [a0, a1],
        [a2, a3],
        [a4, a5],
        [a6, a7],
        [b0, b1],
        [b2, b3],
        [c0, c1],
        [c2, c3],
        [d0, d1],
        [d2, d3],
        [e0, e1],
        [e2, e3],
        [e4, e5],
        [e6, e7],
        [e8, e9],
        [e10, e11],
    ])
    .map(Uuid::from_bytes)
}

/// Appends the canonical form, in lower case.
pub fn encode(value: &Uuid, out: &mut Vec<u8>) {
    for (index, group) in value.as_bytes().chunks(2).enumerate() {
        if matches!(index, 2..=5) {
            out.push(b'-');
        }
        push_hex(group, out);
    }
}

impl FromStr for Uuid {
    type Err = DecodeError;

    /// All forms PostgreSQL takes: either case, with or without braces, with or without a hyphen
    /// after any group of four digits.
    fn from_str(s: &str) -> Result<Self, DecodeError> {
        if let Ok(uuid) = decode(s.as_bytes()) {
            return Ok(uuid);
        }
        let refused = || DecodeError::text("a UUID of 32 hexadecimal digits", s.as_bytes());
        let inner = match s.strip_prefix('{') {
            Some(rest) => rest.strip_suffix('}').ok_or_else(refused)?,
            None => s,
        };
        let mut rest = inner.as_bytes();
        let mut bytes = [0; 16];
        for (index, byte) in bytes.iter_mut().enumerate() {
            if let ([b'-', after @ ..], true) = (rest, index > 0 && index % 2 == 0) {
                rest = after;
            }
            let [high, low, after @ ..] = rest else { return Err(refused()) };
            *byte = hex_pair(*high, *low).ok_or_else(refused)?;
            rest = after;
        }
        if rest.is_empty() { Ok(Self::from_bytes(bytes)) } else { Err(refused()) }
    }
}
