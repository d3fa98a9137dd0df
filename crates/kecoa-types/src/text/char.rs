//! `"char"`, PostgreSQL's one-byte type with the quotes in its name.

use crate::DecodeError;

/// Decodes nothing (the byte 0), one byte, or a byte above 127 as backslash and three octal digits.
///
/// # Errors
/// It is none of these.
pub fn decode(bytes: &[u8]) -> Result<u8, DecodeError> {
    match bytes {
        [] => Ok(0),
        [byte] => Ok(*byte),
        [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7'] => {
            Ok((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'))
        }
        _ => Err(DecodeError::text("one byte", bytes)),
    }
}

/// Appends the byte; nothing for 0; backslash and octal digits above 127.
pub fn encode(value: &u8, out: &mut Vec<u8>) {
    match *value {
        0 => {}
        byte @ 1..=127 => out.push(byte),
        byte => out.extend_from_slice(&[
            b'\\',
            b'0' + (byte >> 6),
            b'0' + (byte >> 3 & 7),
            b'0' + (byte & 7),
        ]),
    }
}
