//! `bytea`: hexadecimal (`\x0102`) or, with `bytea_output = escape`, backslash and octal digits.

use super::hex::{push_hex, push_pairs};
use crate::DecodeError;

const EXPECTED: &str = r"bytea as \x and hexadecimal digits, or in escape form";

/// Decodes either form.
///
/// # Errors
/// It is neither.
pub fn decode(bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let mut out = Vec::new();
    decode_into(bytes, &mut out)?;
    Ok(out)
}

/// Decodes either form onto the end of `out`; never more bytes than `bytes` has.
///
/// # Errors
/// It is neither; what was appended to `out` is then meaningless.
pub fn decode_into(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), DecodeError> {
    let refused = || DecodeError::text(EXPECTED, bytes);
    let Some(digits) = bytes.strip_prefix(br"\x") else {
        return decode_escape(bytes, out).ok_or_else(refused);
    };
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(refused());
    }
    push_pairs(pairs, out).ok_or_else(refused)
}

fn decode_escape(mut bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    while let Some(position) = memchr::memchr(b'\\', bytes) {
        let (plain, escape) = bytes.split_at_checked(position)?;
        out.extend_from_slice(plain);
        bytes = match escape {
            [b'\\', b'\\', rest @ ..] => {
                out.push(b'\\');
                rest
            }
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', rest @ ..] => {
                out.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest
            }
            _ => return None,
        };
    }
    out.extend_from_slice(bytes);
    Some(())
}

/// Appends the hexadecimal form.
pub fn encode(value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(br"\x");
    push_hex(value, out);
}
