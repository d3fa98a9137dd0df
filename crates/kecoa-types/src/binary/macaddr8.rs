//! `macaddr8`: its bytes.

use crate::{DecodeError, net::MacAddr8};

/// Decodes the eight bytes.
///
/// # Errors
/// There are more or fewer.
pub fn decode(bytes: &[u8]) -> Result<MacAddr8, DecodeError> {
    super::array(bytes, "a macaddr8 of 8 bytes").map(MacAddr8)
}

/// Appends the bytes.
pub fn encode(value: &MacAddr8, out: &mut Vec<u8>) {
    out.extend_from_slice(&value.0);
}
