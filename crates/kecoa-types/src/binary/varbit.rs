//! `bit` and `varbit`: how many bits, then the bytes.

use crate::{BitString, DecodeError};

/// Decodes the bits.
///
/// # Errors
/// There are not as many bytes as the bits fill.
pub fn decode(bytes: &[u8]) -> Result<BitString, DecodeError> {
    bytes
        .split_first_chunk::<4>()
        .and_then(|(length, bytes)| {
            BitString::new(usize::try_from(i32::from_be_bytes(*length)).ok()?, bytes.to_vec())
        })
        .ok_or_else(|| {
            DecodeError::binary("bits: their number, and as many bytes as they fill", bytes)
        })
}

/// Appends the bits, of which there are fewer than 2^31.
pub fn encode(value: &BitString, out: &mut Vec<u8>) {
    let length = i32::try_from(value.len()).unwrap_or(i32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(value.as_bytes());
}
