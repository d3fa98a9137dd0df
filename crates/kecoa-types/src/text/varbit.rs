//! `bit` and `varbit`.

use crate::{BitString, DecodeError};

/// Decodes digits `0` and `1`.
///
/// # Errors
/// There is another character.
pub fn decode(bytes: &[u8]) -> Result<BitString, DecodeError> {
    bytes
        .iter()
        .map(|byte| match byte {
            b'0' => Ok(false),
            b'1' => Ok(true),
            _ => Err(DecodeError::text("bits as digits 0 and 1", bytes)),
        })
        .collect()
}

/// Appends the digits.
pub fn encode(value: &BitString, out: &mut Vec<u8>) {
    out.extend((0..value.len()).map(|at| if value.get(at) == Some(true) { b'1' } else { b'0' }));
}
