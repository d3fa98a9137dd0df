//! `macaddr`: its bytes.

use crate::{DecodeError, net::MacAddr};

/// Decodes the six bytes.
///
/// # Errors
/// There are more or fewer.
pub fn decode(bytes: &[u8]) -> Result<MacAddr, DecodeError> {
    super::array(bytes, "a macaddr of 6 bytes").map(MacAddr)
}

/// Appends the bytes.
pub fn encode(value: &MacAddr, out: &mut Vec<u8>) {
    out.extend_from_slice(&value.0);
}
