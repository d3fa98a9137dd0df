//! `bytea`: the bytes themselves.

use crate::DecodeError;

/// Copies the bytes.
///
/// # Errors
/// None; the signature is that of the other types.
pub fn decode(bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
    Ok(bytes.to_vec())
}

/// Appends the bytes.
pub fn encode(value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(value);
}
