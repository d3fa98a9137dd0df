//! `uuid`: its 16 bytes.

use crate::{DecodeError, Uuid};

/// Decodes 16 bytes.
///
/// # Errors
/// There are more or fewer.
#[inline]
pub fn decode(bytes: &[u8]) -> Result<Uuid, DecodeError> {
    super::array(bytes, "a UUID of 16 bytes").map(Uuid::from_bytes)
}

/// Appends the 16 bytes.
pub fn encode(value: &Uuid, out: &mut Vec<u8>) {
    out.extend_from_slice(value.as_bytes());
}
